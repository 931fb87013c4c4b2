//! How long things take at most, and what of it has no bound.

use std::time::Duration;

use everslot_core::{Attempts, Role};

use super::Gap;
use super::call::longest_failover;
use crate::config::{GroupConfig, MemberConfig, RecoveryMode};
use crate::group::longest_start;
use crate::module::Isolation;

/// How long things take at most.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Times {
    /// Until a call finds that a member is silent.
    pub(crate) notice: Duration,
    /// Until a call that may be repeated has come to a member that is well, all others being silent.
    pub(crate) fail_over: Duration,
    /// Until an attempt at a member begins whose token can be reached and that has attempts left.
    pub(crate) retry: Duration,
    /// Each request of an attempt.
    pub(crate) request: Duration,
}

impl Times {
    pub(super) fn of(config: &GroupConfig) -> Self {
        let longest = |of: &dyn Fn(&MemberConfig) -> Duration| {
            config.members.iter().map(of).max().unwrap_or_default()
        };
        let members: Vec<(Role, Duration)> = config
            .members
            .iter()
            .map(|member| (member.role, member.deadline))
            .collect();
        Self {
            notice: longest(&|member| member.deadline),
            fail_over: longest_failover(&members),
            retry: config.recovery.policy.interval,
            request: longest(&|member| longest_start(member.deadline)),
        }
    }
}

/// What has no bound, whatever the machines do.
pub(super) fn gaps(config: &GroupConfig) -> Vec<Gap> {
    let mut gaps = Vec::new();
    let mut gap = |what: String| {
        gaps.push(Gap {
            what,
            run: Vec::new(),
            is_unsafe: false,
        });
    };
    for member in &config.members {
        if member.settings().isolation == Isolation::None {
            gap(format!(
                "member {} is loaded in the application: when its module hangs or crashes, so does the application",
                member.name
            ));
        }
    }
    let is_tried = config.recovery.policy.attempts != Attempts::AtMost(0);
    if config.recovery.mode == RecoveryMode::InCall && is_tried {
        gap("recovery runs inside calls: while none comes, no member returns".to_owned());
    }
    gaps
}
