//! A picture of a process's groups and members at one moment.

use std::time::{SystemTime, UNIX_EPOCH};

use everslot_core::{Evidence, MemberState, QuarantineReason, Rv};
use serde::{Deserialize, Serialize};

/// All that one process knows of its members. Holds no PIN, key or handle.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Snapshot {
    /// Whose view it is.
    pub process: Process,
    /// In the order of the configuration.
    pub groups: Vec<GroupStatus>,
}

/// The process that tells.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Process {
    /// Its id.
    pub pid: u32,
    /// The name of its program.
    pub program: String,
    /// When it began to use everslot; seconds since 1970 in UTC.
    pub since: u64,
}

impl Process {
    /// This process, which begins to use everslot at this moment.
    #[must_use]
    pub fn this() -> Self {
        let program = std::env::current_exe().ok();
        let name = program.as_deref().and_then(|path| path.file_name());
        Self {
            pid: std::process::id(),
            program: name.map_or_else(
                || "unknown".to_owned(),
                |name| name.to_string_lossy().into_owned(),
            ),
            since: SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .map_or(0, |since| since.as_secs()),
        }
    }
}

/// One virtual slot.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct GroupStatus {
    /// The virtual token's label.
    pub label: String,
    /// The virtual token's serial.
    pub serial: String,
    /// Who is logged in to it.
    pub login: LoginState,
    /// Whether its objects are where they are to be.
    #[serde(default)]
    pub objects: ObjectsStatus,
    /// In the order of the configuration.
    pub members: Vec<MemberStatus>,
}

/// Whether a group's objects are where they are to be, from its journal.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ObjectsStatus {
    /// The group has no domain key: an object lives on the member that made it.
    #[default]
    Apart,
    /// What the application makes lives on as many members as the configuration says.
    Replicated {
        /// Objects that live on fewer.
        short: u64,
    },
    /// The journal cannot be read; one line that says why, and what to do.
    Unknown(String),
}

impl GroupStatus {
    /// Whether a member serves, so that calls can be answered.
    #[must_use]
    pub fn can_serve(&self) -> bool {
        self.members.iter().any(|member| member.state.serves())
    }
}

/// Who is logged in to a group.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum LoginState {
    /// Nobody.
    #[default]
    Out,
    /// `CKU_USER`
    User,
    /// `CKU_SO`
    SecurityOfficer,
}

/// One member. Its numbers are counted since the process began to use everslot, unless they say otherwise.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct MemberStatus {
    /// Its name in the group.
    pub name: String,
    /// Its token's serial, as it was last seen; `None` as long as the token was never seen.
    pub serial: Option<String>,
    /// What it is there for.
    pub role: Role,
    /// What it is doing.
    pub state: State,
    /// How often it has come into service.
    pub incarnation: u32,
    /// What the seed's status would show.
    pub code: ReturnCode,
    /// What was seen of it, in words, when it does not serve.
    pub evidence: Option<String>,
    /// Attempts begun in this outage; 0 for a member that serves.
    pub attempts: u16,
    /// Attempts that an outage is given; `None` is no limit.
    pub attempts_allowed: Option<u16>,
    /// Milliseconds until the next attempt may begin, 0 when it is due; `None` when none will by itself.
    pub next_attempt_ms: Option<u64>,
    /// Calls that it is executing.
    pub in_flight: u32,
    /// Calls that it has answered.
    pub calls: u64,
    /// Calls that it has not answered, or whose answer spoke against it.
    pub failures: u64,
    /// Times that it was lost.
    pub losses: u64,
    /// Times that it came back.
    pub recoveries: u64,
}

/// What a member is there for.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Takes its share of the calls.
    Active,
    /// Takes calls only when no active member is left.
    Standby,
}

impl Role {
    /// The word for it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Standby => "standby",
        }
    }
}

