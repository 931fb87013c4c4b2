//! A token that is made up, at the end of a line.

use core::cell::RefCell;
use std::collections::VecDeque;
use std::format;
use std::rc::Rc;
use std::string::String;
use std::vec;
use std::vec::Vec;

use embedded_io::{ErrorKind, ErrorType, Read, ReadReady, Write};
use everslot_core::{Rv, ckr};
use everslot_protocol::frame::{Answer, Reassembly, answer_size, decode_ask, encode_answer};
use everslot_protocol::wire::{INFO_SIZE_MAX, encode_info};
use everslot_protocol::{
    Body, Bytes, ObjectHandle, Reply, Request, SessionHandle, TokenInfo, Value, Version,
};

use super::PIN;

const PRIVATE: ObjectHandle = ObjectHandle(10);
const PUBLIC: ObjectHandle = ObjectHandle(11);

/// A token that is made up: what it is, and how it behaves.
pub(super) struct Token {
    pub(super) label: &'static str,
    pub(super) pin: &'static str,
    pub(super) has_keys: bool,
    /// It hears nothing.
    pub(super) is_dead: bool,
    /// It hears, and answers once it is thawed.
    pub(super) is_frozen: bool,
    /// Its line takes nothing.
    pub(super) is_cut: bool,
    /// What the next request of a kind is answered instead.
    pub(super) refusals: Vec<(&'static str, Rv)>,
    /// Puts out so many bytes too few.
    pub(super) short: usize,
    /// Puts out so many bytes too many.
    pub(super) long: usize,
    /// The kinds of the requests it has heard.
    pub(super) heard: Vec<String>,
    session: u64,
    is_open: bool,
    is_logged_in: bool,
    incoming: Reassembly<Vec<u8>>,
    kept: VecDeque<u8>,
    outgoing: VecDeque<u8>,
}

impl Token {
    fn new(label: &'static str) -> Self {
        Self {
            label,
            pin: PIN,
            has_keys: true,
            is_dead: false,
            is_frozen: false,
            is_cut: false,
            refusals: Vec::new(),
            short: 0,
            long: 0,
            heard: Vec::new(),
            session: 0,
            is_open: false,
            is_logged_in: false,
            incoming: Reassembly::new(vec![0; 4096]),
            kept: VecDeque::new(),
            outgoing: VecDeque::new(),
        }
    }

    /// How many requests of a kind it has heard.
    pub(super) fn count(&self, kind: &str) -> usize {
        self.heard.iter().filter(|heard| *heard == kind).count()
    }

    /// Its sessions are gone, and the login with them.
    pub(super) fn lose_sessions(&mut self) {
        self.is_open = false;
        self.is_logged_in = false;
    }

    pub(super) const fn is_logged_in(&self) -> bool {
        self.is_logged_in
    }

    /// It answers what it has heard, and goes on.
    pub(super) fn thaw(&mut self) {
        self.is_frozen = false;
        for byte in core::mem::take(&mut self.kept) {
            self.hear(byte);
        }
    }

    /// Puts bytes on the line that are no answer.
    pub(super) fn babble(&mut self, bytes: &[u8]) {
        self.outgoing.extend(bytes);
    }

    fn hear(&mut self, byte: u8) {
        if self.is_dead {
            return;
        }
        if self.is_frozen {
            self.kept.push_back(byte);
            return;
        }
        let mut incoming = core::mem::replace(&mut self.incoming, Reassembly::new(Vec::new()));
        if let Some(Ok(ask)) = incoming.take(byte).map(decode_ask) {
            let (reply, output) = self.answer(&ask.request);
            let mut frame = vec![0; answer_size(output.len())];
            let answer = Answer {
                id: ask.id,
                reply,
                output: Bytes(&output),
            };
            let length = encode_answer(&answer, &mut frame).unwrap();
            self.outgoing.extend(&frame[..length]);
        }
        self.incoming = incoming;
    }

    fn answer(&mut self, request: &Request<'_>) -> (Reply, Vec<u8>) {
        let shown = format!("{request:?}");
        let kind: String = shown.chars().take_while(|c| c.is_alphanumeric()).collect();
        self.heard.push(kind.clone());
        let refused = self.refusals.iter().position(|(of, _)| *of == kind);
        let (rv, body, output) = match refused.map(|at| self.refusals.remove(at)) {
            Some((_, rv)) => (rv, Body::Empty, Vec::new()),
            None => self.execute(request),
        };
        let reply = Reply {
            rv: everslot_protocol::Rv(rv.0),
            body,
        };
        (reply, output)
    }

