//! The configuration as text that explains itself, and its file.

use std::error::Error;
use std::fmt::{self, Display, Formatter};
use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

use super::argument::{Key, MemberArgument};

/// A group, to be written.
pub(super) struct GroupText<'a> {
    pub(super) label: &'a str,
    pub(super) serial: &'a str,
    pub(super) members: &'a [MemberArgument],
    pub(super) tuning: &'a Tuning,
}

/// The values that a person may want to change.
pub(super) struct Tuning {
    pub(super) interval: &'static str,
    pub(super) why: &'static str,
}

impl Default for Tuning {
    fn default() -> Self {
        Self {
            interval: "60s",
            why: "a lost member is tried at most this often",
        }
    }
}

impl Display for GroupText<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(
            "# The tokens that stand behind one PKCS#11 slot. Written by `everslot init`; edit it as you like.\n\
             # Applications load libeverslot.so; `everslot status` shows how the members are.\n\n[[group]]\n",
        )?;
        line(f, "label", self.label, "the virtual token's label")?;
        line(
            f,
            "serial",
            self.serial,
            "the virtual token's serial; applications may remember it, so keep it",
        )?;
        line(
            f,
            "mechanisms",
            "common",
            "or \"any\": also those that only some members have",
        )?;
        f.write_str("\n[group.recovery]\n")?;
        line(
            f,
            "mode",
            "background",
            "or \"in-call\": within the application's calls, without a thread",
        )?;
        line(f, "interval", self.tuning.interval, self.tuning.why)?;
        f.write_str(
            "attempts = -1  # in one outage; -1 is no limit, 0 leaves it to `everslot recover`\n",
        )?;
        for (index, member) in self.members.iter().enumerate() {
            write_member(f, member)?;
            if index == 0 {
                write_possibilities(f, member)?;
            }
        }
        Ok(())
    }
}

fn write_member(f: &mut Formatter<'_>, member: &MemberArgument) -> fmt::Result {
    f.write_str("\n[[group.member]]\n")?;
    if let Some(name) = &member.name {
        writeln!(f, "name = {}", quoted(name))?;
    }
    for (key, value) in &member.texts {
        writeln!(f, "{} = {}", key.name(), quoted(value))?;
    }
    if let Some(slot) = member.slot {
        writeln!(f, "slot = {slot}")?;
    }
    if !member.environment.is_empty() {
        let variable =
            |(name, value): (&String, &String)| format!("{} = {}", quoted(name), quoted(value));
        let variables: Vec<_> = member.environment.iter().map(variable).collect();
        writeln!(f, "environment = {{ {} }}", variables.join(", "))?;
    }
    if let Some(file) = &member.pin_file {
        writeln!(f, "pin = {{ file = {} }}", quoted(file))?;
    }
    Ok(())
}

/// The keys that the first member does not have, as comments with their defaults.
fn write_possibilities(f: &mut Formatter<'_>, member: &MemberArgument) -> fmt::Result {
    let absent = |key| !member.texts.contains_key(&key);
    if absent(Key::Role) {
        f.write_str(
            "# role = \"active\"  # or \"standby\": serves only when no active member is left\n",
        )?;
    }
    if member.environment.is_empty() {
        f.write_str("# environment = { VARIABLE = \"value\" }  # for the module alone\n")?;
    }
    if absent(Key::Isolation) {
        f.write_str(
            "# isolation = \"process\"  # or \"none\": loaded in the application; faster, but a crash of it is the application's\n",
        )?;
    }
    if absent(Key::Deadline) {
        f.write_str(
            "# deadline = \"2s\"  # a call that takes longer means that the member is lost\n",
        )?;
    }
    f.write_str("# generation_deadline = \"60s\"  # the same for making keys\n")?;
    f.write_str("# sessions = 64  # real sessions at once, at most\n")?;
    f.write_str("# verdicts = { CKR_FUNCTION_FAILED = \"member-lost\" }  # what this member means by a return code\n")
}

fn line(f: &mut Formatter<'_>, key: &str, value: &str, comment: &str) -> fmt::Result {
    writeln!(f, "{key} = {}  # {comment}", quoted(value))
}

fn quoted(text: &str) -> toml::Value {
    toml::Value::String(text.to_owned())
}

/// Whether `path` may be written, before any work is done.
///
/// # Errors
/// There is a file, and it is not to be written over.
pub(in crate::command) fn check_free(path: &Path, force: bool) -> Result<(), Box<dyn Error>> {
    if !force && fs::symlink_metadata(path).is_ok() {
        return Err(format!(
            "{} is there already; give --force to write over it, or --output",
            path.display()
        )
        .into());
    }
    Ok(())
}

/// Writes `text` to `path`, whole or not at all, for its owner only.
///
/// # Errors
/// The file or its directory cannot be written.
pub(in crate::command) fn write(
    path: &Path,
    text: &str,
    force: bool,
) -> Result<(), Box<dyn Error>> {
    check_free(path, force)?;
    let directory = path.parent().unwrap_or(Path::new("/"));
    let mut beside = path.as_os_str().to_owned();
    beside.push(format!(".{}", std::process::id()));
    let written = DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(directory)
        .and_then(|()| {
            write_private(beside.as_ref(), text)?;
            fs::rename(&beside, path)
        });
    written.map_err(|error| format!("{} cannot be written: {error}", path.display()).into())
}

/// Writes `text` to a new file that its owner alone may read.
///
/// # Errors
/// The file is there already, or cannot be written.
pub(super) fn write_private(path: &Path, text: &str) -> io::Result<()> {
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}
