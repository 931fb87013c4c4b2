//! A member host as its links and its owner share it.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use everslot_protocol::Rv;
use rustix::event::PollFlags;

use super::channel::{ClientEnd, Peer};
use super::child::{Child, wait_for};
use super::memory::{Board, Region};
use super::socket::{FromHost, Socket, Start, ToHost};
use super::spin::HostNumber;
use super::word::Word;
use super::{HOST_COMMAND, failure};
use crate::fork::PerProcess;
use crate::module::{LinkCause, LinkFailure, ModuleSettings};

/// How long the kernel is given to end a process that was killed, when nobody waits for an answer meanwhile.
const END: Duration = Duration::from_millis(100);

/// What a host's links share.
#[derive(Debug)]
pub(super) struct Shared {
    module: PathBuf,
    region: Arc<Region>,
    number: HostNumber,
    socket: Socket,
    /// Taken in `drop` only.
    child: Option<Child>,
    channels: Mutex<Channels>,
    /// The host was seen to have ended, or was killed.
    has_ended: AtomicBool,
    is_asked_to_finish: AtomicBool,
}

#[derive(Debug, Default)]
struct Channels {
    /// Channels that the host serves and nobody uses.
    free: Vec<u32>,
    /// How many it serves.
    open: u32,
}

impl Shared {
    pub(super) fn spawn(
        settings: &ModuleSettings,
        host_program: &Path,
        channels: u32,
    ) -> io::Result<Self> {
        let (region, region_memory) = Region::create(channels)?;
        let (_, board_memory) = board()?;
        let number = HostNumber::next();
        let (socket, standard_input) = Socket::pair()?;
        let mut command = Command::new(host_program);
        command
            .arg(HOST_COMMAND)
            .arg(&settings.path)
            .envs(&settings.environment)
            .stdin(standard_input)
            .stdout(Stdio::null())
            // A terminal's Ctrl-C is meant for the application; a group of its own, but not a session: when the application ends while the
            // host is stopped, the kernel then hangs up and continues the host.
            .process_group(0);
        let spawned = command.spawn();
        // It has the host's end of the socket.
        drop(command);
        let child = Child::new(spawned?, socket.as_fd())?;
        let shared = Self {
            module: settings.path.clone(),
            region: Arc::new(region),
            number,
            socket,
            child: Some(child),
            channels: Mutex::default(),
            has_ended: AtomicBool::new(false),
            is_asked_to_finish: AtomicBool::new(false),
        };
        let start = ToHost::Start(Start {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            application: std::process::id(),
            channels,
            number: number.as_u16(),
            init_string: settings.init_string.clone(),
        });
        shared
            .socket
            .send(&start, &[region_memory.as_fd(), board_memory.as_fd()])?;
        Ok(shared)
    }

    /// Waits until the module is initialised.
    pub(super) fn await_module(&self, until: Option<Instant>) -> Result<(), LinkFailure> {
        loop {
            let patience = until.map_or(Duration::MAX, |until| {
                until.saturating_duration_since(Instant::now())
            });
            let asked = [
                (self.socket.as_fd(), PollFlags::IN),
                (self.child().liveness(), PollFlags::IN),
            ];
            let [has_message, has_ended] = wait_for(asked, patience);
            if has_message {
                return self.hear_of_module();
            }
            if has_ended {
                return Err(failure(LinkCause::HostEnded));
            }
            if patience.is_zero() {
                return Err(failure(LinkCause::DeadlinePassed));
            }
        }
    }

    fn hear_of_module(&self) -> Result<(), LinkFailure> {
        match self.socket.receive() {
            Ok(Some((FromHost::Initialised, _))) => Ok(()),
            Ok(Some((FromHost::NotLoaded { reason }, _))) => {
                tracing::warn!("{reason}");
                Err(failure(LinkCause::ModuleNotLoaded))
            }
            Ok(Some((FromHost::NotInitialised { rv }, _))) => {
                Err(failure(LinkCause::NotInitialized(Rv(rv))))
            }
            Ok(Some((FromHost::OtherVersion { version }, _))) => {
                let ours = env!("CARGO_PKG_VERSION");
                tracing::warn!(%version, ours, "the everslot program is of another version than libeverslot.so: install both of one");
                Err(failure(LinkCause::HostNotStarted))
            }
            Ok(None) => Err(failure(LinkCause::HostEnded)),
            Err(_) => Err(failure(LinkCause::Garbled)),
        }
    }

