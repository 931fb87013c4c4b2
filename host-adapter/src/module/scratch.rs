use std::cell::Cell;

use bumpalo::Bump;

/// Short-lived memory for what one call needs beside the application's: lists of fields and attributes, C structures.
///
/// Nothing in it is ever dropped or wiped, so no secret is copied there: it holds lists that point at the secrets.
#[derive(Default)]
pub struct Scratch(Bump);

/// A scratch that has grown beyond this many bytes is not kept for the thread's next call.
const KEPT_BYTES: usize = 64 * 1024;

/// How many of a thread's scratches are kept: that of the C function, those of a mechanism and of two templates within it.
const KEPT_COUNT: usize = 4;

thread_local! {
    static KEPT: [Cell<Option<Scratch>>; KEPT_COUNT] = const { [const { Cell::new(None) }; KEPT_COUNT] };
}

impl Scratch {
    /// Gives `work` a scratch of the thread's own: after a thread's first calls none allocates, also where calls nest.
    pub fn with<R>(work: impl FnOnce(&Self) -> R) -> R {
        let kept = KEPT
            .try_with(|kept| kept.iter().find_map(Cell::take))
            .ok()
            .flatten();
        let mut scratch = kept.unwrap_or_default();
        let result = work(&scratch);
        if scratch.0.allocated_bytes() <= KEPT_BYTES {
            scratch.0.reset();
            keep(scratch);
        }
        result
    }

    pub(super) const fn bump(&self) -> &Bump {
        &self.0
    }
}

/// Keeps `scratch` for the thread's next call, unless enough are kept or the thread is ending.
fn keep(scratch: Scratch) {
    let mut scratch = Some(scratch);
    let _ = KEPT.try_with(|kept| {
        for place in kept {
            // What was in the place goes on to the next one.
            scratch = place.replace(scratch.take());
            if scratch.is_none() {
                break;
            }
        }
    });
}
