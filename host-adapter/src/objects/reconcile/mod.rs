//! The objects of one member made equal to the group's, as the core's [`Reconcile`] says: at recovery, and by `everslot sync`.
//!
//! It works on sessions, not on groups: a [`Peer`] is a member that can be asked. What it holds in memory does not grow with the number of objects:
//! the journal is read in pages, and marks of the members' objects stand in a temporary file. Only the list of a member's handles is in memory while
//! it is read, 8 bytes an object.

mod clean;
mod deeds;
mod destroy;
mod entries;
mod index;
mod list;
mod look;
mod terms;

use std::time::Duration;

use everslot_core::{
    Copies, Ended, MemberId, MemberSet, Progress, Reconcile, ReconcileEvent, ReconcileInput,
    ReconcileNext, Sequence,
};
use everslot_protocol::ObjectHandle;

use super::{Closed, Gate, NOBODY};
use crate::domain::key::KeyName;
use crate::domain::profile::Profile;
use crate::domain::{CallError, End, Token};
#[cfg(test)]
use crate::group::witnesses::objects as witnesses;
use crate::journal::{Entry, Journal, JournalError, Note};
use crate::trace::{Noted, Recorder};
use entries::Walk;
pub use list::{Listed, list};

use index::{Freshness, Index};
use terms::{core_revision, fingerprint, key, own_revision};

/// Notes that are written to the journal at once: each such step is on disk before the next.
const NOTES: usize = 128;

/// A member that can be asked, in a session in which the user is logged in.
pub struct Peer<'p> {
    /// Which one.
    pub member: MemberId,
    /// Its name in the group.
    pub name: String,
    /// The session.
    pub token: Token<'p>,
    /// The domain key there.
    pub domain_key: ObjectHandle,
    /// How it wraps.
    pub profile: Profile,
    index: Option<Index>,
}

/// What a reconcile works with.
pub struct Tools<'t> {
    /// The group's journal, on a connection of its own.
    pub journal: &'t mut Journal,
    /// The group's write gate.
    pub gate: &'t Gate,
    /// How the group's domain key is called.
    pub key_name: &'t KeyName,
    /// The names of all of the group's members, by their ids.
    pub names: &'t [String],
    /// On how many members an object is to live.
    pub copies: Copies,
    /// How long the gate may take to close.
    pub patience: Duration,
    /// Whether nothing is to be done to any member: then `journal` is a [duplicate](Journal::duplicate).
    pub is_trial: bool,
    /// Where what the machines are told and answer is written down, if anywhere.
    pub trace: Option<&'t Recorder>,
}

/// Who looks on.
pub trait Watcher {
    /// It has come so far, of about so many objects.
    fn progress(&mut self, progress: &Progress, of_about: u64);

    /// Something that a person may have to know of, with the object in words and, where somebody has said so, why.
    fn happened(&mut self, event: ReconcileEvent, object: &str, why: Option<&str>);

    /// Whether it is to end as soon as it can.
    fn is_over(&self) -> bool;
}

/// How a reconcile ended.
#[derive(Debug)]
#[must_use]
pub struct Outcome {
    /// How.
    pub ended: Ended,
    /// In words, where it did not end well.
    pub why: Option<String>,
    /// What it has done.
    pub progress: Progress,
    /// Who is to be reconciled next because of it.
    pub owed: MemberSet,
    /// What was last heard of the member, where it was lost.
    pub lost: Option<CallError>,
    /// The gate, closed until the member is admitted, where that is to be.
    pub closed: Option<Closed>,
}

/// Why it cannot go on.
#[derive(Debug, thiserror::Error)]
enum Halt {
    #[error("{0}")]
    Member(#[from] CallError),
    #[error("{0}")]
    Journal(#[from] JournalError),
    #[error(
        "no temporary file can be used ({0}); make room, or set SQLITE_TMPDIR to another place"
    )]
    Scratch(#[from] rusqlite::Error),
    #[error("it was interrupted")]
    Over,
}

/// One reconcile on its way.
struct Driver<'d, 't, 'p> {
    tools: &'d mut Tools<'t>,
    peers: &'d mut [Peer<'p>],
    /// Which of the peers is reconciled.
    at: usize,
    watcher: &'d mut dyn Watcher,
    is_begun: bool,
    walk: Option<Walk>,
    /// What the group has on record of the key that its stream stands at.
    entry: Option<Entry>,
    notes: Vec<Note>,
    /// The number of the first tombstone that was passed over since its destruction was still under way.
    passed_over: Option<u64>,
    closed: Option<Closed>,
    /// Objects that there are, on the side that has more of them.
    about: u64,
    /// Objects that the group itself has more than one of.
    ambiguous: u32,
    /// What was last said about a deed that was not done.
    why: Option<String>,
}

