//! The application's pointers. The C functions follow none themselves, they ask here; what the pointers in mechanisms and templates lead to
//! is read by [`module`](crate::module).
//!
//! A [`Caller`] stands for the promise that an application makes with every call of a `C_*` function: each pointer it passes is null or
//! leads to as much memory as PKCS#11 says, for as long as the call runs. Everything else is checked here: null, lengths that no
//! memory can have, buffers that overlap.

mod parameter;
#[cfg(test)]
mod tests;

use std::marker::PhantomData;
use std::ptr::NonNull;
use std::slice;

use cryptoki_sys::{
    CK_ATTRIBUTE, CK_BYTE, CK_C_INITIALIZE_ARGS, CK_MECHANISM, CK_ULONG, CK_VERSION,
};
use everslot_core::{Rv, ckr};
use everslot_protocol::{AttributeValue, List, Mechanism, Template, Wanted};
use zeroize::Zeroizing;

use crate::module::parameter::read_mechanism;
use crate::module::template::{read_template, read_wanted, write_attribute_values};
use crate::module::{Scratch, can_exist, room_behind};
use crate::slot::{Output, Refusal};

// Handles, lengths and codes are passed on as `u64` without a conversion that could fail.
const _: () = assert!(size_of::<CK_ULONG>() == size_of::<u64>());

/// The application, for the time of one call.
#[derive(Clone, Copy)]
pub(super) struct Caller<'call>(PhantomData<&'call ()>);

impl<'call> Caller<'call> {
    /// # Safety
    /// The methods may be given only the pointers that a C function was called with, and those found in the structures they lead to.
    pub(super) const unsafe fn new() -> Self {
        Self(PhantomData)
    }

