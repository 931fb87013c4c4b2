//! The seed's menu, and what each entry does.

use everslot_core::ckr;

use super::Console;
use super::failure::{Done, Failure};

/// As CKDemo shows it.
pub(super) const MENU: &str = "\
( 1) Open Session  ( 2) Close Session  ( 3) Login
( 4) Logout        ( 5) Change PIN     ( 6) Init Token
( 7) Init Pin      ( 8) Mechanism List ( 9) Mechanism Info
(10) Get Info      (11) Slot Info      (12) Token Info
(13) Session Info  (14) Get Slot List  (15) Wait for Slot Event
(16) InitToken(ind)(17) InitPin (ind)  (18) Login (ind)
(19) CloneMofN
(20) Create object (21) Copy object    (22) Destroy object
(23) Object size   (24) Get attribute  (25) Set attribute
(26) Find object   (27) Display Object
(40)  Encrypt file (41) Decrypt file   (42)  Sign
(43)  Verify       (44) Hash file      (45)  Simple Generate Key
(46)  Digest Key
(50) HA Init       (51) HA Login       (52) HA Status
(60) Wrap key      (61) Unwrap key     (62) Generate random number
(63) Derive Key    (64) PBE Key Gen    (65) Create known keys
(66) Seed RNG      (67) EC User Defined Curves
(70) Set Domain    (71) Clone Key      (72) Set MofN
(73) Generate MofN (74) Activate MofN  (75) Generate Token Keys
(76) Get Token Cert(77) Sign Token Cert(78) Generate CertCo Cert
(79) Modify MofN   (86) Dup. MofN Keys (87) Deactivate MofN
(80) Module List   (81) Module Info    (82) Load Module
(83) Load Enc Mod  (84) Unload Module  (85) Module function Call
(90) Self Test     (94) Open Access    (95) Close Access
(97) Set App ID    (98) Options
(101) Extract Masked Object    (102) Insert Masked Object
(103) Multisign With Value     (104) Clone Object
(105) SIMExtract               (106) SIMInsert
(107) SimMultiSign
(108) Execute Script
(109) Execute Asynchronous Script
(110) Execute Single Part Script
(0) Quit demo
";

/// An entry of the menu.
pub(super) struct Entry {
    pub(super) number: u16,
    /// As it stands in the menu.
    pub(super) label: &'static str,
    pub(super) run: fn(&mut Console) -> Done,
}

/// The entry of that number, if there is one. Other digits of the same value are another answer: no bytes of zeros are a wish to quit.
pub(super) fn entry(number: &str) -> Option<&'static Entry> {
    ENTRIES
        .iter()
        .find(|entry| entry.number.to_string() == number)
}

/// What Luna's hardware has, and no PKCS#11 function is for.
fn hardware(_: &mut Console) -> Done {
    Err(Failure::Code(ckr::FUNCTION_NOT_SUPPORTED))
}

macro_rules! entries {
    ($($number:literal $label:literal $run:expr,)*) => {
        &[$(Entry { number: $number, label: $label, run: $run }),*]
    };
}

/// All of them, in the menu's order.
pub(super) const ENTRIES: &[Entry] = entries! {
    1 "Open Session" Console::open_session,
    2 "Close Session" Console::close_session,
    3 "Login" Console::log_in,
    4 "Logout" Console::log_out,
    5 "Change PIN" Console::change_pin,
    6 "Init Token" Console::init_token,
    7 "Init Pin" Console::init_pin,
    8 "Mechanism List" Console::mechanism_list,
    9 "Mechanism Info" Console::mechanism_info,
    10 "Get Info" Console::module_info,
    11 "Slot Info" Console::slot_info,
    12 "Token Info" Console::token_info,
    13 "Session Info" Console::session_info,
    14 "Get Slot List" Console::slot_list,
    15 "Wait for Slot Event" Console::slot_event,
    16 "InitToken(ind)" Console::init_token_indirectly,
    17 "InitPin (ind)" Console::init_pin_indirectly,
    18 "Login (ind)" Console::log_in_indirectly,
    19 "CloneMofN" hardware,
    20 "Create object" Console::create_object,
    21 "Copy object" Console::copy_object,
    22 "Destroy object" Console::destroy_object,
    23 "Object size" Console::object_size,
    24 "Get attribute" Console::show_attribute,
    25 "Set attribute" Console::set_attribute,
    26 "Find object" Console::find_objects,
    27 "Display Object" Console::display_object,
    40 "Encrypt file" Console::encrypt_file,
    41 "Decrypt file" Console::decrypt_file,
    42 "Sign" Console::sign_file,
    43 "Verify" Console::verify_file,
    44 "Hash file" Console::hash_file,
    45 "Simple Generate Key" Console::generate_key,
    46 "Digest Key" Console::digest_key,
    50 "HA Init" Console::ha_init,
    51 "HA Login" Console::ha_login,
    52 "HA Status" Console::ha_status,
    60 "Wrap key" Console::wrap_key,
    61 "Unwrap key" Console::unwrap_key,
    62 "Generate random number" Console::generate_random,
    63 "Derive Key" Console::derive_key,
    64 "PBE Key Gen" Console::generate_password_key,
    65 "Create known keys" Console::create_known_keys,
    66 "Seed RNG" Console::seed_random,
    67 "EC User Defined Curves" Console::generate_on_curve,
    70 "Set Domain" Console::set_domain,
    71 "Clone Key" Console::clone_object,
    72 "Set MofN" hardware,
    73 "Generate MofN" hardware,
    74 "Activate MofN" hardware,
    75 "Generate Token Keys" hardware,
    76 "Get Token Cert" hardware,
    77 "Sign Token Cert" hardware,
    78 "Generate CertCo Cert" hardware,
    79 "Modify MofN" hardware,
    86 "Dup. MofN Keys" hardware,
    87 "Deactivate MofN" hardware,
    80 "Module List" hardware,
    81 "Module Info" hardware,
    82 "Load Module" hardware,
    83 "Load Enc Mod" hardware,
    84 "Unload Module" hardware,
    85 "Module function Call" hardware,
    90 "Self Test" hardware,
    94 "Open Access" hardware,
    95 "Close Access" hardware,
    97 "Set App ID" hardware,
    98 "Options" Console::options,
    101 "Extract Masked Object" hardware,
    102 "Insert Masked Object" hardware,
    103 "Multisign With Value" hardware,
    104 "Clone Object" Console::clone_object,
    105 "SIMExtract" hardware,
    106 "SIMInsert" hardware,
    107 "SimMultiSign" hardware,
    108 "Execute Script" hardware,
    109 "Execute Asynchronous Script" hardware,
    110 "Execute Single Part Script" hardware,
    0 "Quit demo" |_| Ok(()),
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_menu_shows_the_entries_and_no_others() {
        let mut rest = MENU;
        for Entry { number, label, .. } in ENTRIES {
            let start = rest.find('(').expect("a number in parentheses");
            let (found, after) = rest[start + 1..].split_once(')').expect("its end");
            assert_eq!(found.trim().parse(), Ok(*number));
            rest = after.trim_start().strip_prefix(label).expect("its label");
        }
        assert_eq!(rest.trim(), "");
    }
}
