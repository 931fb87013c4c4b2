//! One request at a time from an application's thread to a host's thread, and its answer back.
//!
//! Short requests and outputs cross in one turn. Longer ones cross in parts: the client posts part after part, each of which the host
//! merely receives, and only the last has the request executed; then it posts [`Part::MoreOutput`] until it has all.

mod host_end;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use everslot_protocol::Deadline;
use rustix::thread::sched_getcpu;

pub(super) use host_end::{HostEnd, NotServed, Serve, Served};

use super::memory::{Board, Control, PART, REPLY, Region};
use super::spin::{Experience, NOTICING, Spinner, Spun, WAKING};
use super::word;
use crate::module::{Delivery, LinkCause, LinkFailure};

/// The longest that a client sleeps before it looks whether the host has ended. Whoever ends a host wakes its clients, so this counts
/// only when nobody has noticed yet.
const SLICE: Duration = Duration::from_millis(5);

/// The longest request that crosses, in bytes. Client and host have a copy each; the length is the application's word, and a copy of whatever
/// it says would cost seconds and all the memory there is.
const LONGEST: usize = 256 << 20;

/// Which part of an exchange a turn carries.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[repr(u32)]
pub(super) enum Part {
    /// The whole request.
    Whole = 1,
    /// The beginning of a request.
    First = 2,
    /// Neither the beginning nor the end.
    Middle = 3,
    /// The end of a request.
    Last = 4,
    /// No request: the client wants the next part of the output.
    MoreOutput = 5,
}

impl Part {
    const ALL: [Self; 5] = [
        Self::Whole,
        Self::First,
        Self::Middle,
        Self::Last,
        Self::MoreOutput,
    ];

    fn from_u32(value: u32) -> Option<Self> {
        Self::ALL.into_iter().find(|part| *part as u32 == value)
    }

    fn of(begins: bool, ends: bool) -> Self {
        match (begins, ends) {
            (true, true) => Self::Whole,
            (true, false) => Self::First,
            (false, false) => Self::Middle,
            (false, true) => Self::Last,
        }
    }

    /// What a lost turn means for the whole call, if the host had taken it or not.
    fn delivery(self, taken: bool) -> Delivery {
        match self {
            // Without its last part a request cannot be executed.
            Self::First | Self::Middle => Delivery::None,
            Self::Whole | Self::Last if !taken => Delivery::None,
            Self::Whole | Self::Last | Self::MoreOutput => Delivery::Unknown,
        }
    }
}

/// How an answer stands.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[repr(u32)]
pub(super) enum Standing {
    /// The request was executed; reply and output are there.
    Executed = 1,
    /// The part was received.
    Received = 2,
    /// What came is no request, or not the part that had to come; nothing was executed.
    Garbled = 3,
    /// The host has no memory for it; nothing was executed.
    NoMemory = 4,
}

impl Standing {
    const ALL: [Self; 4] = [
        Self::Executed,
        Self::Received,
        Self::Garbled,
        Self::NoMemory,
    ];

    fn from_u32(value: u32) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|standing| *standing as u32 == value)
    }
}

/// What a client sends.
pub(super) trait Message {
    /// Writes it to the start of `buffer` and says how many bytes it took; `None` if it does not fit.
    fn write(&self, buffer: &mut [u8]) -> Option<usize>;

    /// The bytes it needs.
    fn size(&self) -> usize;
}

/// What a client knows of the process at the other end.
pub(super) trait Peer {
    /// Whether it is known to have ended.
    fn is_known_to_have_ended(&self) -> bool;

    /// Asks the kernel whether it has ended.
    fn has_ended(&self) -> bool;
}

/// What came back.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Answered {
    /// So many bytes of reply, and of output.
    Executed(Served),
    /// The host had no memory for the request, and has not executed it.
    NoMemory,
}

/// The client's end of a channel.
#[derive(Debug)]
pub(super) struct ClientEnd {
    region: Arc<Region>,
    board: Arc<Board>,
    channel: u32,
    spinner: Spinner,
    services: Experience,
    is_poisoned: bool,
}

