//! An operator's changes of a group while applications use it: who is a member, in which role, and under which policy.
//!
//! Members that come are let in before others go, so that one that replaces another takes over without a call that fails.

use std::path::Path;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use everslot_core::{Input, MemberId, MemberSet};
use everslot_protocol::Request;

use super::load::Loads;
use super::start::{channels, was_tried};
use super::{GroupDriver, Member, longest_start};
use crate::config::{GroupConfig, MemberConfig};

/// How often it is looked at whether what is waited for is of use still.
const SLICE: Duration = Duration::from_millis(50);

impl GroupDriver {
    /// Takes from a new configuration of this group what can be taken while it is used ([`kept_until_restart`] says what cannot), and
    /// returns when it is done: who comes has been tried, and who goes has nobody's session any more.
    ///
    /// [`kept_until_restart`]: crate::config::kept_until_restart
    pub(crate) fn reconfigure(self: &Arc<Self>, new: &GroupConfig) {
        let _turn = self.operator.lock().unwrap_or_else(PoisonError::into_inner);
        self.set_policies(new);
        let going: Vec<_> = self.going(new);
        let coming = || {
            let is_here = |config: &&MemberConfig| self.member_that_can_become(config).is_some();
            new.members.iter().filter(move |config| !is_here(config))
        };
        let in_the_way =
            |member: &Arc<Member>| coming().any(|config| member.config.excludes(config));
        let (first, later): (Vec<_>, Vec<_>) = going.into_iter().partition(in_the_way);
        first.iter().for_each(|member| self.remove(member));
        let mut invited = MemberSet::EMPTY;
        for config in coming() {
            invited = invited.union(self.join(config));
        }
        invited = invited.union(self.unpark(new));
        if !later.is_empty() || self.will_park(new) {
            self.wait_until_tried(invited);
        }
        later.iter().for_each(|member| self.remove(member));
        // Those for whom there was no room before.
        for config in coming() {
            self.join(config);
        }
        self.retune(new);
        self.sort(new);
    }

    /// Says which program hosts members that come, where none was needed before.
    pub(crate) fn set_host_program(&self, host_program: &Path) {
        self.with_loads(|loads| loads.set_host_program(host_program));
    }

    /// Adds a member to the core, which begins to bring it up, unless it is parked.
    pub(super) fn seat(self: &Arc<Self>, member: &Arc<Member>) {
        let id = member.id;
        let role = member.config.role;
        self.drive(Input::Add { member: id, role });
        if member.config.parked {
            self.drive(Input::Park { member: id });
        }
    }

    fn set_policies(self: &Arc<Self>, new: &GroupConfig) {
        let old: &GroupConfig = &self.config;
        let mut next = GroupConfig {
            label: old.label.clone(),
            serial: old.serial.clone(),
            journal: old.journal.clone(),
            trace: old.trace.clone(),
            ..new.clone()
        };
        next.recovery.mode = old.recovery.mode;
        if next.mechanisms != old.mechanisms {
            self.change_offers(|offers| offers.under(next.mechanisms));
        }
        if next.copies != old.copies {
            self.keeper.set_copies(next.copies);
        }
        if next.recovery.policy != old.recovery.policy {
            self.drive_aside(Input::SetPolicy(next.recovery.policy));
        }
        if next != *old {
            self.config.replace(next);
        }
    }

    fn going(&self, new: &GroupConfig) -> Vec<Arc<Member>> {
        let stays = |member: &Arc<Member>| {
            let becomes = |config| member.config.can_become(config);
            new.members.iter().any(becomes)
        };
        let going = self.members().iter().filter(|member| !stays(member));
        going.cloned().collect()
    }

    fn member_that_can_become(&self, config: &MemberConfig) -> Option<&Arc<Member>> {
        let becomes = |member: &&Arc<Member>| member.config.can_become(config);
        self.members().iter().find(becomes)
    }

    /// Lets a member in, if there is an id left for it and the library is not being finalised.
    fn join(self: &Arc<Self>, config: &MemberConfig) -> MemberSet {
        let Some(id) = self.roster.vacancy().filter(|_| !self.is_stopping()) else {
            return MemberSet::EMPTY;
        };
        let before = self.roster.at(id).map(|former| former.incarnation());
        let load = self.with_loads(|loads| loads.share_later(&config.settings(), channels(config)));
        let member = Member::new(id, config.clone(), load, before.unwrap_or_default());
        let member = Arc::new(member);
        self.pins.welcome(id);
        self.synchronised.welcome(id);
        let mut members = self.members().to_vec();
        members.push(Arc::clone(&member));
        self.set_members(members);
        self.seat(&member);
        if config.parked {
            MemberSet::EMPTY
        } else {
            MemberSet::of(id)
        }
    }