    /// `length` bytes or integers that are only read; a null pointer is good for none.
    pub(super) fn slice<T: Plain>(
        self,
        pointer: *const T,
        length: CK_ULONG,
    ) -> Result<&'call [T], Rv> {
        let Some((pointer, length)) = memory(pointer.cast_mut(), length)? else {
            return Ok(&[]);
        };
        // SAFETY: the application promises `length` items for the time of the call; `memory` has checked alignment and size, and
        // every bit pattern is an item.
        Ok(unsafe { slice::from_raw_parts(pointer.as_ptr(), length) })
    }

    /// `length` bytes or integers to be written; a null pointer is good for none.
    pub(super) fn slice_mut<T: Plain>(
        self,
        pointer: *mut T,
        length: CK_ULONG,
    ) -> Result<&'call mut [T], Rv> {
        let Some((pointer, length)) = memory(pointer, length)? else {
            return Ok(&mut []);
        };
        // SAFETY: as in `slice`; the application promises the memory to the call alone, and no function takes two slices of the same.
        Ok(unsafe { slice::from_raw_parts_mut(pointer.as_ptr(), length) })
    }

    /// A PIN; null stands for the token's own way of asking for it, whatever the length (PKCS#11 v3.1 §5.6.8).
    pub(super) fn pin(
        self,
        pointer: *const CK_BYTE,
        length: CK_ULONG,
    ) -> Result<Option<&'call [u8]>, Rv> {
        if pointer.is_null() {
            return Ok(None);
        }
        self.slice(pointer, length).map(Some)
    }

    /// A token's label: 32 bytes, not terminated.
    pub(super) fn label(self, pointer: *const CK_BYTE) -> Result<&'call [u8; 32], Rv> {
        self.slice(pointer, 32)?
            .try_into()
            .map_err(|_| ckr::ARGUMENTS_BAD)
    }

    /// A copy of the structure, if there is one.
    pub(super) fn structure<T: Plain>(self, pointer: *const T) -> Option<T> {
        // SAFETY: not null, so the application promises a whole structure; every bit pattern is one, at any alignment.
        (!pointer.is_null()).then(|| unsafe { pointer.read_unaligned() })
    }

    /// Whether the text at `pointer` is `text`. Reads no further than the first difference.
    pub(super) fn text_is(self, pointer: *const CK_BYTE, text: &std::ffi::CStr) -> bool {
        text.to_bytes_with_nul()
            .iter()
            .enumerate()
            .all(|(at, &byte)| {
                // SAFETY: the application promises a text that a zero byte ends, and no byte before `at` was zero, else it had differed.
                byte == unsafe { pointer.add(at).read() }
            })
    }

    /// Where a result goes.
    pub(super) fn place<T>(self, pointer: *mut T) -> Result<Place<'call, T>, Rv> {
        NonNull::new(pointer)
            .map(|pointer| Place {
                pointer,
                lifetime: PhantomData,
            })
            .ok_or(ckr::ARGUMENTS_BAD)
    }

    /// Bytes that are read while an [`OutputPlace`] is written, which may be the same memory.
    pub(super) fn input(
        self,
        pointer: *const CK_BYTE,
        length: CK_ULONG,
    ) -> Result<Input<'call>, Rv> {
        Stretch::new(pointer.cast_mut(), length).map(Input)
    }

    /// Where bytes and their number go (PKCS#11 v3.1 §5.2).
    pub(super) fn output(
        self,
        buffer: *mut CK_BYTE,
        length: *mut CK_ULONG,
    ) -> Result<OutputPlace<'call>, Rv> {
        let length = self.place(length)?;
        let buffer = NonNull::new(buffer).map(|buffer| Stretch::with_room(buffer, length.read()));
        Ok(OutputPlace { buffer, length })
    }

    /// A template; null stands for one without attributes.
    pub(super) fn template(
        self,
        pointer: *const CK_ATTRIBUTE,
        count: CK_ULONG,
        scratch: &'call Scratch,
    ) -> Result<Template<'call>, Rv> {
        // SAFETY: the application promises the attributes and what they lead to.
        unsafe { read_template(pointer, count, scratch) }.map_err(own)
    }

    /// A mechanism with its parameter.
    pub(super) fn mechanism(
        self,
        pointer: *const CK_MECHANISM,
        scratch: &'call Scratch,
    ) -> Result<Mechanism<'call>, Rv> {
        // SAFETY: the application promises the mechanism and what its parameter leads to.
        unsafe { read_mechanism(pointer, scratch) }.map_err(own)
    }

    /// What a template asks for.
    pub(super) fn wanted(
        self,
        template: *const CK_ATTRIBUTE,
        count: CK_ULONG,
        scratch: &'call Scratch,
    ) -> Result<List<'call, Wanted<'call>>, Rv> {
        // SAFETY: the application promises the attributes, and those in the templates among their values.
        let wanted = unsafe { read_wanted(template, count, scratch) }.map_err(own)?;
        if has_room_for_all(wanted) {
            Ok(wanted)
        } else {
            Err(ckr::ARGUMENTS_BAD)
        }
    }

    /// Writes what came of a template that asks.
    pub(super) fn answer_wanted(
        self,
        template: *mut CK_ATTRIBUTE,
        count: CK_ULONG,
        values: List<'_, AttributeValue<'_>>,
    ) -> Result<(), Rv> {
        // SAFETY: the application promises the attributes with room for their values; those in a template among them likewise.
        unsafe { write_attribute_values(template, count, values) }.map_err(own)
    }

    /// Answers with `items` in the two-call convention: only their number for a null list, `CKR_BUFFER_TOO_SMALL` and their number for
    /// one that is too short.
    pub(super) fn answer_list<T: Copy>(
        self,
        list: *mut T,
        count: *mut CK_ULONG,
        items: impl FnOnce() -> Result<Vec<T>, Rv>,
    ) -> Result<(), Rv> {
        let count = self.place(count)?;
        let items = items()?;
        let needed = items.len() as CK_ULONG;
        if list.is_null() {
            count.set(needed);
            return Ok(());
        }
        let room = count.read();
        count.set(needed);
        if room < needed {
            return Err(ckr::BUFFER_TOO_SMALL);
        }
        for (at, item) in items.iter().enumerate() {
            // SAFETY: the application promises `room` items, and `at` is below it; any alignment will do.
            unsafe { list.add(at).write_unaligned(*item) };
        }
        Ok(())
    }
}

/// `length` items at `pointer` as memory that can exist: not null, aligned, not beyond the end of all addresses. `None` is nothing.
fn memory<T>(pointer: *mut T, length: CK_ULONG) -> Result<Option<(NonNull<T>, usize)>, Rv> {
    if length == 0 {
        return Ok(None);
    }
    let pointer = NonNull::new(pointer).ok_or(ckr::ARGUMENTS_BAD)?;
    let length = usize::try_from(length).map_err(|_| ckr::ARGUMENTS_BAD)?;
    let size = length
        .checked_mul(size_of::<T>())
        .filter(|&size| isize::try_from(size).is_ok())
        .ok_or(ckr::ARGUMENTS_BAD)?;
    if can_exist(pointer.addr().get(), size) && pointer.is_aligned() {
        Ok(Some((pointer, length)))
    } else {
        Err(ckr::ARGUMENTS_BAD)
    }
}

/// Whether there can be so much room as every attribute says it has.
fn has_room_for_all(wanted: List<'_, Wanted<'_>>) -> bool {
    wanted.iter().all(|wanted| {
        wanted.room.is_none_or(|room| isize::try_from(room).is_ok())
            && has_room_for_all(wanted.nested)
    })
}

const fn own(rv: everslot_protocol::Rv) -> Rv {
    Rv(rv.0)
}

/// Types of which every bit pattern is a value, so that whatever an application has written there can be read.
///
/// # Safety
/// The type must be just so.
pub(super) unsafe trait Plain: Copy {}

