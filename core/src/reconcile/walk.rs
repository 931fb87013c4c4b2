//! Where a pass stands in the two streams.

use core::cmp::Ordering;

use super::entry::Pair;
use super::{GroupEntry, MemberEntry, Stream};
use crate::{ObjectKey, Sequence};

/// One way through the group's objects.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(super) struct Pass {
    pub(super) round: Round,
    /// The last sequence of the pass before.
    pub(super) since: Sequence,
    /// How far the journal had counted when this one began.
    pub(super) upto: Sequence,
}

/// Which pass it is.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(super) enum Round {
    /// The first: all objects of both sides.
    All,
    /// What has changed during the pass before; the how manieth, and whether there was anything so far.
    CatchUp { number: u8, found: bool },
    /// What has changed since, with the gate closed.
    Final,
}

/// Where a pass stands.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(super) enum Walk {
    /// Both streams are merged.
    Both {
        group: Side<GroupEntry>,
        object: Side<MemberEntry>,
    },
    /// Only the group's is read, and each of its objects is looked up at the member.
    Changes {
        after: Option<ObjectKey>,
        at: Sought,
    },
}

/// Where a pass stands in one stream.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(super) enum Side<E> {
    Unread { after: Option<ObjectKey> },
    At(ObjectKey, E),
    End,
}

/// One of the group's changes.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(super) enum Sought {
    Unread,
    At(ObjectKey, GroupEntry),
    Found(Pair),
    End,
}

/// What a walk needs.
pub(super) enum Want {
    Group { after: Option<ObjectKey> },
    Member { after: Option<ObjectKey> },
    LookUp { key: ObjectKey },
    Nothing(Taken),
}

/// What a walk has come to when it needs nothing.
pub(super) enum Taken {
    /// A pair, and where the walk goes on.
    Pair(Pair, Walk),
    End,
}

impl Walk {
    /// The beginning of a pass.
    pub(super) const fn new(round: Round) -> Self {
        match round {
            Round::All => Self::Both {
                group: Side::Unread { after: None },
                object: Side::Unread { after: None },
            },
            Round::CatchUp { .. } | Round::Final => Self::Changes {
                after: None,
                at: Sought::Unread,
            },
        }
    }

    /// What has to be read before it can go on, or the pair that it has come to.
    pub(super) fn want(self) -> Want {
        match self {
            Self::Both { group, object } => merge(group, object),
            Self::Changes {
                after,
                at: Sought::Unread,
            } => Want::Group { after },
            Self::Changes {
                at: Sought::At(key, _),
                ..
            } => Want::LookUp { key },
            Self::Changes {
                at: Sought::Found(pair),
                ..
            } => {
                let rest = Self::Changes {
                    after: Some(pair.key),
                    at: Sought::Unread,
                };
                Want::Nothing(Taken::Pair(pair, rest))
            }
            Self::Changes {
                at: Sought::End, ..
            } => Want::Nothing(Taken::End),
        }
    }

    /// Takes what the group's stream has next. `None` if it is not waited for.
    pub(super) fn group_read(
        self,
        read: Option<(ObjectKey, GroupEntry)>,
    ) -> Option<Result<Self, Stream>> {
        let ascending = |after| ascends(after, read.map(|(key, _)| key));
        match self {
            Self::Both {
                group: Side::Unread { after },
                object,
            } => Some(if ascending(after) {
                let group = Side::of(read);
                Ok(Self::Both { group, object })
            } else {
                Err(Stream::Group)
            }),
            Self::Changes {
                after,
                at: Sought::Unread,
            } => Some(if ascending(after) {
                let at = read.map_or(Sought::End, |(key, entry)| Sought::At(key, entry));
                Ok(Self::Changes { after, at })
            } else {
                Err(Stream::Group)
            }),
            Self::Both { .. } | Self::Changes { .. } => None,
        }
    }

    /// Takes what the member has next, or has of what was looked up. `None` if it is not waited for.
    pub(super) fn member_read(
        self,
        read: Option<(ObjectKey, MemberEntry)>,
    ) -> Option<Result<Self, Stream>> {
        match self {
            Self::Both {
                group: group @ (Side::At(..) | Side::End),
                object: Side::Unread { after },
            } => Some(if ascends(after, read.map(|(key, _)| key)) {
                let object = Side::of(read);
                Ok(Self::Both { group, object })
            } else {
                Err(Stream::Member)
            }),
            Self::Changes {
                after,
                at: Sought::At(key, entry),
            } => Some(if read.is_none_or(|(found, _)| found == key) {
                let at = Sought::Found(Pair {
                    key,
                    group: Some(entry),
                    object: read.map(|(_, object)| object),
                });
                Ok(Self::Changes { after, at })
            } else {
                Err(Stream::Member)
            }),
            Self::Both { .. } | Self::Changes { .. } => None,
        }
    }
}

impl<E> Side<E> {
    fn of(read: Option<(ObjectKey, E)>) -> Self {
        read.map_or(Self::End, |(key, entry)| Self::At(key, entry))
    }
}

fn ascends(after: Option<ObjectKey>, key: Option<ObjectKey>) -> bool {
    match (after, key) {
        (Some(after), Some(key)) => after < key,
        (None, _) | (_, None) => true,
    }
}

fn merge(group: Side<GroupEntry>, object: Side<MemberEntry>) -> Want {
    match (group, object) {
        (Side::Unread { after }, _) => Want::Group { after },
        (_, Side::Unread { after }) => Want::Member { after },
        (Side::End, Side::End) => Want::Nothing(Taken::End),
        (Side::At(key, entry), Side::End) => take(key, Some(entry), None, group, object),
        (Side::End, Side::At(key, found)) => take(key, None, Some(found), group, object),
        (Side::At(key, entry), Side::At(other, found)) => match key.cmp(&other) {
            Ordering::Less => take(key, Some(entry), None, group, object),
            Ordering::Equal => take(key, Some(entry), Some(found), group, object),
            Ordering::Greater => take(other, None, Some(found), group, object),
        },
    }
}

/// The pair of a key; what stood at it has to be read on.
fn take(
    key: ObjectKey,
    entry: Option<GroupEntry>,
    found: Option<MemberEntry>,
    group: Side<GroupEntry>,
    object: Side<MemberEntry>,
) -> Want {
    let after = Some(key);
    let rest = Walk::Both {
        group: entry.map_or(group, |_| Side::Unread { after }),
        object: found.map_or(object, |_| Side::Unread { after }),
    };
    let pair = Pair {
        key,
        group: entry,
        object: found,
    };
    Want::Nothing(Taken::Pair(pair, rest))
}
