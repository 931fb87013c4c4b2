//! What a creation asks of one member, and how it takes what it hears.

use cryptoki_sys as ck;
use everslot_core::{Plant, Rv, ckr};
use everslot_protocol::{Body, ObjectHandle, Reply};

use super::super::order::Given;
use super::{Birth, Fact};
use crate::domain::{Attributes, CallError, CarryError, CarryFailure, End, Revision, Token, carry};
use crate::group::{Lease, Stop};
use crate::module::{Delivery, LinkFailure};
use crate::objects::change::plant as in_journal;

/// What was heard last of the member that is to make the objects.
#[derive(Clone, Copy)]
pub(super) enum Heard {
    Nothing,
    /// It has not got what it takes.
    Absent(Rv),
    Said(Rv),
    /// Nothing, since it was asked.
    Silence,
}

/// The copies at one member, with their revisions.
pub(super) type Copies = (Vec<Option<ObjectHandle>>, Vec<Option<Revision>>);

/// Carries each object that is there; what has arrived is destroyed again when a further one does not.
pub(super) fn carry_all(
    originals: &[Option<ObjectHandle>],
    from: &mut End<'_, '_>,
    to: &mut End<'_, '_>,
) -> Result<Copies, CarryFailure> {
    let (mut objects, mut revisions) = (Vec::new(), Vec::new());
    for original in originals {
        let Some(original) = original else {
            objects.push(None);
            revisions.push(None);
            continue;
        };
        let arrived = carry(*original, from, to, &Attributes::new()).and_then(|carried| {
            objects.push(Some(carried.object));
            Revision::of(to.token, carried.object).map_err(|error| CarryError::Target(error).into())
        });
        match arrived {
            Ok(revision) => revisions.push(Some(revision)),
            Err(failure) => {
                let undone = objects
                    .into_iter()
                    .flatten()
                    .all(|object| to.token.destroy(object).is_ok());
                return Err(CarryFailure {
                    may_remain: failure.may_remain || !undone,
                    ..failure
                });
            }
        }
    }
    Ok((objects, revisions))
}

/// What bears the plant at a member in the place of a birth.
pub(super) fn search(
    token: &mut Token<'_>,
    birth: &Birth,
    plant: Plant,
) -> Result<Vec<ObjectHandle>, CallError> {
    let wanted = Attributes::new()
        .number(ck::CKA_CLASS, birth.class)
        .flags(&[ck::CKA_TOKEN], true)
        .bytes(ck::CKA_LABEL, &birth.planted_label(in_journal(plant)));
    token.find(&wanted)
}

/// The facts of new objects; none when the member does not tell them.
pub(super) fn read(lease: &mut Lease, objects: &[ObjectHandle]) -> Result<Option<Vec<Fact>>, Stop> {
    let facts = objects.iter().map(|object| Fact::read(lease, *object));
    match facts.collect() {
        Ok(facts) => Ok(Some(facts)),
        Err(CallError::NoAnswer { cause, .. } | CallError::NotLoaded(cause)) => {
            let delivery = Delivery::Unknown;
            Err(Stop::Unanswered(LinkFailure { delivery, cause }))
        }
        Err(CallError::Code { .. }) => Ok(None),
    }
}

pub(super) fn heard_in(said: &Result<Reply, Stop>) -> Heard {
    match said {
        Ok(reply) => Heard::Said(Rv(reply.rv.0)),
        Err(Stop::NotHere(rv)) => Heard::Absent(*rv),
        Err(Stop::Refused(rv) | Stop::Final(rv)) => Heard::Said(*rv),
        Err(Stop::Unanswered(failure)) => match failure.delivery {
            Delivery::None => Heard::Nothing,
            Delivery::Unknown => Heard::Silence,
        },
    }
}

pub(super) fn objects_of(reply: Reply) -> Vec<ObjectHandle> {
    match reply.body {
        Body::Object(object) | Body::Encapsulated(_, object) => vec![object],
        Body::KeyPair(public, private) => vec![public, private],
        _ => Vec::new(),
    }
}

pub(super) fn with_templates(
    templates: &[Attributes],
    send: &mut dyn FnMut(Given<'_>) -> Result<Reply, Stop>,
) -> Result<Reply, Stop> {
    match templates {
        [one, other] => {
            one.with_template(|one| other.with_template(|other| send(Given { one, other })))
        }
        [one, ..] => one.with_template(|one| send(Given::one(one))),
        [] => Err(Stop::Final(ckr::FUNCTION_FAILED)),
    }
}
