//! Intents that nobody is about any more: what they have left at the member is undone, or finished.

use cryptoki_sys as ck;
#[cfg(test)]
use everslot_core::ReconcileNext;
use everslot_core::{
    Change, ChangeInput, ChangeKind, ChangeNext, MemberId, MemberSet, Plant as CorePlant,
};
use everslot_protocol::ObjectHandle;

use super::deeds::is_lost;
use super::look::is_gone;
use super::{Driver, Halt, Peer};
use crate::domain::{Attributes, CallError, Revision, Shown, update};
#[cfg(test)]
use crate::group::witnesses::objects as witnesses;
use crate::journal::{Entry, Intent, IntentKind, Object, Plant};
use crate::objects::{Owner, known_as, planted};
use crate::trace::Noted;

impl Driver<'_, '_, '_> {
    /// Resumes the intents that name the member and whose process has ended; when the gate is closed, all that name it.
    pub(super) fn clean(&mut self) -> Result<(), Halt> {
        if self.tools.is_trial {
            return Ok(());
        }
        let name = self.peers[self.at].name.clone();
        let all = self.closed.is_some();
        for intent in self.tools.journal.intents()? {
            let names_it = intent.members.contains(&name);
            if names_it && (all || Owner::has_ended(&intent.owner)) {
                self.resume(&intent)?;
                #[cfg(test)]
                witnesses::before(witnesses::Asked::Reconcile(ReconcileNext::Clean));
            }
        }
        Ok(())
    }

    fn resume(&mut self, intent: &Intent) -> Result<(), Halt> {
        let names = self.tools.names;
        let member = |name: &str| {
            let index = names.iter().position(|known| known == name)?;
            u8::try_from(index).ok().map(MemberId)
        };
        let members = intent.members.iter().filter_map(|name| member(name));
        let peers = self.peers.iter().map(|peer| peer.member);
        let reachable = peers.fold(MemberSet::EMPTY, MemberSet::with);
        let kind = match intent.kind {
            IntentKind::Create => ChangeKind::Create,
            IntentKind::Update => ChangeKind::Update,
            IntentKind::Destroy => ChangeKind::Destroy,
        };
        let core = everslot_core::Intent {
            plant: CorePlant {
                mark: intent.plant.mark,
                attempt: intent.plant.attempt,
            },
            kind,
            members: members.fold(MemberSet::EMPTY, MemberSet::with),
        };
        let entry = match intent.object {
            Some(object) => self.tools.journal.entry(object)?,
            None => None,
        };
        let current = entry.iter().flat_map(Entry::current).filter_map(member);
        let current = current.fold(MemberSet::EMPTY, MemberSet::with);
        let change = Change::resume(core, reachable, current);
        let mut change = Noted::new(change, self.tools.trace);
        let mut next = change.handle(ChangeInput::Start);
        loop {
            let outcome = match next {
                ChangeNext::Answer(_) => return Ok(()),
                next => {
                    #[cfg(test)]
                    witnesses::before(witnesses::Asked::Change(next));
                    self.go_on(intent, next)?
                }
            };
            next = change.handle(outcome);
        }
    }

    fn go_on(&mut self, intent: &Intent, next: ChangeNext) -> Result<ChangeInput, Halt> {
        match next {
            ChangeNext::Clean { member, .. } => {
                self.at_member(member, |driver, at| driver.clean_at(at, intent.plant))
            }
            ChangeNext::Destroy { member } => {
                self.at_member(member, |driver, at| driver.destroy_at(at, intent))
            }
            ChangeNext::Restore { member, from } => self.restore(intent, member, from),
            ChangeNext::Commit { done, unclear, .. } => self.commit(intent, done, unclear),
            ChangeNext::Retract { left, .. } => {
                let left = self.names(left);
                self.tools.journal.retract(intent.plant, &left)?;
                Ok(ChangeInput::Done)
            }
            // A change that is resumed makes nothing anew.
            ChangeNext::RecordIntent(_)
            | ChangeNext::Make { .. }
            | ChangeNext::Find { .. }
            | ChangeNext::Copy { .. }
            | ChangeNext::Update { .. }
            | ChangeNext::Answer(_) => Ok(ChangeInput::NotSent),
        }
    }

    /// Does `work` at a member. That the one that is reconciled is lost ends the reconcile.
    fn at_member(
        &mut self,
        member: MemberId,
        work: impl FnOnce(&mut Self, usize) -> Result<ChangeInput, Halt>,
    ) -> Result<ChangeInput, Halt> {
        let Some(at) = self.peers.iter().position(|peer| peer.member == member) else {
            return Ok(ChangeInput::NotSent);
        };
        match work(self, at) {
            Err(Halt::Member(error)) if at != self.at => Ok(if is_lost(error) {
                ChangeInput::Unknown
            } else {
                ChangeInput::Refused
            }),
            outcome => outcome,
        }
    }

    fn clean_at(&mut self, at: usize, plant: Plant) -> Result<ChangeInput, Halt> {
        let token = &mut self.peers[at].token;
        let mut outcome = ChangeInput::Gone;
        for handle in token.find(&Attributes::new().flags(&[ck::CKA_TOKEN], true))? {
            let label = match token.attribute(handle, ck::CKA_LABEL) {
                Err(error) if is_gone(error) => continue,
                label => label?,
            };
            if label.as_deref().and_then(|label| planted::plant_of(label)) == Some(plant) {
                if !destroyed(token.destroy(handle))? {
                    return Ok(ChangeInput::Refused);
                }
                outcome = ChangeInput::Done;
            }
        }
        Ok(outcome)
    }

    fn destroy_at(&mut self, at: usize, intent: &Intent) -> Result<ChangeInput, Halt> {
        let entry = match intent.object {
            Some(object) => self.tools.journal.entry(object)?,
            None => None,
        };
        let Some(entry) = entry.filter(|entry| entry.gone) else {
            return Ok(ChangeInput::Gone);
        };
        let of = entry.object.fingerprint;
        let twins = self.tools.journal.with_fingerprint(of)?;
        if twins.iter().any(|entry| !entry.gone) {
            return Ok(ChangeInput::Gone);
        }
        match self.locate(at, of)? {
            None => Ok(ChangeInput::Gone),
            // Which of them was meant cannot be told.
            Some(found) if found.twins => Ok(ChangeInput::Refused),
            Some(found) => Ok(if destroyed(self.peers[at].token.destroy(found.handle))? {
                ChangeInput::Done
            } else {
                ChangeInput::Refused
            }),
        }
    }

    /// The object of an update at a peer: known by what it was, or by what it was to be.
    fn find_updated(&mut self, at: usize, intent: &Intent) -> Result<Option<ObjectHandle>, Halt> {
        let entry = match intent.object {
            Some(object) => self.tools.journal.entry(object)?,
            None => None,
        };
        let known = entry.filter(|entry| !entry.gone);
        let known = known.map(|entry| entry.object.fingerprint);
        for fingerprint in known.into_iter().chain(intent.fingerprint) {
            if let Some(found) = self.locate(at, fingerprint)? {
                return Ok(Some(found.handle));
            }
        }
        Ok(None)
    }

    fn restore(
        &mut self,
        intent: &Intent,
        member: MemberId,
        from: MemberId,
    ) -> Result<ChangeInput, Halt> {
        let position = |member| self.peers.iter().position(|peer| peer.member == member);
        let (Some(at), Some(from)) = (position(member), position(from)) else {
            return Ok(ChangeInput::SourceLost);
        };
        let Some(original) = self.find_updated(from, intent)? else {
            return Ok(ChangeInput::SourceLost);
        };
        let Some(copy) = self.find_updated(at, intent)? else {
            return Ok(ChangeInput::Gone);
        };
        let Ok([from, to]) = self.peers.get_disjoint_mut([from, at]) else {
            // The first holder is what the others follow.
            return Ok(ChangeInput::Done);
        };
        let names = [ck::CKA_LABEL, ck::CKA_ID];
        let named = from.token.attributes(original, &names)?;
        let restored = if to.token.attributes(copy, &names)? == named {
            Ok(())
        } else {
            to.token.set(copy, &named)
        };
        let restored = restored.map_err(crate::domain::CarryError::Target);
        match restored.and_then(|()| update(original, &mut from.token, copy, &mut to.token)) {
            Ok(()) => Ok(ChangeInput::Done),
            Err(error) => {
                self.why = Some(error.to_string());
                Ok(ChangeInput::Refused)
            }
        }
    }

    fn commit(
        &mut self,
        intent: &Intent,
        done: MemberSet,
        unclear: MemberSet,
    ) -> Result<ChangeInput, Halt> {
        let Some(object) = intent.object else {
            return Ok(ChangeInput::Gone);
        };
        let (done_by_name, unclear) = (self.names(done), self.names(unclear));
        if intent.kind == IntentKind::Destroy {
            let journal = &mut *self.tools.journal;
            journal.commit_destruction(intent.plant, object, &done_by_name)?;
            return Ok(ChangeInput::Done);
        }
        let entry = self.tools.journal.entry(object)?;
        let Some(entry) = entry.filter(|entry| !entry.gone) else {
            return Ok(ChangeInput::Gone);
        };
        let mut read = None;
        for member in done.iter() {
            read = match self.read_updated(member, intent, &entry) {
                // A peer that is lost is not the only one that has it.
                Err(Halt::Member(_)) if self.peer(member) != Some(self.at) => None,
                read => read?,
            };
            if read.is_some() {
                break;
            }
        }
        let Some(object) = read else {
            return Ok(ChangeInput::Gone);
        };
        let journal = &mut *self.tools.journal;
        let lives = journal.settle_update(intent.plant, &object, &done_by_name, &unclear)?;
        Ok(if lives {
            ChangeInput::Done
        } else {
            ChangeInput::Gone
        })
    }

    /// The object of an update as a peer has it, for the record.
    fn read_updated(
        &mut self,
        member: MemberId,
        intent: &Intent,
        entry: &Entry,
    ) -> Result<Option<Object>, Halt> {
        let Some(at) = self.peer(member) else {
            return Ok(None);
        };
        let Some(handle) = self.find_updated(at, intent)? else {
            return Ok(None);
        };
        let Peer { token, name, .. } = &mut self.peers[at];
        let shown = Shown::of(token, handle)?;
        let journal = &mut *self.tools.journal;
        Ok(Some(Object {
            fingerprint: known_as(&shown, journal, name)?,
            bare: shown.bare(),
            revision: Revision::of(token, handle)?,
            ..entry.object.clone()
        }))
    }

    fn names(&self, members: MemberSet) -> Vec<String> {
        let names = members.iter().filter_map(|member| {
            let index = usize::from(member.0);
            self.tools.names.get(index).cloned()
        });
        names.collect()
    }
}

/// Whether it is gone, now or before.
fn destroyed(destroyed: Result<(), CallError>) -> Result<bool, Halt> {
    match destroyed {
        Ok(()) => Ok(true),
        Err(error) if is_gone(error) => Ok(true),
        Err(error) if is_lost(error) => Err(error.into()),
        Err(_) => Ok(false),
    }
}