    fn execute(&mut self, request: &Request<'_>) -> (Rv, Body, Vec<u8>) {
        let only = |rv| (rv, Body::Empty, Vec::new());
        let put_out = |output: Vec<u8>| (ckr::OK, Body::Written(output.len() as u64), output);
        if let Some(session) = request.session()
            && !(self.is_open && session == SessionHandle(self.session))
        {
            return only(ckr::SESSION_HANDLE_INVALID);
        }
        match *request {
            Request::Slots { .. } => {
                put_out([1_u64, 0].iter().flat_map(|id| id.to_le_bytes()).collect())
            }
            // The one that SoftHSM lists behind its tokens.
            Request::TokenInfo { slot } if slot.0 == 0 => only(ckr::TOKEN_NOT_RECOGNIZED),
            Request::TokenInfo { .. } => {
                let mut output = vec![0; INFO_SIZE_MAX];
                let length = encode_info(&info(self.label), &mut output).expect("fits");
                output.truncate(length);
                put_out(output)
            }
            Request::CloseAllSessions { .. } => {
                self.lose_sessions();
                only(ckr::OK)
            }
            Request::OpenSession { .. } => {
                self.session += 1;
                self.is_open = true;
                (
                    ckr::OK,
                    Body::Session(SessionHandle(self.session)),
                    Vec::new(),
                )
            }
            Request::Login { pin, .. } => {
                if self.is_logged_in {
                    return only(ckr::USER_ALREADY_LOGGED_IN);
                }
                self.is_logged_in = pin.is_some_and(|pin| *pin == *self.pin.as_bytes());
                only(if self.is_logged_in {
                    ckr::OK
                } else {
                    ckr::PIN_INCORRECT
                })
            }
            Request::Logout { .. } => {
                let was = core::mem::take(&mut self.is_logged_in);
                only(if was {
                    ckr::OK
                } else {
                    ckr::USER_NOT_LOGGED_IN
                })
            }
            Request::FindObjects { template, .. } => {
                let is_private = template.iter().any(
                    |one| matches!(one.value, Value::Bytes(bytes) if *bytes == 3_u64.to_le_bytes()),
                );
                let key = if is_private { PRIVATE } else { PUBLIC };
                let sees = self.has_keys && (self.is_logged_in || !is_private);
                put_out(if sees {
                    key.0.to_le_bytes().to_vec()
                } else {
                    Vec::new()
                })
            }
            Request::Begin { key, .. } if key == Some(PRIVATE) && !self.is_logged_in => {
                only(ckr::USER_NOT_LOGGED_IN)
            }
            Request::Whole { data, .. } => put_out([&*data, &*data].concat().split_off(self.short)),
            Request::Verify {
                data, signature, ..
            } => {
                let is_right = *signature == *[&*data, &*data].concat();
                only(if is_right {
                    ckr::OK
                } else {
                    ckr::SIGNATURE_INVALID
                })
            }
            Request::GenerateRandom { length, .. } => {
                put_out(vec![7; length as usize + self.long].split_off(self.short))
            }
            _ => only(ckr::OK),
        }
    }
}

fn info(label: &str) -> TokenInfo {
    let version = Version { major: 1, minor: 0 };
    let mut padded = [b' '; 32];
    padded[..label.len()].copy_from_slice(label.as_bytes());
    TokenInfo {
        label: padded,
        manufacturer: [b' '; 32],
        model: [b' '; 16],
        serial: [b' '; 16],
        flags: 0,
        max_sessions: 0,
        sessions: 0,
        max_rw_sessions: 0,
        rw_sessions: 0,
        max_pin: 8,
        min_pin: 4,
        total_public_memory: 0,
        free_public_memory: 0,
        total_private_memory: 0,
        free_private_memory: 0,
        hardware: version,
        firmware: version,
        utc_time: [b' '; 16],
    }
}

/// The line to a token.
#[derive(Clone)]
pub(super) struct Wire(pub(super) Rc<RefCell<Token>>);

impl Wire {
    pub(super) fn new(label: &'static str) -> Self {
        Self(Rc::new(RefCell::new(Token::new(label))))
    }
}

impl ErrorType for Wire {
    type Error = ErrorKind;
}

impl ReadReady for Wire {
    fn read_ready(&mut self) -> Result<bool, ErrorKind> {
        Ok(!self.0.borrow().outgoing.is_empty())
    }
}

impl Read for Wire {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, ErrorKind> {
        let byte = self.0.borrow_mut().outgoing.pop_front();
        buffer[0] = byte.expect("it is read when it is ready");
        Ok(1)
    }
}

impl Write for Wire {
    fn write(&mut self, bytes: &[u8]) -> Result<usize, ErrorKind> {
        let mut token = self.0.borrow_mut();
        if token.is_cut {
            return Err(ErrorKind::BrokenPipe);
        }
        for byte in bytes {
            token.hear(*byte);
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> Result<(), ErrorKind> {
        Ok(())
    }
}
