//! What may be sent a second time.

/// Whether a request may be sent again when it is not known whether the first was executed (S4).
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Repeat {
    /// It may: a second execution does no harm.
    Safe,
    /// It may not: only when the first was surely not executed.
    OnlyIfUndelivered,
}

/// What executing a request does to a token. Which PKCS#11 function does what is the caller's knowledge.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Effect {
    /// Reads: information, attributes, a search.
    Reads,
    /// Computes from its inputs and leaves no trace: digest, sign, verify, encrypt, decrypt, wrap, random.
    Computes,
    /// Makes an object: a second execution makes a second one.
    Creates,
    /// Destroys or changes an object: a second execution answers otherwise than the first.
    Changes,
    /// Tries a PIN: each try counts towards a lock (S12).
    Authenticates,
    /// Initialises the token or sets a PIN.
    Administers,
    /// Uses up a part of the key: a hash-based signature with state, whose index is never used twice.
    ConsumesKey,
}

/// Whether a request with this effect may be sent again (S4, S12).
#[inline]
#[must_use]
pub const fn repeat(effect: Effect) -> Repeat {
    match effect {
        Effect::Reads | Effect::Computes => Repeat::Safe,
        Effect::Creates
        | Effect::Changes
        | Effect::Authenticates
        | Effect::Administers
        | Effect::ConsumesKey => Repeat::OnlyIfUndelivered,
    }
}

#[cfg(test)]
mod tests;
