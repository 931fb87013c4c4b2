//! `everslot domain init`

use std::collections::BTreeMap;
use std::error::Error;
use std::process::ExitCode;

use comfy_table::Table;
use comfy_table::presets::UTF8_FULL_CONDENSED;
use everslot_protocol::ObjectHandle;

use super::Which;
use super::opened::{GroupPin, Opened};
use super::show::{Present, difference};
use crate::command::{Outcome, output};
use crate::config::GroupConfig;
use crate::domain::key::{KeyName, Received};
use crate::domain::profile::{KeyKind, Profile};
use crate::domain::{End, Pins, Recipient, Token, Trial, establish, try_members};
use crate::journal::Journal;

const EXAMPLES: &str = "\
Examples:
  everslot domain init
  everslot domain init --group signing
  everslot domain init --new

All members must be there. Where they have the same domain key already it stays, unless --new is given; objects on the members are not touched.
Then everslot tries which kinds of keys each member can take over from each other one, and notes it in the journal.
Ends with 2 when some kind of key cannot be carried from some member to another.";

/// Give all members the same domain key, and find out which keys can be carried between them
#[derive(clap::Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(in crate::command) struct Arguments {
    #[command(flatten)]
    which: Which,
    /// Make a new domain key also where all members have one
    #[arg(long)]
    new: bool,
}

impl Arguments {
    /// For this group; the key that is there stays.
    pub(in crate::command) const fn of(which: Which) -> Self {
        Self { which, new: false }
    }
}

/// The domain key on each member: the one to use, and those to destroy.
struct Keys {
    used: Vec<ObjectHandle>,
    old: Vec<Vec<ObjectHandle>>,
    is_new: bool,
}

pub(super) fn run(arguments: &Arguments) -> Outcome {
    run_with(arguments, &GroupPin::default())
}

/// The same with a PIN for members that have none in the configuration.
pub(in crate::command) fn run_with(arguments: &Arguments, pin: &GroupPin) -> Outcome {
    let group = arguments.which.find()?;
    let name = KeyName::of_group(&group.serial);
    // Before anything is made: what is found out is to be kept.
    let mut journal = Journal::open(&group.journal, &group.serial)?;
    let mut members = Vec::new();
    for config in &group.members {
        members.push(Opened::open(config, &group, pin)?);
    }
    let keys = keys(&mut members, &name, arguments.new)?;
    let tried = try_out(&mut members, &keys.used).and_then(|(profiles, trial)| {
        journal.set_profiles(&profiles)?;
        Ok((profiles, trial))
    });
    let (profiles, trial) = match tried {
        Ok(tried) => tried,
        Err(error) => {
            if keys.is_new {
                destroy(&mut members, keys.used.iter().map(std::slice::from_ref));
            }
            return Err(error);
        }
    };
    destroy(&mut members, keys.old.iter().map(Vec::as_slice));
    report(&mut members, &group, &name, &profiles)?;
    for (name, _) in profiles.iter().filter(|(_, profile)| profile.lacks_data) {
        output::warn(&format!(
            "member {name:?} keeps no data objects: those live on fewer members, or are not made, as `copies` says"
        ));
    }
    for line in failures(&group, &trial) {
        output::warn(&line);
    }
    Ok(if trial.failed.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(2)
    })
}

/// The keys that are there, if they are the same everywhere; else new ones.
fn keys(members: &mut [Opened], name: &KeyName, new: bool) -> Result<Keys, Box<dyn Error>> {
    let (mut seen, mut present) = (Vec::new(), Vec::new());
    for member in &mut *members {
        let looked = Present::of(&mut member.token(), name)
            .and_then(|seen| Ok((seen, name.find(&mut member.token())?)));
        let (what, handles) = looked.map_err(|error| of_member(member, &error))?;
        seen.push((member.name.clone(), what));
        present.push(handles);
    }
    if !new && difference(&seen).is_none() {
        return Ok(Keys {
            used: present.into_iter().flatten().collect(),
            old: Vec::new(),
            is_new: false,
        });
    }
    Ok(Keys {
        used: make(members, name)?,
        old: present,
        is_new: true,
    })
}

