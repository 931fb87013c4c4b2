use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use super::{Part, Standing, wipe};
use crate::hosted::apart::Apart;
use crate::hosted::memory::{Board, PART, REPLY, Region};
use crate::hosted::spin::{Experience, NOTICING, Spinner, Spun};
use crate::hosted::word;

/// A longer request's memory is given back once it is executed, bytes.
const KEPT: usize = 1024 * 1024;

/// What executes the requests of a channel.
pub(in crate::hosted) trait Serve {
    /// Executes a request whose output may have `room` bytes, and writes the reply to the start of `reply`.
    ///
    /// # Errors
    /// It was not executed.
    fn serve(
        &mut self,
        request: &[u8],
        room: u64,
        reply: &mut [u8; REPLY],
    ) -> Result<Served, NotServed>;

    /// The output of the last request, from its start; may be longer than what was put out.
    fn output(&mut self) -> &mut [u8];
}

/// A request was executed.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(in crate::hosted) struct Served {
    /// Bytes of reply.
    pub(in crate::hosted) reply: usize,
    /// Bytes of output.
    pub(in crate::hosted) output: usize,
}

/// Why a request was not executed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in crate::hosted) enum NotServed {
    /// It is no request.
    Garbled,
    /// There is no memory for its output.
    NoMemory,
}

/// The host's end of a channel.
#[derive(Debug)]
pub(in crate::hosted) struct HostEnd<S> {
    region: Arc<Region>,
    board: Arc<Board>,
    channel: u32,
    spinner: Spinner,
    serve: S,
    /// The parts of the request that have come.
    request: Vec<u8>,
    /// The bytes of output that are still to be sent, as a range of the server's.
    rest: std::ops::Range<usize>,
}

impl<S: Serve> HostEnd<S> {
    pub(in crate::hosted) fn new(
        region: Arc<Region>,
        board: Arc<Board>,
        channel: u32,
        spinner: Spinner,
        serve: S,
    ) -> Self {
        Self {
            region,
            board,
            channel,
            spinner,
            serve,
            request: Vec::new(),
            rest: 0..0,
        }
    }

    /// Serves the channel until it is closed.
    pub(in crate::hosted) fn run(&mut self) {
        let mut pauses = Experience::default();
        let mut apart = Apart::of_this_thread();
        let mut idle_since = Instant::now();
        while self.wait(&mut pauses) {
            let taken_at = Instant::now();
            pauses.saw(taken_at - idle_since);
            let processor = &self.region.control(self.channel).call.processor;
            apart.saw_client_on(processor.load(Ordering::Relaxed) as usize);
            let standing = self.turn();
            idle_since = Instant::now();
            let service = u32::try_from((idle_since - taken_at).as_nanos()).unwrap_or(u32::MAX);
            let control = self.region.control(self.channel);
            control.answer.service.store(service, Ordering::Relaxed);
            control
                .answer
                .standing
                .store(standing as u32, Ordering::Relaxed);
            word::answer(&control.word);
        }
    }

    /// Waits until it has taken a request; false if none will come any more.
    fn wait(&self, pauses: &mut Experience) -> bool {
        let word = &self.region.control(self.channel).word;
        let spun = self
            .board
            .spin(self.spinner, pauses.patience(NOTICING), || word::take(word));
        pauses.spun(spun);
        if spun == Spun::Done {
            return true;
        }
        while !word::take(word) {
            if word::is_closed(word) && !word::is_busy(word) {
                return false;
            }
            word::sleep_until_posted(word);
        }
        true
    }

    fn turn(&mut self) -> Standing {
        let call = &self.region.control(self.channel).call;
        let length = call.length.load(Ordering::Relaxed) as usize;
        let room = call.room.load(Ordering::Relaxed);
        let Some(part) =
            Part::from_u32(call.part.load(Ordering::Relaxed)).filter(|_| length <= PART)
        else {
            return Standing::Garbled;
        };
        match part {
            Part::MoreOutput => return self.send(None),
            Part::Whole | Part::First => self.begin(),
            Part::Middle | Part::Last if self.request.is_empty() => return Standing::Garbled,
            Part::Middle | Part::Last => {}
        }
        if self.request.try_reserve(length).is_err() {
            self.begin();
            return Standing::NoMemory;
        }
        let at = self.request.len();
        self.request.resize(at + length, 0);
        self.region
            .request(self.channel)
            .read(&mut self.request[at..]);
        match part {
            Part::Whole | Part::Last => self.execute(room),
            Part::First | Part::Middle | Part::MoreOutput => Standing::Received,
        }
    }

    /// Forgets what an earlier exchange that was given up has left.
    fn begin(&mut self) {
        wipe(&mut self.request);
        self.request.clear();
        if self.request.capacity() > KEPT {
            self.request = Vec::new();
        }
        self.forget_output();
    }

    fn execute(&mut self, room: u64) -> Standing {
        let mut reply = [0; REPLY];
        let served = self.serve.serve(&self.request, room, &mut reply);
        wipe(&mut self.request);
        self.request.clear();
        match served {
            Ok(served) => {
                self.rest = 0..served.output;
                self.send(Some(&reply[..served.reply]))
            }
            Err(NotServed::Garbled) => Standing::Garbled,
            Err(NotServed::NoMemory) => Standing::NoMemory,
        }
    }

    /// Puts the reply, if it is its turn, and the next part of the output into the windows.
    fn send(&mut self, reply: Option<&[u8]>) -> Standing {
        let answer = &self.region.control(self.channel).answer;
        if let Some(reply) = reply {
            self.region.reply(self.channel).write(reply);
            answer.reply.store(reply.len() as u32, Ordering::Relaxed);
        }
        let part = self.rest.len().min(PART);
        let bytes = &mut self.serve.output()[self.rest.start..self.rest.start + part];
        self.region.output(self.channel).write(bytes);
        wipe(bytes);
        self.rest.start += part;
        answer.output.store(part as u32, Ordering::Relaxed);
        answer.rest.store(self.rest.len() as u64, Ordering::Relaxed);
        Standing::Executed
    }

    fn forget_output(&mut self) {
        let rest = std::mem::take(&mut self.rest);
        wipe(&mut self.serve.output()[rest]);
    }
}
