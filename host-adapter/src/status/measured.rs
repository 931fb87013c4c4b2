//! What a process has measured of its members, beside the picture of their state.

use serde::{Deserialize, Serialize};

use super::{GroupStatus, Process, Snapshot};

/// All that one process has measured. Counts are those since it began to use everslot.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Measured {
    /// Whose it is.
    pub process: Process,
    /// In the order of the configuration.
    pub groups: Vec<GroupMeasured>,
}

impl From<Snapshot> for Measured {
    /// What is known of a process that has measured nothing.
    fn from(snapshot: Snapshot) -> Self {
        let groups = snapshot.groups.into_iter().map(|status| GroupMeasured {
            calls: vec![MemberCalls::default(); status.members.len()],
            status,
        });
        Self {
            process: snapshot.process,
            groups: groups.collect(),
        }
    }
}

/// One group's.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct GroupMeasured {
    /// How it is.
    pub status: GroupStatus,
    /// Of each of its members, in their order there.
    pub calls: Vec<MemberCalls>,
}

/// What one member has answered.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct MemberCalls {
    /// Calls by what was answered.
    pub answers: Vec<Answers>,
    /// Calls that got no answer.
    pub unanswered: u64,
    /// How long those took that were answered with `CKR_OK`, by function. They are measured once somebody has asked for what is measured.
    pub times: Vec<CallTimes>,
    /// When it last answered `CKR_OK`, in milliseconds since 1970; known as long as times are measured.
    pub last_ok_ms: Option<u64>,
    /// When it last answered something else or nothing.
    pub last_failure_ms: Option<u64>,
}

/// How often a code was answered.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Answers {
    /// Such as `CKR_OK`; a number in hexadecimal for a vendor's own code; `further` for all of those that there were too many of.
    pub code: String,
    /// How often.
    pub count: u64,
}

/// How long a function's calls took.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct CallTimes {
    /// Such as `C_Sign`.
    pub function: String,
    /// All of them together, in nanoseconds.
    pub nanoseconds: u64,
    /// How many took up to each of [`BOUNDS`](Self::BOUNDS) and longer than the one before, and how many took longer than all of them.
    pub counts: Vec<u64>,
}

impl CallTimes {
    /// From what a token in the same machine needs to what a smart card needs for an RSA key; in nanoseconds.
    pub const BOUNDS: [u64; 14] = [
        10_000,
        25_000,
        100_000,
        250_000,
        1_000_000,
        2_500_000,
        10_000_000,
        25_000_000,
        100_000_000,
        250_000_000,
        1_000_000_000,
        2_500_000_000,
        10_000_000_000,
        60_000_000_000,
    ];
}