    /// Takes a member out for good. Its calls in flight end; its module is left when no other member needs it.
    fn remove(self: &Arc<Self>, member: &Arc<Member>) {
        self.drive(Input::Remove { member: member.id });
        let others = self.members().iter().filter(|other| other.id != member.id);
        let others: Vec<_> = others.cloned().collect();
        let is_shared = others
            .iter()
            .any(|other| Arc::ptr_eq(&other.load, &member.load));
        self.set_members(others);
        self.change_offers(|offers| offers.without(member.id));
        self.see_off(member);
        if !is_shared {
            self.with_loads(|loads| loads.end(&member.load, Self::grace()));
        }
    }

    /// Waits until nobody has a session of the member, for as long as a call of it may take, and has it close them all, which logs it out
    /// as well (PKCS#11 v3.1 §5.6.3). An operation that an application pauses in keeps its session beyond that, if the member stays.
    fn see_off(&self, member: &Arc<Member>) {
        let begun = Instant::now();
        while !member.pool.wait_until_empty(SLICE) {
            let patience = match member.in_flight() {
                0 => member.config.deadline,
                _ => member.config.generation_deadline,
            };
            if begun.elapsed() >= patience || self.is_stopping() {
                return;
            }
        }
        let (Some(token), Some(instance)) = (member.token(), member.load.running()) else {
            return;
        };
        let close = Request::CloseAllSessions { slot: token.slot };
        // A module that does not do that is asked again before it is used again.
        let _ = instance
            .link()
            .and_then(|mut link| link.call(&close, &mut [], Some(member.config.deadline)));
    }

    fn will_park(&self, new: &GroupConfig) -> bool {
        let is_parked_now = |config: &MemberConfig| {
            let member = self.member_that_can_become(config);
            member.is_some_and(|member| config.parked && !member.config.parked)
        };
        new.members.iter().any(is_parked_now)
    }

    fn unpark(self: &Arc<Self>, new: &GroupConfig) -> MemberSet {
        let mut unparked = MemberSet::EMPTY;
        for config in new.members.iter().filter(|config| !config.parked) {
            let Some(member) = self.member_that_can_become(config) else {
                continue;
            };
            if member.config.parked {
                self.drive_aside(Input::Unpark { member: member.id });
                unparked = unparked.with(member.id);
            }
        }
        unparked
    }

    /// Gives the members that stay what else is said of them.
    fn retune(self: &Arc<Self>, new: &GroupConfig) {
        for config in &new.members {
            let Some(member) = self.member_that_can_become(config) else {
                continue;
            };
            let (old, id) = (&*member.config, member.id);
            if *old == *config {
                continue;
            }
            member.config.replace(config.clone());
            if config.pin != old.pin {
                self.synchronised.trust_pin_of(id);
            }
            if config.role != old.role {
                let role = config.role;
                self.drive(Input::SetRole { member: id, role });
            }
            if config.parked && !old.parked {
                self.drive(Input::Park { member: id });
                self.see_off(member);
            }
        }
    }

    /// Puts the members into the order of the configuration.
    fn sort(&self, new: &GroupConfig) {
        let place = |member: &Arc<Member>| {
            let named = |config: &MemberConfig| config.name == member.config.name;
            new.members.iter().position(named)
        };
        let mut members = self.members().to_vec();
        members.sort_by_key(place);
        let ids = |members: &[Arc<Member>]| -> Vec<MemberId> {
            members.iter().map(|member| member.id).collect()
        };
        if ids(&members) != ids(self.members()) {
            self.set_members(members);
        }
    }

    fn set_members(&self, members: Vec<Arc<Member>>) {
        let roster = self.roster.followed_by(members);
        self.keeper.set_names(roster.names());
        self.roster.replace(roster);
    }

    /// Waits until an attempt at each of these members has ended, for as long as the slowest may take to start.
    fn wait_until_tried(self: &Arc<Self>, members: MemberSet) {
        let deadlines = members
            .iter()
            .filter_map(|id| Some(self.member(id)?.config.deadline));
        let patience = longest_start(deadlines.max().unwrap_or_default());
        if members.is_empty() {
            return;
        }
        if self.background.is_none() {
            while self.attempt_if_due() {}
            return;
        }
        let is_awaited = |core: &mut super::Core| {
            let mut awaited = core.members().filter(|(id, _)| members.contains(*id));
            awaited.any(|(_, member)| !was_tried(&member.state)) && !self.is_stopping()
        };
        self.core.wait_while(patience, is_awaited);
    }

    fn with_loads<T>(&self, work: impl FnOnce(&mut Loads) -> T) -> T {
        work(&mut self.loads.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
