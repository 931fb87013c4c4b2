//! A group of real tokens with a journal, to reconcile.

use std::time::Duration;

use cryptoki_sys::*;
use everslot::domain::key::KeyName;
use everslot::domain::profile::Profile;
use everslot::domain::{
    Attributes, End, Fingerprint, Recipient, Shown, Token, establish, try_members,
};
use everslot::journal::{Entries, Entry, Intent, IntentKind, Journal, ObjectId, Plant, Range};
use everslot::objects::{Gate, Outcome, Peer, Tools, Watcher, reconcile};
use everslot_core::{Copies, Ended, MemberId, Progress, ReconcileEvent};
use everslot_protocol::ObjectHandle;

use crate::makes::{Make, Member};

const SERIAL: &str = "e1a0c3";
const P256: &[u8] = &[0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];

pub(super) struct Group {
    pub(super) members: Vec<Member>,
    names: Vec<String>,
    keys: Vec<ObjectHandle>,
    profiles: Vec<Profile>,
    pub(super) journal: Journal,
    pub(super) gate: Gate,
    place: String,
    /// A tombstone that the next reconcile finds forgotten, when it has begun to read.
    pub(super) forgotten_meanwhile: Option<ObjectId>,
    _directory: tempfile::TempDir,
}

/// Writes down what happens.
#[derive(Default)]
struct Log {
    lines: Vec<String>,
    /// What another member's reconcile forgets once this one has begun to read.
    forgotten: Option<(Journal, ObjectId)>,
}

impl Watcher for Log {
    fn progress(&mut self, progress: &Progress, _: u64) {
        if progress.looked_at > 0
            && let Some((mut journal, tombstone)) = self.forgotten.take()
        {
            journal.forget(tombstone).unwrap();
        }
    }

    fn happened(&mut self, event: ReconcileEvent, object: &str, why: Option<&str>) {
        let event = format!("{event:?}");
        let event = event.split('(').next().unwrap();
        self.lines
            .push(format!("{event} {object}: {}", why.unwrap_or("")));
    }

    fn is_over(&self) -> bool {
        false
    }
}

impl Group {
    pub(super) fn of(makes: &[Make]) -> Self {
        let mut members: Vec<_> = makes.iter().map(|make| Member::new(*make)).collect();
        let names: Vec<_> = ["a", "b", "c"].map(str::to_owned)[..makes.len()].to_vec();
        let key_name = KeyName::of_group(SERIAL);
        let keys = {
            let mut tokens: Vec<_> = members.iter_mut().map(Member::token).collect();
            let mut recipients: Vec<_> = tokens
                .iter_mut()
                .map(|token| Recipient { token, pins: None })
                .collect();
            let received = establish(&mut recipients, &key_name).unwrap();
            received
                .iter()
                .map(|received| received.key)
                .collect::<Vec<_>>()
        };
        let profiles = {
            let mut tokens: Vec<_> = members.iter_mut().map(Member::token).collect();
            let ends = tokens.iter_mut().zip(&keys).zip(&names);
            let mut ends: Vec<_> = ends
                .map(|((token, key), name)| End {
                    name,
                    token,
                    domain_key: *key,
                    profile: Profile::default(),
                })
                .collect();
            assert_eq!(try_members(&mut ends).unwrap().failed, []);
            ends.into_iter().map(|end| end.profile).collect()
        };
        let directory = tempfile::tempdir().unwrap();
        let place = directory.path().join("journal.sqlite");
        let place = place.display().to_string();
        Self {
            members,
            names,
            keys,
            profiles,
            journal: Journal::open(&place, SERIAL).unwrap(),
            gate: Gate::new(&place, SERIAL),
            place,
            forgotten_meanwhile: None,
            _directory: directory,
        }
    }

    pub(super) fn softhsm(members: usize) -> Self {
        Self::of(&vec![Make::SoftHsm; members])
    }

    /// Reconciles one member, with these other ones there.
    pub(super) fn reconcile(&mut self, member: usize, others: &[usize]) -> (Outcome, Vec<String>) {
        let present: Vec<_> = others.iter().copied().chain([member]).collect();
        let (outcome, log) = self.among(member, &present, Copies::All, false);
        let closed = None;
        (Outcome { closed, ..outcome }, log)
    }

