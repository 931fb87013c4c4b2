//! A member at the other end of a line of bytes.

use embedded_io::{Read, ReadReady, Write};
use everslot_protocol::frame::{Ask, AskId, Reassembly, decode_answer, encode_ask, frame_size};
use everslot_protocol::wire::{INFO_SIZE_MAX, REPLY_SIZE_MAX};
use everslot_protocol::{Reply, Request};

/// No output of a call is longer, bytes: a list of 32 slots, a token's description, any ECDSA signature.
pub const OUTPUT: usize = 256;
const _: () = assert!(OUTPUT >= INFO_SIZE_MAX);
/// No frame is longer, bytes: an answer with that output, or a request with its data.
pub const FRAME: usize = frame_size(REPLY_SIZE_MAX + 16 + OUTPUT);

/// Asks a member over its line, one request at a time, and never waits for the answer: [`heard`](Self::heard) says when it is there.
#[derive(Debug)]
pub struct Line<IO> {
    io: IO,
    heard: Reassembly<[u8; FRAME]>,
    frame: [u8; FRAME],
    last: AskId,
    /// The ask whose answer is waited for; that of any other is late and dropped.
    awaited: Option<AskId>,
}

/// A request did not reach the line as a whole: the member has surely not executed it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Unsent;

impl<IO: Read + ReadReady + Write> Line<IO> {
    /// A line on which nothing has been asked.
    pub const fn new(io: IO) -> Self {
        Self {
            io,
            heard: Reassembly::new([0; FRAME]),
            frame: [0; FRAME],
            last: AskId(0),
            awaited: None,
        }
    }

    /// Sends a request. An answer that was waited for before is not any more.
    ///
    /// # Errors
    /// It is longer than [`FRAME`], or the line does not take it.
    pub fn ask(&mut self, request: &Request<'_>) -> Result<(), Unsent> {
        self.tell(request)?;
        self.awaited = Some(self.last);
        Ok(())
    }

    /// Sends a request whose answer nobody waits for.
    ///
    /// # Errors
    /// As [`ask`](Self::ask).
    pub fn tell(&mut self, request: &Request<'_>) -> Result<(), Unsent> {
        self.awaited = None;
        self.last = self.last.next();
        let ask = Ask {
            id: self.last,
            room: OUTPUT as u32,
            request: *request,
        };
        let length = encode_ask(&ask, &mut self.frame).map_err(|_| Unsent)?;
        let frame = self.frame.get(..length).ok_or(Unsent)?;
        let sent = self.io.write_all(frame).and_then(|()| self.io.flush());
        // It may hold a PIN.
        self.frame.fill(0);
        sent.map_err(|_| Unsent)
    }

    /// Reads what has come, and gives the answer that is waited for, once; its output goes to the start of `output`.
    pub fn heard(&mut self, output: &mut [u8; OUTPUT]) -> Option<Reply> {
        let mut read = [0];
        while let Ok(true) = self.io.read_ready()
            && let Ok(1..) = self.io.read(&mut read)
        {
            let [byte] = read;
            let Some(Ok(answer)) = self.heard.take(byte).map(decode_answer) else {
                continue;
            };
            if self.awaited != Some(answer.id) {
                continue;
            }
            // More than it was given room for is no answer.
            if let Some(place) = output.get_mut(..answer.output.len()) {
                place.copy_from_slice(&answer.output);
                self.awaited = None;
                return Some(answer.reply);
            }
        }
        None
    }
}
