//! The threads that answer.

use std::fs;
use std::io;
use std::mem;
use std::net::SocketAddr;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rustix::event::{EventfdFlags, eventfd};
use rustix::net::{
    AddressFamily, SocketAddrUnix, SocketFlags, SocketType, bind, connect, listen, socket_with,
};

use super::conversation::Conversation;
use super::http::{self, Http};
use super::{Answer, Ask, Read, Source, place};
use crate::signals::without_signals;

/// A client that has not asked and read its answers by then is hung up on, so that it keeps nobody waiting.
pub(super) const CONVERSATION: Duration = Duration::from_secs(1);
/// No question is longer.
pub(super) const LONGEST_ASK: usize = 4096;
/// How long an answer in the making may delay the end of the server.
const GRACE: Duration = Duration::from_millis(500);
/// How long to leave clients alone that cannot be accepted.
pub(super) const REST: Duration = Duration::from_millis(100);
/// Copies of the library in one process that have a socket of their own.
const COPIES: u32 = 8;
/// Clients that may wait for their turn.
const BACKLOG: i32 = 16;

/// Answers the command for this process. Stops when it is dropped, and takes its socket away.
///
/// A forked child inherits the value but not the thread: there dropping it does nothing, and the child starts its own.
#[derive(Debug)]
pub struct Server {
    socket: PathBuf,
    process: u32,
    stop: Arc<OwnedFd>,
    /// Each thread holds one until it ends.
    alive: Option<Sender<()>>,
    ended: Receiver<()>,
    threads: Vec<JoinHandle<()>>,
}

impl Server {
    /// Begins to answer from `source`, in the first of the user's directories in which that is possible.
    ///
    /// # Errors
    /// It is possible in none of them, or the system has no thread or descriptor left.
    pub fn start(source: Arc<dyn Source>) -> io::Result<Self> {
        let mut last = None;
        for directory in place::directories() {
            match Self::start_in(&directory, source.clone()) {
                Ok(server) => return Ok(server),
                Err(error) => last = Some(error),
            }
        }
        Err(last.unwrap_or_else(|| io::ErrorKind::NotFound.into()))
    }

    /// Begins to answer in `directory`, which is made when it is missing.
    ///
    /// # Errors
    /// The directory cannot be made or is not this user's alone, or the system has no thread or descriptor left.
    pub fn start_in(directory: &Path, source: Arc<dyn Source>) -> io::Result<Self> {
        place::provide(directory)?;
        let process = std::process::id();
        let (listener, socket) = listen_in(directory, process)?;
        let stop = Arc::new(eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?);
        let (alive, ended) = channel();
        let mut server = Self {
            socket,
            process,
            stop,
            alive: Some(alive),
            ended,
            threads: Vec::new(),
        };
        server.serve("everslot-status", listener, source, converse)?;
        Ok(server)
    }

    /// Answers on a loopback address as well: with what is measured, and nothing else.
    ///
    /// # Errors
    /// Another process listens there, the address is none of this machine, or the system has no thread or descriptor left.
    pub fn serve_http(&mut self, address: SocketAddr, source: Arc<dyn Source>) -> io::Result<()> {
        let listener = Http::bind(address)?.into_listener();
        self.serve("everslot-metrics", listener, source, converse_in_http)
    }