impl<'p> Peer<'p> {
    /// A member that has not been looked at yet.
    #[must_use]
    pub const fn new(
        member: MemberId,
        name: String,
        token: Token<'p>,
        domain_key: ObjectHandle,
        profile: Profile,
    ) -> Self {
        Self {
            member,
            name,
            token,
            domain_key,
            profile,
            index: None,
        }
    }

    /// Its objects, looked at if they were not yet.
    fn indexed(
        &mut self,
        key_name: &KeyName,
        journal: &mut Journal,
    ) -> Result<(&mut Index, &mut Token<'p>), Halt> {
        let index = match self.index.take() {
            Some(index) => index,
            None => {
                let mut index = Index::new(&self.name, key_name)?;
                index.scan(&mut self.token, journal)?;
                index
            }
        };
        Ok((self.index.insert(index), &mut self.token))
    }

    fn end(&mut self) -> End<'_, 'p> {
        End {
            name: &self.name,
            token: &mut self.token,
            domain_key: self.domain_key,
            profile: self.profile.clone(),
        }
    }
}

/// Makes the objects of `member`, one of the `peers`, equal to the group's; the other peers are where objects come from.
///
/// The caller has a [claim](Gate::claim) on the member. It can be begun again however it ended.
pub fn reconcile(
    member: MemberId,
    tools: &mut Tools<'_>,
    peers: &mut [Peer<'_>],
    watcher: &mut dyn Watcher,
) -> Outcome {
    let mut machine = Noted::new(Reconcile::new(member, tools.copies), tools.trace);
    let others = peers.iter().map(|peer| peer.member);
    let sources = others.fold(MemberSet::EMPTY, MemberSet::with);
    let Some(at) = peers.iter().position(|peer| peer.member == member) else {
        return Outcome {
            ended: Ended::MemberLost,
            why: None,
            progress: machine.progress(),
            owed: MemberSet::EMPTY,
            lost: None,
            closed: None,
        };
    };
    let mut driver = Driver {
        tools,
        peers,
        at,
        watcher,
        is_begun: false,
        walk: None,
        entry: None,
        notes: Vec::new(),
        passed_over: None,
        closed: None,
        about: 0,
        ambiguous: 0,
        why: None,
    };
    #[cfg(test)]
    witnesses::before(witnesses::Asked::Begin(member));
    let mut input = ReconcileInput::Start { sources };
    let (mut halted, mut lost) = (None, None);
    let ended = loop {
        let output = machine.handle(input);
        if let Some(event) = output.event {
            driver.tell(event);
        }
        driver.watcher.progress(&machine.progress(), driver.about);
        if let ReconcileNext::Over(ended) = output.next {
            break ended;
        }
        #[cfg(test)]
        witnesses::before(witnesses::Asked::Reconcile(output.next));
        input = driver.follow(output.next).unwrap_or_else(|halt| {
            halted = Some(halt.to_string());
            match halt {
                Halt::Member(error) => {
                    lost = Some(error);
                    ReconcileInput::MemberLost
                }
                Halt::Over => ReconcileInput::MemberLost,
                Halt::Journal(_) | Halt::Scratch(_) => ReconcileInput::JournalFailed,
            }
        });
    };
    driver.conclude(ended);
    let mut progress = machine.progress();
    progress.ambiguous = progress.ambiguous.saturating_add(driver.ambiguous);
    Outcome {
        ended,
        why: halted.or(driver.why),
        progress,
        owed: machine.owed(),
        lost,
        closed: driver.closed,
    }
}

impl<'p> Driver<'_, '_, 'p> {
    /// Does what the machine asks for.
    fn follow(&mut self, next: ReconcileNext) -> Result<ReconcileInput, Halt> {
        if self.watcher.is_over() {
            return Err(Halt::Over);
        }
        Ok(match next {
            ReconcileNext::Clean => {
                self.flush()?;
                self.clean()?;
                ReconcileInput::Cleaned
            }
            ReconcileNext::BeginPass => {
                self.flush()?;
                ReconcileInput::PassBegan(self.begin_pass()?)
            }
            ReconcileNext::ReadGroup { after, since, upto } => {
                ReconcileInput::Group(self.read_group(after, since, upto)?)
            }
            ReconcileNext::ReadMember { after } => {
                let key_name = self.tools.key_name;
                let (peer, journal) = self.target();
                let (index, _) = peer.indexed(key_name, journal)?;
                let found = index.after(after.map(fingerprint))?;
                ReconcileInput::Member(found.map(|found| found.entry()))
            }
            ReconcileNext::LookUp { key } => {
                let at = self.at;
                let found = self.locate(at, fingerprint(key))?;
                ReconcileInput::Member(found.map(|found| found.entry()))
            }
            ReconcileNext::Do { key, deed } => ReconcileInput::Deed(self.perform(key, deed)?),
            ReconcileNext::CloseGate => {
                self.flush()?;
                ReconcileInput::Gate {
                    closed: self.close_gate()?,
                }
            }
            // What is over asks for nothing.
            ReconcileNext::Over(_) => ReconcileInput::MemberLost,
        })
    }

    fn begin_pass(&mut self) -> Result<Sequence, Halt> {
        let sequence = self.tools.journal.sequence()?;
        self.walk = None;
        let is_trial = self.tools.is_trial;
        let indexes = self.peers.iter_mut().filter_map(|peer| peer.index.as_mut());
        for index in indexes.filter(|_| !is_trial) {
            index.freshness = Freshness::Stale;
        }
        if !self.is_begun {
            self.is_begun = true;
            let objects = self.tools.journal.live()?;
            let key_name = self.tools.key_name;
            let (peer, journal) = self.target();
            // What it has is seen anew: it may have been away since.
            peer.index = peer.index.take().filter(|_| is_trial);
            self.about = objects.max(peer.indexed(key_name, journal)?.0.len()?);
        }
        Ok(Sequence(sequence))
    }

    fn close_gate(&mut self) -> Result<bool, Halt> {
        if self.tools.is_trial {
            return Ok(true);
        }
        match self.tools.gate.close_within(self.tools.patience) {
            Ok(closed) => {
                self.closed = Some(closed);
                Ok(true)
            }
            Err(error @ JournalError::Busy { .. }) => {
                self.why = Some(error.to_string());
                Ok(false)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// The member that is reconciled, and the journal.
    const fn target(&mut self) -> (&mut Peer<'p>, &mut Journal) {
        (&mut self.peers[self.at], self.tools.journal)
    }

    fn tell(&mut self, event: ReconcileEvent) {
        let key = match event {
            ReconcileEvent::Conflict(key)
            | ReconcileEvent::Ambiguous(key)
            | ReconcileEvent::Stays(key)
            | ReconcileEvent::Postponed(key)
            | ReconcileEvent::Refused(key)
            | ReconcileEvent::Missing(key) => key,
        };
        let object = self.words(fingerprint(key));
        let why = self.why.take();
        self.watcher.happened(event, &object, why.as_deref());
    }

    /// Notes what is left to be noted. A journal that fails in this has to be told again: by the next reconcile.
    fn conclude(&mut self, ended: Ended) {
        let _ = self.flush();
        if let Ended::Equal { upto } = ended {
            self.why = None;
            let (peer, journal) = (&self.peers[self.at], &mut *self.tools.journal);
            let noted = journal.set_equal(&peer.name, upto.0);
            let names = self.tools.names.iter();
            let members: Vec<_> = names.filter(|name| *name != NOBODY).cloned().collect();
            let _ = noted.and_then(|()| journal.forget_gone(&members));
        }
    }

    /// Writes down what is to be noted.
    fn flush(&mut self) -> Result<(), Halt> {
        let notes = std::mem::take(&mut self.notes);
        Ok(self.tools.journal.note(&notes)?)
    }

    fn note(&mut self, note: Note) -> Result<(), Halt> {
        self.notes.push(note);
        if self.notes.len() >= NOTES {
            self.flush()?;
        }
        Ok(())
    }
}
