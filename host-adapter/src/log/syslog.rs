use std::io;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};

use tracing::Level;

/// Where the system's log daemon listens.
pub(super) const DAEMON: &str = "/dev/log";

/// `LOG_USER` of RFC 3164 §4.1.1, which C programs have when they say nothing.
const FACILITY: u8 = 1;

/// The system's log daemon. Not by the C library's `syslog`, whose name for the program and whose lock are the application's.
pub(super) struct Syslog {
    socket: UnixDatagram,
    daemon: PathBuf,
}

impl Syslog {
    /// # Errors
    /// Nobody listens at `daemon`.
    pub(super) fn open(daemon: &Path) -> io::Result<Self> {
        let socket = UnixDatagram::unbound()?;
        socket.set_nonblocking(true)?;
        UnixDatagram::unbound()?.connect(daemon)?;
        let daemon = daemon.to_owned();
        Ok(Self { socket, daemon })
    }

    /// A line as RFC 3164 has it on the machine itself: priority, who, text; the daemon adds the rest. It is never waited for the daemon.
    ///
    /// # Errors
    /// The daemon is away or does not keep up; the line is lost.
    pub(super) fn write(&self, level: Level, line: &[u8]) -> io::Result<usize> {
        let severity = match level {
            Level::ERROR => 3,
            Level::WARN => 4,
            Level::INFO => 6,
            _ => 7,
        };
        let who = format!(
            "<{}>everslot[{}]: ",
            FACILITY * 8 + severity,
            std::process::id()
        );
        let text = line.strip_suffix(b"\n").unwrap_or(line);
        self.socket
            .send_to(&[who.as_bytes(), text].concat(), &self.daemon)?;
        Ok(line.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_comes_with_its_severity_and_its_process_and_the_daemon_may_start_again() {
        let directory = tempfile::tempdir().expect("there is room");
        let path = directory.path().join("log");
        let error = Syslog::open(&path).err().expect("nobody listens yet");
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
        let daemon = UnixDatagram::bind(&path).expect("it is free");
        let syslog = Syslog::open(&path).expect("it listens");
        let next = |daemon: &UnixDatagram| {
            let mut line = [0; 100];
            let length = daemon.recv(&mut line).expect("it was sent");
            String::from_utf8_lossy(&line[..length]).into_owned()
        };
        let process = std::process::id();
        syslog
            .write(Level::WARN, b"lost member=\"a\"\n")
            .expect("it listens");
        assert_eq!(
            next(&daemon),
            format!("<12>everslot[{process}]: lost member=\"a\"")
        );
        drop(daemon);
        std::fs::remove_file(&path).expect("it was there");
        assert!(syslog.write(Level::ERROR, b"gone\n").is_err());
        let daemon = UnixDatagram::bind(&path).expect("it is free");
        syslog.write(Level::INFO, b"back\n").expect("it listens");
        assert_eq!(next(&daemon), format!("<14>everslot[{process}]: back"));
    }
}