impl From<everslot_core::Role> for Role {
    fn from(role: everslot_core::Role) -> Self {
        match role {
            everslot_core::Role::Active => Self::Active,
            everslot_core::Role::Standby => Self::Standby,
        }
    }
}

/// What a member is doing: the core's states by name.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// Serves.
    Active,
    /// Serves when no active member is left.
    Standby,
    /// Gone.
    Lost,
    /// An attempt to bring it back is under way.
    Recovering,
    /// Its attempts are used up; `everslot recover` gives it new ones.
    GivenUp,
    /// Set aside, since trying it again would do harm; `everslot recover` tries it nevertheless.
    Quarantined,
    /// Taken out of service by an operator.
    Parked,
}

impl State {
    /// Each of them.
    pub const ALL: [Self; 7] = [
        Self::Active,
        Self::Standby,
        Self::Lost,
        Self::Recovering,
        Self::GivenUp,
        Self::Quarantined,
        Self::Parked,
    ];

    /// The word for it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Standby => "standby",
            Self::Lost => "lost",
            Self::Recovering => "recovering",
            Self::GivenUp => "given up",
            Self::Quarantined => "quarantined",
            Self::Parked => "parked",
        }
    }

    /// Whether the member is in service.
    #[must_use]
    pub const fn serves(self) -> bool {
        match self {
            Self::Active | Self::Standby => true,
            Self::Lost | Self::Recovering | Self::GivenUp | Self::Quarantined | Self::Parked => {
                false
            }
        }
    }
}

impl From<&MemberState> for State {
    fn from(state: &MemberState) -> Self {
        match state {
            MemberState::Active => Self::Active,
            MemberState::Standby => Self::Standby,
            MemberState::Lost { .. } => Self::Lost,
            MemberState::Recovering { .. } => Self::Recovering,
            MemberState::GivenUp { .. } => Self::GivenUp,
            MemberState::Quarantined { .. } => Self::Quarantined,
            MemberState::Parked => Self::Parked,
        }
    }
}

/// A `CK_RV`, by number and, where PKCS#11 v3.2 has one, by name.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct ReturnCode {
    /// Such as `CKR_OK`; a number in hexadecimal for a vendor's own code.
    pub name: String,
    /// Its value.
    pub number: u64,
}

impl From<Rv> for ReturnCode {
    fn from(rv: Rv) -> Self {
        let name = rv
            .name()
            .map_or_else(|| format!("{:#010x}", rv.0), str::to_owned);
        Self { name, number: rv.0 }
    }
}

/// What was seen of a member, in words for people.
#[must_use]
pub fn evidence_words(evidence: &Evidence) -> String {
    match evidence {
        Evidence::Code(rv) => ReturnCode::from(*rv).name,
        Evidence::DeadlinePassed => "no answer before the deadline".to_owned(),
        Evidence::HostEnded => "its member host has ended".to_owned(),
        Evidence::NotReached => "its module cannot be reached".to_owned(),
        Evidence::TokenAbsent => "its token is in no slot".to_owned(),
        Evidence::SetAside(why) => reason_words(why),
        Evidence::Joining => "it has not been tried yet".to_owned(),
    }
}

fn reason_words(why: &QuarantineReason) -> String {
    match why {
        QuarantineReason::PinRefused => {
            "it refuses the PIN that another member has accepted".to_owned()
        }
        QuarantineReason::PinChanged => {
            "its PIN was changed while it was away: set it there, then recover it".to_owned()
        }
        QuarantineReason::TokenChanged => "another token is in its place".to_owned(),
        QuarantineReason::DomainKeyDiffers => {
            "its domain key is not the others': run everslot domain init, then recover it"
                .to_owned()
        }
        QuarantineReason::KeepsDestroyed => {
            "it keeps an object that was destroyed: destroy it there, then recover it".to_owned()
        }
        QuarantineReason::SelfTestFailed => "its self-test failed".to_owned(),
        QuarantineReason::Other(rv) => ReturnCode::from(*rv).name,
    }
}
