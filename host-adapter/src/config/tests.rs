mod permissions;
mod values;

use std::fs;
use std::time::Duration;

use everslot_core::{Attempts, Class, Role, Rv};
use tempfile::TempDir;

use super::*;
use crate::module::Isolation;

/// A group whose first member is whole; `{rest}` goes on behind it.
const GROUP: &str = "[[group]]\nlabel = \"everslot\"\nserial = \"e1a0\"\n";
const MEMBER: &str = "[[group.member]]\nname = \"a\"\nmodule = \"module.so\"\ntoken = \"alpha\"\n";

/// A directory with a file that stands for a module, and the configuration's path in it.
fn directory() -> (TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("module.so"), "").unwrap();
    let path = directory.path().join("everslot.toml");
    (directory, path)
}

#[track_caller]
fn parse(text: &str) -> Config {
    let (_directory, path) = directory();
    Config::parse(text, &path).unwrap()
}

/// The error line for `text`, with the directory left out.
#[track_caller]
fn refused(text: &str) -> String {
    let (directory, path) = directory();
    let line = Config::parse(text, &path).unwrap_err().to_string();
    assert!(!line.contains('\n'), "more than one line: {line}");
    line.replace(&format!("{}/", directory.path().display()), "")
}

#[test]
fn a_whole_configuration_is_read() {
    let (directory, path) = directory();
    let text = r#"
        host_program = "bin/everslot"
        log = { level = "info", file = "/var/log/everslot.log", size = "1MiB", keep = 2, format = "json" }

        [[group]]
        label = "everslot"
        serial = "e1a0c7d2"
        mechanisms = "any"
        recovery = { mode = "in-call", interval = "1m 30s", attempts = 5 }

        [[group.member]]
        name = "a"
        module = "module.so"
        token = "alpha"
        serial = "0042"
        role = "standby"
        environment = { SOFTHSM2_CONF = "/etc/a.conf" }
        init_string = "configdir='sql:x'"
        deadline = "250ms"
        generation_deadline = "2m"
        sessions = 8
        pin = { file = "pin" }
        so_pin = { environment = "SO_PIN" }
        verdicts = { "CKR_FUNCTION_FAILED" = "member-lost", "0x80000001" = "session-lost" }
    "#;
    let config = Config::parse(text, &path).unwrap();
    assert_eq!(
        config.host_program,
        Some(directory.path().join("bin/everslot"))
    );
    assert_eq!(
        config.log,
        LogConfig {
            level: LogLevel::Info,
            to: LogTo::File(LogFile {
                path: "/var/log/everslot.log".into(),
                size: NonZeroU64::new(1 << 20),
                keep: NonZeroU8::new(2).expect("it is not zero"),
            }),
            format: LogFormat::Json,
        }
    );
    let group = &config.groups[0];
    assert_eq!(
        (group.label.as_str(), group.serial.as_str()),
        ("everslot", "e1a0c7d2")
    );
    assert_eq!(group.mechanisms, MechanismPolicy::Any);
    assert_eq!(group.recovery.mode, RecoveryMode::InCall);
    assert_eq!(group.recovery.policy.interval, Duration::from_secs(90));
    assert_eq!(group.recovery.policy.attempts, Attempts::AtMost(5));
    let member = &group.members[0];
    let token = TokenChoice::LabelAndSerial {
        label: "alpha".into(),
        serial: "0042".into(),
    };
    assert_eq!(
        (member.name.as_str(), &member.token, member.role),
        ("a", &token, Role::Standby)
    );
    assert_eq!(member.deadline, Duration::from_millis(250));
    assert_eq!(member.generation_deadline, Duration::from_secs(120));
    assert_eq!(member.sessions.get(), 8);
    assert_eq!(
        member.pin,
        Some(PinSource::File(directory.path().join("pin")))
    );
    assert_eq!(member.so_pin, Some(PinSource::Environment("SO_PIN".into())));
    assert_eq!(member.overrides.class(Rv(6)), Some(Class::MemberLost));
    assert_eq!(
        member.overrides.class(Rv(0x8000_0001)),
        Some(Class::SessionLost)
    );
    assert_eq!(member.overrides.class(Rv(0x30)), None);
    let settings = member.settings();
    assert_eq!(settings.path, directory.path().join("module.so"));
    assert_eq!(settings.environment["SOFTHSM2_CONF"], "/etc/a.conf");
    assert_eq!(settings.init_string.as_deref(), Some("configdir='sql:x'"));
    assert_eq!(settings.isolation, Isolation::Process);
}

