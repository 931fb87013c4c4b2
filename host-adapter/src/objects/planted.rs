//! The mark that an object bears while it is being made, so that it can be found whatever becomes of whoever makes it (S4).
//!
//! It stands in front of the application's label: every class of object has one, tokens take it in every template and let it be changed
//! afterwards, and taking the mark off again needs nothing to be remembered.

use std::fmt::Write;

use crate::journal::Plant;

/// What begins a label with a plant.
const HEAD: &str = "everslot is making: ";
/// Bytes of a mark, an attempt and what goes round them.
const LENGTH: usize = HEAD.len() + 16 + 1 + 2 + 1;

/// A label with the plant in front of it.
#[must_use]
pub fn label_with(plant: Plant, label: &[u8]) -> Vec<u8> {
    let mut planted = head(plant).into_bytes();
    planted.extend_from_slice(label);
    planted
}

/// The plant that a label bears.
#[must_use]
pub fn plant_of(label: &[u8]) -> Option<Plant> {
    split(label).map(|(plant, _)| plant)
}

/// The label without the plant, if it bears one.
#[must_use]
pub fn label_of(label: &[u8]) -> &[u8] {
    split(label).map_or(label, |(_, own)| own)
}

fn split(label: &[u8]) -> Option<(Plant, &[u8])> {
    let (planted, own) = label.split_at_checked(LENGTH)?;
    let written = std::str::from_utf8(planted.strip_prefix(HEAD.as_bytes())?).ok()?;
    let (mark, attempt) = written.strip_suffix(':')?.split_once('.')?;
    let plant = Plant {
        mark: u64::from_str_radix(mark, 16).ok()?,
        attempt: u8::from_str_radix(attempt, 16).ok()?,
    };
    // Only what we write ourselves is one.
    (head(plant).as_bytes() == planted).then_some((plant, own))
}

fn head(plant: Plant) -> String {
    let mut head = String::with_capacity(LENGTH);
    // Writing to a string does not fail.
    let _ = write!(head, "{HEAD}{:016x}.{:02x}:", plant.mark, plant.attempt);
    head
}

#[cfg(test)]
mod tests;
