//! The caller's memory.

use cryptoki_sys::{CK_ATTRIBUTE, CK_BYTE, CK_ULONG, CKR_ARGUMENTS_BAD, CKR_BUFFER_TOO_SMALL};

use crate::Outcome;

/// The bytes at `pointer`.
///
/// # Safety
/// `pointer` is null or valid for reads of `length` bytes during the call.
pub(crate) unsafe fn bytes<'a>(pointer: *const CK_BYTE, length: CK_ULONG) -> Result<&'a [u8], u64> {
    // SAFETY: passed on to the caller.
    unsafe { items(pointer, length) }
}

/// The attributes at `pointer`.
///
/// # Safety
/// `pointer` is null or valid for reads of `length` attributes during the call, as are their values.
pub(crate) unsafe fn template<'a>(
    pointer: *const CK_ATTRIBUTE,
    length: CK_ULONG,
) -> Result<&'a [CK_ATTRIBUTE], u64> {
    // SAFETY: passed on to the caller.
    unsafe { items(pointer, length) }
}

/// An attribute's value.
///
/// # Safety
/// The attribute's pointer is null or valid for reads of its length during the call.
pub(crate) unsafe fn value<'a>(attribute: &CK_ATTRIBUTE) -> Result<&'a [u8], u64> {
    // SAFETY: passed on to the caller.
    unsafe {
        items(
            attribute.pValue.cast::<u8>().cast_const(),
            attribute.ulValueLen,
        )
    }
}

/// Puts `value` where `pointer` points.
///
/// # Safety
/// `pointer` is null or valid for a write.
pub(crate) unsafe fn put<T>(pointer: *mut T, value: T) -> Outcome {
    if pointer.is_null() {
        return Err(CKR_ARGUMENTS_BAD);
    }
    // SAFETY: not null, and valid by this function's contract.
    unsafe { pointer.write(value) };
    Ok(())
}

/// Whether an output was given, or only its length asked for (PKCS#11 v2.40 §5.2).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Given {
    Length,
    Output,
}

/// Gives `items` or their number, by the convention for output of variable length (PKCS#11 v2.40 §5.2).
///
/// # Safety
/// `length` is null or valid for a read and a write, `output` null or valid for writes of `*length` items.
pub(crate) unsafe fn give<T: Copy>(
    output: *mut T,
    length: *mut CK_ULONG,
    items: &[T],
) -> Result<Given, u64> {
    if length.is_null() {
        return Err(CKR_ARGUMENTS_BAD);
    }
    // SAFETY: not null, and valid by this function's contract.
    let room = unsafe { length.replace(items.len() as CK_ULONG) };
    if output.is_null() {
        return Ok(Given::Length);
    }
    if room < items.len() as CK_ULONG {
        return Err(CKR_BUFFER_TOO_SMALL);
    }
    // SAFETY: not null and of room for all items by this function's contract; the caller's memory does not overlap ours.
    unsafe { output.copy_from_nonoverlapping(items.as_ptr(), items.len()) };
    Ok(Given::Output)
}

unsafe fn items<'a, T>(pointer: *const T, length: CK_ULONG) -> Result<&'a [T], u64> {
    match (pointer.is_null(), usize::try_from(length)) {
        (_, Ok(0)) => Ok(&[]),
        // SAFETY: not null, and valid by the contract of the functions above.
        (false, Ok(length)) => Ok(unsafe { std::slice::from_raw_parts(pointer, length) }),
        (true, Ok(_)) | (_, Err(_)) => Err(CKR_ARGUMENTS_BAD),
    }
}
