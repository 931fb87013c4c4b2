//! The application that makes a change, and what it writes down about it.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;

use cryptoki_sys::*;

use super::world::{control_in, wait_until_serving};
use super::{MEMBERS, World, look};
use crate::client::{Failure, Mechanism, Module, Session, Template};
use crate::{Artifact, PIN};

const P256: &[u8] = &[0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
/// A certificate is opaque to PKCS#11.
const CERTIFICATE: &[u8] = &[0x30, 0x03, 0x02, 0x01, 0x05];

/// The objects that every world has before a change.
pub mod old {
    /// A key pair, whose private key is updated.
    pub const PAIR: &str = "old pair";
    /// A secret key, the one that is destroyed.
    pub const SECRET: &str = "old secret";
    /// A data object, the one that is renamed.
    pub const DATA: &str = "old data";
}

/// The label of what a change makes, and of what it renames.
pub const NEW: &str = "new";

/// What is done to a group's objects.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, clap::ValueEnum)]
pub enum Scenario {
    /// `C_GenerateKeyPair`
    Pair,
    /// `C_GenerateKey`
    Secret,
    /// `C_CreateObject` of a certificate.
    Certificate,
    /// `C_SetAttributeValue` of an attribute by which no object is known.
    Update,
    /// `C_SetAttributeValue` of a label, by which an object is known.
    Rename,
    /// `C_DestroyObject`
    Destroy,
    /// `everslot sync` of a member that was away over a creation, an update and a destruction.
    Reconcile,
}

/// What an application was told of its change.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Answer {
    /// `CKR_OK`
    Done,
    /// Another code.
    Refused(String),
    /// It was killed before.
    None,
}

impl Scenario {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Pair,
        Self::Secret,
        Self::Certificate,
        Self::Update,
        Self::Rename,
        Self::Destroy,
        Self::Reconcile,
    ];

    fn make(self, session: Session) -> Result<(), Failure> {
        match self {
            Self::Pair => pair(session, NEW, 9),
            Self::Secret => secret(session, NEW, 9),
            Self::Certificate => certificate(session, NEW),
            Self::Update => update_pair(session),
            Self::Rename => rename_data(session, NEW),
            Self::Destroy => destroy_secret(session),
            Self::Reconcile => while_away(session),
        }
    }
}

/// Reads what the application wrote down.
#[must_use]
pub fn answer(ledger: &Path) -> Answer {
    match std::fs::read_to_string(ledger)
        .unwrap_or_default()
        .trim_end()
    {
        "" => Answer::None,
        "done" => Answer::Done,
        refused => Answer::Refused(refused.to_owned()),
    }
}

/// Makes the objects that every world has before a change.
///
/// # Panics
/// A call fails.
pub fn furnish() {
    let session = session(MEMBERS);
    pair(session, old::PAIR, 1).expect("all members serve");
    secret(session, old::SECRET, 2).expect("all members serve");
    data(session, old::DATA).expect("all members serve");
    session.module().finalize().expect("it is initialised");
}

/// Makes the change of a scenario in the world of `directory` while so many members serve, and writes down what it was told.
///
/// # Panics
/// The ledger cannot be written.
pub fn change(directory: &Path, ledger: &Path, scenario: Scenario, serving: usize) {
    let session = session(serving);
    let control = control_in(directory);
    control.arm();
    let told = match scenario.make(session) {
        Ok(()) => "done".to_owned(),
        Err(failure) => format!("{failure:?}"),
    };
    write_down(ledger, &told);
    control.disarm();
    session.module().finalize().expect("it is initialised");
}

fn write_down(ledger: &Path, told: &str) {
    let file = OpenOptions::new().create(true).append(true).open(ledger);
    let written = file.and_then(|mut file| {
        file.write_all(told.as_bytes())?;
        file.sync_data()
    });
    written.expect("the ledger is writable");
}

pub(super) fn session(serving: usize) -> Session {
    let module = Module::load(&Artifact::Module.path());
    module.initialize().expect("a member can serve");
    wait_until_serving(serving);
    let slot = module.slot_of(World::LABEL);
    let session = module.open(slot).expect("a member can serve");
    session.login(PIN).expect("the PIN is right");
    session
}

fn pair(session: Session, label: &str, id: u8) -> Result<(), Failure> {
    let key = || Template::new().on_token(true).label(label).id(id);
    let public = key().bytes(CKA_EC_PARAMS, P256).flag(CKA_VERIFY, true);
    let private = key().flag(CKA_SIGN, true);
    session.generate_key_pair(Mechanism::Plain(CKM_EC_KEY_PAIR_GEN), &public, &private)?;
    Ok(())
}

pub(super) fn secret(session: Session, label: &str, id: u8) -> Result<(), Failure> {
    let template = Template::new().on_token(true).label(label).id(id);
    let template = template.number(CKA_VALUE_LEN, 32).flag(CKA_ENCRYPT, true);
    session.generate_key(Mechanism::Plain(CKM_AES_KEY_GEN), &template)?;
    Ok(())
}

fn certificate(session: Session, label: &str) -> Result<(), Failure> {
    let template = Template::new().class(CKO_CERTIFICATE).on_token(true);
    let template = template
        .number(CKA_CERTIFICATE_TYPE, CKC_X_509)
        .bytes(CKA_SUBJECT, CERTIFICATE)
        .bytes(CKA_VALUE, CERTIFICATE);
    session.create(&template.label(label).id(9))?;
    Ok(())
}

fn data(session: Session, label: &str) -> Result<(), Failure> {
    let template = Template::new().class(CKO_DATA).on_token(true);
    session.create(&template.label(label).bytes(CKA_VALUE, *b"value"))?;
    Ok(())
}

fn rename_data(session: Session, label: &str) -> Result<(), Failure> {
    let data = session.only(&Template::new().class(CKO_DATA));
    session.set_attributes(data, &Template::new().label(label))
}

fn update_pair(session: Session) -> Result<(), Failure> {
    let private = Template::new().class(CKO_PRIVATE_KEY).label(old::PAIR);
    session.set_attributes(
        session.only(&private),
        &Template::new().bytes(CKA_SUBJECT, look::UPDATED),
    )
}

fn destroy_secret(session: Session) -> Result<(), Failure> {
    session.destroy(session.only(&Template::new().label(old::SECRET)))
}

/// What a member misses that is away: all that a reconcile knows.
fn while_away(session: Session) -> Result<(), Failure> {
    pair(session, NEW, 9)?;
    update_pair(session)?;
    destroy_secret(session)
}
