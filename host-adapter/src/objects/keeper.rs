//! What a process has of its group's objects: the journal, the members' profiles, and the domain key on each member.

mod changes;
mod names;

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use cryptoki_sys as ck;
use everslot_core::{Copies, Incarnation, MemberId};
use everslot_protocol::ObjectHandle;

use super::book::{Book, Record};
use super::gate::{Entered, Gate};
use super::owner::Owner;
use crate::config::GroupConfig;
use crate::domain::key::KeyName;
use crate::domain::policy::Protection;
use crate::domain::profile::Profile;
use crate::domain::{CallError, Fingerprint, Shown, Token};
use crate::journal::{Journal, JournalError, ObjectId, Plant, is_url};
use crate::live::Live;
use crate::status::ObjectsStatus;
use crate::trace::Recorder;
use changes::Changes;

/// How long a change waits for a reconcile to open the write gate again: longer than its last pass takes.
const PATIENCE: Duration = Duration::from_secs(30);

/// The name at an id that no member has; none may be called that.
pub(crate) const NOBODY: &str = "?";

/// The members' profiles by their names.
pub(crate) type Profiles = BTreeMap<String, Profile>;

/// One a group and process. What is wrong with the journal keeps objects from being made, changed and destroyed, never from being used.
pub struct Keeper {
    group: String,
    serial: String,
    place: String,
    key_name: KeyName,
    copies: Live<Copies>,
    /// Of the members, by their ids; `None` at an id that nobody has.
    names: Live<Vec<Option<String>>>,
    owner: Owner,
    journal: Mutex<Shelf>,
    gate: Gate,
    /// Whether the journal's last failure is the operator's news still.
    failing: AtomicBool,
    keys: Mutex<HashMap<MemberId, (Incarnation, Option<DomainKey>)>>,
    book: Mutex<Book>,
    /// The changes that this process is about.
    changes: Changes,
    /// Where changes and reconciles are written down, if anywhere.
    trace: Option<Recorder>,
}

/// The journal as this process has it.
#[derive(Default)]
struct Shelf {
    journal: Option<Journal>,
    /// Of the last time that they were read; once there were some, a journal that is not there is one that is missing.
    profiles: Arc<Profiles>,
}

/// The domain key on a member.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct DomainKey {
    /// Its handle there.
    pub key: ObjectHandle,
    /// `CKA_TRUSTED`
    pub trusted: bool,
}

impl Keeper {
    /// That of a group. Nothing is opened.
    #[must_use]
    pub fn new(group: &GroupConfig) -> Self {
        Self {
            group: group.label.clone(),
            serial: group.serial.clone(),
            place: group.journal.clone(),
            key_name: KeyName::of_group(&group.serial),
            copies: Live::new(group.copies),
            names: Live::new(
                group
                    .members
                    .iter()
                    .map(|member| Some(member.name.clone()))
                    .collect(),
            ),
            owner: Owner::this(),
            journal: Mutex::default(),
            gate: Gate::new(&group.journal, &group.serial),
            failing: AtomicBool::new(false),
            keys: Mutex::default(),
            book: Mutex::default(),
            changes: Changes::default(),
            trace: None,
        }
    }

    /// The same with what it does written down.
    pub(crate) fn traced(self, trace: Option<Recorder>) -> Self {
        Self { trace, ..self }
    }

    pub(crate) const fn trace(&self) -> Option<&Recorder> {
        self.trace.as_ref()
    }

    /// The group's profiles, read anew; none when `everslot domain init` was never run for it: then its objects are not replicated.
    ///
    /// # Errors
    /// The journal cannot be read. Whether the group has a domain is then not known, unless there never was a file.
    pub fn profiles(&self) -> Result<Option<Arc<Profiles>>, JournalError> {
        let mut shelf = self.shelf();
        if shelf.profiles.is_empty() && !is_url(&self.place) && !Path::new(&self.place).exists() {
            return Ok(None);
        }
        let read = self.on(&mut shelf, Journal::profiles)?;
        if *shelf.profiles != read {
            // The domain key may be another one as well.
            self.keys().clear();
            shelf.profiles = Arc::new(read);
        }
        Ok((!shelf.profiles.is_empty()).then(|| Arc::clone(&shelf.profiles)))
    }

