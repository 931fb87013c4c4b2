//! What of a changed configuration waits for the next start of an application.

use std::collections::BTreeSet;

use super::{Config, GroupConfig};

/// One line for each difference between `old` and `new` that an application which runs with `old` does not take before it starts again.
pub(crate) fn kept_until_restart(old: &Config, new: &Config) -> Vec<String> {
    let mut lines = Vec::new();
    let mut note =
        |what: String| lines.push(format!("{what}: not before the application starts again"));
    if old.log != new.log {
        note("the log's settings".to_owned());
    }
    if old.metrics != new.metrics {
        note("the address of the metrics".to_owned());
    }
    if old.host_program != new.host_program {
        note("the host program".to_owned());
    }
    let counterpart = |config: &Config, group: &GroupConfig| {
        let is_same = |other: &&GroupConfig| other.serial == group.serial;
        config.groups.iter().find(is_same).cloned()
    };
    for group in &old.groups {
        let label = &group.label;
        let Some(changed) = counterpart(new, group) else {
            note(format!("group {label:?} goes"));
            continue;
        };
        for what in fixed(group, &changed) {
            note(format!("{what} of group {label:?}"));
        }
    }
    for group in &new.groups {
        if counterpart(old, group).is_none() {
            note(format!("group {:?} comes", group.label));
        }
    }
    lines
}

/// What differs between two states of a group that a running application cannot take.
fn fixed(old: &GroupConfig, new: &GroupConfig) -> impl Iterator<Item = &'static str> {
    let differences = [
        (old.label != new.label, "the label"),
        (old.journal != new.journal, "the journal"),
        (old.trace != new.trace, "the trace"),
        (exposed(old) != exposed(new), "the members' own slots"),
        (
            old.recovery.mode != new.recovery.mode,
            "the recovery's mode",
        ),
    ];
    let differs = |(differs, what): (bool, &'static str)| differs.then_some(what);
    differences.into_iter().filter_map(differs)
}

/// The members that are slots of their own.
fn exposed(group: &GroupConfig) -> BTreeSet<&str> {
    let members = group.members.iter().filter(|_| group.expose_members);
    members.map(|member| member.name.as_str()).collect()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn config(text: &str) -> Config {
        let directory = tempfile::tempdir().expect("there is room");
        std::fs::write(directory.path().join("m.so"), "").expect("it is writable");
        let path = directory.path().join("everslot.toml");
        let mut config = Config::parse(text, &path).expect("it holds together");
        // The journal's default depends on the home directory and nothing here.
        for group in &mut config.groups {
            for member in &mut group.members {
                member.module.path = Path::new("/m.so").to_owned();
            }
        }
        config
    }

    const ONE: &str = "\
[[group]]
label = \"g\"
serial = \"1\"
[[group.member]]
name = \"a\"
module = \"m.so\"
token = \"t\"
";

    #[test]
    fn what_can_be_taken_at_once_is_not_told_of() {
        let changed = ONE
            .replace("serial = \"1\"\n", "serial = \"1\"\nmechanisms = \"any\"\ntranscript = \"2MiB\"\ncopies = 1\nrecovery = { interval = \"1s\", attempts = 3 }\n")
            + "deadline = \"5s\"\nrole = \"standby\"\nparked = true\nsessions = 3\n[[group.member]]\nname = \"b\"\nmodule = \"m.so\"\ntoken = \"u\"\n";
        assert_eq!(
            kept_until_restart(&config(ONE), &config(&changed)),
            Vec::<String>::new()
        );
    }

    #[test]
    fn what_waits_is_told_in_a_line_each() {
        let mut changed = format!("host_program = \"/e\"\nlog = {{ level = \"info\" }}\n{ONE}");
        changed = changed.replace(
            "serial = \"1\"\n",
            "serial = \"1\"\njournal = \"/j\"\ntrace = \"/t\"\nrecovery = { mode = \"in-call\" }\n",
        );
        changed = changed.replace("label = \"g\"", "label = \"h\"")
            + &ONE.replace("\"g\"", "\"more\"").replace("\"1\"", "\"2\"");
        let lines = kept_until_restart(&config(ONE), &config(&changed));
        let expected = [
            "the log's settings",
            "the host program",
            "the label of group \"g\"",
            "the journal of group \"g\"",
            "the trace of group \"g\"",
            "the recovery's mode of group \"g\"",
            "group \"more\" comes",
        ];
        let expected =
            expected.map(|what| format!("{what}: not before the application starts again"));
        assert_eq!(lines, expected);
        let gone = kept_until_restart(&config(&changed), &config(ONE));
        assert!(
            gone.iter()
                .any(|line| line.starts_with("group \"more\" goes"))
        );
    }
}