    pub(super) fn open_channel(&self) -> Result<ClientEnd, LinkFailure> {
        if !self.child().is_ours() || self.has_ended() {
            return Err(failure(LinkCause::HostEnded));
        }
        let (board, _) = board().map_err(|_| failure(LinkCause::Exhausted))?;
        let mut channels = self.channels();
        let channel = match channels.free.pop() {
            Some(channel) => channel,
            None if channels.open == self.region.channels() => {
                return Err(failure(LinkCause::Exhausted));
            }
            None => {
                let channel = channels.open;
                self.socket
                    .send(&ToHost::Open { channel }, &[])
                    .map_err(|error| match error.kind() {
                        // It is frozen, and many were asked for meanwhile.
                        io::ErrorKind::WouldBlock => failure(LinkCause::Exhausted),
                        _ => failure(LinkCause::HostEnded),
                    })?;
                channels.open += 1;
                channel
            }
        };
        Ok(ClientEnd::new(Arc::clone(&self.region), board, channel))
    }

    /// Asks the host to finish within `grace`. Whether that could be said to it.
    pub(super) fn ask_to_finish(&self, grace: Duration) -> bool {
        let grace = u64::try_from(grace.as_millis()).unwrap_or(u64::MAX);
        let asked =
            self.child().is_ours() && self.socket.send(&ToHost::Finish { grace }, &[]).is_ok();
        self.is_asked_to_finish.fetch_or(asked, Ordering::AcqRel);
        asked
    }

    pub(super) fn stop(&self, grace: Duration) {
        if !self.child().is_ours() {
            return;
        }
        let asked = !grace.is_zero()
            && (self.is_asked_to_finish.load(Ordering::Acquire) || self.ask_to_finish(grace));
        if asked && self.child().has_ended(grace) {
            self.note_end();
        } else {
            self.kill();
            if asked && self.child().has_ended(END) {
                self.after_end();
            }
        }
        Child::reap_ended();
    }

    pub(super) fn kill(&self) {
        if !self.child().is_ours() {
            return;
        }
        self.has_ended.store(true, Ordering::Release);
        self.child().kill();
        self.after_end();
    }

    /// The host was seen to have ended.
    fn note_end(&self) {
        if !self.child().is_ours() || self.has_ended.swap(true, Ordering::AcqRel) {
            return;
        }
        if let Some(status) = self.child().reap() {
            let (exit, signal) = (status.exit_status(), status.terminating_signal());
            tracing::info!(module = %self.module.display(), host = self.child().id(), ?exit, ?signal, "a member host has ended");
        }
        self.after_end();
    }

    /// Wakes whoever waits for an answer.
    fn after_end(&self) {
        let _status = self.child().reap();
        if let Ok((board, _)) = board() {
            board.clear(self.number);
        }
        for channel in 0..self.channels().open {
            self.region.control(channel).word.wake();
        }
    }

    pub(super) fn module(&self) -> &Path {
        &self.module
    }

    pub(super) fn child(&self) -> &Child {
        self.child
            .as_ref()
            .expect("a host has its process until it is dropped")
    }

    /// Takes back the channel of a link that is no more.
    pub(super) fn close_channel(&self, end: &ClientEnd) {
        // In a fork's child the lock may be held by a thread that is not there.
        if !end.is_poisoned() && self.child().is_ours() {
            self.channels().free.push(end.channel());
        }
    }

    fn channels(&self) -> MutexGuard<'_, Channels> {
        self.channels.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Peer for Shared {
    fn is_known_to_have_ended(&self) -> bool {
        self.has_ended.load(Ordering::Acquire)
    }

    fn has_ended(&self) -> bool {
        if self.is_known_to_have_ended() {
            return true;
        }
        let has_ended = self.child().has_ended(Duration::ZERO);
        if has_ended {
            self.note_end();
        }
        has_ended
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        if let Some(child) = self.child.take() {
            child.kill();
            child.give_up();
        }
    }
}

/// The board of this application, made when its first host is, and the descriptor with which a host maps it.
fn board() -> io::Result<(Arc<Board>, Arc<OwnedFd>)> {
    type Made = OnceLock<(Arc<Board>, Arc<OwnedFd>)>;
    static BOARD: PerProcess<Made> = PerProcess::new();
    let made = BOARD.value();
    if made.get().is_none() {
        let (board, memory) = Board::create()?;
        let _first = made.set((Arc::new(board), Arc::new(memory)));
    }
    made.get()
        .cloned()
        .ok_or_else(|| io::ErrorKind::NotFound.into())
}
