//! QEMU with the board's program in it, and the log that comes out of it, decoded.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use crate::artifact::build_directory;

/// Whether this machine has what runs the board; what it has not, in words.
///
/// # Errors
/// What is missing.
pub fn has_qemu() -> Result<(), &'static str> {
    for program in ["qemu-system-arm", "defmt-print"] {
        let found = Command::new(program)
            .arg("--version")
            .stdout(Stdio::null())
            .status();
        if found.is_err() {
            return Err(program);
        }
    }
    Ok(())
}

/// A board that runs; killed when dropped.
#[derive(Debug)]
pub struct Machine {
    emulator: Child,
    decoder: Child,
    incoming: Receiver<String>,
    log: Vec<String>,
}

impl Machine {
    /// Runs a program of the firmware with an argument, its UARTs connected to the sockets at `lines`.
    ///
    /// # Panics
    /// The program has not been built.
    #[must_use]
    pub fn start(program: &str, argument: &str, lines: &[&Path], further: &[&str]) -> Self {
        let mut decoder = Command::new("defmt-print");
        decoder.args(["--log-format", "{t} {L} {s}", "-e"]);
        decoder.arg(image(program));
        Self::start_with(decoder, program, argument, lines, further)
    }

    /// Runs a program whose log is plain text.
    ///
    /// # Panics
    /// The program has not been built.
    #[must_use]
    pub fn start_plain(program: &str) -> Self {
        Self::start_with(Command::new("cat"), program, "", &[], &[])
    }

    fn start_with(
        mut decoder: Command,
        program: &str,
        argument: &str,
        lines: &[&Path],
        further: &[&str],
    ) -> Self {
        let image = image(program);
        let mut emulator = Command::new("qemu-system-arm")
            .args(["-cpu", "cortex-m3", "-machine", "lm3s6965evb"])
            .args(["-nographic", "-monitor", "none"])
            .args(
                lines
                    .iter()
                    .enumerate()
                    .flat_map(|(number, line)| line_arguments(number, line)),
            )
            .arg("-semihosting-config")
            .arg(format!(
                "enable=on,target=native,arg={program},arg={argument}"
            ))
            .args(further)
            .arg("-kernel")
            .arg(&image)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("QEMU starts");
        let encoded = emulator.stdout.take().expect("it is piped");
        let mut decoder = decoder
            .stdin(encoded)
            .stdout(Stdio::piped())
            .spawn()
            .expect("the decoder starts");
        let decoded = BufReader::new(decoder.stdout.take().expect("it is piped"));
        let (sender, incoming) = channel();
        thread::spawn(move || {
            for line in decoded.lines().map_while(Result::ok) {
                eprintln!("board: {line}");
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        Self {
            emulator,
            decoder,
            incoming,
            log: Vec::new(),
        }
    }

    /// Waits for a further line of the log that has `text` in it.
    ///
    /// # Panics
    /// None comes within `deadline`, or the board ends first.
    #[track_caller]
    pub fn expect(&mut self, text: &str, deadline: Duration) {
        let until = Instant::now() + deadline;
        loop {
            let patience = until.saturating_duration_since(Instant::now());
            match self.incoming.recv_timeout(patience) {
                Ok(line) => {
                    let is_it = line.contains(text);
                    self.log.push(line);
                    if is_it {
                        return;
                    }
                }
                Err(RecvTimeoutError::Timeout) => panic!("no {text:?} within {deadline:?}"),
                Err(RecvTimeoutError::Disconnected) => panic!("the board ended without {text:?}"),
            }
        }
    }

    /// Waits until the board has ended: how, and its whole log.
    ///
    /// # Panics
    /// It has not ended within `deadline`.
    #[track_caller]
    pub fn finish(mut self, deadline: Duration) -> (ExitStatus, Vec<String>) {
        let until = Instant::now() + deadline;
        loop {
            let patience = until.saturating_duration_since(Instant::now());
            match self.incoming.recv_timeout(patience) {
                Ok(line) => self.log.push(line),
                Err(RecvTimeoutError::Timeout) => panic!("it has not ended within {deadline:?}"),
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        let status = self.emulator.wait().expect("it is ours");
        (status, std::mem::take(&mut self.log))
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        for child in [&mut self.emulator, &mut self.decoder] {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// A program of the firmware, as `firmware-example/build` leaves it.
///
/// # Panics
/// It has not been built.
#[must_use]
pub fn image(program: &str) -> PathBuf {
    let path = build_directory().join("firmware").join(program);
    assert!(
        path.is_file(),
        "{} is not there: run `firmware-example/build` first (`make test` does)",
        path.display()
    );
    path
}

fn line_arguments(number: usize, line: &Path) -> [String; 4] {
    let socket = format!("socket,id=line{number},path={},reconnect=1", line.display());
    [
        "-chardev".to_owned(),
        socket,
        "-serial".to_owned(),
        format!("chardev:line{number}"),
    ]
}
