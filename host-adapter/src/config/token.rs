//! Which token of a module is meant, and whether two tokens are one.

use std::fmt;

use everslot_protocol::{SlotId, TokenInfo};

/// Which token of its module a member is.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum TokenChoice {
    /// The token with this label.
    Label(String),
    /// The token with this serial.
    Serial(String),
    /// The token with both.
    LabelAndSerial {
        /// Its label.
        label: String,
        /// Its serial.
        serial: String,
    },
    /// Whatever token is in this slot. Some modules number their slots differently after each start.
    Slot(u64),
}

impl TokenChoice {
    /// Whether the token that is described by `info`, in `slot`, is the one meant.
    #[must_use]
    pub fn matches(&self, slot: SlotId, info: &TokenInfo) -> bool {
        match self {
            Self::Label(label) => text(&info.label) == *label,
            Self::Serial(serial) => text(&info.serial) == *serial,
            Self::LabelAndSerial { label, serial } => {
                text(&info.label) == *label && text(&info.serial) == *serial
            }
            Self::Slot(number) => slot.0 == *number,
        }
    }
}

impl fmt::Display for TokenChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Label(label) => write!(f, "token {label:?}"),
            Self::Serial(serial) => write!(f, "token with serial {serial:?}"),
            Self::LabelAndSerial { label, serial } => {
                write!(f, "token {label:?} with serial {serial:?}")
            }
            Self::Slot(number) => write!(f, "token in slot {number}"),
        }
    }
}

/// Whether the two describe one token: manufacturer, model and serial agree, and the serial says something.
///
/// A serial of blanks or zeros, which some software tokens give to every token, tells nothing.
#[must_use]
pub fn same_token(one: &TokenInfo, other: &TokenInfo) -> bool {
    let telling = !text(&one.serial).chars().all(|character| character == '0');
    telling
        && one.serial == other.serial
        && one.manufacturer == other.manufacturer
        && one.model == other.model
}

/// A blank-padded field without its padding. Some modules pad with zeros.
#[must_use]
pub fn text(padded: &[u8]) -> String {
    String::from_utf8_lossy(padded)
        .trim_end_matches([' ', '\0'])
        .to_owned()
}

#[cfg(test)]
mod tests {
    use everslot_protocol::Version;

    use super::*;

    #[test]
    fn tokens_are_the_same_when_a_telling_serial_says_so() {
        let one = token("alpha", "0042");
        assert!(same_token(&one, &TokenInfo { flags: 5, ..one }));
        assert!(!same_token(&one, &token("alpha", "0043")));
        let silent = token("alpha", "0000");
        assert!(!same_token(&silent, &silent));
        let blank = token("alpha", "");
        assert!(!same_token(&blank, &blank));
    }

    #[test]
    fn a_token_is_chosen_by_label_serial_or_slot() {
        let info = token("alpha", "0042");
        let matches = |choice: TokenChoice| choice.matches(SlotId(7), &info);
        assert!(matches(TokenChoice::Label("alpha".into())));
        assert!(!matches(TokenChoice::Label("alph".into())));
        assert!(matches(TokenChoice::Serial("0042".into())));
        assert!(matches(TokenChoice::LabelAndSerial {
            label: "alpha".into(),
            serial: "0042".into()
        }));
        assert!(!matches(TokenChoice::LabelAndSerial {
            label: "alpha".into(),
            serial: "0043".into()
        }));
        assert!(matches(TokenChoice::Slot(7)));
        assert!(!matches(TokenChoice::Slot(8)));
    }

    fn token(label: &str, serial: &str) -> TokenInfo {
        fn padded<const N: usize>(text: &str) -> [u8; N] {
            let mut field = [b' '; N];
            field[..text.len()].copy_from_slice(text.as_bytes());
            field
        }
        let version = Version { major: 1, minor: 0 };
        TokenInfo {
            label: padded(label),
            manufacturer: padded("maker"),
            model: padded("model"),
            serial: padded(serial),
            flags: 0,
            max_sessions: 0,
            sessions: 0,
            max_rw_sessions: 0,
            rw_sessions: 0,
            max_pin: 255,
            min_pin: 4,
            total_public_memory: 0,
            free_public_memory: 0,
            total_private_memory: 0,
            free_private_memory: 0,
            hardware: version,
            firmware: version,
            utc_time: [b'0'; 16],
        }
    }
}
