//! The deeds of a creation.

use std::collections::BTreeMap;
use std::sync::Arc;

use cryptoki_sys as ck;
use everslot_core::{
    ChangeAnswer, ChangeInput, Incarnation, Intent, MemberId, MemberSet, Plant, Repeat, Rv, ckr,
};
use everslot_protocol::ObjectHandle;

use super::super::VirtualSlot;
use super::super::create::{Made, Send};
use super::at_member::{
    Copies, Heard, carry_all, heard_in, objects_of, read, search, with_templates,
};
use super::{Birth, Fact};
use crate::domain::{Attributes, CarryError, Revision};
use crate::group::{Errand, GroupDriver, Lease};
use crate::journal::{Holder, Object, ObjectId};
use crate::objects::change::{Deeds, Watch, plant as in_journal, written};
use crate::objects::reach::{Missed, NotCarried, Reach, Serving};

/// One creation on its way.
pub(super) struct Creation<'c, 's> {
    driver: &'c Arc<GroupDriver>,
    reach: Serving<'c>,
    watch: Watch,
    births: Vec<Birth>,
    send: &'c mut Send<'s>,
    /// Where the objects are, each in its birth's place.
    places: BTreeMap<MemberId, Place>,
    facts: Vec<Fact>,
    ids: Vec<ObjectId>,
    refused: Option<Rv>,
    /// What it is answered when no member has what it takes.
    absent: Option<Rv>,
    declined: Option<CarryError>,
}

/// The objects at one member.
struct Place {
    incarnation: Incarnation,
    /// None in the place of a session object, but where that was made.
    objects: Vec<Option<ObjectHandle>>,
    revisions: Vec<Option<Revision>>,
}

impl<'c, 's> Creation<'c, 's> {
    pub(super) fn new(
        driver: &'c Arc<GroupDriver>,
        reach: Serving<'c>,
        births: Vec<Birth>,
        send: &'c mut Send<'s>,
    ) -> Self {
        Self {
            driver,
            watch: Watch::over(&reach, reach.reachable()),
            reach,
            births,
            send,
            places: BTreeMap::new(),
            facts: Vec::new(),
            ids: Vec::new(),
            refused: None,
            absent: None,
            declined: None,
        }
    }

    /// Takes the plants off and gives the objects their virtual handles; also who made them.
    ///
    /// # Errors
    /// `CKR_DEVICE_ERROR` when nothing of them is known any more.
    pub(super) fn finish(self, slot: &VirtualSlot) -> Result<(Made, Option<MemberId>), Rv> {
        for (member, place) in &self.places {
            // Whoever comes across a plant that stays takes it off.
            let _ = self.reach.at(*member, &mut |end| {
                for (birth, object) in self.token_births().zip(&place.objects) {
                    if let (Some(birth), Some(object)) = (birth, object) {
                        let label = Attributes::new().bytes(ck::CKA_LABEL, &birth.label);
                        end.token.set(*object, &label)?;
                    }
                }
                Ok(())
            });
        }
        let maker = self.places.keys().next().copied();
        let mut handles = Vec::new();
        for (index, (fact, birth)) in self.facts.into_iter().zip(&self.births).enumerate() {
            let known = self.ids.get(index).map(|id| fact.known(*id, birth));
            let places = self.places.iter().filter_map(|(member, place)| {
                let object = place.objects.get(index).copied().flatten()?;
                Some(((*member, place.incarnation), object))
            });
            let places: Vec<_> = places.collect();
            let known = known.filter(|_| birth.token);
            handles.push(slot.catalogue.insert(fact.identity, &places, known));
        }
        match handles[..] {
            [one] => Ok((Made::One(one), maker)),
            [one, other] => Ok((Made::Pair(one, other), maker)),
            _ => Err(ckr::DEVICE_ERROR),
        }
    }

