//! Members as a change reaches them: whatever happens to a member over it is told to the group, and to the change in its own words.

use std::sync::Arc;

use everslot_core::{ChangeInput, Incarnation, MemberId, MemberSet, Repeat, Rv, ckr};
use everslot_protocol::{Body, ObjectHandle, Reply};

use super::keeper::Profiles;
use crate::domain::{CallError, CarryError, CarryFailure, End};
use crate::group::{Errand, GroupDriver, Lease, Stop};
use crate::module::{Delivery, LinkFailure};

/// What is to be done at one member. It may be done anew in another session when the first was gone before anything was changed.
pub(crate) type Work<'w> = dyn FnMut(&mut End<'_, '_>) -> Result<(), CallError> + 'w;

/// What is to be done between two members, the first of which is the source.
pub(crate) type Carriage<'w> =
    dyn FnMut(&mut End<'_, '_>, &mut End<'_, '_>) -> Result<(), CarryFailure> + 'w;

/// Why something was not done at a member.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Missed {
    /// It says no.
    Refused(Rv),
    /// It was lost, or busy, before it could be asked.
    NotSent,
    /// It was lost over it: it may be done.
    Unknown,
}

/// Why an object was not carried.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum NotCarried {
    /// It cannot be.
    Declined(CarryError),
    /// The target says no.
    Refused(Rv),
    /// The source was lost, and nothing is at the target.
    SourceLost,
    /// The source has it no more.
    SourceGone,
    /// The target was lost, or busy, before it could be asked.
    NotSent,
    /// Something may be at the target.
    Unknown,
}

/// Members of a group that can be asked for their objects.
pub(crate) trait Reach {
    /// Those that can be asked at the moment.
    fn reachable(&self) -> MemberSet;

    /// The incarnation of one that can be asked: it changes when the member is lost and returns.
    fn incarnation(&self, member: MemberId) -> Option<Incarnation>;

    /// Does `work` at a member.
    ///
    /// # Errors
    /// See [`Missed`].
    fn at(&self, member: MemberId, work: &mut Work<'_>) -> Result<(), Missed>;

    /// Does `work` between two members.
    ///
    /// # Errors
    /// See [`NotCarried`].
    fn between(
        &self,
        from: MemberId,
        to: MemberId,
        work: &mut Carriage<'_>,
    ) -> Result<(), NotCarried>;
}

impl Missed {
    /// What a change is told of it.
    pub(crate) const fn input(self) -> ChangeInput {
        match self {
            Self::Refused(ckr::OBJECT_HANDLE_INVALID | ckr::KEY_HANDLE_INVALID) => {
                ChangeInput::Gone
            }
            Self::Refused(_) => ChangeInput::Refused,
            Self::NotSent => ChangeInput::NotSent,
            Self::Unknown => ChangeInput::Unknown,
        }
    }
}

impl NotCarried {
    /// What a change is told of it.
    pub(crate) const fn input(self) -> ChangeInput {
        match self {
            Self::Declined(_) => ChangeInput::NotCarryable,
            Self::Refused(_) => ChangeInput::Refused,
            Self::SourceLost => ChangeInput::SourceLost,
            Self::SourceGone => ChangeInput::Gone,
            Self::NotSent => ChangeInput::NotSent,
            Self::Unknown => ChangeInput::Unknown,
        }
    }
}

/// The members of a group that serve.
pub(crate) struct Serving<'d> {
    driver: &'d Arc<GroupDriver>,
    profiles: Arc<Profiles>,
}

impl<'d> Serving<'d> {
    pub(crate) const fn new(driver: &'d Arc<GroupDriver>, profiles: Arc<Profiles>) -> Self {
        Self { driver, profiles }
    }

    /// Has each of the members' domain keys looked up, so that it is known how keys can be protected.
    pub(crate) fn look_up_keys(&self, members: MemberSet) {
        for member in members.iter() {
            // One that is lost over it is not reached by what follows either.
            let _ = self.at(member, &mut |_| Ok(()));
        }
    }

