//! Where the library's log lines go. Never a PIN, a key or an attribute's value is among them.

use std::fs::OpenOptions;
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::sync::Mutex;

use tracing_subscriber::filter::LevelFilter;

use crate::config::{LogConfig, LogLevel};

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
    let lines = tracing_subscriber::fmt()
        .with_max_level(level)
        .with_target(false);
    // A second C_Initialize of the process finds the log of the first.
    let _ = match &config.file {
        None => lines.with_writer(io::stderr).with_ansi(false).try_init(),
        Some(path) => {
            let mut options = OpenOptions::new();
            let file = options.create(true).append(true).mode(0o600).open(path);
            let file = file.map_err(|error| {
                format!("the log file {} cannot be opened: {error}", path.display())
            })?;
            lines
                .with_writer(Mutex::new(file))
                .with_ansi(false)
                .try_init()
        }
    };
    Ok(())
}