    /// What the application is answered when it is not made.
    pub(super) fn refusal(&self, answer: ChangeAnswer) -> Rv {
        let group = self.driver.config.label.as_str();
        match answer {
            ChangeAnswer::Refused => self.refused.unwrap_or(ckr::FUNCTION_FAILED),
            ChangeAnswer::NotCarryable => {
                let why = self.declined.map(|why| why.to_string());
                tracing::warn!(
                    group,
                    why,
                    "an object was not made: it cannot be carried to as many members as `copies` asks for"
                );
                ckr::FUNCTION_FAILED
            }
            ChangeAnswer::TooFew => {
                tracing::warn!(
                    group,
                    "an object was not made: fewer members serve than `copies` asks for"
                );
                ckr::DEVICE_ERROR
            }
            ChangeAnswer::Unavailable => self.absent.unwrap_or(ckr::DEVICE_ERROR),
            ChangeAnswer::Done
            | ChangeAnswer::Gone
            | ChangeAnswer::JournalFailed
            | ChangeAnswer::Unknown => ckr::DEVICE_ERROR,
        }
    }

    /// The births, with none in the place of a session object.
    fn token_births(&self) -> impl Iterator<Item = Option<&Birth>> {
        self.births.iter().map(|birth| birth.token.then_some(birth))
    }

    fn at_maker(&mut self, member: MemberId, objects: &[ObjectHandle], read: Vec<Fact>) {
        let revision = |fact: &Fact| Some(fact.revision);
        let place = Place {
            incarnation: self.reach.incarnation(member).unwrap_or(Incarnation(0)),
            objects: objects.iter().copied().map(Some).collect(),
            revisions: read.iter().map(revision).collect(),
        };
        self.places = BTreeMap::from([(member, place)]);
        self.facts = read;
    }
}

impl Deeds for Creation<'_, '_> {
    fn lost(&mut self) -> Option<MemberId> {
        self.watch.lost(&self.reach)
    }

    fn record(&mut self, intent: Intent) -> ChangeInput {
        self.driver.keeper.record(intent, None, None)
    }

    fn make(&mut self, member: MemberId, plant: Plant) -> ChangeInput {
        let templates: Vec<_> = self
            .births
            .iter()
            .map(|birth| birth.template(in_journal(plant)))
            .collect();
        let mut heard = Heard::Nothing;
        let mut made = None;
        let send = &mut *self.send;
        let mut call = |lease: &mut Lease| {
            let said = with_templates(&templates, &mut |given| send(lease, given));
            heard = heard_in(&said);
            let reply = said?;
            if reply.rv == everslot_protocol::Rv::OK {
                heard = Heard::Silence;
                let objects = objects_of(reply);
                made = Some((read(lease, &objects)?, objects));
            }
            Ok(reply)
        };
        let errand = Errand::among(MemberSet::of(member), Repeat::OnlyIfUndelivered);
        let done = self.driver.perform(errand, &mut call);
        match (done.map(|done| Rv(done.reply.rv.0)), made, heard) {
            (Ok(ckr::OK), Some((Some(facts), objects)), _) => {
                self.at_maker(member, &objects, facts);
                ChangeInput::Done
            }
            (Ok(ckr::OK), ..) => ChangeInput::Unknown,
            (_, _, Heard::Absent(rv)) => {
                self.absent = Some(rv);
                ChangeInput::NotSent
            }
            (Ok(_), _, Heard::Said(rv)) => {
                self.refused = Some(rv);
                ChangeInput::Refused
            }
            (Err(rv @ ckr::MECHANISM_PARAM_INVALID), _, Heard::Nothing) => {
                self.refused = Some(rv);
                ChangeInput::Refused
            }
            (Ok(rv), _, Heard::Nothing) => {
                self.absent = Some(rv);
                ChangeInput::NotSent
            }
            (Err(_), _, Heard::Nothing) => ChangeInput::NotSent,
            (_, _, Heard::Silence) | (Err(_), _, Heard::Said(_)) => ChangeInput::Unknown,
        }
    }

    fn find(&mut self, member: MemberId, plant: Plant) -> ChangeInput {
        let mut found = None;
        let births = &self.births;
        let looked = self.reach.lease_at(member, &mut |lease| {
            let mut objects = Vec::new();
            for birth in births {
                // A session object went with its session.
                if let [object] = search(&mut lease.token(), birth, plant)?[..] {
                    objects.push(object);
                }
            }
            if objects.len() == births.len() {
                let facts = objects.iter().map(|object| Fact::read(lease, *object));
                found = Some((facts.collect::<Result<Vec<_>, _>>()?, objects));
            }
            Ok(())
        });
        match (looked, found) {
            (Ok(()), Some((facts, objects))) => {
                self.at_maker(member, &objects, facts);
                ChangeInput::Done
            }
            (Ok(()), None) => ChangeInput::Gone,
            (Err(missed), _) => missed.input(),
        }
    }

