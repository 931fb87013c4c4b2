//! The slots that a configuration has: one a group, and one for each member that is exposed.

use std::collections::BTreeSet;

use everslot_core::Copies;
use sha2::{Digest, Sha256};

use crate::config::{Config, GroupConfig, MechanismPolicy, MemberConfig, RecoveryConfig};
use crate::slot::Behind;

/// The lowest id of a member's own slot; groups count from 0.
const MEMBERS: u64 = 1 << 30;

/// A slot that is to be.
pub(super) struct Planned {
    pub(super) id: u64,
    pub(super) behind: Behind,
    pub(super) group: GroupConfig,
}

/// The groups' come first, in the order of the configuration.
pub(super) fn planned(config: &Config) -> Vec<Planned> {
    let groups = (0..).zip(&config.groups).map(|(id, group)| Planned {
        id,
        behind: Behind::Group,
        group: group.clone(),
    });
    let mut slots: Vec<_> = groups.collect();
    let mut taken = BTreeSet::new();
    for group in config.groups.iter().filter(|group| group.expose_members) {
        for member in &group.members {
            let wished = id_of(&group.serial, &member.name);
            let id = (wished..).find(|id| taken.insert(*id)).unwrap_or(wished);
            slots.push(Planned {
                id,
                behind: Behind::Member {
                    name: member.name.clone(),
                    group: group.label.clone(),
                },
                group: alone(group, member),
            });
        }
    }
    slots
}

/// A group of this member alone, whose objects are the token's own: it has no journal.
pub(super) fn alone(group: &GroupConfig, member: &MemberConfig) -> GroupConfig {
    let name = |of: &str| format!("{of}/{}", member.name);
    GroupConfig {
        label: name(&group.label),
        serial: name(&group.serial),
        mechanisms: MechanismPolicy::Common,
        transcript: group.transcript,
        recovery: RecoveryConfig { ..group.recovery },
        trace: None,
        journal: String::new(),
        expose_members: false,
        copies: Copies::All,
        members: vec![member.apart()],
    }
}

/// It follows from what the member is called, so it is the same in every process, whoever else comes or goes.
fn id_of(serial: &str, member: &str) -> u64 {
    let digest = Sha256::new()
        .chain_update(serial)
        .chain_update([0])
        .chain_update(member)
        .finalize();
    let first = digest.iter().take(4);
    let number = first.fold(0, |number, byte| number << 8 | u64::from(*byte));
    MEMBERS | number & (MEMBERS - 1)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::module::Isolation;

    fn config(groups: &[(&str, bool, &[&str])]) -> Config {
        let module = std::env::current_exe().expect("this program has a file");
        let mut text = String::new();
        for (label, expose, members) in groups {
            text += &format!(
                "[[group]]\nlabel = \"{label}\"\nserial = \"{label}\"\nexpose_members = {expose}\n"
            );
            for member in *members {
                text += &format!(
                    "[[group.member]]\nname = \"{member}\"\ntoken = \"{member}\"\nmodule = {module:?}\nparked = true\nisolation = \"none\"\n"
                );
            }
        }
        Config::parse(&text, Path::new("everslot.toml")).expect("it holds together")
    }

    fn ids(groups: &[(&str, bool, &[&str])]) -> Vec<u64> {
        planned(&config(groups))
            .iter()
            .map(|slot| slot.id)
            .collect()
    }

    #[test]
    fn a_members_slot_is_the_same_whoever_else_there_is() {
        let all = ids(&[("g", true, &["a", "b", "c"]), ("h", false, &["a"])]);
        assert_eq!(all[..2], [0, 1]);
        assert_eq!(all.len(), 5);
        assert!(all[2..].iter().all(|id| (1 << 30..1 << 31).contains(id)));
        let fewer = ids(&[("h", true, &["a"]), ("g", true, &["c", "b"])]);
        assert_eq!(fewer[..2], [0, 1]);
        assert_eq!(fewer[3..], [all[4], all[3]]);
        assert!(!all.contains(&fewer[2]), "another group's member");
    }

    #[test]
    fn a_member_of_its_own_serves_apart_from_the_group() {
        let slots = planned(&config(&[("g", true, &["a"])]));
        let member = &slots[1].group.members[0];
        assert!(!member.parked, "an operator wants to look at it");
        assert_eq!(member.settings().isolation, Isolation::Process);
        assert_eq!(slots[1].group.journal, "");
    }
}
