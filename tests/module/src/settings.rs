//! What the environment says, read once in a process: a second `C_Initialize` sees the same.

use std::path::PathBuf;
use std::sync::OnceLock;

/// The settings of this load of the module.
#[derive(Debug)]
pub(crate) struct Settings {
    /// Label of the token, or the beginning of the tokens' labels.
    pub(crate) label: String,
    /// Number of slots.
    pub(crate) tokens: usize,
    /// The user's PIN at first.
    pub(crate) pin: String,
    /// The security officer's PIN at first.
    pub(crate) so_pin: String,
    /// Where changed PINs are kept; none: they are forgotten with the process.
    pub(crate) pin_file: Option<PathBuf>,
    /// The user's name.
    pub(crate) user: String,
    /// The version of the latest interface.
    pub(crate) interface: (u8, u8),
    /// Sessions that a token allows.
    pub(crate) session_limit: usize,
    /// The mechanisms that it has, if not all.
    pub(crate) mechanisms: Option<Vec<u64>>,
    /// The largest key that any mechanism takes.
    pub(crate) largest_key: u64,
}

/// The settings, from the environment.
pub(crate) fn settings() -> &'static Settings {
    static SETTINGS: OnceLock<Settings> = OnceLock::new();
    SETTINGS.get_or_init(|| Settings {
        label: variable("EVERSLOT_TEST_LABEL").unwrap_or_else(|| "test".to_owned()),
        tokens: number("EVERSLOT_TEST_TOKENS")
            .unwrap_or(1)
            .clamp(1, crate::state::SLOTS),
        pin: variable("EVERSLOT_TEST_PIN").unwrap_or_else(|| "1234".to_owned()),
        so_pin: variable("EVERSLOT_TEST_SO_PIN").unwrap_or_else(|| "4321".to_owned()),
        pin_file: std::env::var_os("EVERSLOT_TEST_PIN_FILE").map(PathBuf::from),
        user: variable("EVERSLOT_TEST_USER").unwrap_or_else(|| "user".to_owned()),
        interface: version("EVERSLOT_TEST_INTERFACE").unwrap_or((3, 2)),
        session_limit: number("EVERSLOT_TEST_SESSION_LIMIT")
            .unwrap_or(crate::state::SESSIONS)
            .min(crate::state::SESSIONS),
        mechanisms: variable("EVERSLOT_TEST_MECHANISMS").map(|list| hexadecimal(&list)),
        largest_key: number("EVERSLOT_TEST_LARGEST_KEY").map_or(521, |size| size as u64),
    })
}

/// The numbers of a list; a word that is none does not count.
fn hexadecimal(list: &str) -> Vec<u64> {
    let words = list.split_whitespace();
    words
        .filter_map(|word| u64::from_str_radix(word.strip_prefix("0x")?, 16).ok())
        .collect()
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

fn number(name: &str) -> Option<usize> {
    variable(name)?.parse().ok()
}

fn version(name: &str) -> Option<(u8, u8)> {
    let version = variable(name)?;
    let (major, minor) = version.split_once('.')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}
