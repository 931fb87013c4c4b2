//! Lines over a socket, each way before a deadline.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Instant;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::{RecvFlags, SendFlags, recv, send};

/// One end of a connection; the socket does not block.
pub(super) struct Conversation<'a> {
    socket: OwnedFd,
    /// Readable when the conversation is to be broken off.
    stop: Option<BorrowedFd<'a>>,
    deadline: Instant,
    received: Vec<u8>,
}

impl<'a> Conversation<'a> {
    pub(super) fn new(socket: OwnedFd, stop: Option<BorrowedFd<'a>>, deadline: Instant) -> Self {
        Self {
            socket,
            stop,
            deadline,
            received: Vec::new(),
        }
    }

    /// The next line without its end; `None` when the other end has closed.
    ///
    /// # Errors
    /// `TimedOut`, `Interrupted` by the stop, `InvalidData` for a line of more than `longest` bytes, or the socket's own.
    pub(super) fn read_line(&mut self, longest: usize) -> io::Result<Option<Vec<u8>>> {
        loop {
            if let Some(end) = self.received.iter().position(|byte| *byte == b'\n') {
                let rest = self.received.split_off(end + 1);
                let mut line = std::mem::replace(&mut self.received, rest);
                line.truncate(end);
                return Ok(Some(line));
            }
            if self.received.len() > longest {
                return Err(io::Error::new(
                    io::ErrorKind::InvalidData,
                    "the line is too long",
                ));
            }
            let mut piece = [0; 4096];
            match recv(&self.socket, &mut piece, RecvFlags::empty()) {
                Ok((0, _)) => return Ok(None),
                Ok((length, _)) => self.received.extend_from_slice(&piece[..length]),
                Err(errno) => self.settle(errno, PollFlags::IN)?,
            }
        }
    }

    /// Sends `line`, which must not hold a line's end, and its end.
    ///
    /// # Errors
    /// `TimedOut`, `Interrupted` by the stop, or the socket's own.
    pub(super) fn write_line(&mut self, line: &[u8]) -> io::Result<()> {
        self.write(&[line, b"\n"].concat())
    }

    /// Sends `bytes`.
    ///
    /// # Errors
    /// As above.
    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let mut rest = bytes;
        while !rest.is_empty() {
            // Without NOSIGNAL a client that has gone would end the application by SIGPIPE.
            match send(&self.socket, rest, SendFlags::NOSIGNAL) {
                Ok(length) => rest = &rest[length..],
                Err(errno) => self.settle(errno, PollFlags::OUT)?,
            }
        }
        Ok(())
    }

    /// Waits for what `errno` asks to wait for.
    fn settle(&self, errno: Errno, ready: PollFlags) -> io::Result<()> {
        match errno {
            Errno::AGAIN => wait(self.socket.as_fd(), ready, self.stop, Some(self.deadline)),
            Errno::INTR => Ok(()),
            other => Err(other.into()),
        }
    }
}

/// Waits until `socket` is `ready`; without a deadline for ever.
///
/// # Errors
/// `TimedOut`, or `Interrupted` when `stop` became readable.
pub(super) fn wait(
    socket: BorrowedFd<'_>,
    ready: PollFlags,
    stop: Option<BorrowedFd<'_>>,
    deadline: Option<Instant>,
) -> io::Result<()> {
    loop {
        let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        if left.is_some_and(|left| left.is_zero()) {
            return Err(io::ErrorKind::TimedOut.into());
        }
        let timeout = left.and_then(|left| Timespec::try_from(left).ok());
        let mut watched = vec![PollFd::from_borrowed_fd(socket, ready)];
        watched.extend(stop.map(|stop| PollFd::from_borrowed_fd(stop, PollFlags::IN)));
        match poll(&mut watched, timeout.as_ref()) {
            Ok(0) | Err(Errno::INTR) => continue,
            Ok(_) => {}
            Err(errno) => return Err(errno.into()),
        }
        if watched
            .get(1)
            .is_some_and(|stop| !stop.revents().is_empty())
        {
            return Err(io::ErrorKind::Interrupted.into());
        }
        if !watched[0].revents().is_empty() {
            return Ok(());
        }
    }
}