    /// Those of `members` that keep objects of all these classes (`CKO_…`); all of them if none does, so that one says no.
    pub(crate) fn that_keep(
        &self,
        members: MemberSet,
        classes: impl Iterator<Item = u64>,
    ) -> MemberSet {
        let keeps = |member: &MemberId, class| {
            let profile = self.profiles.get(self.driver.keeper.name(*member));
            profile.is_none_or(|profile| profile.keeps(class))
        };
        let left = classes.fold(members, |left, class| {
            let keep = left.iter().filter(|member| keeps(member, class));
            keep.fold(MemberSet::EMPTY, MemberSet::with)
        });
        if left.is_empty() { members } else { left }
    }

    /// Does `work` with the member as an end of a carriage.
    fn as_end<T>(
        &self,
        lease: &mut Lease,
        work: impl FnOnce(&mut End<'_, '_>) -> Result<T, CallError>,
    ) -> Result<T, CallError> {
        let place = lease.place();
        let keeper = &self.driver.keeper;
        let name = keeper.name(place.0);
        let profile = self.profiles.get(name).cloned().unwrap_or_default();
        let mut token = lease.token();
        let domain_key = keeper.domain_key(place, &mut token)?;
        work(&mut End {
            name,
            token: &mut token,
            // What is not wrapped travels without it.
            domain_key: domain_key.map_or(ObjectHandle(0), |key| key.key),
            profile,
        })
    }

    /// Has the group judge what a member says to the last call of `work`.
    pub(crate) fn lease_at(
        &self,
        member: MemberId,
        work: &mut dyn FnMut(&mut Lease) -> Result<(), CallError>,
    ) -> Result<(), Missed> {
        let mut asked = false;
        let mut send = |lease: &mut Lease| match work(lease) {
            Ok(()) => Ok(reply(ckr::OK)),
            Err(CallError::Code { rv, .. }) => {
                asked = true;
                Ok(reply(rv))
            }
            Err(CallError::NoAnswer { cause, .. }) => {
                asked = true;
                let delivery = Delivery::Unknown;
                Err(Stop::Unanswered(LinkFailure { delivery, cause }))
            }
            Err(CallError::NotLoaded(cause)) => {
                let delivery = Delivery::None;
                Err(Stop::Unanswered(LinkFailure { delivery, cause }))
            }
        };
        let errand = Errand::among(MemberSet::of(member), Repeat::OnlyIfUndelivered);
        let done = self.driver.perform(errand, &mut send);
        match done.map(|done| Rv(done.reply.rv.0)) {
            Ok(ckr::OK) => Ok(()),
            Ok(rv) if asked => Err(Missed::Refused(rv)),
            Err(_) if asked => Err(Missed::Unknown),
            Ok(_) | Err(_) => Err(Missed::NotSent),
        }
    }

    /// Has the group judge what both members say.
    fn perform_between(
        &self,
        from: MemberId,
        to: MemberId,
        work: &mut Carriage<'_>,
    ) -> (Option<CarryFailure>, Result<(), NotCarried>) {
        let mut said = None;
        let mut at_source = Ok(());
        let at_target = self.lease_at(to, &mut |target| {
            at_source = self.lease_at(from, &mut |source| {
                let done = self.with_ends(source, target, work);
                said = Some(done);
                match done {
                    Err(CarryFailure {
                        error: CarryError::Source(error),
                        ..
                    }) => Err(error),
                    Ok(()) | Err(_) => Ok(()),
                }
            });
            match said {
                Some(Err(CarryFailure {
                    error: CarryError::Target(error),
                    ..
                })) => Err(error),
                Some(_) | None => Ok(()),
            }
        });
        match said {
            Some(Ok(())) => (None, Ok(())),
            Some(Err(failure)) => (
                Some(failure),
                Err(not_carried(failure, at_source.err(), at_target.err())),
            ),
            None if at_target.is_err() => (None, Err(NotCarried::NotSent)),
            None => (None, Err(NotCarried::SourceLost)),
        }
    }