#[test]
fn what_is_not_said_has_its_default() {
    let config = parse(&format!("{GROUP}{MEMBER}"));
    assert_eq!(
        (config.host_program, config.log),
        (None, LogConfig::default())
    );
    let group = &config.groups[0];
    assert_eq!(group.mechanisms, MechanismPolicy::Common);
    assert_eq!(group.recovery.mode, RecoveryMode::Background);
    assert_eq!(group.recovery.policy.interval, Duration::from_secs(60));
    assert_eq!(group.recovery.policy.attempts, Attempts::Unlimited);
    let member = &group.members[0];
    assert_eq!(
        (member.role, member.sessions.get(), member.pin.as_ref()),
        (Role::Active, 64, None)
    );
    assert_eq!(member.deadline, Duration::from_secs(2));
    assert_eq!(member.generation_deadline, Duration::from_secs(60));
}

#[test]
fn mistyped_keys_and_words_get_a_suggestion() {
    for (text, line) in [
        (
            "hostprogram = \"x\"\n",
            "everslot.toml:1:1: unknown key \"hostprogram\"; did you mean \"host_program\"?",
        ),
        (
            "[[group]]\nlable = \"x\"\n",
            "everslot.toml:2:1: unknown key \"lable\"; did you mean \"label\"?",
        ),
        (
            "[[group]]\nlabel = \"x\"\nserial = \"x\"\n[[group.member]]\nnmae = \"a\"\n",
            "everslot.toml:5:1: unknown key \"nmae\"; did you mean \"name\"?",
        ),
        (
            "[[group]]\nlabel = \"x\"\nserial = \"x\"\n[group.recovery]\nfoo = 1\n",
            "everslot.toml:5:1: unknown key \"foo\"; there are mode, interval, attempts",
        ),
        (
            "[[group]]\nlabel = \"x\"\nserial = \"x\"\nmechanisms = \"all\"\n",
            "everslot.toml:4:14: unknown word \"all\"; there are common, any",
        ),
        (
            "[[group]]\nlabel = \"x\"\nserial = \"x\"\nrecovery.mode = \"incall\"\n",
            "everslot.toml:4:17: unknown word \"incall\"; did you mean \"in-call\"?",
        ),
    ] {
        assert_eq!(refused(text), line);
    }
}

#[test]
fn what_is_missing_is_named_with_an_example() {
    assert_eq!(
        refused(&format!("{GROUP}[[group.member]]\nname = \"a\"\n")),
        "everslot.toml:4:1: \"module\" is missing here; add for example module = \"/usr/lib/softhsm/libsofthsm2.so\""
    );
    assert_eq!(
        refused("[[group]]\nlabel = \"x\"\n"),
        "everslot.toml:1:1: \"serial\" is missing here; add for example serial = \"e1a0c7d2\""
    );
    assert_eq!(
        refused("# nothing\n"),
        "everslot.toml: there is no [[group]] in it; write one with `everslot init`"
    );
    assert_eq!(
        refused(GROUP),
        "everslot.toml:1:1: group \"everslot\" has no member; add a [[group.member]]"
    );
}

