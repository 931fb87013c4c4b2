//! What the page is told.

use serde::Serialize;

use crate::status::{CallTimes, MemberStatus, ObjectsStatus, Process, State};

/// Everything that is shown. Moments are milliseconds since 1970.
#[derive(Debug, Serialize)]
pub(super) struct View<'a> {
    /// When the applications were last asked.
    pub(super) now_ms: u64,
    /// How far back anything is remembered, in milliseconds.
    pub(super) span_ms: u64,
    pub(super) groups: Vec<GroupView<'a>>,
    /// What happened, the oldest first.
    pub(super) marks: Vec<&'a Mark>,
    /// What could not be seen, one line each.
    pub(super) problems: &'a [String],
}

/// A group, as all applications together see it.
#[derive(Debug, Serialize)]
pub(super) struct GroupView<'a> {
    pub(super) label: &'a str,
    pub(super) serial: &'a str,
    /// Those that use it now.
    pub(super) applications: &'a [Process],
    /// Those that have answered by what they say of its objects: the worst of it; none when none has answered.
    pub(super) objects: Option<&'a ObjectsStatus>,
    pub(super) members: Vec<MemberView<'a>>,
}

#[derive(Debug, Serialize)]
pub(super) struct MemberView<'a> {
    pub(super) name: &'a str,
    /// The worst that an application sees; none when none has answered.
    pub(super) state: Option<State>,
    pub(super) calls_per_second: f64,
    /// Of the last ten seconds.
    pub(super) p99_ms: Option<f64>,
    /// What each application says of it.
    pub(super) seen: &'a [Seen],
    pub(super) points: Vec<Point>,
}

/// What one application says of a member.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Seen {
    pub(super) pid: u32,
    pub(super) program: String,
    pub(super) status: MemberStatus,
}

/// A member at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(super) struct Point {
    pub(super) at_ms: u64,
    pub(super) state: Option<State>,
    /// Since the moment before.
    pub(super) calls_per_second: f64,
    /// The same; none when no call was answered.
    pub(super) p99_ms: Option<f64>,
}

/// Something that happened to a member.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub(super) struct Mark {
    pub(super) at_ms: u64,
    /// The group's serial.
    pub(super) group: String,
    pub(super) member: String,
    /// The application that tells of it.
    pub(super) pid: u32,
    pub(super) program: String,
    pub(super) kind: Kind,
    /// What was seen, in words; may be empty.
    pub(super) why: String,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Kind {
    /// A member was lost: its calls go to others from there on.
    Failover,
    /// It came back.
    Return,
    /// It had calls in flight and ended none for a second.
    Stall,
}

/// The one of two states that asks for more attention.
pub(super) const fn worse(one: State, other: State) -> State {
    if severity(one) >= severity(other) {
        one
    } else {
        other
    }
}

const fn severity(state: State) -> u8 {
    match state {
        State::Active => 0,
        State::Standby => 1,
        State::Parked => 2,
        State::Recovering => 3,
        State::Lost => 4,
        State::GivenUp => 5,
        State::Quarantined => 6,
    }
}

/// The worse of what two applications say of the same objects.
pub(super) const fn worse_objects<'a>(
    one: &'a ObjectsStatus,
    other: &'a ObjectsStatus,
) -> &'a ObjectsStatus {
    match (one, other) {
        (ObjectsStatus::Unknown(_), _) => one,
        (_, ObjectsStatus::Unknown(_)) => other,
        (ObjectsStatus::Replicated { short }, ObjectsStatus::Replicated { short: others }) => {
            if *short >= *others {
                one
            } else {
                other
            }
        }
        (ObjectsStatus::Replicated { .. }, ObjectsStatus::Apart)
        | (ObjectsStatus::Apart, ObjectsStatus::Apart) => one,
        (ObjectsStatus::Apart, ObjectsStatus::Replicated { .. }) => other,
    }
}

/// What 99 of 100 calls took at most, in milliseconds, of the counts of [`CallTimes`]; the last bound also stands for longer ones.
pub(super) fn p99(counts: &[u64]) -> Option<f64> {
    let total: u64 = counts.iter().sum();
    let rank = u128::from(total) * 99;
    let mut below = 0;
    let place = counts.iter().position(|count| {
        below += u128::from(*count) * 100;
        below >= rank && below > 0
    })?;
    let bound = CallTimes::BOUNDS
        .get(place)
        .or(CallTimes::BOUNDS.last())
        .copied()?;
    Some(std::time::Duration::from_nanos(bound).as_secs_f64() * 1e3)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p99_is_the_bound_that_99_of_100_calls_kept() {
        let mut counts = [0; CallTimes::BOUNDS.len() + 1];
        assert_eq!(p99(&counts), None);
        assert_eq!(p99(&[]), None);
        (counts[2], counts[4]) = (99, 1);
        assert_eq!(p99(&counts), Some(0.1));
        counts[4] = 2;
        assert_eq!(p99(&counts), Some(1.0));
        counts[CallTimes::BOUNDS.len()] = u64::from(u32::MAX);
        assert_eq!(p99(&counts), Some(60_000.0));
    }

    #[test]
    fn the_worst_that_an_application_sees_is_shown() {
        assert_eq!(worse(State::Active, State::Lost), State::Lost);
        assert_eq!(worse(State::Quarantined, State::Lost), State::Quarantined);
        assert_eq!(worse(State::Standby, State::Active), State::Standby);
        let short = |short| ObjectsStatus::Replicated { short };
        let unknown = ObjectsStatus::Unknown("no".to_owned());
        assert_eq!(worse_objects(&short(1), &short(2)), &short(2));
        assert_eq!(worse_objects(&short(1), &ObjectsStatus::Apart), &short(1));
        assert_eq!(worse_objects(&ObjectsStatus::Apart, &unknown), &unknown);
    }
}
