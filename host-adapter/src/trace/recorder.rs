//! Takes down what happens, on a thread of its own: nobody who reports something waits for a disk.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::{Duration, Instant};

use everslot_core::Group;

use super::file::TraceFile;
use super::{CallSteps, Line, Step};
use crate::threads::Threads;

/// Lines that wait to be written.
const QUEUE: usize = 4096;
/// Calls, operations and objects leave this much of the queue to the group, whose steps matter more and are few.
const FOR_CALLS: usize = QUEUE - 512;
/// Half of what a trace takes on a disk.
const MOST: u64 = 16 * 1024 * 1024;
/// How long a line stands in memory only.
const PAUSE: Duration = Duration::from_millis(100);

/// Where a group reports what its machines are told and answer. When more comes than can be written, it is counted instead.
#[derive(Clone)]
pub struct Recorder {
    queue: SyncSender<Line>,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    waiting: AtomicUsize,
    /// Not written down, and not told yet.
    missed: AtomicU64,
    /// The next step is to begin with the state: the first one, one after a gap, one in a new file.
    wants_state: AtomicBool,
    /// A step is missing since the last state.
    gap: AtomicBool,
    ended: AtomicBool,
}

impl Recorder {
    /// Begins a trace at `path`, with the process's id added.
    ///
    /// # Errors
    /// The file cannot be made, or there is no thread to write it.
    pub(crate) fn begin(path: &Path, threads: &Threads) -> io::Result<Self> {
        Self::of_size(path, threads, MOST)
    }

    pub(super) fn of_size(path: &Path, threads: &Threads, most: u64) -> io::Result<Self> {
        let file = TraceFile::begin(path, most)?;
        let (queue, lines) = sync_channel(QUEUE);
        let shared = Arc::new(Shared {
            wants_state: AtomicBool::new(true),
            ..Shared::default()
        });
        let writer = Writer {
            file,
            lines,
            shared: Arc::clone(&shared),
            flushed: Instant::now(),
        };
        let name = path.display().to_string();
        threads.spawn("everslot-trace", move || {
            if let Err(error) = writer.run() {
                tracing::error!(trace = name, %error, "the trace ends here: it cannot be written");
            }
        })?;
        Ok(Self { queue, shared })
    }

    /// The state before a step that is to be reported, if it is wanted. Asked with the group's lock held, as are steps reported.
    pub(crate) fn state_before(&self, group: &Group) -> Option<Box<Group>> {
        let wanted = self.shared.wants_state.load(Ordering::Acquire);
        wanted.then(|| Box::new(group.clone()))
    }

    /// A step of the group, and the state before it where [`state_before`](Self::state_before) gave one.
    pub(crate) fn note_step(&self, before: Option<Box<Group>>, step: Step) {
        let told = before.is_none_or(|group| {
            self.shared.wants_state.store(false, Ordering::Release);
            let gap = self.shared.gap.load(Ordering::Acquire);
            self.put(Line::State { gap, group }, QUEUE)
        });
        let complete = told && self.put(Line::Step(Box::new(step)), QUEUE);
        self.shared.gap.store(!complete, Ordering::Release);
        if !complete {
            self.shared.wants_state.store(true, Ordering::Release);
        }
    }

    /// A call that is over.
    pub(crate) fn note_call(&self, call: CallSteps) {
        let _ = self.put(Line::Call(call), FOR_CALLS);
    }

    /// What a machine of its own beginning and end has done.
    pub(super) fn note_run(&self, line: Line) {
        let _ = self.put(line, FOR_CALLS);
    }

    /// No line is to follow; what waits is written.
    pub(crate) fn end(&self) {
        self.shared.ended.store(true, Ordering::Release);
    }

    /// Whether all that was reported has been taken.
    #[cfg(test)]
    pub(super) fn is_idle(&self) -> bool {
        self.shared.waiting.load(Ordering::Acquire) == 0
    }

    fn put(&self, line: Line, most: usize) -> bool {
        let waiting = self.shared.waiting.fetch_add(1, Ordering::AcqRel);
        let taken = waiting < most && self.queue.try_send(line).is_ok();
        if !taken {
            self.shared.waiting.fetch_sub(1, Ordering::AcqRel);
            self.shared.missed.fetch_add(1, Ordering::AcqRel);
        }
        taken
    }
}

struct Writer {
    file: TraceFile,
    lines: Receiver<Line>,
    shared: Arc<Shared>,
    flushed: Instant,
}

impl Writer {
    fn run(mut self) -> io::Result<()> {
        loop {
            match self.lines.recv_timeout(PAUSE) {
                Ok(line) => self.take(&line)?,
                Err(RecvTimeoutError::Timeout) => {
                    self.tell_missed()?;
                    self.flush()?;
                    if self.shared.ended.load(Ordering::Acquire) {
                        return Ok(());
                    }
                }
                Err(RecvTimeoutError::Disconnected) => return self.file.flush(),
            }
        }
    }

    fn take(&mut self, line: &Line) -> io::Result<()> {
        self.shared.waiting.fetch_sub(1, Ordering::AcqRel);
        match line {
            Line::State { .. } => {
                if self.file.is_full() {
                    self.file.turn()?;
                }
                self.file.leave_before();
            }
            Line::Step(_) => {
                // What has no state before it in the new file goes on from the one before.
                if self.file.write_before(line)? {
                    return Ok(());
                }
                if self.file.is_full() {
                    self.want_state();
                }
            }
            // A healthy group has calls and no steps for as long as it likes.
            Line::Trace { .. }
            | Line::Call(_)
            | Line::Work(_)
            | Line::Change(_)
            | Line::Reconcile(_)
            | Line::Missed(_) => {
                if self.file.is_full() {
                    self.file.turn()?;
                    self.want_state();
                }
            }
        }
        self.tell_missed()?;
        self.file.write(line)?;
        if self.flushed.elapsed() < PAUSE {
            return Ok(());
        }
        self.flush()
    }

    /// A file is replayed by itself, so its steps begin with a state.
    fn want_state(&self) {
        self.shared.wants_state.store(true, Ordering::Release);
    }

    fn flush(&mut self) -> io::Result<()> {
        self.flushed = Instant::now();
        self.file.flush()
    }

    fn tell_missed(&mut self) -> io::Result<()> {
        match self.shared.missed.swap(0, Ordering::AcqRel) {
            0 => Ok(()),
            missed => self.file.write(&Line::Missed(missed)),
        }
    }
}
