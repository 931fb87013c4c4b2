//! A PIN that a program prints.

use std::io::{self, Read};
use std::os::fd::AsFd;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, pidfd_open};
use secrecy::SecretString;
use zeroize::Zeroizing;

use super::{LONGEST_PIN, PinError, one_line};

/// How long the program may take: somebody may have to touch a key.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);

/// The one line that the command prints.
///
/// # Errors
/// It does not start, fails, prints something else, or is not done in time.
pub(super) fn first_line(command: &[String], patience: Duration) -> Result<SecretString, PinError> {
    let (program, arguments) = command.split_first().ok_or(PinError::NoCommand)?;
    let not_run = |source| PinError::CommandNotRun {
        program: program.clone(),
        source,
    };
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(not_run)?;
    let done = output(&mut child, Instant::now() + patience);
    if !matches!(done, Ok(Some(_))) {
        // What it was asked for is lost already; that it cannot be killed any more means that it has ended.
        let _ = child.kill();
    }
    let status = match child.wait() {
        Ok(status) => Some(status),
        // The application lets the system take its children's ends.
        Err(error) if error.raw_os_error() == Some(rustix::io::Errno::CHILD.raw_os_error()) => None,
        Err(error) => return Err(not_run(error)),
    };
    let text = done.map_err(not_run)?.ok_or(PinError::CommandHangs {
        program: program.clone(),
        patience,
    })?;
    match status {
        Some(status) if !status.success() => Err(PinError::CommandFailed {
            program: program.clone(),
            status,
        }),
        _ => one_line(&text)
            .ok_or_else(|| PinError::NotOneLine(format!("the output of the command {program:?}"))),
    }
}

/// All that it prints until its end; `None` when that has not come in time.
fn output(child: &mut Child, until: Instant) -> io::Result<Option<Zeroizing<String>>> {
    // Room for all of it at once: growing would leave copies behind that are not wiped.
    let mut text = Zeroizing::new(vec![0; LONGEST_PIN as usize + 1]);
    let mut length = 0;
    let end = pidfd_open(Pid::from_child(child), PidfdFlags::empty())?;
    let Some(printed) = &mut child.stdout else {
        return Ok(None);
    };
    loop {
        if !is_readable(printed.as_fd(), until)? {
            return Ok(None);
        }
        let room = text.get_mut(length..).unwrap_or_default();
        match printed.read(room)? {
            0 => break,
            read => length += read,
        }
    }
    if !is_readable(end.as_fd(), until)? {
        return Ok(None);
    }
    let text = str::from_utf8(text.get(..length).unwrap_or_default());
    // What is no text holds no PIN.
    Ok(Some(Zeroizing::new(text.unwrap_or_default().to_owned())))
}

/// Waits until there is something to read, or the end of it; `false` when the time is up.
fn is_readable(descriptor: std::os::fd::BorrowedFd<'_>, until: Instant) -> io::Result<bool> {
    loop {
        let left = until.saturating_duration_since(Instant::now());
        let left = Timespec::try_from(left).map_err(io::Error::other)?;
        let mut watched = [PollFd::new(&descriptor, PollFlags::IN)];
        match poll(&mut watched, Some(&left)) {
            Ok(ready) => return Ok(ready > 0),
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}
