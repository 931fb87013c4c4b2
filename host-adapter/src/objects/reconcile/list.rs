//! Every object that the members of a group have, or are on record to have.

use cryptoki_sys as ck;

use super::index::Found;
use super::{Halt, Peer};
use crate::domain::key::KeyName;
use crate::domain::{Attributes, Fingerprint, NAMES};
use crate::journal::{Entries, Entry, Journal, Range};
use crate::objects::planted;

/// An object, wherever it is.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Listed {
    /// What it is known by.
    pub fingerprint: Fingerprint,
    /// `CKO_…`
    pub class: u64,
    /// `CKA_LABEL`; empty if nobody who was asked has the object.
    pub label: Vec<u8>,
    /// `CKA_ID`, likewise.
    pub id: Vec<u8>,
    /// The members that were asked and have it.
    pub members: Vec<String>,
    /// Those of them that have it more than once.
    pub twins: Vec<String>,
    /// The members that could not be asked and are on record to have it.
    pub away: Vec<String>,
    /// How many the group has on record; none when it does not know the object yet.
    pub on_record: usize,
    /// Whether those that have it let it go, as far as they say.
    pub carryable: bool,
    /// Whether it is being made.
    pub pending: bool,
}

/// Gives every object to `take`, in the order of their fingerprints.
///
/// # Errors
/// One line: a member or the journal fails.
pub fn list(
    journal: &mut Journal,
    key_name: &KeyName,
    peers: &mut [Peer<'_>],
    mut take: impl FnMut(Listed),
) -> Result<(), String> {
    for peer in &mut *peers {
        let looked = peer.indexed(key_name, journal).map(drop);
        looked.map_err(|halt| format!("member {:?}: {halt}", peer.name))?;
    }
    merge(journal, peers, &mut take).map_err(|halt| halt.to_string())
}

fn merge(
    journal: &mut Journal,
    peers: &mut [Peer<'_>],
    take: &mut dyn FnMut(Listed),
) -> Result<(), Halt> {
    let mut entries = Entries::new(Range::default());
    let mut entry = next_live(&mut entries, journal)?;
    let mut after = None;
    loop {
        let mut least = entry.as_ref().map(|entry| entry.object.fingerprint);
        for peer in &*peers {
            let found = peer
                .index
                .as_ref()
                .map_or(Ok(None), |index| index.after(after))?;
            let found = found.map(|found| found.fingerprint);
            least = [least, found].into_iter().flatten().min();
        }
        let Some(fingerprint) = least else {
            return Ok(());
        };
        let mut known = Vec::new();
        while let Some(same) = entry.take_if(|entry| entry.object.fingerprint == fingerprint) {
            known.push(same);
            entry = next_live(&mut entries, journal)?;
        }
        take(listed(fingerprint, &known, peers)?);
        after = Some(fingerprint);
    }
}

fn next_live(entries: &mut Entries, journal: &mut Journal) -> Result<Option<Entry>, Halt> {
    loop {
        match entries.next(journal)? {
            Some(entry) if entry.gone => {}
            entry => return Ok(entry),
        }
    }
}

fn listed(
    fingerprint: Fingerprint,
    known: &[Entry],
    peers: &mut [Peer<'_>],
) -> Result<Listed, Halt> {
    let mut listed = Listed {
        fingerprint,
        class: known.first().map_or(u64::MAX, |entry| entry.object.class),
        label: Vec::new(),
        id: Vec::new(),
        members: Vec::new(),
        twins: Vec::new(),
        away: Vec::new(),
        on_record: known.len(),
        carryable: true,
        pending: false,
    };
    for peer in &mut *peers {
        let found = peer
            .index
            .as_ref()
            .map_or(Ok(None), |index| index.at(fingerprint))?;
        if let Some(found) = found {
            listed.add(peer, &found);
        }
    }
    let holders = known.iter().flat_map(|entry| &entry.holders);
    for holder in holders {
        let asked = peers.iter().any(|peer| peer.name == holder.member);
        if !asked && !listed.away.contains(&holder.member) {
            listed.away.push(holder.member.clone());
        }
    }
    Ok(listed)
}

impl Listed {
    fn add(&mut self, peer: &mut Peer<'_>, found: &Found) {
        if self.members.is_empty() {
            // One that has gone in the meantime has no name.
            let names = peer.token.attributes(found.handle, NAMES);
            let names = names.unwrap_or_else(|_| Attributes::new());
            let label = names.get(ck::CKA_LABEL).unwrap_or_default();
            self.label = planted::label_of(label).to_vec();
            self.id = names.get(ck::CKA_ID).unwrap_or_default().to_vec();
            self.class = found.class;
        }
        self.members.push(peer.name.clone());
        if found.twins {
            self.twins.push(peer.name.clone());
        }
        self.carryable &= found.carryable;
        self.pending |= found.pending;
    }
}