// SAFETY: an integer.
unsafe impl Plain for CK_BYTE {}
// SAFETY: an integer.
unsafe impl Plain for CK_ULONG {}
// SAFETY: integers.
unsafe impl Plain for CK_VERSION {}
// SAFETY: integers, a raw pointer and optional C function pointers, which are only compared with null.
unsafe impl Plain for CK_C_INITIALIZE_ARGS {}

/// One value of the application's.
#[derive(Clone, Copy)]
pub(super) struct Place<'call, T> {
    pointer: NonNull<T>,
    lifetime: PhantomData<&'call mut T>,
}

impl<T> Place<'_, T> {
    /// Writes the value.
    pub(super) fn set(self, value: T)
    where
        T: Copy,
    {
        // SAFETY: the application promises room for one value; nothing is dropped, any alignment will do.
        unsafe { self.pointer.write_unaligned(value) };
    }

    fn read(&self) -> T
    where
        T: Plain,
    {
        // SAFETY: the application promises a value, and every bit pattern is one.
        unsafe { self.pointer.read_unaligned() }
    }
}

/// Bytes of the application's to which there is no reference yet.
#[derive(Clone, Copy)]
struct Stretch<'call> {
    pointer: NonNull<u8>,
    length: usize,
    lifetime: PhantomData<&'call mut u8>,
}

impl Stretch<'_> {
    fn new(pointer: *mut u8, length: CK_ULONG) -> Result<Self, Rv> {
        let (pointer, length) = memory(pointer, length)?.unwrap_or((NonNull::dangling(), 0));
        Ok(Self {
            pointer,
            length,
            lifetime: PhantomData,
        })
    }

    /// A buffer that is said to have so much room. More than there can be is no error, since nobody fills it.
    fn with_room(pointer: NonNull<u8>, room: CK_ULONG) -> Self {
        let most = room_behind(pointer.addr().get());
        Self {
            pointer,
            length: usize::try_from(room).map_or(most, |room| room.min(most)),
            lifetime: PhantomData,
        }
    }

    fn overlaps(&self, other: &Self) -> bool {
        let (mine, theirs) = (self.pointer.addr().get(), other.pointer.addr().get());
        mine < theirs.saturating_add(other.length) && theirs < mine.saturating_add(self.length)
    }
}

/// See [`Caller::input`].
#[derive(Clone, Copy)]
pub(super) struct Input<'call>(Stretch<'call>);

impl Input<'_> {
    /// # Safety
    /// Nothing may be written to the memory while the slice is in use.
    unsafe fn bytes(&self) -> &[u8] {
        // SAFETY: the application promises the bytes, the caller of this function that they stay as they are.
        unsafe { slice::from_raw_parts(self.0.pointer.as_ptr(), self.0.length) }
    }
}

/// See [`Caller::output`].
pub(super) struct OutputPlace<'call> {
    buffer: Option<Stretch<'call>>,
    length: Place<'call, CK_ULONG>,
}

impl OutputPlace<'_> {
    /// Lets `produce` write the output, then writes how long it is: also after a length query and with `CKR_BUFFER_TOO_SMALL`.
    pub(super) fn fill(
        self,
        produce: impl FnOnce(Output<'_>) -> Result<u64, Refusal>,
    ) -> Result<(), Rv> {
        let output = match &self.buffer {
            None => Output::Query,
            // SAFETY: the application promises the memory to this call, and no other reference to it is in use: an `Input` of the
            // same memory has been copied.
            Some(buffer) => Output::Buffer(unsafe {
                slice::from_raw_parts_mut(buffer.pointer.as_ptr(), buffer.length)
            }),
        };
        match produce(output) {
            Ok(length) => {
                self.length.set(length);
                Ok(())
            }
            Err(refusal) => {
                if let Some(length) = refusal.length {
                    self.length.set(length);
                }
                Err(refusal.rv)
            }
        }
    }

    /// Like [`fill`](Self::fill) with `input` beside it. The two may be in the same place (PKCS#11 v3.1 §5.8.2).
    pub(super) fn fill_from(
        self,
        input: Input<'_>,
        produce: impl FnOnce(&[u8], Output<'_>) -> Result<u64, Refusal>,
    ) -> Result<(), Rv> {
        let overlapping = self
            .buffer
            .as_ref()
            .is_some_and(|buffer| buffer.overlaps(&input.0));
        // SAFETY: only the output is written during the call, which is elsewhere, or later, when the bytes have been copied.
        let bytes = unsafe { input.bytes() };
        if overlapping {
            let mut copy = Zeroizing::new(Vec::new());
            copy.try_reserve_exact(bytes.len())
                .map_err(|_| ckr::HOST_MEMORY)?;
            copy.extend_from_slice(bytes);
            return self.fill(|output| produce(&copy, output));
        }
        self.fill(|output| produce(bytes, output))
    }
}
