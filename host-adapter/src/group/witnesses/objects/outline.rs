//! How everybody stands, as `State::outline` of the model's world of objects has it.

use std::sync::Arc;

use cryptoki_sys as ck;
use serde_json::Value;

use super::stage::Asked;
use super::store::Store;
use super::world::{NAMES, VALUE, application, base_of};
use crate::domain::{Attributes, Fingerprint, Revision};
use crate::group::GroupDriver;
use crate::journal::{Entries, Entry, Journal, JournalError, Range};
use crate::objects::planted;

/// More than any script brings about.
const REVISIONS: u64 = 64;

pub(super) fn tokens(stores: &[Arc<Store>]) -> String {
    let token = |(name, store): (&&str, &Arc<Store>)| {
        let mut objects = Vec::new();
        store.each(ck::CKO_DATA, |object| objects.push(told(object)));
        objects.sort();
        let objects = objects.iter().map(|object| format!(" {object}"));
        format!("{name}{}", objects.collect::<String>())
    };
    let tokens: Vec<_> = NAMES.iter().zip(stores).map(token).collect();
    tokens.join(", ")
}

fn told(object: &Attributes) -> String {
    let text = |kind| object.get(kind).unwrap_or_default();
    let label = String::from_utf8_lossy(planted::label_of(text(ck::CKA_LABEL))).into_owned();
    let base = label.split('-').next().unwrap_or_default();
    format!(
        "{base}{}",
        String::from_utf8_lossy(text(ck::CKA_APPLICATION))
    )
}

pub(super) fn recorded(journal: &mut Journal) -> Result<String, JournalError> {
    let mut entries = Vec::new();
    let mut walk = Entries::new(Range::default());
    while let Some(entry) = walk.next(journal)? {
        if !entry.gone {
            let base = base_of(entry.object.fingerprint);
            let revision = number(entry.object.revision);
            entries.push(format!(" {base}r{revision} at {}", holders(&entry)));
        }
    }
    let intents = journal.intents()?;
    let intent = |intent: &crate::journal::Intent| {
        let mut members = intent.members.clone();
        members.sort();
        let left = if intent.owner.is_empty() { " left" } else { "" };
        format!("{left} {:?} intent at {}", intent.kind, members.concat())
    };
    let mut intents: Vec<_> = intents.iter().map(intent).collect();
    intents.sort();
    Ok(entries.concat() + &intents.concat())
}

/// Who has an object, in capitals if as the group has it.
fn holders(entry: &Entry) -> String {
    let holders = entry.holders.iter().map(|holder| {
        if holder.revision == Some(entry.object.revision) {
            holder.member.clone()
        } else {
            holder.member.to_lowercase()
        }
    });
    holders.collect()
}

fn number(revision: Revision) -> u64 {
    let is_it = |number: &u64| {
        let attributes = Attributes::new()
            .bytes(ck::CKA_APPLICATION, &application(*number))
            .bytes(ck::CKA_VALUE, VALUE);
        Revision::of_attributes(ck::CKO_DATA, &attributes) == revision
    };
    (0..REVISIONS).find(is_it).unwrap_or(u64::MAX)
}

pub(super) fn serving(driver: &GroupDriver) -> String {
    let serving = driver.serving();
    serving.iter().map(|member| NAMES[member.index()]).collect()
}

/// What a machine asks for, as the model writes it.
pub(super) fn does(asked: Asked) -> Value {
    let asked = match asked {
        Asked::Begin(member) => serde_json::to_value(member),
        Asked::Change(next) => serde_json::to_value(next),
        Asked::Reconcile(next) => serde_json::to_value(next),
    };
    plain(asked.expect("what a machine asks for can be written down"))
}

/// Without marks, hashes, and how far a walk is; of an object only the base.
fn plain(asked: Value) -> Value {
    match asked {
        Value::Object(fields) => {
            let hidden = ["mark", "after", "since", "upto", "revision", "instead_of"];
            let fields = fields
                .into_iter()
                .filter(|(name, _)| !hidden.contains(&name.as_str()));
            let fields = fields.map(|(name, value)| match name.as_str() {
                "key" => {
                    let fingerprint = serde_json::from_value(value).map(Fingerprint);
                    let base = base_of(fingerprint.expect("a key of 16 bytes"));
                    (name, Value::from(base))
                }
                _ => (name, plain(value)),
            });
            Value::Object(fields.collect())
        }
        other => other,
    }
}
