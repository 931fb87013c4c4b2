use std::time::Duration;

use crate::softhsm::Pins;

/// What kind of token the members are.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Token {
    /// SoftHSM, holding the lab's keys.
    SoftHsm,
    /// The test module, which answers at once, counts and misbehaves on request.
    Test,
}

/// Where the members' modules are loaded.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Isolation {
    /// In the application.
    None,
    /// In a member host each.
    Process,
}

/// What a lab is to be like.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Plan {
    /// What kind of token the members are.
    pub token: Token,
    /// How many members there are.
    pub members: usize,
    /// How many of them, the last ones, are on standby.
    pub standby: usize,
    /// Where their modules are loaded.
    pub isolation: Isolation,
    /// X: the least time between two attempts of recovery.
    pub interval: Duration,
    /// N: the most attempts in an outage; -1 for no limit.
    pub attempts: i64,
    /// Whether recovery runs in the application's calls only.
    pub in_call: bool,
    /// The group's `transcript`; everslot's default when none.
    pub transcript: Option<&'static str>,
    /// How long a member's call may take.
    pub deadline: Duration,
    /// Whether the test module takes faults and counts calls; that costs time.
    pub scripted: bool,
    /// How many of the test modules, the first ones, have no interface later than 2.40.
    pub legacy: usize,
    /// Whether SoftHSM's tokens hold no keys.
    pub empty: bool,
    /// The PINs of SoftHSM's tokens.
    pub pins: Pins,
    /// Real sessions on a member, at most; everslot's default when none.
    pub sessions: Option<u32>,
    /// Sessions that the test module's token allows; thousands when none.
    pub session_limit: Option<u32>,
    /// Which of its members' mechanisms the group offers: `common` or `any`.
    pub mechanisms: &'static str,
    /// Whether the group has a domain key and a journal, so that what is made lives on several members.
    pub domain: bool,
    /// Where the journal is, if not beside the configuration.
    pub journal: Option<String>,
    /// On how many of them, as the configuration says it; on all when none.
    pub copies: Option<&'static str>,
    /// Whether the group writes traces, which are replayed when the lab ends: for tests of faults, not for measuring.
    pub trace: bool,
    /// What further variables or, for SoftHSM, settings the members' modules have, in the order of the members.
    pub settings: Vec<Vec<(&'static str, &'static str)>>,
}

impl Plan {
    /// The settings of one member's module.
    pub(super) fn settings_of(&self, index: usize) -> &[(&'static str, &'static str)] {
        self.settings.get(index).map_or(&[], Vec::as_slice)
    }
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            token: Token::SoftHsm,
            members: 3,
            standby: 0,
            isolation: Isolation::Process,
            interval: Duration::from_millis(200),
            attempts: -1,
            in_call: false,
            transcript: None,
            deadline: Duration::from_secs(1),
            scripted: true,
            legacy: 0,
            empty: false,
            pins: Pins::default(),
            sessions: None,
            session_limit: None,
            mechanisms: "common",
            domain: false,
            journal: None,
            copies: None,
            trace: false,
            settings: Vec::new(),
        }
    }
}
