//! O1: an input does what it says, at once and to nobody else.

use everslot_core::{
    Evidence, Group, Input, Instant, Login, LoginSync, Member, MemberId, MemberState, Outage, Step,
};

use super::{MEMBERS, World, places};

impl World {
    /// Whether the group has done what this input asks for.
    pub(super) fn is_obeyed(&self, before: &Group<MEMBERS>, input: Input) -> bool {
        let member_input = |id: MemberId, done: &dyn Fn(Option<Member>, Option<Member>) -> bool| {
            done(before.member(id), self.group.member(id)) && self.others_are_untouched(before, id)
        };
        let state = |member: Option<Member>| member.map(|member| member.state);
        match input {
            Input::Add { member, role } => member_input(member, &|was, is| {
                was.is_some()
                    || (self.is_lost(member, is, Evidence::Joining, false)
                        && is.is_some_and(|is| is.role == role))
            }),
            Input::Remove { member } => member_input(member, &|_, is| is.is_none()),
            Input::Park { member } => member_input(member, &|was, is| {
                was.is_none() || state(is) == Some(MemberState::Parked)
            }),
            Input::Unpark { member } => member_input(member, &|was, is| {
                state(was) != Some(MemberState::Parked)
                    || self.is_lost(member, is, Evidence::Joining, true)
            }),
            Input::Recover { member } => member_input(member, &|was, is| match state(was) {
                Some(
                    MemberState::Lost { .. }
                    | MemberState::GivenUp { .. }
                    | MemberState::Quarantined { .. },
                ) => matches!(
                    state(is),
                    Some(MemberState::Recovering {
                        step: Step::Connect,
                        ..
                    })
                ),
                Some(
                    MemberState::Active
                    | MemberState::Standby
                    | MemberState::Recovering { .. }
                    | MemberState::Parked,
                )
                | None => was == is,
            }),
            Input::SetRole { member, role } => member_input(member, &|was, is| {
                was.is_none() || is.is_some_and(|is| is.role == role)
            }),
            Input::SetPolicy(policy) => self.group.policy() == policy,
            Input::Lost {
                member,
                incarnation,
                evidence,
            } => member_input(member, &|was, is| {
                if is_about(was, incarnation) {
                    self.is_lost(member, is, evidence, false)
                } else {
                    was == is
                }
            }),
            Input::Quarantine {
                member,
                incarnation,
                why,
            } => member_input(member, &|was, is| {
                if is_about(was, incarnation) {
                    state(is)
                        == Some(MemberState::Quarantined {
                            why,
                            reported: false,
                        })
                } else {
                    was == is
                }
            }),
            Input::LoginAccepted { user, .. } => self.group.login() == Login::In(user),
            Input::LogOut => self.group.login() == Login::Out,
            Input::LoginChanged { member, .. } | Input::Step { member, .. } => {
                self.others_are_untouched(before, member)
            }
            Input::Timer => self.at_most_one_changed(before),
            Input::StatusRead => true,
        }
    }

    fn others_are_untouched(&self, before: &Group<MEMBERS>, id: MemberId) -> bool {
        places()
            .filter(|&other| other != id)
            .all(|other| before.member(other) == self.group.member(other))
    }

    fn at_most_one_changed(&self, before: &Group<MEMBERS>) -> bool {
        places()
            .filter(|&id| before.member(id) != self.group.member(id))
            .count()
            <= 1
    }

    /// Whether it is lost since just now: with all attempts before it, the first as soon as X allows.
    fn is_lost(
        &self,
        id: MemberId,
        is: Option<Member>,
        evidence: Evidence,
        reported: bool,
    ) -> bool {
        let Some(Member {
            state: MemberState::Lost { outage },
            login: LoginSync::Void,
            ..
        }) = is
        else {
            return false;
        };
        outage
            == Outage {
                evidence,
                attempts: 0,
                next_attempt_at: self.first_attempt_at(id),
                reported,
            }
    }

    /// Now, but not before the member has rested from the last attempt.
    fn first_attempt_at(&self, id: MemberId) -> Instant {
        self.now()
            .saturating_add(super::plan::ticks(self.watch.members[id.index()].rest))
    }
}

/// Whether a report about an incarnation is about a member as it serves.
fn is_about(member: Option<Member>, incarnation: everslot_core::Incarnation) -> bool {
    member.is_some_and(|member| member.state.serves() && member.incarnation == incarnation)
}
