//! What is done to one object.

use cryptoki_sys as ck;
use everslot_core::{
    Context, Deed, DeedOutcome, MemberId, ObjectKey, Overrides, Revision, Verdict, ckr, verdict,
};
use everslot_protocol::ObjectHandle;

use super::index::{Found, Freshness};
use super::look::is_gone;
use super::{Driver, Halt, Peer, fingerprint, own_revision};
use crate::domain::{Attributes, CallError, CarryError, Fingerprint, Shown, carry, update};
use crate::journal::{Entry, Holder, Note, Object, ObjectId};

impl Driver<'_, '_, '_> {
    /// Does it, and notes what the member then holds.
    pub(super) fn perform(&mut self, key: ObjectKey, deed: Deed) -> Result<DeedOutcome, Halt> {
        let of = fingerprint(key);
        match deed {
            Deed::Record { revision } => self.note_held(of, Some(revision)),
            Deed::RecordAbsent => self.note_held(of, None),
            Deed::Copy { from } => self.copy(of, from),
            Deed::Update { from } => self.update(of, from),
            Deed::Destroy => self.destroy(of),
            Deed::Adopt { revision, .. } => self.adopt(of, revision),
            Deed::AdoptChange {
                revision,
                instead_of,
            } => self.adopt_change(of, revision, instead_of),
        }
    }

    /// What the group has of it.
    pub(super) fn entry_of(&mut self, of: Fingerprint) -> Result<Option<Entry>, Halt> {
        match &self.entry {
            Some(entry) if entry.object.fingerprint == of => Ok(Some(entry.clone())),
            _ => {
                let all = self.tools.journal.with_fingerprint(of)?;
                Ok(all.into_iter().find(|entry| !entry.gone))
            }
        }
    }

    fn holder(&self, revision: Revision) -> Holder {
        Holder {
            member: self.peers[self.at].name.clone(),
            revision: Some(own_revision(revision)),
        }
    }

    fn note_held(
        &mut self,
        of: Fingerprint,
        revision: Option<Revision>,
    ) -> Result<DeedOutcome, Halt> {
        let Some(entry) = self.entry_of(of)? else {
            return Ok(DeedOutcome::Gone);
        };
        let id = entry.object.id;
        self.note(match revision {
            Some(revision) => Note::Holds(id, self.holder(revision)),
            None => Note::Lacks(id, self.peers[self.at].name.clone()),
        })?;
        Ok(DeedOutcome::Done)
    }

    fn adopt(&mut self, of: Fingerprint, revision: Revision) -> Result<DeedOutcome, Halt> {
        if !self.tools.journal.with_fingerprint(of)?.is_empty() {
            return Ok(DeedOutcome::Gone);
        }
        let key_name = self.tools.key_name;
        let (peer, journal) = self.target();
        let (index, token) = peer.indexed(key_name, journal)?;
        let Some(found) = index.at(of)? else {
            return Ok(DeedOutcome::Gone);
        };
        let bare = match found.class {
            ck::CKO_PRIVATE_KEY => Shown::of(token, found.handle)?.bare(),
            _ => None,
        };
        let Some(id) = ObjectId::random() else {
            self.why = Some("the system gives no random numbers".to_owned());
            return Ok(DeedOutcome::Refused);
        };
        let object = Object {
            id,
            fingerprint: of,
            bare,
            class: found.class,
            revision: own_revision(revision),
            remembered: None,
        };
        let holder = self.holder(revision);
        self.note(Note::Adopt(object, holder))?;
        Ok(DeedOutcome::Done)
    }

    fn adopt_change(
        &mut self,
        of: Fingerprint,
        revision: Revision,
        instead_of: Revision,
    ) -> Result<DeedOutcome, Halt> {
        let Some(entry) = self.entry_of(of)? else {
            return Ok(DeedOutcome::Gone);
        };
        self.flush()?;
        let object = Object {
            revision: own_revision(revision),
            ..entry.object
        };
        let name = self.peers[self.at].name.clone();
        let instead_of = own_revision(instead_of);
        let journal = &mut *self.tools.journal;
        Ok(if journal.adopt_change(&object, instead_of, &name)? {
            DeedOutcome::Done
        } else {
            DeedOutcome::Gone
        })
    }

    /// Where a peer has an object, as it is there now.
    pub(super) fn locate(&mut self, at: usize, of: Fingerprint) -> Result<Option<Found>, Halt> {
        let (key_name, is_trial) = (self.tools.key_name, self.tools.is_trial);
        let journal = &mut *self.tools.journal;
        let (index, token) = self.peers[at].indexed(key_name, journal)?;
        if is_trial {
            return index.at(of);
        }
        if index.freshness == Freshness::Stale {
            index.refresh(token, journal)?;
        }
        loop {
            match index.at(of)? {
                Some(found) => {
                    // It may have changed, and be known by something else now; then it does not come again.
                    let look = index.look(found.handle, token, journal)?;
                    if look.is_some_and(|look| look.fingerprint == of) {
                        return index.at(of);
                    }
                }
                None if index.freshness == Freshness::Whole => return Ok(None),
                None => index.scan(token, journal)?,
            }
        }
    }

    pub(super) fn peer(&self, member: MemberId) -> Option<usize> {
        self.peers.iter().position(|peer| peer.member == member)
    }

    fn copy(&mut self, of: Fingerprint, from: MemberId) -> Result<DeedOutcome, Halt> {
        let Some(entry) = self.entry_of(of)? else {
            return Ok(DeedOutcome::Gone);
        };
        let Some(from) = self.peer(from) else {
            return Ok(DeedOutcome::SourceLost);
        };
        let source = match self.source(from, of)? {
            Ok(source) => source,
            Err(outcome) => return Ok(outcome),
        };
        if self.has_as_another(&entry)? {
            self.why = Some("a change of its name there is not settled yet".to_owned());
            return Ok(DeedOutcome::Refused);
        }
        let outcome = self.bring(from, &source)?;
        if outcome == DeedOutcome::Done {
            self.note_found(of, entry.object.id)?;
        }
        Ok(outcome)
    }

    /// Whether the member has the object as what a change that is not settled was to make it known by: with a copy it would have it twice. Settled it is
    /// when nobody is about it any more, at the latest once the gate is closed.
    fn has_as_another(&mut self, entry: &Entry) -> Result<bool, Halt> {
        let name = &self.peers[self.at].name;
        let intents = self.tools.journal.intents()?;
        let of_it = intents.iter().filter(|intent| {
            intent.object == Some(entry.object.id) && intent.members.contains(name)
        });
        let becomes: Vec<Fingerprint> = of_it.filter_map(|intent| intent.fingerprint).collect();
        for fingerprint in becomes {
            if fingerprint != entry.object.fingerprint
                && self.locate(self.at, fingerprint)?.is_some()
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The object at the peer that it is to come from, or why it cannot.
    fn source(&mut self, from: usize, of: Fingerprint) -> Result<Result<Found, DeedOutcome>, Halt> {
        let located = match self.locate(from, of) {
            Err(Halt::Member(error)) => {
                self.why = Some(format!("{}: {error}", self.peers[from].name));
                return Ok(Err(DeedOutcome::SourceLost));
            }
            located => located?,
        };
        Ok(match located {
            Some(found) if found.twins => {
                let name = &self.peers[from].name;
                self.why = Some(format!("{name} has more than one such object"));
                Err(DeedOutcome::NotCarryable)
            }
            Some(found) if !found.pending => Ok(found),
            Some(_) | None => Err(DeedOutcome::Gone),
        })
    }

    /// Carries an object to the member, unless it has it.
    fn bring(&mut self, from: usize, source: &Found) -> Result<DeedOutcome, Halt> {
        let key_name = self.tools.key_name;
        let (peer, journal) = self.target();
        let (index, _) = peer.indexed(key_name, journal)?;
        if index.at(source.fingerprint)?.is_some() {
            return Ok(DeedOutcome::Done);
        }
        if self.tools.is_trial {
            return self.pretend(from, source);
        }
        let Ok([from, to]) = self.peers.get_disjoint_mut([from, self.at]) else {
            return Ok(DeedOutcome::SourceLost);
        };
        let carried = carry(
            source.handle,
            &mut from.end(),
            &mut to.end(),
            &Attributes::new(),
        );
        match carried {
            Ok(carried) => self.welcome(carried.object, source.fingerprint),
            Err(failure) => self.not_carried(failure.error),
        }
    }

    /// What has arrived must be known as the original is, or it would be brought again and again.
    fn welcome(&mut self, copy: ObjectHandle, of: Fingerprint) -> Result<DeedOutcome, Halt> {
        let key_name = self.tools.key_name;
        let (peer, journal) = self.target();
        let (index, token) = peer.indexed(key_name, journal)?;
        let look = index.look(copy, token, journal)?;
        if look.is_some_and(|look| look.fingerprint == of) {
            return Ok(DeedOutcome::Done);
        }
        index.remove(copy)?;
        token.destroy(copy)?;
        self.why = Some("the member does not show the copy as the original is shown".to_owned());
        Ok(DeedOutcome::NotCarryable)
    }

    fn pretend(&mut self, from: usize, source: &Found) -> Result<DeedOutcome, Halt> {
        let kinds = [ck::CKA_CLASS, ck::CKA_KEY_TYPE];
        // One that is there by pretence only was looked at where it came from.
        let Ok(named) = self.peers[from].token.attributes(source.handle, &kinds) else {
            let to = &self.peers[self.at];
            to.index
                .as_ref()
                .map_or(Ok(()), |index| index.pretend(source))?;
            return Ok(DeedOutcome::Done);
        };
        let (from, to) = (&self.peers[from], &self.peers[self.at]);
        let may = if source.carryable {
            to.profile.may_receive(&from.name, &named)
        } else {
            Err(CarryError::NotExtractable)
        };
        if let Err(error) = may {
            return self.not_carried(error);
        }
        to.index
            .as_ref()
            .map_or(Ok(()), |index| index.pretend(source))?;
        Ok(DeedOutcome::Done)
    }

    /// Notes that the member has what its index says that it has.
    fn note_found(&mut self, of: Fingerprint, id: ObjectId) -> Result<(), Halt> {
        let peer = &self.peers[self.at];
        let found = peer.index.as_ref().map_or(Ok(None), |index| index.at(of))?;
        let Some(found) = found else {
            return Ok(());
        };
        let holder = Holder {
            member: peer.name.clone(),
            revision: Some(found.revision),
        };
        self.note(Note::Holds(id, holder))
    }

    fn not_carried(&mut self, error: CarryError) -> Result<DeedOutcome, Halt> {
        self.why = Some(error.to_string());
        Ok(match error {
            CarryError::Target(error) if is_lost(error) => return Err(error.into()),
            CarryError::Target(_) => DeedOutcome::Refused,
            CarryError::Source(error) if is_gone(error) => DeedOutcome::Gone,
            CarryError::Source(error) if is_lost(error) => DeedOutcome::SourceLost,
            CarryError::Source(_)
            | CarryError::NotExtractable
            | CarryError::Class(_)
            | CarryError::NotKept(_)
            | CarryError::NoCommonWrap
            | CarryError::Unrestricted(_)
            | CarryError::Wrong => DeedOutcome::NotCarryable,
        })
    }

    fn update(&mut self, of: Fingerprint, from: MemberId) -> Result<DeedOutcome, Halt> {
        let Some(entry) = self.entry_of(of)? else {
            return Ok(DeedOutcome::Gone);
        };
        let Some(from) = self.peer(from) else {
            return Ok(DeedOutcome::SourceLost);
        };
        let source = match self.source(from, of)? {
            Ok(source) => source,
            Err(outcome) => return Ok(outcome),
        };
        let Some(copy) = self.locate(self.at, of)? else {
            return Ok(DeedOutcome::Refused);
        };
        if self.tools.is_trial {
            let revision = super::core_revision(entry.object.revision);
            return self.note_held(of, Some(revision));
        }
        let Ok([from, to]) = self.peers.get_disjoint_mut([from, self.at]) else {
            return Ok(DeedOutcome::SourceLost);
        };
        if let Err(error) = update(source.handle, &mut from.token, copy.handle, &mut to.token) {
            return self.not_carried(error);
        }
        let updated = self.locate(self.at, of)?;
        self.note_found(of, entry.object.id)?;
        if updated.is_some_and(|updated| updated.revision == source.revision) {
            return Ok(DeedOutcome::Done);
        }
        self.why = Some("the member does not take over what has changed".to_owned());
        Ok(DeedOutcome::Refused)
    }

    /// An object in words for people.
    pub(super) fn words(&mut self, of: Fingerprint) -> String {
        let first = self.at;
        let peers = (0..self.peers.len()).map(|at| (at + first) % self.peers.len());
        for at in peers.collect::<Vec<_>>() {
            let Peer { token, index, .. } = &mut self.peers[at];
            let found = index.as_ref().and_then(|index| index.at(of).ok().flatten());
            if let Some(words) = found.and_then(|found| crate::objects::words(token, found.handle))
            {
                return words;
            }
        }
        let mark: String =
            of.0.iter()
                .take(4)
                .map(|byte| format!("{byte:02x}"))
                .collect();
        let class = self
            .entry_of(of)
            .ok()
            .flatten()
            .map(|entry| entry.object.class);
        let class = class.map_or("object", crate::objects::class_name);
        format!("{class} {mark}…")
    }
}

/// Whether the token is not to be asked any more: it gave no answer, or says itself that it is gone, or that our session is.
pub(super) fn is_lost(error: CallError) -> bool {
    let context = Context {
        logged_in: true,
        ..Context::default()
    };
    let says = verdict(error.code(), context, &Overrides::<0>::new());
    let gone = matches!(
        says,
        Verdict::MemberLost { .. } | Verdict::SessionLost { .. }
    );
    // Tokens say this of an object that they cannot deal with as well.
    let vague = matches!(error.code(), ckr::GENERAL_ERROR | ckr::FUNCTION_FAILED);
    !error.is_refusal() || (gone && !vague)
}
