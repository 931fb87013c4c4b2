use std::cell::{Cell, OnceCell};

use bumpalo::Bump;

/// Short-lived memory for what one call needs beside the application's: lists of fields and attributes, C structures. It is the thread's
/// own, and taken only when something is put there: after a thread's first calls none allocates, also where calls nest.
///
/// Nothing in it is ever dropped or wiped, so no secret is copied there: it holds lists that point at the secrets.
#[derive(Default)]
pub struct Scratch(OnceCell<Bump>);

/// Memory that has grown beyond this many bytes is not kept for the thread's next call.
const KEPT_BYTES: usize = 64 * 1024;

/// How many of a thread's memories are kept: that of the C function, those of a mechanism and of two templates within it.
const KEPT_COUNT: usize = 4;

thread_local! {
    static KEPT: [Cell<Option<Bump>>; KEPT_COUNT] = const { [const { Cell::new(None) }; KEPT_COUNT] };
}

impl Scratch {
    /// Gives `work` a scratch.
    #[inline]
    pub fn with<R>(work: impl FnOnce(&Self) -> R) -> R {
        work(&Self::default())
    }

    #[inline]
    pub(super) fn bump(&self) -> &Bump {
        self.0.get_or_init(kept)
    }
}

impl Drop for Scratch {
    #[inline]
    fn drop(&mut self) {
        if let Some(bump) = self.0.take() {
            keep(bump);
        }
    }
}

/// What the thread has kept, if nothing else uses it.
fn kept() -> Bump {
    KEPT.try_with(|kept| kept.iter().find_map(Cell::take))
        .ok()
        .flatten()
        .unwrap_or_default()
}

/// Keeps `bump` for the thread's next call, unless enough are kept or the thread is ending.
fn keep(mut bump: Bump) {
    if bump.allocated_bytes() > KEPT_BYTES {
        return;
    }
    bump.reset();
    let mut bump = Some(bump);
    let _ = KEPT.try_with(|kept| {
        for place in kept {
            // What was in the place goes on to the next one.
            bump = place.replace(bump.take());
            if bump.is_none() {
                break;
            }
        }
    });
}

#[cfg(test)]
mod tests;
