//! The lab: real tokens, ordinary clients and faults, for tests, demo figures and benchmarks that cross the crates.
//!
//! A PKCS#11 module is one in a process, so each test has a process of its own: run them with `cargo nextest run`
//! (`make test` does). Whatever the tests load is built before, by `cargo build --workspace` in the same profile.

pub mod apart;
mod artifact;
pub mod bench;
pub mod board;
pub mod client;
pub mod conformance;
pub mod faults;
mod host;
mod lab;
mod makes;
pub mod process;
pub mod random_objects;
mod ready;
pub mod replay;
pub mod resources;
#[path = "../../host-adapter/src/journal/tests/server.rs"]
mod server;
mod softhsm;
pub mod turnover;
mod wait;

pub use artifact::Artifact;
pub use host::HostProcess;
pub use lab::{Isolation, Lab, Member, Plan, Token};
pub use makes::{Make, Mixed, OtherMember};
pub use ready::{ECDSA, HASH, PATIENCE, ec_key, ec_public_key};
pub use server::Server;
pub use softhsm::{AES_LABEL, EC_LABEL, PIN, Pins, RSA_LABEL, SO_PIN, Store, checked};
pub use wait::{eventually, within};

/// SoftHSM, as Debian installs it.
pub const SOFTHSM: &str = "/usr/lib/softhsm/libsofthsm2.so";
