//! The processes of a script: each has a group of its own, over the same tokens and the same journal.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use cryptoki_sys as ck;
use everslot_core::{Copies, MemberId, Replayable};
use sha2::{Digest, Sha256};

use super::super::script::Job;
use super::super::stops::Stops;
use super::super::token::ScriptedToken;
use super::script::Setting;
use super::store::Store;
use crate::config::{Config, GroupConfig};
use crate::domain::profile::Profile;
use crate::domain::{Attributes, Fingerprint};
use crate::group::GroupDriver;
use crate::group::load::Loads;
use crate::journal::Journal;
use crate::slot_events::{EventFlag, SlotEvents};
use crate::threads::Threads;

/// By which members are told apart.
pub(super) const NAMES: [&str; 3] = ["A", "B", "C"];
pub(super) const SERIAL: &str = "1";
/// Of each object.
pub(super) const VALUE: &[u8] = b"the value";

/// Operations are none of these scripts'.
const JOB: Job = Job {
    replayable: Replayable::Never,
    bound: 0,
    output: false,
    _parts: 0,
    unlike: false,
};

pub(super) fn journal(directory: &Path) -> PathBuf {
    directory.join("journal.sqlite")
}

/// The group has a domain.
pub(super) fn establish(directory: &Path, stores: &[Arc<Store>]) {
    let place = journal(directory);
    let opened = Journal::open(place.to_str().expect("a path of text"), SERIAL);
    let profiles = NAMES.iter().take(stores.len());
    let profiles = profiles.map(|name| ((*name).to_owned(), Profile::default()));
    let profiles: BTreeMap<_, _> = profiles.collect();
    let set = opened.and_then(|mut journal| journal.set_profiles(&profiles));
    set.expect("a journal");
    let id = Sha256::digest(format!("everslot domain key\0{SERIAL}"));
    for store in stores {
        store.put(
            Attributes::new()
                .number(ck::CKA_CLASS, ck::CKO_SECRET_KEY)
                .number(ck::CKA_KEY_TYPE, ck::CKK_AES)
                .bytes(ck::CKA_ID, &id[..16])
                .bytes(ck::CKA_CHECK_VALUE, &[1, 2, 3])
                .flags(&[ck::CKA_TOKEN], true),
        );
    }
}

/// The tokens as one process sees them: sessions and logins are its own.
pub(super) fn tokens(stores: &[Arc<Store>]) -> Vec<Arc<ScriptedToken>> {
    let stops = Arc::new(Stops::default());
    let tokens = (0..).map(MemberId).zip(stores).map(|(id, store)| {
        let token = ScriptedToken::new(id, &stops, false, JOB);
        Arc::new(token.with_objects(store))
    });
    tokens.collect()
}

pub(super) fn driver(
    setting: &Setting,
    directory: &Path,
    tokens: &[Arc<ScriptedToken>],
) -> Arc<GroupDriver> {
    let config = config(setting, directory);
    let mut loads = Loads::new(None, false);
    let known = config.members.iter().map(|member| member.settings());
    let known: Vec<_> = known.collect();
    let tokens = tokens.to_vec();
    loads.scripted = Some(Arc::new(move |settings| {
        let at = known.iter().position(|known| known == settings);
        tokens[at.expect("a member of the group")].load()
    }));
    let event = EventFlag::new(1, &Arc::new(SlotEvents::default()));
    // Nobody tries a lost member but the script.
    let driver = GroupDriver::of_parts(config, loads, None, (Threads::new(), None), event);
    let driver = Arc::new(driver);
    for (at, member) in driver.members().iter().enumerate() {
        driver.seat(member);
        // Whoever has the least to do makes an object: the first of those that serve.
        let _ = member
            .counters
            .in_flight
            .fetch_add(at as u32 * 1_000_000, Ordering::SeqCst);
    }
    while driver.attempt_if_due() {}
    driver
}

fn config(setting: &Setting, directory: &Path) -> GroupConfig {
    let copies = match setting.copies {
        Copies::All => "\"all\"".to_owned(),
        Copies::Number(number) => number.to_string(),
    };
    let mut text = format!(
        "[[group]]\nlabel = \"script\"\nserial = \"{SERIAL}\"\njournal = \"{}\"\ncopies = {copies}\n\
         [group.recovery]\ninterval = \"1h\"\n",
        journal(directory).display()
    );
    for name in NAMES.iter().take(setting.members) {
        let module = directory.join(format!("{name}.so"));
        std::fs::write(&module, []).expect("the directory is writable");
        text += &format!(
            "[[group.member]]\nname = \"{name}\"\nmodule = \"{}\"\ntoken = \"scripted\"\ndeadline = \"1h\"\n",
            module.display()
        );
    }
    let config = Config::parse(&text, &directory.join("everslot.toml"));
    config.expect("a configuration").groups.remove(0)
}

/// The object of a base at this revision. Its label is such that the members' objects are walked in the order of their bases.
pub(super) fn object(base: u8, revision: u64) -> Attributes {
    let labelled = |label: &str| {
        Attributes::new()
            .number(ck::CKA_CLASS, ck::CKO_DATA)
            .bytes(ck::CKA_LABEL, label.as_bytes())
    };
    let label = (0..)
        .map(|number| format!("{base}-{number}"))
        .find(|label| {
            let proof = Sha256::digest(VALUE);
            base_of(Fingerprint::of_names(&labelled(label), Some(&proof))) == base
        });
    labelled(&label.expect("one of many"))
        .bytes(ck::CKA_APPLICATION, &application(revision))
        .bytes(ck::CKA_VALUE, VALUE)
        .flags(&[ck::CKA_TOKEN], true)
}

/// What an object of these names is known by.
pub(super) fn fingerprint(names: &Attributes) -> Fingerprint {
    Fingerprint::of_names(names, Some(&Sha256::digest(VALUE)))
}

/// The base of what has this fingerprint.
pub(super) const fn base_of(fingerprint: Fingerprint) -> u8 {
    fingerprint.0[0] >> 5
}

/// What changes with the revision.
pub(super) fn application(revision: u64) -> Vec<u8> {
    format!("r{revision}").into_bytes()
}
