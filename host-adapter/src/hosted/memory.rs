//! Memory that an application and its member hosts share.
//!
//! A [`Region`] holds the channels of one member host, a [`Board`] the leave to spin of all hosts of one application. Both are sealed
//! memfds: their size is fixed, so a host cannot make the application fault, and pages cost nothing until they are used.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use rustix::fs::{
    MemfdFlags, SealFlags, fcntl_add_seals, fcntl_get_seals, fstat, ftruncate, memfd_create,
};
use rustix::mm::{MapFlags, ProtFlags, mmap, munmap};
use rustix::thread::futex;

use super::word::Word;

/// Bytes of a request or of an output that cross at once; longer ones cross in parts.
pub(super) const PART: usize = 64 * 1024;

/// Bytes for the encoded reply, which stands apart from the call's output.
pub(super) const REPLY: usize = 128;
const _: () = assert!(REPLY >= everslot_protocol::wire::REPLY_SIZE_MAX);

const PAGE: usize = 4096;
const REPLY_AT: usize = 512;
const REQUEST_AT: usize = PAGE;
const OUTPUT_AT: usize = REQUEST_AT + PART;
const STRIDE: usize = OUTPUT_AT + PART;
const _: () = assert!(size_of::<Control>() <= REPLY_AT && REPLY_AT + REPLY <= PAGE);

/// The channels of one member host.
#[derive(Debug)]
pub(super) struct Region {
    mapping: Mapping,
    channels: u32,
}

impl Region {
    /// Makes a region for so many channels, and the descriptor with which another process maps it.
    pub(super) fn create(channels: u32) -> io::Result<(Self, OwnedFd)> {
        let (mapping, memory) = Mapping::create("everslot-channels", channels as usize * STRIDE)?;
        Ok((Self { mapping, channels }, memory))
    }

    /// Maps the region that another process has made.
    pub(super) fn open(memory: OwnedFd, channels: u32) -> io::Result<Self> {
        let mapping = Mapping::open(memory, channels as usize * STRIDE)?;
        Ok(Self { mapping, channels })
    }

    pub(super) fn channels(&self) -> u32 {
        self.channels
    }

    /// The words and lengths of a channel.
    pub(super) fn control(&self, channel: u32) -> &Control {
        // SAFETY: the place is in the mapping, page-aligned, and all of `Control` is atomics, for which any bytes are valid and which
        // other threads and processes may change at any time.
        unsafe { &*self.place(channel, 0).cast::<Control>() }
    }

    /// The encoded reply.
    pub(super) fn reply(&self, channel: u32) -> Window<'_> {
        self.window(channel, REPLY_AT, REPLY)
    }

    /// A part of the request.
    pub(super) fn request(&self, channel: u32) -> Window<'_> {
        self.window(channel, REQUEST_AT, PART)
    }

    /// A part of the output.
    pub(super) fn output(&self, channel: u32) -> Window<'_> {
        self.window(channel, OUTPUT_AT, PART)
    }

    fn window(&self, channel: u32, offset: usize, length: usize) -> Window<'_> {
        Window {
            start: self.place(channel, offset),
            length,
            _region: self,
        }
    }

    fn place(&self, channel: u32, offset: usize) -> *mut u8 {
        assert!(
            channel < self.channels && offset < STRIDE,
            "no such channel: {channel}"
        );
        // SAFETY: the mapping holds `channels` strides.
        unsafe {
            self.mapping
                .start
                .as_ptr()
                .add(channel as usize * STRIDE + offset)
        }
    }
}

/// What a channel's two ends tell each other beside the bytes. Each struct is a cache line of its own, since the waiting end reads the
/// word all the time. Whatever is read here was written by another process and must be checked against its bounds.
#[repr(C, align(64))]
pub(super) struct Control {
    pub(super) word: SharedWord,
    pub(super) call: Call,
    pub(super) answer: Answer,
}

/// Written by the client before it posts.
#[repr(C, align(64))]
pub(super) struct Call {
    /// Bytes in the request window.
    pub(super) length: AtomicU32,
    /// Which [`Part`](super::channel::Part) of an exchange it is.
    pub(super) part: AtomicU32,
    /// Bytes of room for the output.
    pub(super) room: AtomicU64,
    /// The processor that the client posts from.
    pub(super) processor: AtomicU32,
}

/// Written by the host before it answers.
#[repr(C, align(64))]
pub(super) struct Answer {
    /// Bytes in the reply window.
    pub(super) reply: AtomicU32,
    /// Bytes in the output window.
    pub(super) output: AtomicU32,
    /// Bytes of output that are still to come.
    pub(super) rest: AtomicU64,
    /// How long the call took in the module, nanoseconds, saturating.
    pub(super) service: AtomicU32,
    /// [`Standing`](super::channel::Standing) of the answer.
    pub(super) standing: AtomicU32,
}

/// The word that the ends take turns by.
#[repr(C, align(64))]
pub(super) struct SharedWord(AtomicU32);

impl Word for SharedWord {
    fn load(&self) -> u32 {
        self.0.load(Ordering::Acquire)
    }

    fn exchange(&self, current: u32, new: u32) -> Result<u32, u32> {
        self.0
            .compare_exchange(current, new, Ordering::AcqRel, Ordering::Acquire)
    }

    fn sleep(&self, expected: u32, at_most: Option<Duration>) {
        let at_most = at_most.and_then(|at_most| futex::Timespec::try_from(at_most).ok());
        // Every outcome (woken, timed out, interrupted, another value) means the same to the caller: look again.
        let _outcome = futex::wait(&self.0, futex::Flags::empty(), expected, at_most.as_ref());
    }

