//! `everslot log`

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use super::{Outcome, output};
use crate::config::{Config, LogTo};

const EXAMPLES: &str = "\
Examples:
  everslot log                the last lines of the log file
  everslot log --lines 100
  everslot log --follow       and further ones as they come, also when the file is rotated

The file is that of [log] in the configuration: `everslot vtl haAdmin halog -path FILE` sets it, for applications that start from then on.";

/// How often the file is looked at for further lines.
const LOOK: Duration = Duration::from_millis(200);
/// The end of the file in which the last lines are looked for.
const TAIL: u64 = 1024 * 1024;

/// Show what applications have logged: one line for each change of a member's state
#[derive(clap::Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// Go on with further lines as they come
    #[arg(long, short)]
    follow: bool,
    /// How many of the last lines
    #[arg(long, short = 'n', default_value_t = 20, value_name = "NUMBER")]
    lines: usize,
}

pub(super) fn run(arguments: &Arguments) -> Outcome {
    let config = Config::load()?;
    let path = match &config.log.to {
        LogTo::File(file) => file.path.as_path(),
        LogTo::StandardError => return Err("applications log to their standard error; everslot vtl haAdmin halog -path FILE has them log to a file".into()),
        LogTo::Syslog => return Err("applications log to syslog: see what its daemon has written, such as /var/log/syslog".into()),
        LogTo::Journal => return Err("applications log to systemd's journal: journalctl -t everslot, with -f to follow it".into()),
    };
    let failed = |error| format!("the log file {} cannot be read: {error}", path.display());
    let mut reader = Reader::open(path).map_err(failed)?;
    let tail = reader.tail().map_err(failed)?;
    output::print(last(&tail, arguments.lines))?;
    if !arguments.follow {
        return Ok(ExitCode::SUCCESS);
    }
    loop {
        std::thread::sleep(LOOK);
        output::print(&reader.further(path).map_err(failed)?)?;
    }
}

/// A file that others append to, and that may be put aside for a new one.
struct Reader {
    file: File,
    /// What was read of a character whose end is not there yet.
    partial: Vec<u8>,
}

impl Reader {
    fn open(path: &Path) -> io::Result<Self> {
        let file = File::open(path)?;
        let partial = Vec::new();
        Ok(Self { file, partial })
    }

    /// The end of what there is.
    fn tail(&mut self) -> io::Result<String> {
        let length = self.file.metadata()?.len();
        self.file
            .seek(SeekFrom::Start(length.saturating_sub(TAIL)))?;
        let mut bytes = Vec::new();
        self.file.read_to_end(&mut bytes)?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// What has come since the last time. A file that has become shorter is read from its beginning, and so is one in its place, after the rest
    /// of the old one.
    fn further(&mut self, path: &Path) -> io::Result<String> {
        if self.file.metadata()?.len() < self.file.stream_position()? {
            self.file.rewind()?;
        }
        let mut text = self.rest()?;
        let is_same = |now: &std::fs::Metadata, here: &std::fs::Metadata| {
            (now.dev(), now.ino()) == (here.dev(), here.ino())
        };
        // Between two files there is none for a moment.
        if let Ok(now) = std::fs::metadata(path)
            && !is_same(&now, &self.file.metadata()?)
        {
            // What was written before it was looked at.
            text += &self.rest()?;
            *self = Self::open(path)?;
            text += &self.rest()?;
        }
        Ok(text)
    }

    fn rest(&mut self) -> io::Result<String> {
        self.file.read_to_end(&mut self.partial)?;
        let whole = self.partial.iter().rposition(|byte| *byte == b'\n');
        let bytes: Vec<u8> = self.partial.drain(..whole.map_or(0, |at| at + 1)).collect();
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }
}

/// The last lines of a text.
fn last(text: &str, lines: usize) -> &str {
    let ends = text.match_indices('\n').map(|(at, _)| at + 1);
    let starts: Vec<_> = std::iter::once(0)
        .chain(ends)
        .filter(|start| *start < text.len())
        .collect();
    let first = starts.len().saturating_sub(lines);
    starts.get(first).map_or("", |start| &text[*start..])
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn the_last_lines_are_those() {
        assert_eq!(last("a\nb\nc\n", 2), "b\nc\n");
        assert_eq!(last("a\nb\nc", 1), "c");
        assert_eq!(last("a\n", 9), "a\n");
        assert_eq!(last("a\n", 0), "");
        assert_eq!(last("", 3), "");
    }

    #[test]
    fn lines_are_followed_through_a_rotation_and_a_truncation() {
        let directory = tempfile::tempdir().expect("there is room");
        let path = directory.path().join("log");
        fs::write(&path, "one\n").expect("it is writable");
        let mut reader = Reader::open(&path).expect("it is there");
        assert_eq!(reader.tail().expect("it is readable"), "one\n");
        let mut next = || reader.further(&path).expect("it is readable");
        assert_eq!(next(), "");
        fs::write(&path, "one\ntwo\nthr").expect("it is writable");
        assert_eq!(next(), "two\n", "a line is told when it is whole");
        fs::write(&path, "one\ntwo\nthree\nfour\n").expect("it is writable");
        fs::rename(&path, directory.path().join("log.1")).expect("it is writable");
        assert_eq!(next(), "three\nfour\n");
        fs::write(&path, "five, in the next file\n").expect("it is writable");
        assert_eq!(next(), "five, in the next file\n");
        fs::write(&path, "six\n").expect("it is writable");
        assert_eq!(next(), "six\n");
    }
}
