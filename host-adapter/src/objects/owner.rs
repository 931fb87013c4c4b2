//! Which process does a change, in words that tell other processes of the same host whether it still runs.

use std::fmt;
use std::path::Path;

/// A process, for good: its number alone may be another's by now.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Owner(String);

/// What an owner's words say.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Parts<'w> {
    /// The machine, as far as that is known.
    machine: &'w str,
    /// Its last start.
    boot: &'w str,
    /// In which the number is one: containers count their own.
    namespace: &'w str,
    process: &'w str,
    /// When it was started, in ticks since the boot.
    started: &'w str,
}

impl Owner {
    /// This process.
    #[must_use]
    pub fn this() -> Self {
        let process = std::process::id().to_string();
        let here = Here::read();
        let started = started(&process).unwrap_or_default();
        let Here {
            machine,
            boot,
            namespace,
        } = here;
        Self(format!("{machine}/{boot}/{namespace}/{process}/{started}"))
    }

    /// In the words that stand in the journal.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the process of these words has ended for sure, or there is none in them. Of one on another machine, or in another container,
    /// that cannot be told.
    #[must_use]
    pub fn has_ended(words: &str) -> bool {
        words.is_empty() || Parts::of(words).is_some_and(|parts| parts.has_ended(&Here::read()))
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Where this process runs.
struct Here {
    machine: String,
    boot: String,
    namespace: String,
}

impl Here {
    fn read() -> Self {
        let namespace = std::fs::read_link("/proc/self/ns/pid").unwrap_or_default();
        Self {
            machine: line("/etc/machine-id"),
            boot: line("/proc/sys/kernel/random/boot_id"),
            namespace: namespace.display().to_string(),
        }
    }
}

impl<'w> Parts<'w> {
    fn of(words: &'w str) -> Option<Self> {
        let mut parts = words.split('/');
        let parts = Self {
            machine: parts.next()?,
            boot: parts.next()?,
            namespace: parts.next()?,
            process: parts.next()?,
            started: parts.next()?,
        };
        Some(parts)
    }

    fn has_ended(&self, here: &Here) -> bool {
        if self.boot != here.boot {
            return !self.machine.is_empty() && self.machine == here.machine;
        }
        if self.boot.is_empty() || self.namespace != here.namespace {
            return false;
        }
        started(self.process).is_none_or(|started| started != self.started)
    }
}

fn line(path: &str) -> String {
    let read = std::fs::read_to_string(Path::new(path)).unwrap_or_default();
    read.trim().to_owned()
}

/// When the process of this number was started (field 22 of `proc_pid_stat(5)`); none if there is none.
fn started(process: &str) -> Option<String> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // Its name, in brackets, may have anything in it.
    let (_, fields) = stat.rsplit_once(')')?;
    fields.split_whitespace().nth(19).map(str::to_owned)
}

#[cfg(test)]
mod tests;
