//! What work is told, and what it wants.

use crate::{Incarnation, MemberId};

/// A real session of a member in one of its incarnations.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Seat {
    /// The member.
    pub member: MemberId,
    /// The incarnation that the session is of.
    pub incarnation: Incarnation,
    /// Tells the member's sessions of this incarnation apart.
    pub session: u64,
}

/// What work is told.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum WorkInput {
    /// A call of the operation is about to be sent over this session, as its [`Call`](crate::Call) has it.
    Reached(Seat),
    /// The outcome of [`WorkNext::Begin`] or [`WorkNext::Resend`]: the member has done it.
    Done,
    /// The outcome of [`WorkNext::Compare`]: whether the output is what was given.
    Compared(bool),
    /// What was asked for last came to nothing, or the call's own request was not answered or failed the member.
    Failed,
    /// The outcome of [`WorkNext::Send`]: answered, and all is as it was; a length was asked for, or the buffer was too small
    /// (PKCS#11 v3.1 §5.2).
    Unchanged,
    /// The outcome of [`WorkNext::Send`]: the member has taken a part.
    Taken {
        /// Whether output came with it.
        output: bool,
        /// Whether it stands in the transcript.
        recorded: bool,
    },
    /// The operation is over: its last call was answered, or it was given up.
    Ended,
}

/// What to do for an operation; its outcome is the next input.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum WorkNext {
    /// Nothing before the next call.
    Rest,
    /// Begin the operation over the session that was reached, then [`WorkInput::Done`].
    Begin,
    /// Send this part of the transcript, counted from 0, then [`WorkInput::Done`].
    Resend {
        /// The part.
        part: u32,
    },
    /// Compare what the parts put out with what was given, then [`WorkInput::Compared`].
    Compare,
    /// Send the call's own request, then [`WorkInput::Unchanged`], [`WorkInput::Taken`], [`WorkInput::Failed`] or
    /// [`WorkInput::Ended`].
    Send,
    /// The operation cannot be brought here: it is over, and the answer is `CKR_DEVICE_ERROR`.
    GiveUp,
    /// The operation is over.
    Over,
}