    fn with_ends(
        &self,
        source: &mut Lease,
        target: &mut Lease,
        work: &mut Carriage<'_>,
    ) -> Result<(), CarryFailure> {
        let mut done = Ok(());
        let ended = self.as_end(source, |from| {
            let ended = self.as_end(target, |to| {
                done = work(from, to);
                Ok(())
            });
            if let Err(error) = ended {
                done = Err(CarryError::Target(error).into());
            }
            Ok(())
        });
        ended
            .map_err(|error| CarryError::Source(error).into())
            .and(done)
    }
}

impl Reach for Serving<'_> {
    fn reachable(&self) -> MemberSet {
        self.driver.settled()
    }

    fn incarnation(&self, member: MemberId) -> Option<Incarnation> {
        let serving = self.driver.serving().contains(member);
        let member = self.driver.member(member).filter(|_| serving)?;
        Some(member.incarnation())
    }

    fn at(&self, member: MemberId, work: &mut Work<'_>) -> Result<(), Missed> {
        self.lease_at(member, &mut |lease| self.as_end(lease, |end| work(end)))
    }

    fn between(
        &self,
        from: MemberId,
        to: MemberId,
        work: &mut Carriage<'_>,
    ) -> Result<(), NotCarried> {
        let (failure, outcome) = self.perform_between(from, to, work);
        match failure {
            // The domain key is another one, or under another handle since a login.
            Some(failure) if !failure.may_remain && lacks_domain_key(failure.error) => {
                self.driver.keeper.forget_domain_key(from);
                self.driver.keeper.forget_domain_key(to);
                self.perform_between(from, to, work).1
            }
            Some(_) | None => outcome,
        }
    }
}

/// Whether a member says that its domain key is not under the handle that it was seen under.
const fn lacks_domain_key(error: CarryError) -> bool {
    match error {
        CarryError::Source(error) | CarryError::Target(error) => matches!(
            error.code(),
            ckr::WRAPPING_KEY_HANDLE_INVALID | ckr::UNWRAPPING_KEY_HANDLE_INVALID
        ),
        CarryError::NotExtractable
        | CarryError::Class(_)
        | CarryError::NotKept(_)
        | CarryError::NoCommonWrap
        | CarryError::Unrestricted(_)
        | CarryError::Wrong => false,
    }
}

fn not_carried(
    failure: CarryFailure,
    source: Option<Missed>,
    target: Option<Missed>,
) -> NotCarried {
    if failure.may_remain {
        return NotCarried::Unknown;
    }
    match (failure.error, source, target) {
        (
            CarryError::Source(_),
            Some(Missed::Refused(ckr::OBJECT_HANDLE_INVALID | ckr::KEY_HANDLE_INVALID)),
            _,
        ) => NotCarried::SourceGone,
        (CarryError::Source(_), Some(Missed::Refused(_)), _) => NotCarried::Declined(failure.error),
        (CarryError::Source(_), ..) => NotCarried::SourceLost,
        (CarryError::Target(_), _, Some(Missed::Refused(rv))) => NotCarried::Refused(rv),
        (CarryError::Target(_), _, Some(Missed::NotSent)) => NotCarried::NotSent,
        (CarryError::Target(_), ..) => NotCarried::Unknown,
        (
            CarryError::NotExtractable
            | CarryError::Class(_)
            | CarryError::NotKept(_)
            | CarryError::NoCommonWrap
            | CarryError::Unrestricted(_)
            | CarryError::Wrong,
            ..,
        ) => NotCarried::Declined(failure.error),
    }
}

const fn reply(rv: Rv) -> Reply {
    Reply {
        rv: everslot_protocol::Rv(rv.0),
        body: Body::Empty,
    }
}
