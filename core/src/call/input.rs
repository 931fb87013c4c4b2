//! What a call is told.

use crate::{Incarnation, MemberId, Verdict};

/// What a call is told.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum CallInput {
    /// Begin.
    Start,
    /// The outcome of [`Next::Choose`](crate::Next::Choose): a member and its incarnation, or none that can serve.
    Chosen(Option<(MemberId, Incarnation)>),
    /// The outcome of [`Next::Send`](crate::Next::Send): what the reply says.
    Verdict(Verdict),
    /// The outcome of [`Next::Send`](crate::Next::Send), [`Next::Reopen`](crate::Next::Reopen) or [`Next::Probe`](crate::Next::Probe): there is no reply.
    Unanswered {
        /// Whether the member may have executed it; `false` if it surely has not.
        delivered: bool,
    },
    /// The outcome of [`Next::Reopen`](crate::Next::Reopen): whether there is a fresh session with the group's login.
    Reopened(bool),
    /// The outcome of [`Next::Probe`](crate::Next::Probe): whether the member answers a harmless call.
    Probed(bool),
}
