//! Entries about the keys that the group's members share: the domain key, and others that go from member to member under it.

use everslot_protocol::SlotId;
use secrecy::SecretString;

use super::Console;
use super::failure::{Done, Failure};
use crate::command::domain::opened::GroupPin;
use crate::command::domain::{Which, init};
use crate::command::objects::holders;
use crate::command::{Outcome, sync};

impl Console {
    /// (70): all members get the same domain key, if they have none; `everslot domain init`.
    pub(super) fn set_domain(&mut self) -> Done {
        let (slot, pin) = self.group_and_pin()?;
        let which = self.group(slot)?;
        done(init::run_with(&init::Arguments::of(which), &pin))
    }

    /// (71) and (104): members that lack it get it; `everslot sync`, since what else they lack would be missed as well.
    pub(super) fn clone_object(&mut self) -> Done {
        let (slot, pin) = self.group_and_pin()?;
        let label = self.input.text("Label of the key or object: ")?;
        let which = self.group(slot)?;
        done(sync::run_with(&sync::Arguments::of(which), &pin))?;
        let found = holders(&self.group(slot)?, &pin, &label).map_err(said)?;
        for object in &found {
            self.line(object)?;
        }
        if found.is_empty() {
            return Err(Failure::said(format!("no member has {label:?}")));
        }
        Ok(())
    }

    fn group_and_pin(&mut self) -> Result<(SlotId, GroupPin), Failure> {
        let slot = self.select_slot()?;
        let pin: SecretString = self.input.pin("Enter PIN          : ")?;
        Ok((slot, GroupPin::of(pin)))
    }

    /// The group behind the slot; `CKR_FUNCTION_NOT_SUPPORTED` of another module's.
    fn group(&self, slot: SlotId) -> Result<Which, Failure> {
        Ok(Which::group(self.ha_state(slot)?.group))
    }
}

/// What it has to say beside its error was said.
fn done(outcome: Outcome) -> Done {
    outcome.map(drop).map_err(said)
}

fn said(error: Box<dyn std::error::Error>) -> Failure {
    Failure::said(error.to_string())
}
