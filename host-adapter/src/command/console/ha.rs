//! Entries about the group behind a virtual slot.

use cryptoki_sys::CKU_USER;
use everslot_core::Rv;
use everslot_protocol::SlotId;

use super::Console;
use super::failure::{Done, Failure};
use crate::module::HaState;

/// CKDemo has the serials in a column this wide; ours may be longer.
const SERIAL: usize = 15;

impl Console {
    /// (50): a group needs no preparation, so this says which one it is.
    pub(super) fn ha_init(&mut self) -> Done {
        let slot = self.select_slot()?;
        let state = self.ha_state(slot)?;
        let members = state.members.len();
        self.line(&format!("HA group {}: {members} members", state.group))
    }

    /// (51): a session with the group, opened if there is none, in which its user logs in: on every member, by one PIN.
    pub(super) fn ha_login(&mut self) -> Done {
        let slot = self.select_slot()?;
        let pin = self.input.pin("Enter PIN          : ")?;
        self.ha_state(slot)?;
        match self
            .sessions
            .iter()
            .rposition(|session| session.slot == slot)
        {
            Some(place) => {
                let session = self.sessions.remove(place);
                self.sessions.push(session);
            }
            None => self.open(slot, true)?,
        }
        self.log_in_as(CKU_USER, Some(&pin))
    }

    /// (52): a status read, as the seed has it: the first one after a loss says `CKR_DEVICE_ERROR`, each later one
    /// `CKR_TOKEN_NOT_PRESENT`.
    pub(super) fn ha_status(&mut self) -> Done {
        let slot = self.select_slot()?;
        let state = self.ha_state(slot)?;
        self.say(&screen(&state))?;
        Ok(())
    }

    pub(super) fn ha_state(&self, slot: SlotId) -> Result<HaState, Failure> {
        let state = self.module.ha_state(slot);
        state.map_err(|rv| Failure::Code(Rv(rv.0)))
    }
}

fn screen(state: &HaState) -> String {
    let longest = state.members.iter().map(|(serial, _)| serial.len() + 1);
    let width = longest.max().unwrap_or(0).max(SERIAL);
    let members = state.members.iter().map(|(serial, code)| {
        let code = Rv(code.0);
        // A token that was never seen has no serial yet.
        let serial = if serial.is_empty() {
            "not seen"
        } else {
            serial
        };
        format!("   HSM {serial:<width$}- {code}\n")
    });
    format!(
        "HA group {} status:\n{}",
        state.group,
        members.collect::<String>()
    )
}

#[cfg(test)]
mod tests {
    use everslot_core::ckr;

    use super::*;

    #[test]
    fn the_seeds_screens() {
        let state = |code: Rv| HaState {
            group: "1599447001".to_owned(),
            members: vec![
                ("599447001".to_owned(), everslot_protocol::Rv(code.0)),
                ("78665001".to_owned(), everslot_protocol::Rv::OK),
            ],
        };
        let expected = "\
HA group 1599447001 status:
   HSM 599447001      - CKR_DEVICE_ERROR
   HSM 78665001       - CKR_OK
";
        assert_eq!(screen(&state(ckr::DEVICE_ERROR)), expected);
        let expected = expected.replace("DEVICE_ERROR", "TOKEN_NOT_PRESENT");
        assert_eq!(screen(&state(ckr::TOKEN_NOT_PRESENT)), expected);
    }
}
