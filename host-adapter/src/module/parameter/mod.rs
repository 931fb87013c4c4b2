//! Mechanism parameters: from an application's C structure to typed fields, and from these to a member's.
//!
//! Which structure a mechanism has is told by one table (`table`), what stands in a structure by another (`structures`); one routine
//! reads them all and one writes them all. Supporting a further mechanism is one more line in each.

mod made;
mod message;
mod objects;
mod read;
mod returned;
mod shape;
mod structures;
mod table;
#[cfg(test)]
mod tests;
mod write;

use everslot_protocol::{Mechanism, Parameter};

pub use made::{makes_iv, write_made_iv};
pub(super) use message::CMessageParameter;
pub use message::{
    message_crosses_process_border, read_message_parameter, write_message_parameter,
};
pub use objects::map_objects;
pub use read::read_mechanism;
pub use returned::{Returned, further_keys_are_token, makes_no_key_of_its_own, write_returned};
pub(super) use write::CMechanism;

use table::Kind;

/// Whether `mechanism` means the same in another process: no address of this one's memory is hidden in its parameter.
///
/// Flat bytes are trusted to hold none only where the mechanism is known to have a flat parameter.
#[must_use]
pub fn crosses_process_border(mechanism: &Mechanism<'_>) -> bool {
    let Parameter::Flat(bytes) = mechanism.parameter else {
        return true;
    };
    bytes.is_empty()
        || match Kind::of(mechanism.kind) {
            Kind::Flat => true,
            Kind::StructureOrFlat(structures) => structures
                .iter()
                .all(|structure| structure.size != bytes.len()),
            Kind::Structure | Kind::Unknown => false,
        }
}
