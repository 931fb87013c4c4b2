//! A PKCS#11 module that answers at once, counts what it is asked and misbehaves on request.
//!
//! It exists for two uses. Under the benchmark it takes next to no time itself, so what is measured is the way to it. Under the
//! tests it counts every call (which member got the PIN?) and fails as it is told (a code, a delay, a hang, a crash), at
//! a place that no real token would fail at on demand.
//!
//! Its signatures, digests and ciphertexts are checksums: enough to see that an answer belongs to its question, worth
//! nothing otherwise.
//!
//! | environment | meaning | default |
//! |---|---|---|
//! | `EVERSLOT_TEST_CONTROL` | file of faults, read at each call: see [`script`] | no faults, no file read |
//! | `EVERSLOT_TEST_LOG` | file to which each call's name is appended | none |
//! | `EVERSLOT_TEST_LABEL` | label of the token; with several tokens, `-0`, `-1`, … follow it | `test` |
//! | `EVERSLOT_TEST_TOKENS` | how many slots, each with a token | 1 |
//! | `EVERSLOT_TEST_PIN` | the user's PIN, until it is changed | `1234` |
//! | `EVERSLOT_TEST_SO_PIN` | the security officer's | `4321` |
//! | `EVERSLOT_TEST_PIN_FILE` | file in which changed PINs outlive the process, of all tokens alike | none |
//! | `EVERSLOT_TEST_SESSION_LIMIT` | sessions that a token allows | 4096 |
//! | `EVERSLOT_TEST_INTERFACE` | the latest interface that it has: `2.40`, `3.0` or `3.2` | `3.2` |
//! | `EVERSLOT_TEST_USER` | the user's name for `C_LoginUser` | `user` |
//! | `EVERSLOT_TEST_MECHANISMS` | those of its mechanisms that the token has, such as `0x1041 0x250` | all |
//! | `EVERSLOT_TEST_LARGEST_KEY` | the largest key size of every mechanism | 521 |
//!
//! Nothing unwinds out of it: a panic in an `extern "C"` function aborts the process.

mod derive;
mod general;
mod interfaces;
mod keys;
mod later;
mod list;
mod memory;
mod messages;
mod objects;
mod operations;
mod pins;
pub mod script;
mod sessions;
mod settings;
mod state;

pub use interfaces::{C_GetInterface, C_GetInterfaceList};
pub use list::C_GetFunctionList;

use cryptoki_sys::{CK_RV, CKR_OK};

/// What a call comes to: nothing to add to `CKR_OK`, or the code it fails with.
pub(crate) type Outcome = Result<(), CK_RV>;

/// The way of every call: counted, kept back or refused as the script says, else executed.
pub(crate) fn answer(function: &'static str, execute: impl FnOnce() -> Outcome) -> CK_RV {
    let execute = || execute().err().unwrap_or(CKR_OK);
    match script::current() {
        None => execute(),
        Some(script) => script.answer(function, execute),
    }
}