impl ClientEnd {
    pub(super) fn new(region: Arc<Region>, board: Arc<Board>, channel: u32) -> Self {
        Self {
            region,
            board,
            channel,
            spinner: Spinner::client(),
            services: Experience::default(),
            is_poisoned: false,
        }
    }

    pub(super) fn channel(&self) -> u32 {
        self.channel
    }

    /// Whether the host may still be at work on a call that was given up: nothing more can be sent, ever.
    pub(super) fn is_poisoned(&self) -> bool {
        self.is_poisoned
    }

    /// Sends `message` and waits for its answer: the reply is at the start of `reply`, the output at the start of `output`.
    ///
    /// The deadline is a turn's: a host that goes on receiving a long request is well, however long it takes.
    ///
    /// # Errors
    /// No answer came. `Delivery::None` is said only when the host has surely not executed the message, and will not.
    pub(super) fn exchange(
        &mut self,
        message: &impl Message,
        reply: &mut [u8; REPLY],
        output: &mut [u8],
        deadline: Deadline,
        peer: &impl Peer,
    ) -> Result<Answered, LinkFailure> {
        if self.is_poisoned || peer.is_known_to_have_ended() {
            return Err(LinkFailure {
                delivery: Delivery::None,
                cause: LinkCause::HostEnded,
            });
        }
        let wait = Wait { deadline, peer };
        let room = output.len() as u64;
        let standing = match self
            .region
            .request(self.channel)
            .fill(|buffer| message.write(buffer))
        {
            Some(length) => self.turn(Part::Whole, length, room, &wait)?,
            None => self.send_in_parts(message, room, &wait)?,
        };
        match standing {
            Standing::Executed => self.receive(reply, output, &wait).map(Answered::Executed),
            Standing::NoMemory => Ok(Answered::NoMemory),
            Standing::Garbled | Standing::Received => Err(garbled(Delivery::None)),
        }
    }

    fn send_in_parts(
        &mut self,
        message: &impl Message,
        room: u64,
        wait: &Wait<'_, impl Peer>,
    ) -> Result<Standing, LinkFailure> {
        let size = message.size();
        let mut whole = Vec::new();
        if size > LONGEST || whole.try_reserve_exact(size).is_err() {
            return Ok(Standing::NoMemory);
        }
        whole.resize(size, 0);
        let length = message.write(&mut whole).ok_or(garbled(Delivery::None))?;
        let parts = length.div_ceil(PART).max(1);
        let mut outcome = Ok(Standing::Garbled);
        for (number, bytes) in whole[..length].chunks(PART).enumerate() {
            let ends = number + 1 == parts;
            self.region.request(self.channel).write(bytes);
            outcome = self.turn(Part::of(number == 0, ends), bytes.len(), room, wait);
            if !ends && outcome != Ok(Standing::Received) {
                break;
            }
        }
        wipe(&mut whole);
        outcome
    }