    fn copy(&mut self, from: MemberId, to: MemberId, _: Plant) -> ChangeInput {
        let Some(source) = self.places.get(&from) else {
            return ChangeInput::Gone;
        };
        let Some(incarnation) = self.reach.incarnation(to) else {
            return ChangeInput::NotSent;
        };
        let originals: Vec<_> = self
            .births
            .iter()
            .zip(&source.objects)
            .map(|(birth, object)| object.filter(|_| birth.token))
            .collect();
        let mut copies = Copies::default();
        let carried = self.reach.between(from, to, &mut |from, to| {
            copies = carry_all(&originals, from, to)?;
            Ok(())
        });
        match carried {
            Ok(()) => {
                let (objects, revisions) = copies;
                let place = Place {
                    incarnation,
                    objects,
                    revisions,
                };
                self.places.insert(to, place);
            }
            Err(NotCarried::Refused(rv)) => self.refused = Some(rv),
            Err(NotCarried::Declined(why)) => self.declined = Some(why),
            Err(
                NotCarried::SourceLost
                | NotCarried::SourceGone
                | NotCarried::NotSent
                | NotCarried::Unknown,
            ) => {}
        }
        carried.map_or_else(NotCarried::input, |()| ChangeInput::Done)
    }

    fn clean(&mut self, member: MemberId, plant: Plant) -> ChangeInput {
        let place = self.places.remove(&member);
        let of_session = place.iter().flat_map(|place| {
            let births = self.births.iter().zip(&place.objects);
            births.filter_map(|(birth, object)| object.filter(|_| !birth.token))
        });
        let of_session: Vec<_> = of_session.collect();
        let mut any = false;
        let cleaned = self.reach.at(member, &mut |end| {
            for object in &of_session {
                // It goes with its session at the latest.
                let _ = end.token.destroy(*object);
            }
            for birth in self.births.iter().filter(|birth| birth.token) {
                for object in search(end.token, birth, plant)? {
                    end.token.destroy(object)?;
                    any = true;
                }
            }
            Ok(())
        });
        match cleaned {
            Ok(()) if any => ChangeInput::Done,
            Ok(()) => ChangeInput::Gone,
            // One that is gone meanwhile is not the others.
            Err(Missed::Refused(_)) => ChangeInput::Refused,
            Err(missed) => missed.input(),
        }
    }

    fn commit(&mut self, plant: Plant, done: MemberSet, unclear: MemberSet) -> ChangeInput {
        let Some(objects) = self.entries(done) else {
            return ChangeInput::Refused;
        };
        let keeper = &self.driver.keeper;
        let unclear = keeper.names(unclear);
        let plant = in_journal(plant);
        written(&keeper.with_journal(|journal| journal.commit_creation(plant, &objects, &unclear)))
    }

    fn retract(&mut self, plant: Plant, left: MemberSet) -> ChangeInput {
        self.driver.keeper.retract(plant, left)
    }
}

impl Creation<'_, '_> {
    /// What the journal is to have; none where there is no randomness for names.
    fn entries(&mut self, done: MemberSet) -> Option<Vec<(Object, Vec<Holder>)>> {
        while self.ids.len() < self.births.len() {
            self.ids.push(ObjectId::random()?);
        }
        let mut entries = Vec::new();
        for (index, (birth, fact)) in self.births.iter().zip(&self.facts).enumerate() {
            if !birth.token {
                continue;
            }
            let object = Object {
                id: *self.ids.get(index)?,
                fingerprint: fact.shown.fingerprint(),
                bare: fact.shown.bare(),
                class: birth.class,
                revision: fact.revision,
                remembered: birth.remembered,
            };
            let holder = |member| {
                let place = self.places.get(&member);
                Holder {
                    member: self.driver.keeper.name(member).to_owned(),
                    revision: place
                        .and_then(|place| place.revisions.get(index).copied())
                        .flatten(),
                }
            };
            entries.push((object, done.iter().map(holder).collect()));
        }
        Some(entries)
    }
}
