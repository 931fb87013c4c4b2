//! What can happen in the world.

use everslot_core::{MemberId, Role, Rv};
use serde::{Deserialize, Serialize};

/// A step of the world.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub enum Act {
    /// Time passes.
    Tick,
    /// The adapter's thread feeds the timer, which is due.
    Timer,
    /// A token dies.
    Fails(MemberId),
    /// A dead token can be reached again.
    Comes(MemberId),
    /// The adapter sees by itself that a member's process has ended.
    Noticed(MemberId),
    /// What the adapter does for a member ends, as the state of the token has it.
    TaskEnds(MemberId),
    /// It ends with a token that is not the one it should be.
    TaskRefused(MemberId),
    /// The operator gives an order.
    Obey(Order),
    /// Somebody reads the status.
    StatusRead,
    /// The application logs out.
    LogOut,
    /// The application makes a call.
    Start(usize, Kind),
    /// A member is chosen for a call, or there is none.
    Choose(usize, Option<MemberId>),
    /// A call is sent over a lease, if there still is one.
    Issue(usize),
    /// A call that was sent comes to something.
    Resolve(usize, Fate),
    /// A fresh session is made for a call, if that is possible.
    Reopen(usize),
    /// A harmless call is made for a call, answered or not.
    Probe(usize),
    /// The application has its answer.
    Return(usize),
}

/// What the application calls.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub enum Kind {
    /// A single-part operation that may be repeated.
    Sign,
    /// One that may not.
    Generate,
    /// The beginning of multi-part work, which may be repeated.
    Begin,
    /// A part more of it.
    Part,
    /// Its end.
    Finish,
    /// `C_Login`, with the right PIN or a wrong one.
    LogIn {
        /// Whether the group's members know this PIN.
        right: bool,
    },
}

/// What comes of a call that was sent.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub enum Fate {
    /// The member answers.
    Reply {
        /// With this.
        code: Rv,
        /// Whether the call took effect.
        executed: bool,
    },
    /// It does not.
    Silence {
        /// Whether the call may have reached it, as far as the adapter can tell.
        delivered: bool,
        /// Whether the call took effect.
        executed: bool,
    },
}

/// What an operator can order.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub enum Order {
    /// Add the member.
    Add(MemberId),
    /// Remove the member.
    Remove(MemberId),
    /// Take it out of service.
    Park(MemberId),
    /// Bring it back.
    Unpark(MemberId),
    /// Try it at once.
    Recover(MemberId),
    /// Change what it is there for.
    SetRole(MemberId, Role),
    /// Change to the plan's other policy.
    SetPolicy,
}
