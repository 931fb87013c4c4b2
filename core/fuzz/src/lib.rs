//! The core's machines under arbitrary sequences of inputs: bytes become deeds, deeds become inputs, and after each of these the machine's
//! invariants hold, and what no invariant sees since it is about the past.
//!
//! `make fuzz-core` has libFuzzer look for bytes that lead to code which none has led to before; what it has found so far is `corpus/`, which a test
//! of this crate goes through. A machine that is wrong panics here.

mod call;
mod change;
mod group;
mod reconcile;
mod work;

pub use call::call;
pub use change::change;
pub use group::group;
pub use reconcile::reconcile;
pub use work::work;

use arbitrary::{Arbitrary, Unstructured};

/// Something that bytes are given to; it panics when a machine is wrong.
pub type Target = fn(&[u8]);

/// The machines by name; so are the folders of the corpus called.
pub const TARGETS: [(&str, Target); 5] = [
    ("call", call),
    ("change", change),
    ("group", group),
    ("reconcile", reconcile),
    ("work", work),
];

/// The next deed that the bytes tell of; none at their end.
fn next<'a, D: Arbitrary<'a>>(bytes: &mut Unstructured<'a>) -> Option<D> {
    if bytes.is_empty() {
        return None;
    }
    D::arbitrary(bytes).ok()
}
