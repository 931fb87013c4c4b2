//! A member host: the process in which one module is loaded.
//!
//! It is started by an application's [`Hosted`](super::Hosted) and ends with it: its main thread does nothing but watch the application, while one
//! thread loads the module and one for each channel calls it. So a module that hangs or crashes never keeps it from ending, and one that has a call
//! in progress only for [`UNFINISHED`].

use std::ffi::OsString;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use everslot_protocol::wire::{decode_request, encode_reply_head};
use rustix::event::PollFlags;
use rustix::process::{
    DumpableBehavior, Pid, PidfdFlags, Resource, Rlimit, getppid, pidfd_open,
    set_dumpable_behavior, setrlimit,
};

use super::channel::{HostEnd, NotServed, Serve, Served};
use super::child::wait_for;
use super::memory::{Board, REPLY, Region};
use super::process;
use super::socket::{FromHost, Socket, Start, ToHost};
use super::spin::{HostNumber, Spinner};
use super::word;
use crate::module::{InProcess, Instance, Isolation, Link, LoadError, ModuleSettings};

/// How a module is loaded.
pub(super) type Load = fn(&ModuleSettings) -> Result<Arc<dyn Instance>, LoadError>;

/// Modules were written for the main thread's stack, which is four times that of a further thread.
const STACK: usize = 8 * 1024 * 1024;

/// How long a call may go on after the application has ended. Modules write to their tokens step by step: SoftHSM would be left with half an object.
const UNFINISHED: Duration = Duration::from_secs(2);

/// `CKR_BUFFER_TOO_SMALL`
const BUFFER_TOO_SMALL: everslot_protocol::Rv = everslot_protocol::Rv(0x150);

/// A longer output's memory is given back after the call, bytes.
const KEPT: usize = 1024 * 1024;

/// The main of `everslot member-host MODULE`. All else it is told over its standard input, which is a socket of the application's: an init string
/// may hold a PIN, and a command line is public. It must be called before the program has opened any file.
///
/// Returns only if it cannot serve: 2 when it was started by hand, 1 for any other reason, which it has printed.
#[must_use]
pub fn run_member_host(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    run(arguments, |settings| {
        Ok(Arc::new(InProcess::load(settings)?))
    })
}

