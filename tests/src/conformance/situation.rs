//! What a suite is run against: the bare member, or a group in a situation.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::ValueEnum;

use crate::{HostProcess, Lab, Pins, Plan, SOFTHSM};

/// How many members the group has and what happens to them.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub enum Situation {
    /// A group of one, all well.
    One,
    /// A group of three, all well.
    Three,
    /// A group of three of which one is absent from the start.
    ThreeOneDead,
    /// A group of three of which one is killed when half of the cases have ended.
    ThreeOneKilled,
}

/// A module to run a suite against, with the tokens behind it.
#[derive(Debug)]
pub(super) struct Target {
    lab: Lab,
    module: PathBuf,
    environment: Vec<(&'static str, OsString)>,
    victim: Option<PathBuf>,
    label: String,
    is_group: bool,
}

/// Kills a member once, when it is time.
#[derive(Debug)]
pub(super) struct Fault<'a> {
    victim: Option<&'a Path>,
    after: usize,
}

impl Situation {
    /// In words, for people.
    pub(super) const fn title(self) -> &'static str {
        match self {
            Self::One => "a group of one",
            Self::Three => "a group of three",
            Self::ThreeOneDead => "a group of three, one dead from the start",
            Self::ThreeOneKilled => "a group of three, one killed in the middle",
        }
    }

    const fn members(self) -> usize {
        match self {
            Self::One => 1,
            Self::Three | Self::ThreeOneDead | Self::ThreeOneKilled => 3,
        }
    }
}

impl Target {
    /// SoftHSM itself, with a fresh token.
    pub(super) fn bare(pins: Pins) -> Self {
        let lab = Lab::prepare(plan(1, pins));
        let member = &lab.members()[0];
        let (config, label) = (member.store().config(), member.token_label().to_owned());
        Self {
            lab,
            label,
            module: PathBuf::from(SOFTHSM),
            environment: vec![("SOFTHSM2_CONF", config.into())],
            victim: None,
            is_group: false,
        }
    }

    /// `module`, which is everslot's, over fresh tokens.
    pub(super) fn group(module: &Path, situation: Situation, pins: Pins) -> Self {
        let lab = Lab::prepare(plan(situation.members(), pins));
        let last = lab.members().last().expect("a group has members");
        if situation == Situation::ThreeOneDead {
            last.store().take_away();
        }
        let victim = (situation == Situation::ThreeOneKilled).then(|| last.module().to_owned());
        Self {
            module: module.to_owned(),
            environment: lab.environment(),
            victim,
            lab,
            label: Lab::LABEL.to_owned(),
            is_group: true,
        }
    }

    pub(super) fn module(&self) -> &Path {
        &self.module
    }

    /// The label of its token.
    pub(super) fn label(&self) -> &str {
        &self.label
    }

    /// Whether it is everslot's, not the bare member's.
    pub(super) const fn is_group(&self) -> bool {
        self.is_group
    }

    /// What the suite's environment must say.
    pub(super) fn environment(&self) -> &[(&'static str, OsString)] {
        &self.environment
    }

    /// A directory for what the suite writes, which is removed at the end.
    pub(super) fn directory(&self) -> &Path {
        self.lab.directory()
    }

    /// What happens when half of so many cases have ended.
    pub(super) fn fault(&self, cases: usize) -> Fault<'_> {
        Fault {
            victim: self.victim.as_deref(),
            after: cases / 2,
        }
    }
}

impl Fault<'_> {
    /// So many cases have ended.
    pub(super) fn progress(&mut self, ended: usize) {
        if ended < self.after {
            return;
        }
        // Between two cases the application may have finalised the module; then it is done a little later.
        let host = self.victim.and_then(HostProcess::of_module);
        if let Some(host) = host {
            host.kill();
            self.victim = None;
        }
    }

    /// Why the run does not show what it is for, if the fault was never done.
    pub(super) fn missed(&self) -> Option<String> {
        self.victim
            .map(|_| "no member was there to be killed".to_owned())
    }
}

fn plan(members: usize, pins: Pins) -> Plan {
    Plan {
        members,
        pins,
        empty: true,
        // As the configuration has it when it says nothing.
        deadline: Duration::from_secs(2),
        ..Plan::default()
    }
}
