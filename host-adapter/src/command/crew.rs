//! The members of a group that has a domain, as many as are there, ready to have their objects looked at and carried.

use std::collections::BTreeMap;
use std::error::Error;

use everslot_core::{MemberId, MemberSet};
use everslot_protocol::ObjectHandle;

use super::domain::opened::{GroupPin, Opened};
use super::domain::show::{Present, difference};
use crate::config::GroupConfig;
use crate::domain::key::KeyName;
use crate::domain::profile::Profile;
use crate::journal::Journal;
use crate::objects::Peer;

/// The members that are there, each with a session in which its user is logged in.
pub(super) struct Crew {
    pub(super) key_name: KeyName,
    /// Of all of the group's members, by their ids.
    pub(super) names: Vec<String>,
    profiles: BTreeMap<String, Profile>,
    members: Vec<(MemberId, Opened, ObjectHandle)>,
    /// Why some are not, one line each.
    pub(super) missing: Vec<String>,
}

impl Crew {
    /// Opens all members of the group; those that have no PIN in the configuration get `pin`.
    ///
    /// # Errors
    /// One line: the group has no domain, its members do not have the same domain key, or none of them can be opened.
    pub(super) fn open(
        group: &GroupConfig,
        journal: &mut Journal,
        pin: &GroupPin,
    ) -> Result<Self, Box<dyn Error>> {
        let profiles = journal.profiles()?;
        if profiles.is_empty() {
            let label = &group.label;
            return Err(format!(
                "group {label:?} has no domain key, so its objects stay where they are; run everslot domain init"
            )
            .into());
        }
        let mut crew = Self {
            key_name: KeyName::of_group(&group.serial),
            names: group
                .members
                .iter()
                .map(|member| member.name.clone())
                .collect(),
            profiles,
            members: Vec::new(),
            missing: Vec::new(),
        };
        let mut seen = Vec::new();
        for (id, config) in (0..).map(MemberId).zip(&group.members) {
            let opened = Opened::open(config, group, pin).and_then(|mut member| {
                let key = crew.domain_key(&mut member)?;
                Ok((member, key))
            });
            match opened {
                Ok((member, (present, key))) => {
                    seen.push((config.name.clone(), present));
                    crew.members.extend(key.map(|key| (id, member, key)));
                }
                Err(error) => crew.missing.push(error.to_string()),
            }
        }
        if let Some(line) = difference(&seen) {
            return Err(line.into());
        }
        if crew.members.is_empty() {
            return Err(crew.missing.join("; ").into());
        }
        Ok(crew)
    }

    fn domain_key(
        &self,
        member: &mut Opened,
    ) -> Result<(Present, Option<ObjectHandle>), Box<dyn Error>> {
        let name = member.name.clone();
        let looked = Present::of(&mut member.token(), &self.key_name)
            .and_then(|present| Ok((present, self.key_name.find(&mut member.token())?)));
        let (present, keys) = looked.map_err(|error| format!("member {name:?}: {error}"))?;
        Ok((present, keys.first().copied()))
    }

    /// Those that are there.
    pub(super) fn present(&self) -> MemberSet {
        let members = self.members.iter().map(|(id, ..)| *id);
        members.fold(MemberSet::EMPTY, MemberSet::with)
    }

    pub(super) fn peers(&mut self) -> Vec<Peer<'_>> {
        let profiles = &self.profiles;
        self.members
            .iter_mut()
            .map(|(id, opened, key)| {
                let name = opened.name.clone();
                // A member without one was added after the trial: nothing goes there until the next `domain init`.
                let profile = profiles.get(&name).cloned().unwrap_or_default();
                Peer::new(*id, name, opened.token(), *key, profile)
            })
            .collect()
    }
}
