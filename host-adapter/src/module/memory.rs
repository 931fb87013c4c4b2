//! The application's memory, as its calls describe it.
//!
//! The only place that follows an address which an application has put into a structure.

use std::marker::PhantomData;
use std::ptr;
use std::slice;

use cryptoki_sys::CK_ULONG;

// `CK_ULONG`, handles and addresses are 64 bits wide wherever everslot runs; the wire form and the parameter table rely on it.
const _: () = assert!(size_of::<CK_ULONG>() == 8 && size_of::<usize>() == 8);

/// The bytes of a `CK_ULONG`, a handle or an address.
pub(super) const WORD: usize = size_of::<CK_ULONG>();

/// Leave to follow the addresses that an application gave with one call, while the call lasts (`'a`).
#[derive(Clone, Copy)]
pub(super) struct ApplicationMemory<'a>(PhantomData<&'a ()>);

/// A null pointer with a length, or a length that no memory has.
#[derive(Debug)]
pub(super) struct Unreadable;

/// A text without an end in this many bytes is refused.
const TEXT_MAX: usize = 4096;

impl<'a> ApplicationMemory<'a> {
    /// # Safety
    /// For `'a`, every address that the application has put into a structure of the call is null or valid for reads of the length
    /// beside it, for writes where PKCS#11 lets the call write, and what is only read is not changed.
    pub(super) const unsafe fn new() -> Self {
        Self(PhantomData)
    }

    /// The `length` bytes at `address`; `None` is a null pointer without a length.
    pub(super) fn bytes(self, address: u64, length: u64) -> Result<Option<&'a [u8]>, Unreadable> {
        let Some(start) = pointer(address) else {
            return if length == 0 {
                Ok(None)
            } else {
                Err(Unreadable)
            };
        };
        let length = readable(start.addr(), length)?;
        // SAFETY: the address is not null, the length is one that memory can have, and the rest was promised to `new`.
        Ok(Some(unsafe { slice::from_raw_parts(start, length) }))
    }

    /// The bytes from `address` up to and without the first zero; `None` is a null pointer.
    pub(super) fn text(self, address: u64) -> Result<Option<&'a [u8]>, Unreadable> {
        let Some(start) = pointer(address) else {
            return Ok(None);
        };
        // SAFETY: a text is readable up to its first zero, which was promised to `new`; none behind it is read.
        let length = (0..TEXT_MAX)
            .find(|&at| unsafe { start.add(at).read() } == 0)
            .ok_or(Unreadable)?;
        self.bytes(address, length as u64)
    }

    /// Puts `bytes` at `address`, where the application has room for them.
    pub(super) fn write(self, address: u64, bytes: &[u8]) -> Result<(), Unreadable> {
        let start = pointer(address).ok_or(Unreadable)?;
        // SAFETY: the address is not null, and that it is valid for these writes was promised to `new`.
        unsafe { ptr::copy(bytes.as_ptr(), start.cast_mut(), bytes.len()) };
        Ok(())
    }
}

/// The word at `offset` in a structure; `None` beyond its end.
pub(super) fn word(structure: &[u8], offset: usize) -> Option<u64> {
    let bytes = structure.get(offset..)?.first_chunk::<WORD>()?;
    Some(u64::from_ne_bytes(*bytes))
}

fn pointer(address: u64) -> Option<*const u8> {
    let address = usize::try_from(address)
        .ok()
        .filter(|&address| address != 0)?;
    Some(ptr::with_exposed_provenance(address))
}

fn readable(address: usize, length: u64) -> Result<usize, Unreadable> {
    usize::try_from(length)
        .ok()
        .filter(|&length| can_exist(address, length))
        .ok_or(Unreadable)
}

/// No process has memory from here on: the kernel's addresses begin, with the most levels of page tables that there are.
const ADDRESSES_END: usize = 1 << 56;

/// Whether a process can have so many bytes at this address.
pub(crate) const fn can_exist(address: usize, length: usize) -> bool {
    length <= room_behind(address)
}

/// The most bytes that a process can have at this address.
pub(crate) const fn room_behind(address: usize) -> usize {
    ADDRESSES_END.saturating_sub(address)
}