    /// Whether the group had a domain when its journal was last read.
    pub(crate) fn is_on(&self) -> bool {
        !self.shelf().profiles.is_empty()
    }

    /// Does `work` with the journal, which is opened if need be; one call at a time.
    ///
    /// # Errors
    /// See [`JournalError`]. The first of several failures in a row is logged.
    pub fn with_journal<T>(
        &self,
        work: impl FnOnce(&mut Journal) -> Result<T, JournalError>,
    ) -> Result<T, JournalError> {
        self.on(&mut self.shelf(), work)
    }

    fn on<T>(
        &self,
        shelf: &mut Shelf,
        work: impl FnOnce(&mut Journal) -> Result<T, JournalError>,
    ) -> Result<T, JournalError> {
        let done = self.opened(shelf).and_then(work);
        match &done {
            Ok(_) => {
                if self.failing.swap(false, Ordering::Relaxed) {
                    tracing::info!(group = self.group, "the journal can be used again");
                }
            }
            Err(error) => {
                // It may be another file, or another server, the next time.
                shelf.journal = None;
                if !self.failing.swap(true, Ordering::Relaxed) {
                    let group = self.group.as_str();
                    tracing::error!(group, %error, "no object is made, changed or destroyed until then; use goes on");
                }
            }
        }
        done
    }

