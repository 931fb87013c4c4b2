//! Where the library's log lines go. Never a PIN, a key or an attribute's value is among them.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::sync::atomic::{AtomicBool, Ordering};

use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::fmt::MakeWriter;

use crate::config::{LogConfig, LogLevel};

/// Where lines go, without a lock: each is one write, and a lock that another thread holds at a fork would stop the child for ever.
enum Lines {
    StandardError,
    /// Opened to append, so that lines of several writers stand one after the other.
    File(File),
}

impl<'a> MakeWriter<'a> for Lines {
    type Writer = &'a Self;

    fn make_writer(&'a self) -> Self::Writer {
        self
    }
}

impl io::Write for &Lines {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        match self {
            Lines::StandardError => Ok(rustix::io::write(rustix::stdio::stderr(), line)?),
            Lines::File(file) => (&*file).write(line),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Begins to log as configured, unless this copy of the library logs already.
///
/// # Errors
/// The log file cannot be opened; one line says which.
pub(crate) fn start(config: &LogConfig) -> Result<(), String> {
    let level = match config.level {
        LogLevel::Off => LevelFilter::OFF,
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
        LogLevel::Trace => LevelFilter::TRACE,
    };
    static STARTED: AtomicBool = AtomicBool::new(false);
    if STARTED.load(Ordering::Acquire) {
        // The log of the process's first C_Initialize, or of its parent's.
        return Ok(());
    }
    let lines = match &config.file {
        None => Lines::StandardError,
        Some(path) => {
            let mut options = OpenOptions::new();
            let file = options.create(true).append(true).mode(0o600).open(path);
            Lines::File(file.map_err(|error| {
                format!("the log file {} cannot be opened: {error}", path.display())
            })?)
        }
    };
    // An error means that something else of the application logs through this copy of the library.
    let _ = tracing_subscriber::fmt()
        .with_max_level(level)
        .with_target(false)
        .with_ansi(false)
        .with_writer(lines)
        .try_init();
    STARTED.store(true, Ordering::Release);
    Ok(())
}
