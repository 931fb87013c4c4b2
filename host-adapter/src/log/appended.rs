use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arc_swap::ArcSwap;
use rustix::fs::{FlockOperation, flock};

use crate::config::LogFile;

/// A file that lines are appended to, those of other processes between them, until another takes its place.
pub(super) struct Appended {
    config: LogFile,
    file: ArcSwap<File>,
}

impl Appended {
    /// # Errors
    /// It cannot be opened to append.
    pub(super) fn open(config: LogFile) -> io::Result<Self> {
        let file = ArcSwap::from_pointee(append_to(&config.path)?);
        Ok(Self { config, file })
    }

    /// Lines are few, so each looks whether the file was put aside, by another process or by logrotate; it is made anew then.
    ///
    /// # Errors
    /// The system's own.
    pub(super) fn write(&self, line: &[u8]) -> io::Result<usize> {
        let here = self.file.load().metadata()?;
        let there = fs::metadata(&self.config.path);
        if !there.is_ok_and(|there| is_same(&there, &here)) {
            self.open_anew();
        } else if let Some(most) = self.config.size
            && here.len() > 0
            && here.len().saturating_add(line.len() as u64) > most.get()
        {
            // A file that cannot be put aside becomes too long: better than lines that are lost.
            let _ = self.put_aside(&here);
            self.open_anew();
        }
        (&**self.file.load()).write(line)
    }

    fn open_anew(&self) {
        if let Ok(file) = append_to(&self.config.path) {
            self.file.store(Arc::new(file));
        }
    }

    /// Renames the file, unless another thread or process is about it or has done it. The lock is on the file as it is opened here, since a
    /// forked child and its parent hold the same one otherwise.
    fn put_aside(&self, here: &Metadata) -> io::Result<()> {
        let path = &self.config.path;
        let turn = File::open(path)?;
        if flock(&turn, FlockOperation::NonBlockingLockExclusive).is_err() {
            return Ok(());
        }
        if !is_same(&turn.metadata()?, here) || !is_same(&fs::metadata(path)?, here) {
            return Ok(());
        }
        for number in (1..self.config.keep.get()).rev() {
            match fs::rename(aside(path, number), aside(path, number + 1)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                Ok(()) | Err(_) => {}
            }
        }
        fs::rename(path, aside(path, 1))
    }
}

fn is_same(one: &Metadata, other: &Metadata) -> bool {
    (one.dev(), one.ino()) == (other.dev(), other.ino())
}

fn aside(path: &Path, number: u8) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{number}"));
    name.into()
}

fn append_to(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.create(true).append(true).mode(0o600).open(path)
}

#[cfg(test)]
mod tests {
    use std::num::{NonZeroU8, NonZeroU64};
    use std::thread;

    use super::*;

    fn file(directory: &Path, size: Option<u64>, keep: u8) -> LogFile {
        LogFile {
            path: directory.join("log"),
            size: size.and_then(NonZeroU64::new),
            keep: NonZeroU8::new(keep).expect("it is not zero"),
        }
    }

    fn text(path: &Path) -> String {
        fs::read_to_string(path).unwrap_or_default()
    }

    #[test]
    fn a_file_that_was_put_aside_is_followed_by_one_in_its_place() {
        let directory = tempfile::tempdir().expect("there is room");
        let config = file(directory.path(), None, 1);
        let (path, other) = (config.path.clone(), aside(&config.path, 1));
        let lines = Appended::open(config).expect("it is writable");
        lines.write(b"one\n").expect("it is writable");
        fs::rename(&path, &other).expect("it is there");
        lines.write(b"two\n").expect("it is writable");
        lines.write(b"three\n").expect("it is writable");
        assert_eq!(
            (text(&other), text(&path)),
            ("one\n".to_owned(), "two\nthree\n".to_owned())
        );
        let mode = fs::metadata(&path).expect("it is there").mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn a_file_that_would_become_too_long_is_put_aside_and_so_many_are_kept() {
        let directory = tempfile::tempdir().expect("there is room");
        let config = file(directory.path(), Some(8), 2);
        let path = config.path.clone();
        let lines = Appended::open(config).expect("it is writable");
        for line in ["one\n", "two\n", "three\n", "longer than the most\n", "5\n"] {
            lines.write(line.as_bytes()).expect("it is writable");
        }
        let files = [path.clone(), aside(&path, 1), aside(&path, 2)].map(|path| text(&path));
        assert_eq!(files, ["5\n", "longer than the most\n", "three\n"]);
        assert!(!aside(&path, 3).exists());
    }

    #[test]
    fn no_line_of_several_writers_is_lost_over_it() {
        const WRITERS: usize = 4;
        const LINES: usize = 60;
        let directory = tempfile::tempdir().expect("there is room");
        let config = file(directory.path(), Some(100), 255);
        let path = config.path.clone();
        thread::scope(|scope| {
            for writer in 0..WRITERS {
                // Each as a process of its own would.
                let lines = Appended::open(config.clone()).expect("it is writable");
                scope.spawn(move || {
                    for number in 0..LINES {
                        let line = format!("{writer} {number:02}\n");
                        lines.write(line.as_bytes()).expect("it is writable");
                    }
                });
            }
        });
        let all = text(&path)
            + &(1..=255)
                .map(|number| text(&aside(&path, number)))
                .collect::<String>();
        let mut found: Vec<_> = all.lines().map(str::to_owned).collect();
        found.sort();
        let expected: Vec<_> = (0..WRITERS)
            .flat_map(|writer| (0..LINES).map(move |number| format!("{writer} {number:02}")))
            .collect();
        assert_eq!(found, expected);
        assert!(aside(&path, 1).exists(), "it was put aside");
    }
}
