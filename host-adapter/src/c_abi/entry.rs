use std::panic::{AssertUnwindSafe, catch_unwind};

use cryptoki_sys::CK_RV;
use everslot_core::{Rv, ckr};

use super::application_mutex;
use super::pointers::Caller;
use crate::module::Scratch;

/// Runs `body` as the C function `function`: the one wrapper of every entry.
///
/// Only the `C_*` functions may call it, since it gives `body` the right to read the pointers that they were called with. Nothing of
/// the arguments is traced.
pub(super) fn entry(
    function: &'static str,
    body: impl for<'call> FnOnce(Caller<'call>) -> Result<(), Rv>,
) -> CK_RV {
    match application_mutex::take() {
        Ok(_turn) => entry_without_turn(function, body),
        Err(rv) => rv.0,
    }
}

/// Like [`entry`], for a function that may wait for as long as the application likes: other calls go on meanwhile, also where each
/// takes the application's mutex.
pub(super) fn entry_without_turn(
    function: &'static str,
    body: impl for<'call> FnOnce(Caller<'call>) -> Result<(), Rv>,
) -> CK_RV {
    // Whatever a panic leaves half done is either local to the call or behind a lock whose owner deals with its poison.
    let answered = catch_unwind(AssertUnwindSafe(|| {
        // SAFETY: only the C functions call `entry`, and hand on the pointers that they were called with.
        let caller = unsafe { Caller::new() };
        let rv = match body(caller) {
            Ok(()) => ckr::OK,
            Err(rv) => rv,
        };
        tracing::trace!(function, rv = format_args!("{:#x}", rv.0));
        rv
    }));
    answered.unwrap_or(ckr::GENERAL_ERROR).0
}

/// Like [`entry`], for functions that are given a mechanism or a template: `body` gets the memory to lay them out in.
pub(super) fn entry_with_scratch(
    function: &'static str,
    body: impl for<'call> FnOnce(Caller<'call>, &'call Scratch) -> Result<(), Rv>,
) -> CK_RV {
    entry(function, |caller| {
        Scratch::with(|scratch| body(caller, scratch))
    })
}
