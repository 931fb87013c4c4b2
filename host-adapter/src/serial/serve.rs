//! One connection: asks in, answers out.

use std::collections::BTreeSet;
use std::io;

use everslot_core::ckr;
use everslot_protocol::frame::{
    Answer, Ask, Reassembly, answer_size, decode_ask, encode_answer, frame_size,
};
use everslot_protocol::{Body, Bytes, Reply, Request, Rv, SlotId};

use super::place::Line;
use crate::module::Link;
use crate::module::parameter::{crosses_process_border, message_crosses_process_border};

/// No longer request is heard, bytes.
pub(super) const REQUEST_MAX: usize = 64 * 1024;
/// No call is given more room for its output, bytes.
pub(super) const OUTPUT_MAX: usize = 64 * 1024;
/// Read from the line at once, bytes.
const CHUNK: usize = 4096;

/// Answers the connections of a line from a module.
pub(super) struct Server {
    heard: Reassembly<Vec<u8>>,
    calls: Calls,
}

/// Calls the module.
struct Calls {
    link: Box<dyn Link>,
    /// Slots in which this connection has opened a session.
    used: BTreeSet<SlotId>,
    output: Vec<u8>,
    frame: Vec<u8>,
}

impl Server {
    /// Answers from `link`.
    pub(super) fn new(link: Box<dyn Link>) -> Self {
        Self {
            heard: Reassembly::new(vec![0; frame_size(REQUEST_MAX)]),
            calls: Calls {
                link,
                used: BTreeSet::new(),
                output: vec![0; OUTPUT_MAX],
                frame: vec![0; answer_size(OUTPUT_MAX)],
            },
        }
    }

    /// Answers until the connection ends, then closes the sessions that were opened over it.
    ///
    /// # Errors
    /// The line fails; its end is none.
    pub(super) fn serve(&mut self, line: &mut dyn Line) -> io::Result<()> {
        let served = self.answer_all(line);
        self.heard.forget();
        self.calls.close_sessions();
        served
    }

    fn answer_all(&mut self, line: &mut dyn Line) -> io::Result<()> {
        let mut chunk = [0; CHUNK];
        loop {
            let bytes = match line.read(&mut chunk) {
                Ok(0) => return Ok(()),
                Ok(length) => &chunk[..length],
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            for byte in bytes {
                // What is no ask has no number that an answer could carry.
                if let Some(Ok(ask)) = self.heard.take(*byte).map(decode_ask) {
                    line.write_all(self.calls.answer(&ask))?;
                    line.flush()?;
                }
            }
        }
    }
}

impl Calls {
    /// The frame of the answer.
    fn answer(&mut self, ask: &Ask<'_>) -> &[u8] {
        let wanted = usize::try_from(ask.room).unwrap_or(usize::MAX);
        let room = wanted.min(OUTPUT_MAX);
        let mut reply = self.execute(&ask.request, room);
        if room < wanted && reply.rv == Rv(ckr::BUFFER_TOO_SMALL.0) {
            // For the asker it was not; only for what can be had of it here.
            reply = refusal(Rv(ckr::HOST_MEMORY.0));
        }
        let written = usize::try_from(reply.written()).unwrap_or(usize::MAX);
        let answer = |reply, output| Answer {
            id: ask.id,
            reply,
            output: Bytes(output),
        };
        let answered = match self.output.get(..written.min(room)) {
            Some(output) if output.len() == written => answer(reply, output),
            Some(_) | None => answer(refusal(Rv(ckr::GENERAL_ERROR.0)), &[]),
        };
        let length = encode_answer(&answered, &mut self.frame).unwrap_or(0);
        &self.frame[..length]
    }

    fn execute(&mut self, request: &Request<'_>, room: usize) -> Reply {
        if !request.mechanism().is_none_or(crosses_process_border)
            || !request
                .message_parameter()
                .is_none_or(message_crosses_process_border)
        {
            return refusal(Rv(ckr::MECHANISM_PARAM_INVALID.0));
        }
        if let Request::OpenSession { slot, .. } = request {
            self.used.insert(*slot);
        }
        // In process there is always an answer.
        self.link
            .call(request, &mut self.output[..room], None)
            .unwrap_or_else(|_| refusal(Rv(ckr::DEVICE_ERROR.0)))
    }

    fn close_sessions(&mut self) {
        for slot in std::mem::take(&mut self.used) {
            // A token that is gone has no sessions either.
            let _ = self
                .link
                .call(&Request::CloseAllSessions { slot }, &mut [], None);
        }
        self.output.fill(0);
        self.frame.fill(0);
    }
}

/// A reply that is only a code.
const fn refusal(rv: Rv) -> Reply {
    Reply {
        rv,
        body: Body::Empty,
    }
}
