use std::cell::Cell;

use bumpalo::Bump;

/// Short-lived memory for what one call needs beside the application's: lists of fields and attributes, C structures.
///
/// Nothing in it is ever dropped or wiped, so no secret is copied there: it holds lists that point at the secrets.
#[derive(Default)]
pub struct Scratch(Bump);

/// A scratch that has grown beyond this many bytes is not kept for the thread's next call.
const KEPT_BYTES: usize = 64 * 1024;

thread_local! {
    static KEPT: Cell<Option<Scratch>> = const { Cell::new(None) };
}

impl Scratch {
    /// Gives `work` a scratch, the thread's own if it is not in use: after a thread's first calls none allocates.
    pub fn with<R>(work: impl FnOnce(&Self) -> R) -> R {
        let kept = KEPT.try_with(Cell::take).ok().flatten();
        let mut scratch = kept.unwrap_or_default();
        let result = work(&scratch);
        if scratch.0.allocated_bytes() <= KEPT_BYTES {
            scratch.0.reset();
            // A thread that is ending has no place left to keep it in.
            let _ = KEPT.try_with(|kept| kept.set(Some(scratch)));
        }
        result
    }

    pub(super) const fn bump(&self) -> &Bump {
        &self.0
    }
}
