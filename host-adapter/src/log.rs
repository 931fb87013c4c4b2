//! Where the library's log lines go. Never a PIN, a key or an attribute's value is among them.

mod appended;
mod syslog;

use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use tracing::{Level, Metadata};
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use self::appended::Appended;
use self::syslog::{DAEMON, Syslog};
use crate::config::{LogConfig, LogFormat, LogLevel, LogTo};

/// Where lines go, without a lock: each is one write, and a lock that another thread holds at a fork would stop the child for ever.
enum Lines {
    StandardError,
    File(Appended),
    Syslog(Syslog),
}

/// One line on its way.
struct Line<'a> {
    lines: &'a Lines,
    level: Level,
}

impl<'a> MakeWriter<'a> for Lines {
    type Writer = Line<'a>;

    fn make_writer(&'a self) -> Self::Writer {
        Line {
            lines: self,
            level: Level::INFO,
        }
    }

    fn make_writer_for(&'a self, meta: &Metadata<'_>) -> Self::Writer {
        Line {
            lines: self,
            level: *meta.level(),
        }
    }
}

impl io::Write for Line<'_> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        match self.lines {
            Lines::StandardError => Ok(rustix::io::write(rustix::stdio::stderr(), line)?),
            Lines::File(file) => file.write(line),
            Lines::Syslog(syslog) => syslog.write(self.level, line),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Begins to log as configured, unless this copy of the library logs already.
///
/// # Errors
/// The log cannot be written where it is to go; one line says why.
pub(crate) fn start(config: &LogConfig) -> Result<(), String> {
    static STARTED: AtomicBool = AtomicBool::new(false);
    if STARTED.load(Ordering::Acquire) {
        // The log of the process's first C_Initialize, or of its parent's.
        return Ok(());
    }
    match &config.to {
        LogTo::StandardError => write_lines(config, Lines::StandardError),
        LogTo::File(file) => {
            let opened = Appended::open(file.clone()).map_err(|error| {
                format!(
                    "the log file {} cannot be opened: {error}",
                    file.path.display()
                )
            })?;
            write_lines(config, Lines::File(opened));
        }
        LogTo::Syslog => {
            let opened = Syslog::open(Path::new(DAEMON)).map_err(|error| {
                format!("no log daemon listens at {DAEMON} ({error}); start one, or change log.to")
            })?;
            write_lines(config, Lines::Syslog(opened));
        }
        LogTo::Journal => write_journal(config)?,
    }
    STARTED.store(true, Ordering::Release);
    Ok(())
}

const fn filter(level: LogLevel) -> LevelFilter {
    match level {
        LogLevel::Off => LevelFilter::OFF,
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
        LogLevel::Trace => LevelFilter::TRACE,
    }
}

fn write_lines(config: &LogConfig, lines: Lines) {
    let has_own_time = matches!(lines, Lines::Syslog(_));
    let format = tracing_subscriber::fmt()
        .with_max_level(filter(config.level))
        .with_target(false)
        .with_ansi(false)
        .with_writer(lines);
    // An error means that something else of the application logs through this copy of the library.
    let _ = match (config.format, has_own_time) {
        (LogFormat::Plain, false) => format.try_init(),
        (LogFormat::Plain, true) => format.without_time().with_level(false).try_init(),
        (LogFormat::Json, false) => format.json().flatten_event(true).try_init(),
        (LogFormat::Json, true) => {
            let json = format.json().flatten_event(true);
            json.without_time().with_level(false).try_init()
        }
    };
}

/// The journal takes each value of a line in a field of its own, so there is nothing to format.
fn write_journal(config: &LogConfig) -> Result<(), String> {
    let journal = tracing_journald::layer().map_err(|error| {
        format!("systemd's journal cannot be written to ({error}); change log.to")
    })?;
    let journal = journal.with_syslog_identifier("everslot".to_owned());
    let registry = tracing_subscriber::registry();
    // As above.
    let _ = registry.with(filter(config.level)).with(journal).try_init();
    Ok(())
}
