//! A member's own reading of some codes, from its settings.

use core::fmt;

use heapless::Vec;

use crate::{Class, Rv};

/// Up to `N` codes to which a member's settings give a class of their own.
#[derive(Clone, Debug, Default, Eq, Hash, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Overrides<const N: usize = 16> {
    classes: Vec<(Rv, Class), N>,
}

impl<const N: usize> Overrides<N> {
    /// No override.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            classes: Vec::new(),
        }
    }

    /// Gives a code a class; an earlier one for the same code is replaced.
    ///
    /// # Errors
    /// `N` other codes have a class already; nothing is changed.
    pub fn set(&mut self, rv: Rv, class: Class) -> Result<(), OverridesFull> {
        if let Some(entry) = self.classes.iter_mut().find(|(listed, _)| *listed == rv) {
            entry.1 = class;
            return Ok(());
        }
        self.classes
            .push((rv, class))
            .map_err(|_| OverridesFull { capacity: N })
    }

    /// The class that the settings give to a code.
    #[must_use]
    pub fn class(&self, rv: Rv) -> Option<Class> {
        self.classes
            .iter()
            .find(|(listed, _)| *listed == rv)
            .map(|(_, class)| *class)
    }
}

/// There is no room for a further override.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct OverridesFull {
    /// How many codes can have a class.
    pub capacity: usize,
}

impl fmt::Display for OverridesFull {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "a member can have at most {} verdict overrides",
            self.capacity
        )
    }
}

impl core::error::Error for OverridesFull {}