    /// Posts what stands in the request window, waits for the answer and wipes the window.
    fn turn(
        &mut self,
        part: Part,
        length: usize,
        room: u64,
        wait: &Wait<'_, impl Peer>,
    ) -> Result<Standing, LinkFailure> {
        let until = wait.end();
        let Control { word, call, answer } = self.region.control(self.channel);
        call.length.store(length as u32, Ordering::Relaxed);
        call.part.store(part as u32, Ordering::Relaxed);
        call.room.store(room, Ordering::Relaxed);
        call.processor
            .store(sched_getcpu() as u32, Ordering::Relaxed);
        let start = match word::post(word) {
            Ok(word::Host::Awake) => NOTICING,
            Ok(word::Host::Asleep) => WAKING,
            Err(word::Closed) => {
                self.region.request(self.channel).wipe(length);
                let cause = if wait.peer.has_ended() {
                    LinkCause::HostEnded
                } else {
                    LinkCause::Exhausted
                };
                return Err(LinkFailure {
                    delivery: part.delivery(false),
                    cause,
                });
            }
        };
        let patience = self.services.patience(start);
        let spun = self
            .board
            .spin(self.spinner, patience, || word::is_answered(word));
        self.services.spun(spun);
        if spun != Spun::Done
            && let Err(cause) = wait.answer(word, until)
        {
            let taken = !word::cancel(word);
            // An answer that came in the last moment, or before the host ended, is an answer.
            if !taken || !word::is_answered(word) {
                self.is_poisoned = taken;
                if !taken {
                    self.region.request(self.channel).wipe(length);
                }
                return Err(LinkFailure {
                    delivery: part.delivery(taken),
                    cause,
                });
            }
        }
        self.region.request(self.channel).wipe(length);
        self.services.saw(Duration::from_nanos(
            answer.service.load(Ordering::Relaxed).into(),
        ));
        Standing::from_u32(answer.standing.load(Ordering::Relaxed))
            .ok_or(garbled(part.delivery(true)))
    }

    /// Copies the answer out of the shared memory, all parts of it.
    fn receive(
        &mut self,
        reply: &mut [u8; REPLY],
        output: &mut [u8],
        wait: &Wait<'_, impl Peer>,
    ) -> Result<Served, LinkFailure> {
        const GARBLED: LinkFailure = garbled(Delivery::Unknown);
        let length = self
            .region
            .control(self.channel)
            .answer
            .reply
            .load(Ordering::Relaxed) as usize;
        self.region
            .reply(self.channel)
            .read(reply.get_mut(..length).ok_or(GARBLED)?);
        let mut written = 0;
        loop {
            let answer = &self.region.control(self.channel).answer;
            let part = answer.output.load(Ordering::Relaxed) as usize;
            let rest = answer.rest.load(Ordering::Relaxed);
            let into = output[written..]
                .get_mut(..part)
                .filter(|into| into.len() <= PART)
                .ok_or(GARBLED)?;
            let mut window = self.region.output(self.channel);
            window.read(into);
            window.wipe(part);
            written += part;
            if rest == 0 {
                return Ok(Served {
                    reply: length,
                    output: written,
                });
            }
            if part == 0 || self.turn(Part::MoreOutput, 0, 0, wait)? != Standing::Executed {
                return Err(GARBLED);
            }
        }
    }
}

/// How long a client waits, and for whom.
struct Wait<'a, P> {
    deadline: Deadline,
    peer: &'a P,
}

impl<P: Peer> Wait<'_, P> {
    /// When the wait that begins now ends.
    fn end(&self) -> Option<Instant> {
        self.deadline
            .and_then(|deadline| Instant::now().checked_add(deadline))
    }

    /// Sleeps until there is an answer or there is no sense in waiting any more.
    fn answer(&self, word: &impl word::Word, until: Option<Instant>) -> Result<(), LinkCause> {
        loop {
            let remaining = until.map(|until| until.saturating_duration_since(Instant::now()));
            if self.peer.is_known_to_have_ended() {
                return Err(LinkCause::HostEnded);
            }
            if remaining.is_some_and(|remaining| remaining.is_zero()) {
                return Err(LinkCause::DeadlinePassed);
            }
            word::sleep_until_answered(
                word,
                remaining.map_or(SLICE, |remaining| remaining.min(SLICE)),
            );
            if word::is_answered(word) {
                return Ok(());
            }
            if self.peer.has_ended() {
                return Err(LinkCause::HostEnded);
            }
        }
    }
}

const fn garbled(delivery: Delivery) -> LinkFailure {
    LinkFailure {
        delivery,
        cause: LinkCause::Garbled,
    }
}

/// Overwrites bytes that may have been a PIN or a key.
fn wipe(bytes: &mut [u8]) {
    bytes.fill(0);
    // Keeps the writes although nobody reads them.
    std::hint::black_box(bytes);
}

#[cfg(test)]
mod tests;