    pub(super) fn among(
        &mut self,
        member: usize,
        present: &[usize],
        copies: Copies,
        is_trial: bool,
    ) -> (Outcome, Vec<String>) {
        let mut trial = is_trial.then(|| self.journal.duplicate().unwrap());
        let key_name = KeyName::of_group(SERIAL);
        let parts = self.members.iter_mut().enumerate();
        let mut peers: Vec<_> = parts
            .filter(|(index, _)| present.contains(index))
            .map(|(index, member)| {
                let id = MemberId(u8::try_from(index).unwrap());
                let profile = self.profiles[index].clone();
                let name = self.names[index].clone();
                Peer::new(id, name, member.token(), self.keys[index], profile)
            })
            .collect();
        let mut tools = Tools {
            journal: trial.as_mut().unwrap_or(&mut self.journal),
            gate: &self.gate,
            key_name: &key_name,
            names: &self.names,
            copies,
            patience: Duration::from_secs(5),
            is_trial,
            trace: None,
        };
        let forgotten = self.forgotten_meanwhile.take();
        let forget = |tombstone| {
            let journal = Journal::open_existing(&self.place, SERIAL);
            (journal.unwrap(), tombstone)
        };
        let mut log = Log {
            lines: Vec::new(),
            forgotten: forgotten.map(forget),
        };
        let id = MemberId(u8::try_from(member).unwrap());
        let outcome = reconcile(id, &mut tools, &mut peers, &mut log);
        (outcome, log.lines)
    }

    /// Every member, until nobody owes anybody anything.
    pub(super) fn all(&mut self) -> Vec<String> {
        let (mut log, everybody) = (Vec::new(), (0..self.members.len()).collect::<Vec<_>>());
        for _ in 0..2 {
            for member in 0..self.members.len() {
                let (outcome, told) = self.among(member, &everybody, Copies::All, false);
                assert!(is_equal(&outcome), "{outcome:?}");
                log.extend(told);
            }
        }
        log.sort();
        log.dedup();
        log
    }

