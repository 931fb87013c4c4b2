//! The file of a trace: one that grows up to a size, and the one before it.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use super::{FORMAT, Line};

/// Lines are written together up to so many bytes, and always whole, so that a process that is killed leaves no half of one.
const TOGETHER: usize = 64 * 1024;

/// Writes lines to `PATH.PID`, and turns to a new file when that has grown too large; the file before is `PATH.PID.1`.
pub(super) struct TraceFile {
    path: PathBuf,
    /// Most bytes before a new file is wanted.
    most: u64,
    written: u64,
    file: File,
    /// The file before, while steps may still come that go on from what is in it.
    before: Option<File>,
    lines: Vec<u8>,
}

impl TraceFile {
    /// The name has the process's id in it: applications share a configuration, and no two may write one file.
    ///
    /// # Errors
    /// The file cannot be made.
    pub(super) fn begin(path: &Path, most: u64) -> io::Result<Self> {
        let mut name = path.as_os_str().to_owned();
        name.push(format!(".{}", std::process::id()));
        let path = PathBuf::from(name);
        let mut file = Self {
            file: open_anew(&path)?,
            before: None,
            lines: Vec::new(),
            path,
            most,
            written: 0,
        };
        file.write_head()?;
        Ok(file)
    }

    pub(super) const fn is_full(&self) -> bool {
        self.written >= self.most
    }

    /// A new file.
    ///
    /// # Errors
    /// As when it was begun.
    pub(super) fn turn(&mut self) -> io::Result<()> {
        self.flush()?;
        let before = std::mem::replace(&mut self.file, open_anew(&self.path)?);
        self.before = Some(before);
        self.written = 0;
        self.write_head()
    }

    /// Writes to the file before; whether there is one.
    ///
    /// # Errors
    /// The file system takes no more.
    pub(super) fn write_before(&mut self, line: &Line) -> io::Result<bool> {
        let Some(before) = &mut self.before else {
            return Ok(false);
        };
        let mut bytes = serde_json::to_vec(line)?;
        bytes.push(b'\n');
        before.write_all(&bytes)?;
        Ok(true)
    }

    /// From here on nothing goes to the file before.
    pub(super) fn leave_before(&mut self) {
        self.before = None;
    }

    /// # Errors
    /// The file system takes no more.
    pub(super) fn write(&mut self, line: &Line) -> io::Result<()> {
        let before = self.lines.len();
        serde_json::to_writer(&mut self.lines, line)?;
        self.lines.push(b'\n');
        self.written += (self.lines.len() - before) as u64;
        if self.lines.len() >= TOGETHER {
            self.flush()?;
        }
        Ok(())
    }

    /// # Errors
    /// The file system takes no more.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        self.file.write_all(&self.lines)?;
        self.lines.clear();
        Ok(())
    }

    fn write_head(&mut self) -> io::Result<()> {
        self.write(&Line::Trace {
            format: FORMAT,
            version: env!("CARGO_PKG_VERSION").to_owned(),
        })?;
        self.flush()
    }
}

/// What is there becomes the file before.
fn open_anew(path: &Path) -> io::Result<File> {
    if path.exists() {
        let mut before = path.as_os_str().to_owned();
        before.push(".1");
        std::fs::rename(path, before)?;
    }
    let mut options = OpenOptions::new();
    options.create_new(true).write(true).mode(0o600).open(path)
}
