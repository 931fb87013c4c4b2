//! Members' objects made the same as the group's, on real tokens: what is copied, destroyed, changed, adopted, and what is left alone.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on says where")]

mod makes;

use std::time::Duration;

use cryptoki_sys::*;
use everslot::domain::key::KeyName;
use everslot::domain::profile::Profile;
use everslot::domain::{Attributes, End, Fingerprint, Recipient, Token, establish, try_members};
use everslot::journal::{Entries, Entry, Intent, IntentKind, Journal, Plant, Range};
use everslot::objects::planted::label_with;
use everslot::objects::{Gate, Outcome, Peer, Tools, Watcher, reconcile};
use everslot_core::{Copies, Ended, MemberId, Progress, ReconcileEvent};
use everslot_protocol::ObjectHandle;
use makes::{Make, Member};

const SERIAL: &str = "e1a0c3";
const P256: &[u8] = &[0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];

struct Group {
    members: Vec<Member>,
    names: Vec<String>,
    keys: Vec<ObjectHandle>,
    profiles: Vec<Profile>,
    journal: Journal,
    gate: Gate,
    _directory: tempfile::TempDir,
}

/// Writes down what happens.
#[derive(Default)]
struct Log(Vec<String>);

impl Watcher for Log {
    fn progress(&mut self, _: &Progress, _: u64) {}

    fn happened(&mut self, event: ReconcileEvent, object: &str, why: Option<&str>) {
        let event = format!("{event:?}");
        let event = event.split('(').next().unwrap();
        self.0
            .push(format!("{event} {object}: {}", why.unwrap_or("")));
    }

    fn is_over(&self) -> bool {
        false
    }
}

