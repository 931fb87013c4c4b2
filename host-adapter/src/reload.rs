//! Notices that the configuration's file has changed, and hands on what it then says.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rustix::event::{EventfdFlags, PollFd, PollFlags, eventfd, poll};
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::inotify;
use rustix::time::Timespec;

use crate::config::Config;
use crate::threads::Threads;

/// How often the file is looked at where the system cannot say that it has changed, or does not because it is on another machine.
const LOOK: Timespec = Timespec {
    tv_sec: 5,
    tv_nsec: 0,
};

/// Who takes a new configuration.
pub(crate) trait Taker: Send + Sync {
    /// The file holds together and says something else than before, or is looked at for the first time. Whether to go on watching.
    fn take(&self, config: Config) -> bool;
}

/// Watches a configuration's file until it is told to stop.
pub(crate) struct Watch {
    threads: Threads,
    wake: Arc<OwnedFd>,
    stopping: Arc<AtomicBool>,
}

impl Watch {
    /// Begins to watch `path`.
    ///
    /// # Errors
    /// The system has no thread or descriptor left.
    pub(crate) fn start(path: &Path, taker: Arc<dyn Taker>) -> io::Result<Self> {
        let path = std::path::absolute(path)?;
        let wake = Arc::new(eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?);
        let (threads, stopping) = (Threads::new(), Arc::<AtomicBool>::default());
        let mut watcher = Watcher {
            wake: Arc::clone(&wake),
            stopping: Arc::clone(&stopping),
            directories: directories(&path).ok(),
            seen: None,
            path,
            taker,
        };
        threads.spawn("everslot-config", move || watcher.run())?;
        Ok(Self {
            threads,
            wake,
            stopping,
        })
    }

    /// Has it stop.
    pub(crate) fn begin_to_stop(&self) {
        self.stopping.store(true, Ordering::SeqCst);
        // A counter that is full wakes as well.
        let _ = rustix::io::write(&*self.wake, &1u64.to_ne_bytes());
    }

    /// Waits until it has stopped, at most until then.
    pub(crate) fn stop(&self, until: Instant) {
        self.begin_to_stop();
        self.threads.end(until);
    }
}

struct Watcher {
    path: PathBuf,
    wake: Arc<OwnedFd>,
    stopping: Arc<AtomicBool>,
    directories: Option<OwnedFd>,
    seen: Option<Stamp>,
    taker: Arc<dyn Taker>,
}

/// What tells one content of a file from another.
#[derive(Clone, Copy, Eq, PartialEq)]
struct Stamp {
    device: u64,
    inode: u64,
    modified: (i64, i64),
    size: u64,
}

impl Stamp {
    /// None where there is no file.
    fn of(path: &Path) -> Option<Self> {
        let data = fs::metadata(path).ok()?;
        Some(Self {
            device: data.dev(),
            inode: data.ino(),
            modified: (data.mtime(), data.mtime_nsec()),
            size: data.size(),
        })
    }
}

impl Watcher {
    fn run(&mut self) {
        while !self.stopping.load(Ordering::SeqCst) && self.look() {
            self.sleep();
        }
    }

    /// Hands on what the file says if it has changed. Whether to go on.
    fn look(&mut self) -> bool {
        // Taken before the file is read: a change meanwhile is seen by the next look.
        let stamp = Stamp::of(&self.path);
        if stamp == self.seen {
            return true;
        }
        self.seen = stamp;
        match Config::from_file(&self.path) {
            Ok(config) => self.taker.take(config),
            Err(error) => {
                tracing::error!(%error, "the configuration is not taken, what it said before goes on");
                true
            }
        }
    }

    /// Sleeps until something is written in the file's directory, and for a while at most.
    fn sleep(&self) {
        let mut descriptors = vec![PollFd::from_borrowed_fd(self.wake.as_fd(), PollFlags::IN)];
        if let Some(directories) = &self.directories {
            descriptors.push(PollFd::from_borrowed_fd(directories.as_fd(), PollFlags::IN));
        }
        // Interrupted is awake.
        let _ = poll(&mut descriptors, Some(&LOOK));
        if let Some(directories) = &self.directories {
            let mut events = [0; 4096];
            while rustix::io::read(directories, &mut events).is_ok_and(|read| read > 0) {}
        }
    }
}

/// Tells of what is written in the directory of `path`, and in that of the file which a link there leads to.
fn directories(path: &Path) -> io::Result<OwnedFd> {
    let watch = inotify::init(inotify::CreateFlags::CLOEXEC | inotify::CreateFlags::NONBLOCK)?;
    let events = inotify::WatchFlags::CLOSE_WRITE
        | inotify::WatchFlags::MOVED_TO
        | inotify::WatchFlags::ATTRIB;
    let target = path.canonicalize()?;
    for file in [path, &target] {
        let directory = file.parent().unwrap_or(Path::new("/"));
        inotify::add_watch(&watch, directory, events)?;
    }
    Ok(watch)
}

/// How long the end of the thread is waited for.
pub(crate) const GRACE: Duration = Duration::from_millis(500);

#[cfg(test)]
mod tests;