    pub(super) fn token(&mut self, member: usize) -> Token<'_> {
        self.members[member].token()
    }

    /// What a member has but the domain key, in the order of its fingerprints.
    pub(super) fn held(&mut self, member: usize) -> Vec<Fingerprint> {
        let handles = self.handles(member);
        let mut token = self.token(member);
        let of = |handle: &ObjectHandle| Shown::of(&mut token, *handle).unwrap().fingerprint();
        let mut held: Vec<_> = handles.iter().map(of).collect();
        held.sort();
        held
    }

    pub(super) fn handles(&mut self, member: usize) -> Vec<ObjectHandle> {
        let domain_key = self.keys[member];
        let mut handles = self.find(member, &Attributes::new().flags(&[CKA_TOKEN], true));
        handles.retain(|handle| *handle != domain_key);
        handles
    }

    pub(super) fn find(&mut self, member: usize, attributes: &Attributes) -> Vec<ObjectHandle> {
        self.token(member).find(attributes).unwrap()
    }

    pub(super) fn labelled(&mut self, member: usize, label: &str) -> Vec<ObjectHandle> {
        self.find(
            member,
            &Attributes::new().bytes(CKA_LABEL, label.as_bytes()),
        )
    }

    pub(super) fn empty(&mut self, member: usize) {
        for handle in self.handles(member) {
            self.token(member).destroy(handle).unwrap();
        }
    }

    pub(super) fn entries(&mut self) -> Vec<Entry> {
        let mut entries = Entries::new(Range::default());
        std::iter::from_fn(|| entries.next(&mut self.journal).unwrap()).collect()
    }

    pub(super) fn entry(&mut self, of: Fingerprint) -> Entry {
        let found = self.journal.with_fingerprint(of).unwrap();
        found.into_iter().next().unwrap()
    }

    pub(super) fn make_data(&mut self, member: usize, label: &str) -> ObjectHandle {
        let template = Attributes::new()
            .number(CKA_CLASS, CKO_DATA)
            .bytes(CKA_LABEL, label.as_bytes())
            .bytes(CKA_VALUE, b"some data")
            .flags(&[CKA_TOKEN], true)
            .flags(&[CKA_PRIVATE], false);
        self.token(member).create(&template).unwrap()
    }

    /// An EC pair, an RSA pair, an AES key and a generic secret.
    pub(super) fn make_keys(&mut self, member: usize) {
        let named = |label: &str, id: u8| {
            Attributes::new()
                .bytes(CKA_LABEL, label.as_bytes())
                .bytes(CKA_ID, &[id])
                .flags(&[CKA_TOKEN], true)
        };
        let secret = |label: &str, id| {
            named(label, id).flags(&[CKA_PRIVATE, CKA_SENSITIVE, CKA_EXTRACTABLE], true)
        };
        let mut token = self.token(member);
        let public = named("ec", 1)
            .bytes(CKA_EC_PARAMS, P256)
            .flags(&[CKA_VERIFY], true);
        let private = secret("ec", 1).flags(&[CKA_SIGN], true);
        token
            .generate_pair(CKM_EC_KEY_PAIR_GEN, &public, &private)
            .unwrap();
        let public = named("rsa", 2)
            .number(CKA_MODULUS_BITS, 2048)
            .flags(&[CKA_VERIFY], true);
        let private = secret("rsa", 2).flags(&[CKA_SIGN], true);
        token
            .generate_pair(CKM_RSA_PKCS_KEY_PAIR_GEN, &public, &private)
            .unwrap();
        let key = secret("aes", 3)
            .number(CKA_VALUE_LEN, 32)
            .flags(&[CKA_ENCRYPT, CKA_DECRYPT], true);
        token.generate(CKM_AES_KEY_GEN, &key).unwrap();
        let key = secret("generic", 4)
            .number(CKA_VALUE_LEN, 32)
            .flags(&[CKA_SIGN, CKA_VERIFY], true);
        token.generate(CKM_GENERIC_SECRET_KEY_GEN, &key).unwrap();
    }

    pub(super) fn make_curve(&mut self, member: usize, id: u8) {
        let named = Attributes::new()
            .bytes(CKA_LABEL, format!("curve {id}").as_bytes())
            .bytes(CKA_ID, &[id])
            .flags(&[CKA_TOKEN], true);
        let public = named.clone().bytes(CKA_EC_PARAMS, P256);
        let hidden = [CKA_PRIVATE, CKA_SENSITIVE, CKA_EXTRACTABLE, CKA_SIGN];
        self.token(member)
            .generate_pair(
                CKM_EC_KEY_PAIR_GEN,
                &public.flags(&[CKA_VERIFY], true),
                &named.flags(&hidden, true),
            )
            .unwrap();
    }

    pub(super) fn make_some(&mut self, member: usize) {
        self.make_keys(member);
        self.make_data(member, "data");
    }

    /// Destroys an object as a change does that only these members were there for.
    pub(super) fn destroy(&mut self, label: &str, present: &[usize]) {
        let mark = u64::from(label.as_bytes()[0]) << 8;
        for (number, handle) in (mark..).zip(self.labelled(present[0], label)) {
            let fingerprint = Shown::of(&mut self.token(present[0]), handle)
                .unwrap()
                .fingerprint();
            let object = self.entry(fingerprint).object.id;
            let plant = Plant {
                mark: number,
                attempt: 0,
            };
            let intent = Intent {
                plant,
                kind: IntentKind::Destroy,
                members: present
                    .iter()
                    .map(|index| self.names[*index].clone())
                    .collect(),
                object: Some(object),
                fingerprint: Some(fingerprint),
                owner: String::new(),
            };
            assert!(self.journal.record(&intent).unwrap());
            self.journal
                .commit_destruction(plant, object, &intent.members)
                .unwrap();
        }
        for member in present {
            for handle in self.labelled(*member, label) {
                self.token(*member).destroy(handle).unwrap();
            }
        }
    }
}

pub(super) const fn is_equal(outcome: &Outcome) -> bool {
    matches!(outcome.ended, Ended::Equal { .. })
}