#[test]
fn to_an_application_a_file_without_a_group_is_no_mistake() {
    let (_directory, path) = directory();
    std::fs::write(&path, "# nothing yet\n").expect("it can be written");
    let config = Config::read(&path, |checker| checker.any_config());
    assert!(config.expect("it holds together").groups.is_empty());
    assert!(Config::from_file(&path).is_err(), "a command wants one");
}

#[test]
fn a_missing_file_is_told_with_the_way_out() {
    let (directory, path) = directory();
    let line = Config::from_file(&path).unwrap_err().to_string();
    assert_eq!(
        line,
        format!(
            "no configuration: there is no {}; write one with `everslot init`",
            path.display()
        )
    );
    let line = Config::from_file(directory.path()).unwrap_err().to_string();
    assert!(line.contains("cannot be read: "), "{line}");
}

#[test]
fn members_must_be_told_apart() {
    let other = MEMBER.replace("\"a\"", "\"b\"");
    for (text, line) in [
        (
            format!("{GROUP}{MEMBER}{MEMBER}"),
            "everslot.toml:9:8: the group has another member \"a\"; give this one its own name",
        ),
        (
            format!("{GROUP}{MEMBER}{other}"),
            "everslot.toml:8:1: member \"b\" is the same token as member \"a\", the token \"alpha\"; remove one of them",
        ),
        (
            format!("{GROUP}{MEMBER}{GROUP}{MEMBER}"),
            "everslot.toml:9:9: another group has the label \"everslot\" too; give this one its own",
        ),
        (
            format!("{GROUP}{MEMBER}[[group]]\nlabel = \"other\"\nserial = \"e1a0\"\n{MEMBER}"),
            "everslot.toml:10:10: another group has the serial \"e1a0\" too; give this one its own",
        ),
    ] {
        assert_eq!(refused(&text), line);
    }
    let elsewhere = parse(&format!(
        "{GROUP}{MEMBER}{other}environment = {{ CONF = \"b\" }}\n"
    ));
    assert_eq!(elsewhere.groups[0].members.len(), 2);
}

#[test]
fn a_member_is_one_token_of_one_module() {
    for (text, line) in [
        (
            format!("{GROUP}{}", MEMBER.replace("token = \"alpha\"\n", "")),
            "everslot.toml:4:1: member \"a\" does not say which token it is; add token = \"its label\", serial = \"…\" or slot = N",
        ),
        (
            format!("{GROUP}{MEMBER}slot = 5\n"),
            "everslot.toml:4:1: member \"a\" chooses its token both by slot and by label or serial; keep one of them",
        ),
        (
            format!("{GROUP}{}", MEMBER.replace("module.so", "gone.so")),
            "everslot.toml:6:10: there is no module gone.so; install it or correct the path",
        ),
        (
            format!("{GROUP}{MEMBER}isolation = \"none\"\nenvironment = {{ A = \"b\" }}\n"),
            "everslot.toml:9:15: isolation = \"none\" loads the module in the application, whose environment it has; remove environment or the isolation",
        ),
    ] {
        assert_eq!(refused(&text), line);
    }
}

#[test]
fn a_group_has_32_members_at_most() {
    let members = |count: usize| -> String {
        let member = |n: usize| {
            MEMBER
                .replace("\"a\"", &format!("\"m{n}\""))
                .replace("alpha", &format!("t{n}"))
        };
        (0..count).map(member).collect()
    };
    assert_eq!(
        parse(&format!("{GROUP}{}", members(32))).groups[0]
            .members
            .len(),
        32
    );
    assert_eq!(
        refused(&format!("{GROUP}{}", members(34))),
        "everslot.toml:1:1: group \"everslot\" has 34 members; 32 are the most, remove 2"
    );
}

#[test]
fn a_pin_source_is_one_thing() {
    let line = refused(&format!(
        "{GROUP}{MEMBER}pin = {{ file = \"x\", environment = \"Y\" }}\n"
    ));
    assert!(line.starts_with("everslot.toml:8:7: "), "{line}");
}