    fn serve(
        &mut self,
        name: &str,
        listener: OwnedFd,
        source: Arc<dyn Source>,
        converse: fn(Conversation<'_>, &dyn Source) -> io::Result<()>,
    ) -> io::Result<()> {
        let (alive, stop) = (self.alive.clone(), self.stop.clone());
        let builder = thread::Builder::new().name(name.to_owned());
        self.threads.push(without_signals(|| {
            builder.spawn(move || {
                // The only ways out: the stop, or a system that cannot even wait.
                let _ = http::serve_clients(&listener, Some(stop.as_fd()), &|conversation| {
                    converse(conversation, &*source)
                });
                drop(alive);
            })
        })?);
        Ok(())
    }

    /// Where it answers.
    #[must_use]
    pub fn socket(&self) -> &Path {
        &self.socket
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let threads = mem::take(&mut self.threads);
        self.alive = None;
        if std::process::id() != self.process {
            // The thread, the socket and the stop are the parent's.
            mem::forget(threads);
            return;
        }
        // A failure means that the socket or the thread is gone already.
        let _ = fs::remove_file(&self.socket);
        let _ = rustix::io::write(&*self.stop, &1u64.to_ne_bytes());
        let over = matches!(
            self.ended.recv_timeout(GRACE),
            Err(RecvTimeoutError::Disconnected) | Ok(())
        );
        for thread in threads.into_iter().filter(|_| over) {
            let _ = thread.join();
        }
    }
}

/// Listens at a name of its own; a name that is taken but where nobody listens is left over from an earlier process.
fn listen_in(directory: &Path, process: u32) -> io::Result<(OwnedFd, PathBuf)> {
    for copy in 0..COPIES {
        let path = directory.join(place::socket_name(process, copy));
        let address = SocketAddrUnix::new(&path)?;
        if connect(&unix_socket()?, &address).is_ok() {
            continue;
        }
        if let Err(error) = fs::remove_file(&path)
            && error.kind() != io::ErrorKind::NotFound
        {
            return Err(error);
        }
        let listener = unix_socket()?;
        bind(&listener, &address)?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600))?;
        listen(&listener, BACKLOG)?;
        return Ok((listener, path));
    }
    Err(io::Error::new(
        io::ErrorKind::AddrInUse,
        "this process has too many copies of everslot",
    ))
}

pub(super) fn unix_socket() -> io::Result<OwnedFd> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    Ok(socket_with(
        AddressFamily::UNIX,
        SocketType::STREAM,
        flags,
        None,
    )?)
}

fn converse(mut conversation: Conversation<'_>, source: &dyn Source) -> io::Result<()> {
    while let Some(line) = conversation.read_line(LONGEST_ASK)? {
        if http::is_http(&line) {
            return http::answer(&mut conversation, &line, &|| metrics(source));
        }
        let answer = match serde_json::from_slice(&line) {
            Ok(ask) => answer(&ask, source),
            Err(error) => Answer::Refused {
                why: format!("not a question: {error}"),
            },
        };
        conversation.write_line(&serde_json::to_vec(&answer)?)?;
    }
    Ok(())
}

/// What every user of the machine may ask.
fn converse_in_http(mut conversation: Conversation<'_>, source: &dyn Source) -> io::Result<()> {
    let line = conversation.read_line(LONGEST_ASK)?;
    line.map_or(Ok(()), |line| {
        http::answer(&mut conversation, &line, &|| metrics(source))
    })
}

fn metrics(source: &dyn Source) -> String {
    super::text(vec![source.measured()])
}

fn answer(ask: &Ask, source: &dyn Source) -> Answer {
    match ask {
        Ask::Status {} => Answer::Snapshot(source.snapshot(Read::Status)),
        Ask::Peek {} => Answer::Snapshot(source.snapshot(Read::Peek)),
        Ask::Measured {} => Answer::Measured(source.measured()),
        Ask::Recover { group, member } => match source.recover(group, member.as_deref()) {
            Ok(()) => Answer::Begun {},
            Err(why) => Answer::Refused { why },
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::status::{Measured, Snapshot};

    struct Silent;

    impl Source for Silent {
        fn snapshot(&self, _: Read) -> Snapshot {
            Snapshot {
                process: crate::status::Process::this(),
                groups: Vec::new(),
            }
        }

        fn measured(&self) -> Measured {
            self.snapshot(Read::Peek).into()
        }

        fn recover(&self, _: &str, _: Option<&str>) -> Result<(), String> {
            Ok(())
        }
    }

    #[test]
    fn a_forked_child_leaves_the_parents_server_alone() {
        let directory = tempfile::tempdir().unwrap();
        fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o700)).unwrap();
        let mut server = Server::start_in(directory.path(), Arc::new(Silent)).unwrap();
        let socket = server.socket().to_owned();
        // What the child sees: the value, but another process id.
        server.process += 1;
        drop(server);
        let client = crate::status::Client::in_directories(vec![directory.path().to_owned()]);
        assert!(socket.exists());
        client.applications()[0]
            .snapshot(Read::Peek, Duration::from_secs(5))
            .unwrap();
    }
}
