//! What the library says of its groups, and how the status socket asks it.

use std::sync::{Arc, Weak};

use super::Library;
use crate::slot::VirtualSlot;
use crate::status::{Measured, Process, Read, Snapshot, Source};

impl Library {
    fn groups(&self) -> impl Iterator<Item = &Arc<VirtualSlot>> {
        self.slots.iter().filter(|slot| slot.is_group())
    }

    fn measured(&self) -> Measured {
        Measured {
            process: self.process.clone(),
            groups: self.groups().map(|slot| slot.driver.measured()).collect(),
        }
    }

    fn snapshot(&self, read: Read) -> Snapshot {
        let groups = self.groups().map(|slot| slot.driver.status(read)).collect();
        Snapshot {
            process: self.process.clone(),
            groups,
        }
    }

    fn recover(&self, group: &str, member: Option<&str>) -> Result<(), String> {
        let slot = self
            .groups()
            .find(|slot| slot.label() == group || slot.serial() == group);
        let slot = slot.ok_or_else(|| format!("this process has no group {group:?}"))?;
        slot.driver.recover_by_name(member)
    }
}

/// The library as the status socket sees it; it does not keep it alive.
pub(super) struct Told(pub(super) Weak<Library>);

impl Source for Told {
    fn snapshot(&self, read: Read) -> Snapshot {
        let gone = || Snapshot {
            process: Process::this(),
            groups: Vec::new(),
        };
        self.0
            .upgrade()
            .map_or_else(gone, |library| library.snapshot(read))
    }

    fn measured(&self) -> Measured {
        match self.0.upgrade() {
            Some(library) => library.measured(),
            None => self.snapshot(Read::Peek).into(),
        }
    }

    fn recover(&self, group: &str, member: Option<&str>) -> Result<(), String> {
        let library = self.0.upgrade().ok_or("the application is finishing")?;
        library.recover(group, member)
    }
}