impl Group {
    fn of(makes: &[Make]) -> Self {
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
            _directory: directory,
        }
    }

    fn softhsm(members: usize) -> Self {
        Self::of(&vec![Make::SoftHsm; members])
    }

    /// Reconciles one member, with these other ones there.
    fn reconcile(&mut self, member: usize, others: &[usize]) -> (Outcome, Vec<String>) {
        let present: Vec<_> = others.iter().copied().chain([member]).collect();
        let (outcome, log) = self.among(member, &present, Copies::All, false);
        let closed = None;
        (Outcome { closed, ..outcome }, log)
    }

    fn among(
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
        };
        let mut log = Log::default();
        let id = MemberId(u8::try_from(member).unwrap());
        let outcome = reconcile(id, &mut tools, &mut peers, &mut log);
        (outcome, log.0)
    }

    /// Every member, until nobody owes anybody anything.
    fn all(&mut self) -> Vec<String> {
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

    fn token(&mut self, member: usize) -> Token<'_> {
        self.members[member].token()
    }

    /// What a member has but the domain key, in the order of its fingerprints.
    fn held(&mut self, member: usize) -> Vec<Fingerprint> {
        let handles = self.handles(member);
        let mut token = self.token(member);
        let of = |handle: &ObjectHandle| Fingerprint::of(&mut token, *handle).unwrap();
        let mut held: Vec<_> = handles.iter().map(of).collect();
        held.sort();
        held
    }

    fn handles(&mut self, member: usize) -> Vec<ObjectHandle> {
        let domain_key = self.keys[member];
        let mut handles = self.find(member, &Attributes::new().flags(&[CKA_TOKEN], true));
        handles.retain(|handle| *handle != domain_key);
        handles
    }

    fn find(&mut self, member: usize, attributes: &Attributes) -> Vec<ObjectHandle> {
        self.token(member).find(attributes).unwrap()
    }

    fn labelled(&mut self, member: usize, label: &str) -> Vec<ObjectHandle> {
        self.find(
            member,
            &Attributes::new().bytes(CKA_LABEL, label.as_bytes()),
        )
    }

    fn empty(&mut self, member: usize) {
        for handle in self.handles(member) {
            self.token(member).destroy(handle).unwrap();
        }
    }

    fn entries(&mut self) -> Vec<Entry> {
        let mut entries = Entries::new(Range::default());
        std::iter::from_fn(|| entries.next(&mut self.journal).unwrap()).collect()
    }

    fn entry(&mut self, of: Fingerprint) -> Entry {
        let found = self.journal.with_fingerprint(of).unwrap();
        found.into_iter().next().unwrap()
    }

    fn make_data(&mut self, member: usize, label: &str) -> ObjectHandle {
        let template = Attributes::new()
            .number(CKA_CLASS, CKO_DATA)
            .bytes(CKA_LABEL, label.as_bytes())
            .bytes(CKA_VALUE, b"some data")
            .flags(&[CKA_TOKEN], true)
            .flags(&[CKA_PRIVATE], false);
        self.token(member).create(&template).unwrap()
    }

    /// An EC pair, an RSA pair, an AES key and a generic secret.
    fn make_keys(&mut self, member: usize) {
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

    fn make_curve(&mut self, member: usize, id: u8) {
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

    fn make_some(&mut self, member: usize) {
        self.make_keys(member);
        self.make_data(member, "data");
    }

    /// Destroys an object as a change does that only these members were there for.
    fn destroy(&mut self, label: &str, present: &[usize]) {
        let mark = u64::from(label.as_bytes()[0]) << 8;
        for (number, handle) in (mark..).zip(self.labelled(present[0], label)) {
            let fingerprint = Fingerprint::of(&mut self.token(present[0]), handle).unwrap();
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

const fn is_equal(outcome: &Outcome) -> bool {
    matches!(outcome.ended, Ended::Equal { .. })
}

#[test]
fn what_there_is_becomes_the_groups_and_comes_to_every_member() {
    let makes = Make::installed();
    let mut group = Group::of(&makes);
    group.make_keys(0);
    let key = Attributes::new()
        .bytes(CKA_LABEL, b"of the last")
        .number(CKA_VALUE_LEN, 32)
        .flags(
            &[
                CKA_TOKEN,
                CKA_PRIVATE,
                CKA_SENSITIVE,
                CKA_EXTRACTABLE,
                CKA_ENCRYPT,
            ],
            true,
        );
    let last = makes.len() - 1;
    group.token(last).generate(CKM_AES_KEY_GEN, &key).unwrap();
    assert_eq!(group.all(), [] as [String; 0]);
    let held = group.held(0);
    assert_eq!(held.len(), 7);
    for (member, make) in makes.iter().enumerate().skip(1) {
        assert_eq!(group.held(member), held, "{make:?}");
    }
    for entry in group.entries() {
        assert_eq!(entry.holders.len(), makes.len());
        assert!(
            entry
                .holders
                .iter()
                .all(|holder| holder.revision == Some(entry.object.revision))
        );
    }
    let sequence = group.journal.sequence().unwrap();
    let again = group.reconcile(1, &[0]).0;
    let progress = Progress {
        looked_at: again.progress.looked_at,
        ..Progress::default()
    };
    assert_eq!(again.progress, progress, "nothing is left to be done");
    assert_eq!(group.journal.sequence().unwrap(), sequence);
}

#[test]
fn a_member_that_returns_empty_gets_everything_back() {
    let mut group = Group::softhsm(3);
    group.make_some(0);
    group.all();
    let held = group.held(0);
    group.empty(1);
    let (outcome, log) = group.reconcile(1, &[0, 2]);
    assert!(is_equal(&outcome), "{outcome:?}");
    assert_eq!(
        (outcome.progress.copied as usize, log.len()),
        (held.len(), 0)
    );
    assert_eq!(group.held(1), held);
}

#[test]
fn what_was_destroyed_while_it_was_away_goes_and_does_not_come_back() {
    let mut group = Group::softhsm(2);
    group.make_some(0);
    group.all();
    // A pair, whose private key is known by its public key.
    group.destroy("ec", &[0]);
    group.destroy("data", &[0]);
    assert_eq!(group.held(1).len(), 7);
    assert!(group.journal.is_behind("b", true).unwrap());
    let (outcome, _) = group.reconcile(1, &[0]);
    assert!(is_equal(&outcome), "{outcome:?}");
    assert_eq!(outcome.progress.adopted, 0);
    assert_eq!(group.held(1), group.held(0));
    assert!(!group.journal.is_behind("b", true).unwrap());
    // Both were found equal since: nobody can come back with it.
    group.all();
    assert!(group.entries().iter().all(|entry| !entry.gone));
}

#[test]
fn what_has_changed_on_one_member_changes_on_the_others() {
    let mut group = Group::softhsm(2);
    group.make_some(0);
    group.all();
    let key = group.labelled(1, "aes")[0];
    let changed = Attributes::new().flags(&[CKA_DECRYPT], false);
    group.token(1).set(key, &changed).unwrap();
    assert_eq!(group.reconcile(1, &[0]).0.progress.changes_adopted, 1);
    assert_eq!(group.reconcile(0, &[1]).0.progress.updated, 1);
    let key = group.labelled(0, "aes")[0];
    let shown = group.token(0).attributes(key, &[CKA_DECRYPT]).unwrap();
    assert_eq!(shown.flag(CKA_DECRYPT), Some(false));
}

#[test]
fn twins_are_told_of_and_left_alone() {
    let mut group = Group::softhsm(2);
    group.make_data(0, "twin");
    group.make_data(0, "twin");
    let log = group.all();
    assert_eq!(log, ["Ambiguous data \"twin\": "]);
    assert_eq!((group.held(0).len(), group.held(1).len()), (2, 0));
    assert_eq!(group.entries(), []);
}

#[test]
fn a_key_that_cannot_be_carried_stays_where_it_is_and_is_told_of() {
    let mut group = Group::softhsm(2);
    let key = Attributes::new()
        .bytes(CKA_LABEL, b"fixed")
        .number(CKA_VALUE_LEN, 32)
        .flags(&[CKA_TOKEN, CKA_PRIVATE, CKA_SENSITIVE], true)
        .flags(&[CKA_EXTRACTABLE], false);
    group.token(0).generate(CKM_AES_KEY_GEN, &key).unwrap();
    let log = group.all();
    assert!(
        log.iter()
            .any(|line| line
                .starts_with("Stays secret key \"fixed\": the key cannot leave its token")),
        "{log:?}"
    );
    assert_eq!((group.held(0).len(), group.held(1).len()), (1, 0));
    assert_eq!(group.entries()[0].holders.len(), 1);
}

#[test]
fn with_a_number_of_copies_there_are_so_many() {
    let mut group = Group::softhsm(3);
    group.make_data(0, "data");
    let copies = Copies::Number(2);
    for member in [0, 1, 2, 0] {
        let outcome = group.among(member, &[0, 1, 2], copies, false).0;
        assert!(is_equal(&outcome), "{outcome:?}");
    }
    let held: usize = (0..3).map(|member| group.held(member).len()).sum();
    assert_eq!(held, 2);
}

#[test]
fn a_trial_does_nothing_and_says_what_would_be_done() {
    let mut group = Group::softhsm(2);
    group.make_some(0);
    assert!(is_equal(&group.reconcile(0, &[]).0));
    group.make_data(1, "of b");
    let sequence = group.journal.sequence().unwrap();
    let (outcome, _) = group.among(1, &[0, 1], Copies::All, true);
    assert!(is_equal(&outcome), "{outcome:?}");
    assert_eq!((outcome.progress.copied, outcome.progress.adopted), (7, 1));
    assert_eq!(group.held(1).len(), 1);
    assert_eq!(group.journal.sequence().unwrap(), sequence);
}

#[test]
fn what_a_process_has_left_half_made_is_cleaned_and_what_it_has_made_is_named() {
    let mut group = Group::softhsm(2);
    let plant = |mark| Plant { mark, attempt: 0 };
    let planted = |group: &mut Group, mark| {
        let label = label_with(plant(mark), b"data");
        group.make_data(1, std::str::from_utf8(&label).unwrap())
    };
    // Of a process that has ended, of one that nobody knows to have ended, and one that was committed.
    let ended = Intent {
        plant: plant(1),
        kind: IntentKind::Create,
        members: vec!["b".to_owned()],
        object: None,
        fingerprint: None,
        owner: String::new(),
    };
    assert!(group.journal.record(&ended).unwrap());
    planted(&mut group, 1);
    let (outcome, _) = group.reconcile(1, &[0]);
    assert!(is_equal(&outcome), "{outcome:?}");
    assert_eq!(
        (group.held(1), group.journal.intents().unwrap()),
        (vec![], vec![])
    );
    let elsewhere = Intent {
        plant: plant(2),
        owner: "machine/boot/pid:[1]/1/1".to_owned(),
        ..ended
    };
    assert!(group.journal.record(&elsewhere).unwrap());
    planted(&mut group, 2);
    // Nobody else is in the gate when it is closed: then it is over, wherever it ran.
    assert!(is_equal(&group.reconcile(1, &[0]).0));
    assert_eq!(
        (group.held(1), group.journal.intents().unwrap()),
        (vec![], vec![])
    );
    planted(&mut group, 3);
    let (outcome, _) = group.reconcile(1, &[0]);
    assert_eq!(outcome.progress.adopted, 1);
    assert_eq!(group.labelled(1, "data").len(), 1);
}

#[test]
fn a_member_that_keeps_what_was_destroyed_is_not_equal() {
    let mut group = Group::softhsm(2);
    let template = Attributes::new()
        .number(CKA_CLASS, CKO_DATA)
        .bytes(CKA_LABEL, b"kept")
        .flags(&[CKA_TOKEN], true)
        .flags(&[CKA_PRIVATE, CKA_DESTROYABLE], false);
    group.token(1).create(&template).unwrap();
    assert!(is_equal(&group.reconcile(1, &[]).0));
    let entry = group.entries().remove(0);
    let intent = Intent {
        plant: Plant {
            mark: 1,
            attempt: 0,
        },
        kind: IntentKind::Destroy,
        members: Vec::new(),
        object: Some(entry.object.id),
        fingerprint: None,
        owner: String::new(),
    };
    assert!(group.journal.record(&intent).unwrap());
    let outcome = group.reconcile(1, &[0]).0;
    assert!(
        matches!(outcome.ended, Ended::KeepsDestroyed(_)),
        "{outcome:?}"
    );
    assert!(outcome.closed.is_none());
}

#[test]
fn the_gate_is_closed_until_whoever_asked_lets_go() {
    let mut group = Group::softhsm(2);
    let entered = group.gate.enter(Duration::ZERO).unwrap();
    let (outcome, _) = group.reconcile(1, &[0]);
    assert_eq!(outcome.ended, Ended::GateNotClosed);
    drop(entered);
    let (outcome, _) = group.among(1, &[0, 1], Copies::All, false);
    assert!(is_equal(&outcome), "{outcome:?}");
    assert!(group.gate.enter(Duration::ZERO).is_err());
    drop(outcome);
    drop(group.gate.enter(Duration::ZERO).unwrap());
}

#[test]
fn two_members_lost_alternately_end_the_same() {
    let mut group = Group::softhsm(2);
    group.make_some(0);
    group.all();
    group.destroy("aes", &[0]);
    group.make_data(1, "late");
    assert!(is_equal(&group.reconcile(1, &[0]).0));
    group.empty(0);
    group.make_data(0, "later");
    assert!(is_equal(&group.reconcile(0, &[1]).0));
    group.all();
    assert_eq!(group.held(0), group.held(1));
    assert_eq!(group.held(0).len(), 8);
    assert_eq!(group.labelled(0, "aes"), []);
}

/// SoftHSM does not show the point of an EC private key: it is known by the public key beside it.
#[test]
fn a_private_key_is_the_same_when_its_public_key_has_gone_on_one_member_alone() {
    let mut group = Group::softhsm(2);
    // So many that each of the three fingerprints (with the public key, without it, the public key's own) is now the first, now the last.
    for id in 1..=8 {
        group.make_curve(0, id);
    }
    assert_eq!(group.all(), [] as [String; 0]);
    let (held, entries) = (group.held(0), group.entries().len());
    let publics = Attributes::new().number(CKA_CLASS, CKO_PUBLIC_KEY);
    for public in group.find(1, &publics) {
        group.token(1).destroy(public).unwrap();
    }
    let (outcome, log) = group.reconcile(1, &[0]);
    assert!(is_equal(&outcome), "{outcome:?}");
    assert_eq!(log, [] as [String; 0]);
    assert_eq!(outcome.progress.adopted, 0, "{outcome:?}");
    assert_eq!(group.held(1), held);
    assert_eq!(group.entries().len(), entries, "nothing is another object");
    let (outcome, _) = group.reconcile(0, &[1]);
    assert!(is_equal(&outcome), "{outcome:?}");
    assert_eq!(group.held(0), held);
}