/// [`run_member_host`] for any way to load a module.
pub(super) fn run(arguments: impl IntoIterator<Item = OsString>, load: Load) -> ExitCode {
    let module = arguments.into_iter().next().map(PathBuf::from);
    let (Some(module), Ok(socket)) = (module, inherited_socket()) else {
        eprintln!(
            "everslot: member-host is started by libeverslot.so for each member's module; it cannot be started by hand"
        );
        return ExitCode::from(2);
    };
    match Host::start(module, socket, load) {
        Ok(Some(host)) => host.watch(),
        Ok(None) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("everslot: a member host could not start: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Takes the socket away from standard input and leaves nothing else open but standard error.
fn inherited_socket() -> io::Result<Socket> {
    let socket = rustix::io::fcntl_dupfd_cloexec(io::stdin(), 3)?;
    let socket = Socket::from_inherited(socket)?;
    process::close_inherited(socket.as_fd())?;
    let null = std::fs::OpenOptions::new()
        .read(true)
        .write(true)
        .open("/dev/null")?;
    rustix::stdio::dup2_stdin(&null)?;
    rustix::stdio::dup2_stdout(&null)?;
    Ok(socket)
}

/// Keeps keys and PINs out of core files and away from other processes of the same user.
pub(crate) fn forbid_dumps() -> io::Result<()> {
    setrlimit(
        Resource::Core,
        Rlimit {
            current: Some(0),
            maximum: Some(0),
        },
    )?;
    set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
    Ok(())
}

struct Host {
    socket: Arc<Socket>,
    /// Readable once the application has ended; its socket alone does not tell, since its forked children have it too.
    application: Option<OwnedFd>,
    region: Arc<Region>,
    board: Arc<Board>,
    number: HostNumber,
    instance: Arc<OnceLock<Arc<dyn Instance>>>,
}

impl Host {
    /// Hears from the application what to do, and begins to load the module; `None` if the application does not want this host.
    fn start(module: PathBuf, socket: Socket, load: Load) -> io::Result<Option<Self>> {
        forbid_dumps()?;
        process::settle_signals();
        let Some((ToHost::Start(start), descriptors)) = socket.receive()? else {
            return Ok(None);
        };
        if start.version != env!("CARGO_PKG_VERSION") {
            let version = env!("CARGO_PKG_VERSION").to_owned();
            socket.send(&FromHost::OtherVersion { version }, &[])?;
            return Ok(None);
        }
        let Ok([region, board]) = <[OwnedFd; 2]>::try_from(descriptors) else {
            return Err(io::Error::other(
                "the shared memory did not come with the first message",
            ));
        };
        let host = Self {
            socket: Arc::new(socket),
            application: application(start.application)?,
            region: Arc::new(Region::open(region, start.channels)?),
            board: Arc::new(Board::open(board)?),
            number: HostNumber::from_u16(start.number),
            instance: Arc::default(),
        };
        host.load(module, start, load)?;
        Ok(Some(host))
    }

    /// Loads the module on a thread of its own, since that may never end.
    fn load(&self, module: PathBuf, start: Start, load: Load) -> io::Result<()> {
        let (instance, socket) = (Arc::clone(&self.instance), Arc::clone(&self.socket));
        let settings = ModuleSettings {
            path: module,
            // It came with this process.
            environment: std::collections::BTreeMap::new(),
            init_string: start.init_string,
            isolation: Isolation::None,
        };
        spawn("load", move || {
            let outcome = match load(&settings) {
                Ok(loaded) => {
                    let _first = instance.set(loaded);
                    FromHost::Initialised
                }
                Err(LoadError::Initialize { rv, .. }) => FromHost::NotInitialised { rv: rv.0 },
                Err(error) => FromHost::NotLoaded {
                    reason: error.to_string(),
                },
            };
            let is_loaded = outcome == FromHost::Initialised;
            if socket.send(&outcome, &[]).is_err() || !is_loaded {
                process::end(1);
            }
        })
    }

    /// Does what the application says until it ends.
    fn watch(self) -> ! {
        let mut until = None;
        loop {
            let application = self
                .application
                .as_ref()
                .map_or(self.socket.as_fd(), AsFd::as_fd);
            let patience = until.map_or(Duration::MAX, |until: Instant| {
                until.saturating_duration_since(Instant::now())
            });
            let asked = [
                (self.socket.as_fd(), PollFlags::IN),
                (application, PollFlags::IN),
            ];
            let [has_message, application_ended] = wait_for(asked, patience);
            if patience.is_zero() {
                process::end(1);
            }
            if self.application.is_some() && application_ended {
                self.leave();
            }
            if !has_message {
                continue;
            }
            match self.socket.receive() {
                Ok(Some((ToHost::Open { channel }, _))) if channel < self.region.channels() => {
                    self.open(channel)
                }
                Ok(Some((ToHost::Finish { grace }, _))) => {
                    let grace = Duration::from_millis(grace);
                    until = Instant::now().checked_add(grace);
                    self.finish(grace);
                }
                Ok(Some((ToHost::Open { .. } | ToHost::Start(_), _)) | None) | Err(_) => {
                    self.leave()
                }
            }
        }
    }

    /// Serves a channel on a thread of its own.
    fn open(&self, channel: u32) {
        let (region, board) = (Arc::clone(&self.region), Arc::clone(&self.board));
        let link = self
            .instance
            .get()
            .and_then(|instance| instance.link().ok());
        let spinner = Spinner::host(self.number, channel);
        let served = link.map(|link| {
            let serve = Calls {
                link,
                output: Vec::new(),
            };
            spawn("channel", move || {
                HostEnd::new(region, board, channel, spinner, serve).run()
            })
        });
        if !matches!(served, Some(Ok(()))) {
            word::close(&self.region.control(channel).word);
        }
    }

    /// Lets what is posted be answered, finalises the module and ends.
    fn finish(&self, grace: Duration) {
        let (region, instance) = (Arc::clone(&self.region), Arc::clone(&self.instance));
        let began = Instant::now();
        let finisher = spawn("finish", move || {
            // PKCS#11 v3.1 §5.4.2: C_Finalize while another thread is in a call is undefined.
            close_and_await(&region);
            if let Some(instance) = instance.get() {
                instance.stop(grace.saturating_sub(began.elapsed()));
            }
            process::end(0);
        });
        if finisher.is_err() {
            process::end(1);
        }
    }

    /// Ends, once the calls in progress have, and after [`UNFINISHED`] at the latest.
    fn leave(&self) -> ! {
        let region = Arc::clone(&self.region);
        let leaver = spawn("leave", move || {
            close_and_await(&region);
            process::end(1);
        });
        if leaver.is_ok() {
            std::thread::sleep(UNFINISHED);
        }
        process::end(1)
    }
}

/// Lets nothing more be posted, and waits until all that was has been answered.
fn close_and_await(region: &Region) {
    for channel in 0..region.channels() {
        word::close(&region.control(channel).word);
    }
    for channel in 0..region.channels() {
        word::sleep_until_quiet(&region.control(channel).word);
    }
}

/// A descriptor that tells of the application's end. Before Linux 5.3 there is none.
fn application(id: u32) -> io::Result<Option<OwnedFd>> {
    let parent = getppid();
    let is_there = parent.is_some_and(|parent| parent.as_raw_nonzero().get().unsigned_abs() == id);
    let Some(parent) = parent.filter(|_| is_there) else {
        return Err(io::Error::other("the application has ended"));
    };
    let watched = pidfd_open(parent, PidfdFlags::empty()).ok();
    // It may have ended in between, and its number may be another's by now.
    if getppid() != Pid::from_raw(parent.as_raw_nonzero().get()) {
        return Err(io::Error::other("the application has ended"));
    }
    Ok(watched)
}

/// A thread of the host. If it panics, the whole host ends: its channel would hang.
fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> io::Result<()> {
    std::thread::Builder::new()
        .name(name.to_owned())
        .stack_size(STACK)
        .spawn(move || {
            if std::panic::catch_unwind(std::panic::AssertUnwindSafe(work)).is_err() {
                process::end(101);
            }
        })?;
    Ok(())
}

/// Calls the module for a channel.
struct Calls {
    link: Box<dyn Link>,
    output: Vec<u8>,
}

impl Serve for Calls {
    fn serve(
        &mut self,
        request: &[u8],
        room: u64,
        reply: &mut [u8; REPLY],
    ) -> Result<Served, NotServed> {
        let request = decode_request(request).map_err(|_| NotServed::Garbled)?;
        let room = usize::try_from(room).map_err(|_| NotServed::NoMemory)?;
        let had = self.make_room(room);
        let Ok(answer) = self.link.call(&request, &mut self.output[..had], None) else {
            // There is no answer, and it may have been executed: the end of this process says just that.
            process::end(1);
        };
        if had < room && answer.rv == BUFFER_TOO_SMALL {
            // For the application it was not; only for what could be had of it here.
            return Err(NotServed::NoMemory);
        }
        let output = usize::try_from(answer.written())
            .ok()
            .filter(|written| *written <= had);
        match (encode_reply_head(answer, reply), output) {
            (Ok(reply), Some(output)) => Ok(Served { reply, output }),
            _ => process::end(1),
        }
    }

    fn output(&mut self) -> &mut [u8] {
        &mut self.output
    }
}

impl Calls {
    /// Makes so much room, or as much of it as can be had: an application may claim any length, and few outputs need it.
    fn make_room(&mut self, room: usize) -> usize {
        if self.output.len() >= room && (self.output.len() <= KEPT || room > KEPT) {
            return room;
        }
        self.output = Vec::new();
        let mut had = room;
        while Vec::<u8>::new().try_reserve_exact(had).is_err() {
            had /= 2;
        }
        // It comes from the kernel as zeros, page by page as the module writes to it.
        self.output = vec![0; had];
        had
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::module::{Delivery, LinkCause, LinkFailure};
    use everslot_protocol::{Deadline, Reply, Request};

    struct NoLink;

    impl Link for NoLink {
        fn call(
            &mut self,
            _: &Request<'_>,
            _: &mut [u8],
            _: Deadline,
        ) -> Result<Reply, LinkFailure> {
            Err(LinkFailure {
                delivery: Delivery::None,
                cause: LinkCause::HostEnded,
            })
        }
    }

    #[test]
    fn as_much_room_is_made_as_can_be_had_and_long_room_is_given_back() {
        let mut calls = Calls {
            link: Box::new(NoLink),
            output: Vec::new(),
        };
        let had = calls.make_room(usize::MAX);
        assert!((KEPT..usize::MAX).contains(&had), "{had}");
        assert_eq!(calls.output.len(), had);
        assert_eq!(calls.make_room(KEPT * 2), KEPT * 2);
        assert_eq!(calls.make_room(10), 10);
        assert_eq!(calls.output.len(), 10);
        assert_eq!(calls.make_room(5), 5);
        assert_eq!(calls.output.len(), 10, "short room is kept");
    }
}
