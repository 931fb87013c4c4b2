//! What pointers of one call lead to. A length is true, or one that no memory has: anything else no library could find out.

use std::ffi::c_void;
use std::ptr::null_mut;

use cryptoki_sys::CK_ULONG;

use crate::choice::Choice;

/// Lengths that no memory has.
const ENDLESS: [CK_ULONG; 4] = [
    CK_ULONG::MAX,
    CK_ULONG::MAX / 2,
    CK_ULONG::MAX / 2 + 1,
    1 << 57,
];

/// Memory that lives until the call is over.
#[derive(Default)]
pub(crate) struct Memory(Vec<Box<[u64]>>);

impl Memory {
    /// A copy of `bytes`, aligned for anything.
    pub(crate) fn keep(&mut self, bytes: &[u8]) -> *mut u8 {
        let mut words = vec![0_u64; bytes.len().div_ceil(8).max(1)].into_boxed_slice();
        let start = words.as_mut_ptr().cast::<u8>();
        // SAFETY: the words are at least as many bytes, and new.
        unsafe { start.copy_from_nonoverlapping(bytes.as_ptr(), bytes.len()) };
        self.0.push(words);
        start
    }

    /// A copy of structures.
    pub(crate) fn keep_all<T: Copy>(&mut self, items: &[T]) -> *mut T {
        // SAFETY: the structures of PKCS#11 that are kept here have no padding that is not initialised.
        let bytes =
            unsafe { std::slice::from_raw_parts(items.as_ptr().cast::<u8>(), size_of_val(items)) };
        self.keep(bytes).cast()
    }

    /// A place for a number, mostly.
    pub(crate) fn place(&mut self, choice: &mut Choice) -> *mut CK_ULONG {
        if choice.one_in(24) {
            null_mut()
        } else {
            self.keep(&[0; 8]).cast()
        }
    }

    /// Data to be read and its length.
    pub(crate) fn input(&mut self, choice: &mut Choice) -> (*mut u8, CK_ULONG) {
        let length = match choice.below(16) {
            0 => 0,
            1 => choice.below(70_000),
            2..5 => 32,
            5..8 => 16 * choice.below(8),
            _ => choice.below(100),
        };
        let bytes = choice.bytes(length);
        match choice.below(32) {
            0 => (null_mut(), length as CK_ULONG),
            1 => (null_mut(), 0),
            2 => (self.keep(&bytes), ENDLESS[choice.below(ENDLESS.len())]),
            _ => (self.keep(&bytes), length as CK_ULONG),
        }
    }

    /// A buffer to be written to, with its length beside it.
    pub(crate) fn output(&mut self, choice: &mut Choice) -> (*mut u8, *mut CK_ULONG) {
        let room = match choice.below(8) {
            0 => 0,
            1 => choice.below(40),
            2 => choice.below(600),
            _ => 72_000,
        };
        let buffer = if choice.one_in(8) {
            null_mut()
        } else {
            self.keep(&vec![0; room])
        };
        let claimed = if choice.one_in(16) && (buffer.is_null() || room >= 72_000) {
            ENDLESS[choice.below(ENDLESS.len())]
        } else {
            room as CK_ULONG
        };
        let length = if choice.one_in(32) {
            null_mut()
        } else {
            self.keep(&claimed.to_ne_bytes()).cast()
        };
        (buffer, length)
    }

    /// A length that is nobody's, for a pointer that is null or not.
    pub(crate) const fn endless(choice: &mut Choice) -> CK_ULONG {
        ENDLESS[choice.below(ENDLESS.len())]
    }

    /// A pointer that is to be null.
    pub(crate) fn reserved(&mut self, choice: &mut Choice) -> *mut c_void {
        if choice.one_in(8) {
            self.keep(&[0; 8]).cast()
        } else {
            null_mut()
        }
    }
}
