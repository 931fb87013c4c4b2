//! Requests and replies on a line of bytes that may lose, change or add some: a UART, a pseudo-terminal, a socket.
//!
//! A frame is an [`Ask`] or an [`Answer`] in its wire form (serde with postcard), a CRC-32 (ISO-HDLC) of it, all of it COBS-encoded so that
//! no zero is in it, and a zero before and behind. Whatever else comes over the line is dropped with the frame it meets: the zero that begins the next
//! frame ends it. So a frame is either what was sent or nothing, but for the 1 in 2³² garbled ones whose CRC fits.
//!
//! An answer carries the number of its ask, so that one which comes late, after the asker has given up, is not taken for that of a later
//! ask. No ask is sent twice, and a host executes each that it hears.
//!
//! Integers in outputs, such as the list of slots, are little-endian on a line.

#[cfg(test)]
mod tests;

use crc::{CRC_32_ISO_HDLC, Crc};
use postcard::ser_flavors::crc::CrcModifier;
use postcard::ser_flavors::{Cobs, Slice};
use serde::{Deserialize, Serialize};

use crate::list::encoded_size;
use crate::wire::{self, Malformed, REPLY_SIZE_MAX, TooSmall};
use crate::{Bytes, Reply, Request};

/// The number of an ask. One asker on one line gives none a second time before it has given four milliards of others.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct AskId(pub u32);

impl AskId {
    /// The one after.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.wrapping_add(1))
    }
}

/// A request on a line.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
#[serde(bound(deserialize = "'de: 'a"))]
pub struct Ask<'a> {
    /// Comes back in the answer.
    pub id: AskId,
    /// The bytes of output that the asker has room for.
    pub room: u32,
    /// What is asked.
    pub request: Request<'a>,
}

/// A reply on a line.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
#[serde(bound(deserialize = "'de: 'a"))]
pub struct Answer<'a> {
    /// The ask's.
    pub id: AskId,
    /// What is answered.
    pub reply: Reply,
    /// The bytes that the call has put out: as many as the reply's body says.
    pub output: Bytes<'a>,
}

const CRC: Crc<u32> = Crc::<u32>::new(&CRC_32_ISO_HDLC);

/// The bytes of a frame around so many bytes of wire form: two zeros, the CRC, and what COBS adds.
#[must_use]
pub const fn frame_size(wire: usize) -> usize {
    let summed = wire.saturating_add(size_of::<u32>());
    // One byte for each 254, and one more.
    summed.saturating_add(summed / 254).saturating_add(1 + 2)
}

/// The most bytes that the frame of an answer takes whose output has at most `room` bytes.
#[must_use]
pub const fn answer_size(room: usize) -> usize {
    // Its number and the length of the output stand in at most 5 and 10 bytes.
    frame_size(room.saturating_add(REPLY_SIZE_MAX + 5 + 10))
}

/// The most bytes that the frame of `request` takes.
#[must_use]
pub fn ask_size(request: &Request<'_>) -> usize {
    let ask = Ask {
        id: AskId(u32::MAX),
        room: u32::MAX,
        request: *request,
    };
    // Counting cannot fail: the counter has no limit and no type of ours refuses to be serialised.
    frame_size(encoded_size(&ask).unwrap_or(usize::MAX))
}

/// Writes the frame of `ask` to the start of `buffer` and says how many bytes it took.
///
/// # Errors
/// `buffer` is too small; [`ask_size`] bytes always suffice.
pub fn encode_ask(ask: &Ask<'_>, buffer: &mut [u8]) -> Result<usize, TooSmall> {
    encode(ask, buffer)
}

/// Writes the frame of `answer` to the start of `buffer` and says how many bytes it took.
///
/// # Errors
/// `buffer` is too small; [`answer_size`] bytes always suffice.
pub fn encode_answer(answer: &Answer<'_>, buffer: &mut [u8]) -> Result<usize, TooSmall> {
    encode(answer, buffer)
}

/// Decodes, in its own place, a frame that [`Reassembly`] has put together.
///
/// # Errors
/// It is not the frame of an ask as it was sent.
pub fn decode_ask(frame: &mut [u8]) -> Result<Ask<'_>, Malformed> {
    let ask: Ask<'_> = decode(frame)?;
    wire::check_request(&ask.request)?;
    Ok(ask)
}

/// Decodes, in its own place, a frame that [`Reassembly`] has put together.
///
/// # Errors
/// It is not the frame of an answer as it was sent.
pub fn decode_answer(frame: &mut [u8]) -> Result<Answer<'_>, Malformed> {
    let answer: Answer<'_> = decode(frame)?;
    if answer.output.len() as u64 != answer.reply.written() {
        return Err(Malformed);
    }
    Ok(answer)
}

fn encode<T: Serialize>(value: &T, buffer: &mut [u8]) -> Result<usize, TooSmall> {
    let (start, rest) = buffer.split_first_mut().ok_or(TooSmall)?;
    *start = 0;
    let cobs = Cobs::try_new(Slice::new(rest)).map_err(|_| TooSmall)?;
    let summed = CrcModifier::new(cobs, CRC.digest());
    let framed = postcard::serialize_with_flavor(value, summed).map_err(|_| TooSmall)?;
    Ok(1 + framed.len())
}

fn decode<'a, T: Deserialize<'a>>(frame: &'a mut [u8]) -> Result<T, Malformed> {
    let length = cobs::decode_in_place(frame).map_err(|_| Malformed)?;
    let wire = frame.get(..length).ok_or(Malformed)?;
    let decoded = postcard::de_flavors::crc::take_from_bytes_u32(wire, CRC.digest());
    match decoded {
        Ok((value, [])) => Ok(value),
        Ok(_) | Err(_) => Err(Malformed),
    }
}

/// Puts frames together out of the bytes of a line, in memory of the caller's: an array or a vector, whose length bounds a frame.
#[derive(Clone, Debug)]
pub struct Reassembly<B> {
    buffer: B,
    filled: usize,
    /// What comes is longer than the buffer: it is dropped up to its end.
    overlong: bool,
}

impl<B: AsMut<[u8]>> Reassembly<B> {
    /// Nothing heard yet.
    pub const fn new(buffer: B) -> Self {
        Self {
            buffer,
            filled: 0,
            overlong: false,
        }
    }

    /// Takes the next byte of the line; if it ends a frame, gives that to be decoded, which may show it to be garbage.
    pub fn take(&mut self, byte: u8) -> Option<&mut [u8]> {
        if byte != 0 {
            self.keep(byte);
            return None;
        }
        let length = core::mem::take(&mut self.filled);
        let is_whole = !core::mem::take(&mut self.overlong) && length > 0;
        self.buffer.as_mut().get_mut(..length).filter(|_| is_whole)
    }

    /// Drops what was heard of a frame that has not ended.
    pub const fn forget(&mut self) {
        self.filled = 0;
        self.overlong = false;
    }

    fn keep(&mut self, byte: u8) {
        match self.buffer.as_mut().get_mut(self.filled) {
            Some(place) => {
                *place = byte;
                self.filled += 1;
            }
            None => self.overlong = true,
        }
    }
}