    fn wake(&self) {
        let _woken = futex::wake(&self.0, futex::Flags::empty(), i32::MAX as u32);
    }
}

/// Bytes of a channel. They belong to the client while the word says Idle or Answered and to the host while it says Taken; an end touches
/// them in its own turn only, and the word's ordering makes the other's writes visible.
#[derive(Debug)]
pub(super) struct Window<'a> {
    start: *mut u8,
    length: usize,
    _region: &'a Region,
}

impl Window<'_> {
    /// Lets `write` fill the bytes in place.
    pub(super) fn fill<T>(&mut self, write: impl FnOnce(&mut [u8]) -> T) -> T {
        // SAFETY: `start` and `length` are a part of the mapping, which outlives the borrowed region. It is this end's turn, so the
        // other does not touch the bytes; `write` only writes, so even a host that breaks the rule cannot feed it values.
        write(unsafe { std::slice::from_raw_parts_mut(self.start, self.length) })
    }

    /// Copies `bytes`, which must fit, to the start.
    pub(super) fn write(&mut self, bytes: &[u8]) {
        assert!(
            bytes.len() <= self.length,
            "{} bytes do not fit",
            bytes.len()
        );
        // SAFETY: they fit, and private memory does not overlap the mapping.
        unsafe {
            self.start
                .copy_from_nonoverlapping(bytes.as_ptr(), bytes.len())
        }
    }

    /// Copies from the start until `into` is full; `into` must not be longer than the window.
    pub(super) fn read(&self, into: &mut [u8]) {
        assert!(
            into.len() <= self.length,
            "{} bytes were never there",
            into.len()
        );
        // SAFETY: so many bytes are there, and private memory does not overlap the mapping. A host that writes out of turn garbles
        // the copy only, and copies are checked when they are decoded.
        unsafe {
            into.as_mut_ptr()
                .copy_from_nonoverlapping(self.start, into.len())
        }
    }

    /// Overwrites the first `length` bytes: they may have been a PIN or a key.
    pub(super) fn wipe(&mut self, length: usize) {
        // SAFETY: at most the window's bytes.
        unsafe { self.start.write_bytes(0, length.min(self.length)) }
    }
}

/// How many threads can have leave to spin at once, over an application and its member hosts.
pub(super) const LEAVES: usize = 16;

/// Who has leave to spin; see [`spin`](super::spin).
#[derive(Debug)]
pub(super) struct Board {
    mapping: Mapping,
}

impl Board {
    /// Makes a board, and the descriptor with which another process maps it.
    pub(super) fn create() -> io::Result<(Self, OwnedFd)> {
        let (mapping, memory) = Mapping::create("everslot-board", PAGE)?;
        Ok((Self { mapping }, memory))
    }

    /// Maps the board that another process has made.
    pub(super) fn open(memory: OwnedFd) -> io::Result<Self> {
        Ok(Self {
            mapping: Mapping::open(memory, PAGE)?,
        })
    }

    /// Each is 0 or the token of a spinner.
    pub(super) fn leaves(&self) -> &[AtomicU32; LEAVES] {
        // SAFETY: the mapping is a page; atomics may be changed by others at any time, and any bytes are valid.
        unsafe { &*self.mapping.start.as_ptr().cast::<[AtomicU32; LEAVES]>() }
    }
}

/// A shared mapping of a whole memfd.
#[derive(Debug)]
struct Mapping {
    start: NonNull<u8>,
    length: usize,
}

// SAFETY: a mapping is plain memory, not bound to a thread; who may touch which bytes is the business of the types above.
unsafe impl Send for Mapping {}
// SAFETY: as for `Send`.
unsafe impl Sync for Mapping {}

impl Mapping {
    const SEALS: SealFlags = SealFlags::SHRINK
        .union(SealFlags::GROW)
        .union(SealFlags::SEAL);

    fn create(name: &str, length: usize) -> io::Result<(Self, OwnedFd)> {
        let memory = memfd_create(name, MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)?;
        ftruncate(&memory, length as u64)?;
        fcntl_add_seals(&memory, Self::SEALS)?;
        Ok((Self::map(&memory, length)?, memory))
    }

    fn open(memory: OwnedFd, length: usize) -> io::Result<Self> {
        let size = u64::try_from(fstat(&memory)?.st_size).unwrap_or(0);
        if size < length as u64 || !fcntl_get_seals(&memory)?.contains(SealFlags::SHRINK) {
            return Err(io::Error::other(
                "the shared memory is smaller than it was said to be",
            ));
        }
        Self::map(&memory, length)
    }

    fn map(memory: impl AsFd, length: usize) -> io::Result<Self> {
        let protection = ProtFlags::READ | ProtFlags::WRITE;
        // SAFETY: a new mapping at a place of the kernel's choice; it is unmapped in `drop` only. The seals keep the memfd from
        // shrinking under it.
        let start = unsafe {
            mmap(
                std::ptr::null_mut(),
                length,
                protection,
                MapFlags::SHARED,
                memory,
                0,
            )
        }?;
        let start = NonNull::new(start.cast()).ok_or(io::ErrorKind::OutOfMemory)?;
        Ok(Self { start, length })
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: nothing borrows from a mapping that is dropped.
        let _unmapped = unsafe { munmap(self.start.as_ptr().cast(), self.length) };
    }
}
