//! Runs a suite and looks at how it gets on.

use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};

/// Between two looks at the suite's log.
const POLL: Duration = Duration::from_millis(20);

/// How a suite ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum End {
    /// By itself.
    Ended(ExitStatus),
    /// It was killed because its log had not grown for too long.
    Stalled,
}

/// Runs `command`, which writes `log`, and shows `look` the log's text whenever it has grown, and now and then when not.
///
/// # Panics
/// The command does not start.
pub(super) fn watch(
    command: &mut Command,
    log: &Path,
    patience: Duration,
    mut look: impl FnMut(&str),
) -> End {
    let mut child = command.process_group(0).spawn().unwrap_or_else(|error| {
        panic!(
            "{} does not start: {error}",
            command.get_program().display()
        )
    });
    let (mut length, mut grown) = (0, Instant::now());
    let mut text = String::new();
    loop {
        let now = std::fs::metadata(log).map_or(0, |metadata| metadata.len());
        if now != length {
            (length, grown) = (now, Instant::now());
            text = std::fs::read_to_string(log).unwrap_or_default();
        }
        look(&text);
        if let Some(status) = child.try_wait().expect("it is ours") {
            return End::Ended(status);
        }
        if grown.elapsed() > patience {
            kill(&mut child);
            return End::Stalled;
        }
        std::thread::sleep(POLL);
    }
}

fn kill(child: &mut Child) {
    let group = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    // It may end by itself meanwhile.
    let _ = kill_process_group(group.expect("a process id"), Signal::KILL);
    child.wait().expect("it is ours");
}

#[cfg(test)]
mod tests {
    use super::{End, watch};
    use std::process::Command;
    use std::time::Duration;

    #[test]
    fn a_suite_that_stalls_is_ended() {
        let directory = tempfile::tempdir().expect("there is room");
        let log = directory.path().join("log");
        let mut command = Command::new("sh");
        command
            .args(["-c", "echo first > \"$0\"; exec sleep 1000"])
            .arg(&log);
        let mut seen = String::new();
        let end = watch(&mut command, &log, Duration::from_millis(300), |text| {
            seen = text.to_owned();
        });
        assert_eq!((end, seen.as_str()), (End::Stalled, "first\n"));
    }

    #[test]
    fn what_it_wrote_last_is_seen() {
        let directory = tempfile::tempdir().expect("there is room");
        let log = directory.path().join("log");
        let mut command = Command::new("sh");
        command.args(["-c", "echo last > \"$0\"; exit 3"]).arg(&log);
        let end = watch(&mut command, &log, Duration::from_secs(60), |_| {});
        let End::Ended(status) = end else {
            panic!("it ended by itself")
        };
        assert_eq!(status.code(), Some(3));
        assert_eq!(std::fs::read_to_string(log).expect("it wrote it"), "last\n");
    }
}
