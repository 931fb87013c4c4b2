//! The settings of the log and of the metrics.

use std::net::SocketAddr;
use std::num::{NonZeroU8, NonZeroU64};

use toml::Spanned;

use super::check::Checker;
use super::error::{ConfigError, Problem};
use super::file::{self, Size};
use super::{LogConfig, LogFile, LogTo};

const KEEP: NonZeroU8 = NonZeroU8::new(5).expect("5 is not zero");

/// What the address of metrics must be.
pub(crate) const LOOPBACK: &str = "a loopback address and a port, such as \"127.0.0.1:9464\"";

/// Such an address.
pub(crate) fn loopback(text: &str) -> Option<SocketAddr> {
    let address: SocketAddr = text.parse().ok()?;
    address.ip().is_loopback().then_some(address)
}

impl Checker<'_> {
    pub(super) fn log(&self, written: &file::Log) -> Result<LogConfig, ConfigError> {
        Ok(LogConfig {
            level: written.level,
            to: self.log_to(written)?,
            format: written.format,
        })
    }

    /// Whoever may ask there may know, and there is no other lock on it: so none but the machine's own users.
    pub(super) fn metrics(
        &self,
        written: Option<&Spanned<String>>,
    ) -> Result<Option<SocketAddr>, ConfigError> {
        let Some(address) = written else {
            return Ok(None);
        };
        match loopback(address.get_ref()) {
            Some(found) => Ok(Some(found)),
            None => {
                let (key, must) = ("metrics", LOOPBACK);
                let value = address.get_ref().clone();
                Err(self.wrong(address, Problem::Unfit { key, must, value }))
            }
        }
    }

    /// A file is enough to say that it goes there.
    fn log_to(&self, written: &file::Log) -> Result<LogTo, ConfigError> {
        let to = written.to.as_ref().map(|to| (to, *to.get_ref()));
        if let Some(path) = &written.file {
            if let Some((to, word)) = to
                && word != file::LogTo::File
            {
                return Err(self.wrong(to, Problem::LogElsewhere));
            }
            return Ok(LogTo::File(LogFile {
                path: self.absolute(path.get_ref()),
                size: self.size(written.size.as_ref())?,
                keep: written.keep.as_ref().map_or(KEEP, |keep| *keep.get_ref()),
            }));
        }
        if let Some(size) = &written.size {
            return Err(self.wrong(size, Problem::LogWithoutFile("size")));
        }
        if let Some(keep) = &written.keep {
            return Err(self.wrong(keep, Problem::LogWithoutFile("keep")));
        }
        match to {
            Some((to, file::LogTo::File)) => {
                Err(self.wrong(to, Problem::LogWithoutFile("to = \"file\"")))
            }
            Some((_, file::LogTo::Syslog)) => Ok(LogTo::Syslog),
            Some((_, file::LogTo::Journal)) => Ok(LogTo::Journal),
            Some((_, file::LogTo::StandardError)) | None => Ok(LogTo::StandardError),
        }
    }

    fn size(&self, written: Option<&Spanned<Size>>) -> Result<Option<NonZeroU64>, ConfigError> {
        let Some(size) = written else {
            return Ok(None);
        };
        match NonZeroU64::new(size.get_ref().0 as u64) {
            Some(bytes) => Ok(Some(bytes)),
            None => Err(self.wrong(size, Problem::Zero("size", "10MiB"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::Config;

    fn read(log: &str) -> Result<LogConfig, String> {
        parse(&format!("log = {{ {log} }}\n")).map(|config| config.log)
    }

    fn parse(head: &str) -> Result<Config, String> {
        let module = std::env::current_exe().expect("this program has a file");
        let text = format!(
            "{head}[[group]]\nlabel = \"g\"\nserial = \"1\"\n[[group.member]]\nname = \"a\"\ntoken = \"a\"\nmodule = {module:?}\n"
        );
        let config = Config::parse(&text, Path::new("/etc/everslot.toml"));
        config.map_err(|error| error.to_string())
    }

    #[test]
    fn a_log_goes_to_one_place() {
        let to = |text: &str| read(text).map(|log| log.to);
        assert_eq!(to(""), Ok(LogTo::StandardError));
        assert_eq!(to("to = \"standard-error\""), Ok(LogTo::StandardError));
        assert_eq!(to("to = \"syslog\""), Ok(LogTo::Syslog));
        assert_eq!(to("to = \"journal\""), Ok(LogTo::Journal));
        let file = LogTo::File(LogFile {
            path: "/etc/log".into(),
            size: None,
            keep: KEEP,
        });
        assert_eq!(to("file = \"log\""), Ok(file.clone()));
        assert_eq!(to("to = \"file\", file = \"log\""), Ok(file));
    }

    #[test]
    fn what_does_not_fit_together_is_said() {
        for (log, why) in [
            (
                "to = \"syslog\", file = \"log\"",
                "1:14: the log goes to one place; remove to or file",
            ),
            (
                "to = \"journal\", keep = 3",
                "1:32: keep wants the log's file; add for example file = \"/var/log/everslot.log\"",
            ),
            (
                "to = \"file\"",
                "1:14: to = \"file\" wants the log's file; add for example file = \"/var/log/everslot.log\"",
            ),
            (
                "file = \"log\", size = \"0B\"",
                "1:30: size cannot be zero; write for example \"10MiB\"",
            ),
        ] {
            let expected = format!("/etc/everslot.toml:{why}");
            assert_eq!(read(log), Err(expected), "{log}");
        }
    }

    #[test]
    fn metrics_are_for_this_machine_alone() {
        let read =
            |text: &str| parse(&format!("metrics = {text:?}\n")).map(|config| config.metrics);
        assert_eq!(parse("").map(|config| config.metrics), Ok(None));
        let address = "[::1]:9464".parse().ok();
        assert_eq!(read("[::1]:9464"), Ok(address));
        assert!(read("127.0.0.1:9464").is_ok());
        for other in ["0.0.0.0:9464", "192.0.2.1:80", "localhost:80", "127.0.0.1"] {
            let expected = format!(
                "/etc/everslot.toml:1:11: metrics must be {LOOPBACK}, and {other:?} is not; change it"
            );
            assert_eq!(read(other), Err(expected));
        }
    }
}