    fn opened<'s>(&self, shelf: &'s mut Shelf) -> Result<&'s mut Journal, JournalError> {
        // A file that was moved away is not written any more.
        let moved = !is_url(&self.place) && !Path::new(&self.place).exists();
        if moved {
            shelf.journal = None;
            if !shelf.profiles.is_empty() {
                return Err(JournalError::Unusable {
                    place: self.place.clone(),
                    reason: "it is gone".to_owned(),
                });
            }
        }
        let journal = match shelf.journal.take() {
            Some(journal) => journal,
            None => Journal::open(&self.place, &self.serial)?,
        };
        Ok(shelf.journal.insert(journal))
    }

    /// Reads what has become of the group's objects since the last time. Whether there is a domain, so that they are on record at all.
    ///
    /// # Errors
    /// The journal cannot be read: what was read before stands.
    pub(crate) fn catch_up(&self) -> Result<bool, JournalError> {
        if self.profiles()?.is_none() {
            return Ok(false);
        }
        let mut book = self.book();
        self.with_journal(|journal| book.catch_up(journal))?;
        Ok(true)
    }

    /// What is on record of the object that is known by this at the members, as of the last [`catch_up`](Self::catch_up).
    pub(crate) fn record_of(&self, fingerprint: Fingerprint) -> Record {
        self.book().of_fingerprint(fingerprint)
    }

    /// What an object is known by that a member which serves shows so, as of the last [`catch_up`](Self::catch_up).
    pub(crate) fn known_as(&self, shown: &Shown) -> Fingerprint {
        self.book().known_as(shown)
    }

    /// The same by the group's own name of it.
    pub(crate) fn record_of_id(&self, id: ObjectId) -> Record {
        self.book().of_id(id)
    }

    /// Whether the journal has the object of this name, and no tombstone of it.
    pub(crate) fn is_live(&self, id: ObjectId) -> bool {
        let entry = self.with_journal(|journal| journal.entry(id));
        matches!(entry, Ok(Some(entry)) if !entry.gone)
    }

    /// Whether what bears this plant at the member is being made, or is left of what was not made.
    ///
    /// # Errors
    /// The journal cannot be read.
    pub(crate) fn is_in_the_making(
        &self,
        plant: Plant,
        member: MemberId,
    ) -> Result<bool, JournalError> {
        let name = self.name(member);
        let intents = self.with_journal(Journal::intents)?;
        Ok(intents
            .iter()
            .any(|intent| intent.plant == plant && intent.members.iter().any(|of| of == name)))
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the group's objects are where they are to be.
    #[must_use]
    pub fn status(&self) -> ObjectsStatus {
        let profiles = match self.profiles() {
            Ok(Some(_)) => self.with_journal(|journal| journal.short(self.asked())),
            Ok(None) => return ObjectsStatus::Apart,
            Err(error) => Err(error),
        };
        match profiles {
            Ok(short) => ObjectsStatus::Replicated { short },
            Err(error) => ObjectsStatus::Unknown(error.to_string()),
        }
    }

    /// On how many members an object is to live.
    fn asked(&self) -> u8 {
        let members = self.names.iter().flatten().count();
        let members = u8::try_from(members).unwrap_or(u8::MAX);
        match *self.copies {
            Copies::All => members,
            Copies::Number(number) => number.min(members).max(1),
        }
    }

    /// On how many members an object is to live, as the configuration says it.
    #[must_use]
    pub fn copies(&self) -> Copies {
        *self.copies
    }

    /// On how many members an object is to live from now on. Objects that are there get what they lack when a member next returns, or by
    /// `everslot sync`.
    pub(crate) fn set_copies(&self, copies: Copies) {
        self.copies.replace(copies);
    }

    /// Who are the members from now on, by their ids.
    pub(crate) fn set_names(&self, names: Vec<Option<String>>) {
        self.names.replace(names);
    }

    /// The domain key on the member that `token` is of; none if it has none, or more than one, or nobody is logged in there.
    ///
    /// # Errors
    /// The member gives no answer, or refuses to search.
    pub fn domain_key(
        &self,
        (member, incarnation): (MemberId, Incarnation),
        token: &mut Token<'_>,
    ) -> Result<Option<DomainKey>, CallError> {
        if let Some((seen, Some(key))) = self.keys().get(&member)
            && *seen == incarnation
        {
            return Ok(Some(*key));
        }
        let found = match self.key_name.find(token)?[..] {
            [key] => {
                let trusted = token.attributes(key, &[ck::CKA_TRUSTED])?;
                let trusted = trusted.flag(ck::CKA_TRUSTED) == Some(true);
                Some(DomainKey { key, trusted })
            }
            _ => None,
        };
        self.keys().insert(member, (incarnation, found));
        Ok(found)
    }

    /// Forgets the handle of a member's domain key: the member says that it is not valid.
    pub fn forget_domain_key(&self, member: MemberId) {
        self.keys().remove(&member);
    }

    /// Forgets all of them: handles of private objects end with the login (PKCS#11 v3.1 §5.6.9).
    pub fn forget_domain_keys(&self) {
        self.keys().clear();
    }

    /// How keys can be protected: as the members do of which that is known.
    #[must_use]
    pub fn protection(&self) -> Protection {
        let keys = self.keys();
        let mut known = keys.values().filter_map(|(_, key)| *key).peekable();
        Protection {
            trusted: known.peek().is_some() && known.all(|key| key.trusted),
        }
    }

    /// How the domain key is called.
    #[must_use]
    pub const fn key_name(&self) -> &KeyName {
        &self.key_name
    }

    /// This process, as the intents that it records name it.
    #[must_use]
    pub const fn owner(&self) -> &Owner {
        &self.owner
    }

    /// Passes the group's write gate, for a change.
    ///
    /// # Errors
    /// A reconcile keeps it closed for longer than it takes, or the locks cannot be had.
    pub(crate) fn enter(&self) -> Result<Entered, JournalError> {
        self.gate.enter(PATIENCE).inspect_err(|error| {
            let group = self.group.as_str();
            tracing::error!(group, %error, "an object was not made, changed or destroyed");
        })
    }

    /// The group's write gate.
    pub const fn gate(&self) -> &Gate {
        &self.gate
    }

    fn shelf(&self) -> MutexGuard<'_, Shelf> {
        self.journal.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn keys(&self) -> MutexGuard<'_, HashMap<MemberId, (Incarnation, Option<DomainKey>)>> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
