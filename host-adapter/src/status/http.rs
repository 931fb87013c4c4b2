//! As much HTTP as it takes to be scraped.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Instant;

use rustix::event::PollFlags;
use rustix::net::{SocketFlags, accept_with};

use super::conversation::{Conversation, wait};
use super::exposition::CONTENT_TYPE;
use super::server::{CONVERSATION, LONGEST_ASK, REST};

/// Where what is measured is kept.
const PATH: &str = "/metrics";

/// A loopback address on which what is measured can be asked for.
#[derive(Debug)]
pub struct Http(OwnedFd);

impl Http {
    /// Begins to listen.
    ///
    /// # Errors
    /// Another process listens there, or the address is none of this machine.
    pub fn bind(address: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind(address)?;
        listener.set_nonblocking(true)?;
        Ok(Self(listener.into()))
    }

    /// Answers with what `text` makes, for ever.
    ///
    /// # Errors
    /// The system cannot even wait.
    pub fn serve(&self, text: &dyn Fn() -> String) -> io::Result<()> {
        serve_clients(&self.0, None, &|mut conversation| {
            let line = conversation.read_line(LONGEST_ASK)?;
            line.map_or(Ok(()), |line| answer(&mut conversation, &line, text))
        })
    }

    pub(super) fn into_listener(self) -> OwnedFd {
        self.0
    }
}

/// Has `converse` talk to one client after the other, until the stop or when the system cannot even wait.
pub(super) fn serve_clients(
    listener: &OwnedFd,
    stop: Option<BorrowedFd<'_>>,
    converse: &dyn Fn(Conversation<'_>) -> io::Result<()>,
) -> io::Result<()> {
    loop {
        wait(listener.as_fd(), PollFlags::IN, stop, None)?;
        match accept_with(listener, SocketFlags::CLOEXEC | SocketFlags::NONBLOCK) {
            Ok(client) => {
                let deadline = Instant::now() + CONVERSATION;
                // What goes wrong with one client is its own affair.
                let _ = converse(Conversation::new(client, stop, deadline));
            }
            // The application has no descriptor left, for example; the client goes on waiting.
            Err(_) => rest(stop)?,
        }
    }
}

fn rest(stop: Option<BorrowedFd<'_>>) -> io::Result<()> {
    let Some(stop) = stop else {
        std::thread::sleep(REST);
        return Ok(());
    };
    match wait(stop, PollFlags::IN, None, Some(Instant::now() + REST)) {
        Ok(()) => Err(io::ErrorKind::Interrupted.into()),
        Err(_) => Ok(()),
    }
}

/// Whether a line is the first one of an HTTP request.
pub(super) fn is_http(line: &[u8]) -> bool {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    line.ends_with(b" HTTP/1.1") || line.ends_with(b" HTTP/1.0")
}

/// Answers the request that begins with `line`; the connection is closed then (RFC 9112 §9.6).
pub(super) fn answer(
    conversation: &mut Conversation<'_>,
    line: &[u8],
    text: &dyn Fn() -> String,
) -> io::Result<()> {
    while let Some(header) = conversation.read_line(LONGEST_ASK)? {
        if header.is_empty() || header == b"\r" {
            break;
        }
    }
    let line = String::from_utf8_lossy(line);
    let mut words = line.split_ascii_whitespace();
    let target = words.next().zip(words.next());
    let path = target.map(|(_, target)| target.split('?').next().unwrap_or(target));
    let (status, kind, body) = match (target, path) {
        (Some(("GET", _)), Some(PATH)) => ("200 OK", CONTENT_TYPE, text()),
        (Some(("GET", _)), _) => (
            "404 Not Found",
            "text/plain; charset=utf-8",
            format!("there is {PATH}\n"),
        ),
        _ => (
            "405 Method Not Allowed\r\nAllow: GET",
            "text/plain; charset=utf-8",
            "there is GET\n".to_owned(),
        ),
    };
    let length = body.len();
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
    );
    conversation.write(&[head.as_bytes(), body.as_bytes()].concat())
}
