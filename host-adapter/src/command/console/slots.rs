//! Entries about the module, its slots and tokens.

use everslot_protocol::{Body, Bytes, ModuleInfo, Request, SlotId, SlotInfo, TokenInfo, Version};
use secrecy::{ExposeSecret, SecretString};

use super::failure::{Done, Failure};
use super::{Console, garbled, names};
use crate::config::text;

/// What each of a token's flags means (PKCS#11 v3.1 §3.2).
const TOKEN_FLAGS: [(u64, &str); 6] = [
    (cryptoki_sys::CKF_TOKEN_INITIALIZED, "initialized"),
    (cryptoki_sys::CKF_LOGIN_REQUIRED, "login required"),
    (
        cryptoki_sys::CKF_USER_PIN_INITIALIZED,
        "user PIN initialized",
    ),
    (cryptoki_sys::CKF_USER_PIN_COUNT_LOW, "user PIN count low"),
    (cryptoki_sys::CKF_USER_PIN_LOCKED, "user PIN locked"),
    (cryptoki_sys::CKF_WRITE_PROTECTED, "write protected"),
];

impl Console {
    /// The slots with a token, listed as CKDemo does, and the one that is chosen by its id.
    pub(super) fn select_slot(&mut self) -> Result<SlotId, Failure> {
        self.list_slots(true)?;
        self.input.number("Select a slot: ").map(SlotId)
    }

    fn list_slots(&mut self, token_present: bool) -> Done {
        let slots = self.numbers(&Request::Slots { token_present })?;
        self.line("Slots available:")?;
        for slot in slots {
            let info = self.slot_information(SlotId(slot))?;
            self.line(&format!("  slot#{slot} - {}", description(&info)))?;
        }
        Ok(())
    }

    fn slot_information(&mut self, slot: SlotId) -> Result<SlotInfo, Failure> {
        self.description(&Request::SlotInfo { slot })
    }

    /// (6)
    pub(super) fn init_token(&mut self) -> Done {
        let slot = self.select_slot()?;
        let label = self.input.text("Enter new token label: ")?;
        let pin = self.input.pin("Enter SO PIN       : ")?;
        self.initialise(slot, &label, Some(&pin))
    }

    /// (16): the token asks for the PIN itself (a protected authentication path).
    pub(super) fn init_token_indirectly(&mut self) -> Done {
        let slot = self.select_slot()?;
        let label = self.input.text("Enter new token label: ")?;
        self.initialise(slot, &label, None)
    }

    fn initialise(&mut self, slot: SlotId, label: &str, pin: Option<&SecretString>) -> Done {
        if label.len() > 32 {
            return Err(Failure::said("a label has at most 32 bytes"));
        }
        let mut padded = [b' '; 32];
        for (place, byte) in padded.iter_mut().zip(label.bytes()) {
            *place = byte;
        }
        let request = Request::InitToken {
            slot,
            pin: pin.map(|pin| Bytes(pin.expose_secret().as_bytes())),
            label: Bytes(&padded),
        };
        self.ask(&request, &mut []).map(drop)
    }

    /// (8)
    pub(super) fn mechanism_list(&mut self) -> Done {
        let slot = self.select_slot()?;
        let kinds = self.numbers(&Request::Mechanisms { slot })?;
        self.line(&format!("{} mechanisms:", kinds.len()))?;
        for kind in kinds {
            self.line(&format!("  {kind:#010x} {}", names::mechanism(kind)))?;
        }
        Ok(())
    }

    /// (9)
    pub(super) fn mechanism_info(&mut self) -> Done {
        let slot = self.select_slot()?;
        let mechanism = self.mechanism_kind(slot)?;
        match self.ask(&Request::MechanismInfo { slot, mechanism }, &mut [])? {
            Body::Mechanism(info) => {
                let (least, most) = (info.min_key_size, info.max_key_size);
                self.line(&format!("{}:", names::mechanism(mechanism)))?;
                self.line(&format!("  Key size : {least} to {most}"))?;
                self.line(&format!("  Flags    : {:#x}", info.flags))
            }
            _ => Err(garbled()),
        }
    }

    /// (10)
    pub(super) fn module_info(&mut self) -> Done {
        let info: ModuleInfo = self.description(&Request::ModuleInfo)?;
        self.line(&format!("Cryptoki version : {}", version(info.cryptoki)))?;
        self.line(&format!("Manufacturer     : {}", text(&info.manufacturer)))?;
        self.line(&format!("Description      : {}", text(&info.description)))?;
        self.line(&format!("Library version  : {}", version(info.library)))
    }

    /// (11)
    pub(super) fn slot_info(&mut self) -> Done {
        let slot = self.select_slot()?;
        let info = self.slot_information(slot)?;
        self.line(&format!("Description  : {}", description(&info)))?;
        self.line(&format!("Manufacturer : {}", text(&info.manufacturer)))?;
        self.line(&format!("Flags        : {:#x}", info.flags))?;
        self.line(&format!("Hardware     : {}", version(info.hardware)))?;
        self.line(&format!("Firmware     : {}", version(info.firmware)))
    }

    /// (12)
    pub(super) fn token_info(&mut self) -> Done {
        let slot = self.select_slot()?;
        let info: TokenInfo = self.description(&Request::TokenInfo { slot })?;
        let flags = TOKEN_FLAGS
            .iter()
            .filter(|(flag, _)| info.flags & flag != 0);
        let flags: Vec<_> = flags.map(|(_, words)| *words).collect();
        self.line(&format!("Label         : {}", text(&info.label)))?;
        self.line(&format!("Manufacturer  : {}", text(&info.manufacturer)))?;
        self.line(&format!("Model         : {}", text(&info.model)))?;
        self.line(&format!("Serial number : {}", text(&info.serial)))?;
        self.line(&format!(
            "Flags         : {:#x}, {}",
            info.flags,
            flags.join(", ")
        ))?;
        self.line(&format!(
            "PIN length    : {} to {}",
            info.min_pin, info.max_pin
        ))?;
        let sessions = match info.sessions {
            cryptoki_sys::CK_UNAVAILABLE_INFORMATION => "the token does not tell".to_owned(),
            sessions => format!("{sessions} open"),
        };
        self.line(&format!("Sessions      : {sessions}"))?;
        self.line(&format!("Hardware      : {}", version(info.hardware)))?;
        self.line(&format!("Firmware      : {}", version(info.firmware)))
    }

    /// (14)
    pub(super) fn slot_list(&mut self) -> Done {
        let only = self
            .input
            .yes("Only slots with a token (1 = yes, 0 = no)? ")?;
        self.list_slots(only)
    }

    /// (15): without waiting, so that the menu stays at hand.
    pub(super) fn slot_event(&mut self) -> Done {
        let slot = self.module.slot_event();
        let slot = slot.map_err(|rv| Failure::Code(everslot_core::Rv(rv.0)))?;
        self.line(&format!("Event in slot#{}", slot.0))
    }
}

/// Both halves, without the blanks behind it.
fn description(info: &SlotInfo) -> String {
    text(info.description.as_flattened())
}

fn version(version: Version) -> String {
    format!("{}.{:02}", version.major, version.minor)
}