/// A new domain key on every member, trusted where the officer's PIN is at hand.
fn make(members: &mut [Opened], name: &KeyName) -> Result<Vec<ObjectHandle>, Box<dyn Error>> {
    let pins: Vec<_> = members
        .iter()
        .map(|member| (member.pin.clone(), member.officer.clone()))
        .collect();
    let received = {
        let mut tokens: Vec<_> = members.iter_mut().map(Opened::token).collect();
        let mut recipients: Vec<_> = tokens
            .iter_mut()
            .zip(&pins)
            .map(|(token, (user, officer))| Recipient {
                token,
                pins: officer.as_ref().map(|officer| Pins { officer, user }),
            })
            .collect();
        establish(&mut recipients, name)
    };
    let received = received.map_err(|error| of_member(&members[error.member], &error))?;
    for (member, received) in members.iter().zip(&received) {
        warn_of(&member.name, received);
    }
    Ok(received.iter().map(|received| received.key).collect())
}

fn warn_of(member: &str, received: &Received) {
    if received.extractable {
        output::warn(&format!(
            "member {member:?} insists on a domain key that may be wrapped: whoever may wrap there can take it along"
        ));
    }
    if let Some(error) = received.untrusted {
        output::warn(&format!(
            "member {member:?} does not trust the domain key: {error}"
        ));
    }
}

fn try_out(
    members: &mut [Opened],
    keys: &[ObjectHandle],
) -> Result<(BTreeMap<String, Profile>, Trial), Box<dyn Error>> {
    let names: Vec<_> = members.iter().map(|member| member.name.clone()).collect();
    let mut tokens: Vec<Token<'_>> = members.iter_mut().map(Opened::token).collect();
    let mut ends: Vec<_> = tokens
        .iter_mut()
        .zip(keys)
        .zip(&names)
        .map(|((token, key), name)| End {
            name,
            token,
            domain_key: *key,
            profile: Profile::default(),
        })
        .collect();
    let trial = try_members(&mut ends);
    let trial = trial.map_err(|error| format!("member {:?}: {error}", names[error.member]))?;
    let profiles = ends
        .into_iter()
        .map(|end| (end.name.to_owned(), end.profile))
        .collect();
    Ok((profiles, trial))
}

/// Destroys keys that are not to be used; whatever is left is told of, and found by the next `domain init`.
fn destroy<'k>(members: &mut [Opened], keys: impl Iterator<Item = &'k [ObjectHandle]>) {
    for (member, keys) in members.iter_mut().zip(keys) {
        for key in keys {
            if let Err(error) = member.token().destroy(*key) {
                let name = &member.name;
                output::warn(&format!(
                    "member {name:?} keeps a domain key that is not used: {error}"
                ));
            }
        }
    }
}

fn report(
    members: &mut [Opened],
    group: &GroupConfig,
    name: &KeyName,
    profiles: &BTreeMap<String, Profile>,
) -> Result<(), Box<dyn Error>> {
    let mut table = Table::new();
    table.load_style(UTF8_FULL_CONDENSED).set_header([
        "MEMBER",
        "CHECK VALUE",
        "DOMAIN KEY",
        "WRAPS BY",
        "TAKES",
    ]);
    for member in members {
        let present = Present::of(&mut member.token(), name);
        let present = present.map_err(|error| of_member(member, &error))?;
        let (wrap, takes) = match profiles.get(&member.name) {
            Some(profile) => (format!("{:#x}", profile.wrap), takes(profile, group)),
            None => (String::new(), String::new()),
        };
        let value = present
            .value()
            .map_or_else(String::new, |value| value.to_string());
        table.add_row([
            member.name.clone(),
            value,
            present.words().to_owned(),
            wrap,
            takes,
        ]);
    }
    output::print(&format!("{table}\n"))?;
    Ok(())
}

/// Which kinds of keys the member takes from every member, and whether it keeps data objects.
fn takes(profile: &Profile, group: &GroupConfig) -> String {
    let from_all = |kind: &KeyKind| {
        let from = |name| {
            profile
                .receives
                .get(name)
                .is_some_and(|kinds| kinds.contains(kind))
        };
        group.members.iter().all(|member| from(&member.name))
    };
    let keys = KeyKind::ALL.iter().filter(|kind| from_all(kind));
    let data = (!profile.lacks_data).then_some("data");
    let kinds: Vec<_> = keys.map(|kind| kind.name()).chain(data).collect();
    kinds.join(", ")
}

fn failures(group: &GroupConfig, trial: &Trial) -> Vec<String> {
    let name = |member: usize| &group.members[member].name;
    trial
        .failed
        .iter()
        .map(|failed| {
            let (from, to, kind) = (name(failed.from), name(failed.to), failed.kind.name());
            format!(
                "{kind} keys cannot go from {from:?} to {to:?}: {}",
                failed.error
            )
        })
        .collect()
}

fn of_member(member: &Opened, error: &dyn std::fmt::Display) -> Box<dyn Error> {
    format!("member {:?}: {error}", member.name).into()
}
