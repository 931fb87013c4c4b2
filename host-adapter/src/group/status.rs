use std::sync::Arc;
use std::sync::atomic::Ordering;

use everslot_core::{Attempts, Evidence, Input, Instant, Login, MemberState, Policy, Rv, User};

use super::{GroupDriver, Member, tally};
use crate::config::text;
use crate::status::{
    GroupMeasured, GroupStatus, LoginState, MemberCalls, MemberStatus, Read, State, evidence_words,
};

impl GroupDriver {
    /// How the group is, from what is known; no member is asked.
    pub(crate) fn status(&self, read: Read) -> GroupStatus {
        // Before the group's lock is taken: a journal may be slow.
        let objects = self.keeper.status();
        let mut core = self.lock();
        let (policy, now) = (core.policy(), self.clock.now());
        let told = self.members().iter().filter_map(|member| {
            let (known, code) = (core.member(member.id)?, core.status(member.id)?);
            Some(tell(member, &known, code, policy, now))
        });
        let members = told.collect();
        if read == Read::Status {
            let _ = self.advance(&mut core, Input::StatusRead);
        }
        let login = match core.login() {
            Login::Out => LoginState::Out,
            Login::In(User::User) => LoginState::User,
            Login::In(User::SecurityOfficer) => LoginState::SecurityOfficer,
        };
        GroupStatus {
            label: self.config.label.clone(),
            serial: self.config.serial.clone(),
            login,
            objects,
            members,
        }
    }

    /// What was measured of each member, in the order of [`status`](Self::status); times are measured from then on.
    pub(crate) fn measured(&self) -> GroupMeasured {
        tally::measure();
        let status = self.status(Read::Peek);
        // Who has joined or gone in between is in one of them only.
        let calls = status.members.iter().map(|told| {
            let has_name = |member: &&Arc<Member>| member.config.name == told.name;
            let member = self.members().iter().find(has_name);
            member.map_or_else(MemberCalls::default, |member| member.counters.tally.read())
        });
        let calls = calls.collect();
        GroupMeasured { status, calls }
    }

    /// An operator's order to try a member at once, or all that do not serve.
    ///
    /// # Errors
    /// One line for people.
    pub(crate) fn recover_by_name(self: &Arc<Self>, name: Option<&str>) -> Result<(), String> {
        let chosen: Vec<_> = match name {
            Some(name) => {
                let member = self
                    .members()
                    .iter()
                    .find(|member| member.config.name == name);
                let member = member.ok_or_else(|| {
                    format!("group {:?} has no member {name:?}", self.config.label)
                })?;
                vec![member]
            }
            None => self
                .members()
                .iter()
                .filter(|member| !self.serving().contains(member.id))
                .collect(),
        };
        for member in chosen {
            let state = self.lock().member(member.id).map(|member| member.state);
            let refused = match state {
                Some(MemberState::Active | MemberState::Standby) => Some("it serves"),
                Some(MemberState::Parked) => Some("it is parked"),
                _ => None,
            };
            match (refused, name) {
                (Some(why), Some(name)) => {
                    return Err(format!("member {name:?} is not recovered: {why}"));
                }
                (Some(_), None) => {}
                (None, _) => {
                    self.pins.vouch(member.id);
                    self.drive_aside(Input::Recover { member: member.id });
                }
            }
        }
        Ok(())
    }
}

fn tell(
    member: &Member,
    known: &everslot_core::Member,
    code: Rv,
    policy: Policy,
    now: Instant,
) -> MemberStatus {
    let outage = known.state.outage();
    let next = match known.state {
        MemberState::Lost { outage } => match policy.attempts {
            Attempts::AtMost(most)
                if outage.attempts >= most && outage.evidence != Evidence::Joining =>
            {
                None
            }
            Attempts::AtMost(_) | Attempts::Unlimited => Some(outage.next_attempt_at),
        },
        _ => None,
    };
    let evidence = match &known.state {
        MemberState::Quarantined { why, .. } => Some(evidence_words(&Evidence::SetAside(*why))),
        _ => outage.map(|outage| evidence_words(&outage.evidence)),
    };
    let counters = &member.counters;
    MemberStatus {
        name: member.config.name.clone(),
        serial: member.token().map(|token| text(&token.info.serial)),
        role: known.role.into(),
        state: State::from(&known.state),
        incarnation: known.incarnation.0,
        code: code.into(),
        evidence,
        attempts: outage.map_or(0, |outage| outage.attempts),
        attempts_allowed: match policy.attempts {
            Attempts::AtMost(most) => Some(most),
            Attempts::Unlimited => None,
        },
        next_attempt_ms: next.map(|at| {
            at.saturating_duration_since(now)
                .as_millis()
                .try_into()
                .unwrap_or(u64::MAX)
        }),
        in_flight: counters.in_flight.load(Ordering::Relaxed),
        calls: counters.tally.calls(),
        failures: counters.tally.unanswered(),
        losses: counters.losses.load(Ordering::Relaxed),
        recoveries: counters.recoveries.load(Ordering::Relaxed),
    }
}
