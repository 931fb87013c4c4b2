//! As much HTTP as it takes to be scraped, and to show a page.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Instant;

use rustix::event::PollFlags;
use rustix::net::{SocketFlags, accept_with};

use super::conversation::{Conversation, wait};
use super::exposition::CONTENT_TYPE;
use super::server::{CONVERSATION, LONGEST_ASK, REST};

/// Where what is measured is kept.
const PATH: &str = "/metrics";

/// Clients that are answered side by side; a browser opens connections on which it asks nothing at first.
const SIDE_BY_SIDE: usize = 32;

/// A loopback address on which what is measured can be asked for.
#[derive(Debug)]
pub struct Http {
    listener: OwnedFd,
    address: SocketAddr,
}

/// What a client asks for (RFC 9112 §3).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Asked {
    /// Such as `GET`.
    pub method: String,
    /// Such as `/metrics`, without the query.
    pub path: String,
    /// What stands after the `?`, or nothing.
    pub query: String,
    /// Each `Host` header that was sent; there must be one (RFC 9112 §3.2).
    pub hosts: Vec<String>,
}

/// What a client gets.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Page {
    /// Such as `200 OK`.
    pub status: &'static str,
    /// Headers beside those that every page has, each a line without its end.
    pub headers: &'static [&'static str],
    /// Its media type.
    pub kind: &'static str,
    /// Itself.
    pub body: String,
}

impl Page {
    /// One line for people.
    #[must_use]
    pub fn line(status: &'static str, headers: &'static [&'static str], line: &str) -> Self {
        Self {
            status,
            headers,
            kind: "text/plain; charset=utf-8",
            body: format!("{line}\n"),
        }
    }

    /// Nothing but `GET` is answered (RFC 9110 §15.5.6).
    #[must_use]
    pub fn only_get() -> Self {
        Self::line("405 Method Not Allowed", &["Allow: GET"], "there is GET")
    }
}

impl Http {
    /// Begins to listen.
    ///
    /// # Errors
    /// Another process listens there, or the address is none of this machine.
    pub fn bind(address: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind(address)?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        Ok(Self {
            listener: listener.into(),
            address,
        })
    }

    /// Where it listens; the port is the one that was found when 0 was asked for.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers with what `text` makes, for ever.
    ///
    /// # Errors
    /// The system cannot even wait.
    pub fn serve(&self, text: &dyn Fn() -> String) -> io::Result<()> {
        serve_clients(&self.listener, None, &|mut conversation| {
            let line = conversation.read_line(LONGEST_ASK)?;
            line.map_or(Ok(()), |line| answer(&mut conversation, &line, text))
        })
    }

    /// Answers with what `page` makes of what is asked, for ever, several clients at a time.
    ///
    /// # Errors
    /// The system cannot even wait.
    pub fn serve_pages(&self, page: &(dyn Fn(&Asked) -> Page + Sync)) -> io::Result<()> {
        let busy = &AtomicUsize::new(0);
        thread::scope(|scope| {
            serve_clients(&self.listener, None, &|conversation| {
                if busy.load(Ordering::Relaxed) >= SIDE_BY_SIDE {
                    return answer_with(conversation, page);
                }
                busy.fetch_add(1, Ordering::Relaxed);
                let spawned = thread::Builder::new().spawn_scoped(scope, move || {
                    // What goes wrong with one client is its own affair.
                    let _ = answer_with(conversation, page);
                    busy.fetch_sub(1, Ordering::Relaxed);
                });
                if spawned.is_err() {
                    busy.fetch_sub(1, Ordering::Relaxed);
                }
                spawned.map(drop)
            })
        })
    }

    pub(super) fn into_listener(self) -> OwnedFd {
        self.listener
    }
}

/// Has `converse` talk to one client after the other, until the stop or when the system cannot even wait.
pub(super) fn serve_clients<'a>(
    listener: &OwnedFd,
    stop: Option<BorrowedFd<'a>>,
    converse: &dyn Fn(Conversation<'a>) -> io::Result<()>,
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
    let page = match read(conversation, line)? {
        Some(asked) if asked.method == "GET" && asked.path == PATH => Page {
            status: "200 OK",
            headers: &[],
            kind: CONTENT_TYPE,
            body: text(),
        },
        Some(asked) if asked.method == "GET" => {
            Page::line("404 Not Found", &[], &format!("there is {PATH}"))
        }
        Some(_) | None => Page::only_get(),
    };
    write(conversation, &page)
}

fn answer_with(
    mut conversation: Conversation<'_>,
    page: &(dyn Fn(&Asked) -> Page + Sync),
) -> io::Result<()> {
    let Some(line) = conversation.read_line(LONGEST_ASK)? else {
        return Ok(());
    };
    let page = read(&mut conversation, &line)?.map_or_else(Page::only_get, |asked| page(&asked));
    write(&mut conversation, &page)
}

/// The rest of the request that begins with `line`; `None` when that is no request's first line.
fn read(conversation: &mut Conversation<'_>, line: &[u8]) -> io::Result<Option<Asked>> {
    let mut hosts = Vec::new();
    while let Some(header) = conversation.read_line(LONGEST_ASK)? {
        if header.is_empty() || header == b"\r" {
            break;
        }
        let header = String::from_utf8_lossy(&header);
        if let Some((name, value)) = header.split_once(':')
            && name.eq_ignore_ascii_case("host")
        {
            hosts.push(value.trim().to_owned());
        }
    }
    let line = String::from_utf8_lossy(line);
    let mut words = line.split_ascii_whitespace();
    Ok(words.next().zip(words.next()).map(|(method, target)| {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        Asked {
            method: method.to_owned(),
            path: path.to_owned(),
            query: query.to_owned(),
            hosts,
        }
    }))
}

fn write(conversation: &mut Conversation<'_>, page: &Page) -> io::Result<()> {
    let lines = [page.status]
        .into_iter()
        .chain(page.headers.iter().copied());
    let lines = lines.collect::<Vec<_>>().join("\r\n");
    let (kind, body) = (page.kind, page.body.as_bytes());
    let length = body.len();
    let head = format!(
        "HTTP/1.1 {lines}\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
    );
    conversation.write(&[head.as_bytes(), body].concat())
}
