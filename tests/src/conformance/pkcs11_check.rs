//! pkcs11-check, a suite in Python.

use std::path::PathBuf;
use std::process::Command;

use clap::ValueEnum;

use super::outcome::Results;
use super::pytest;
use super::situation::Target;
use crate::Pins;

/// What the suite asks for of its tokens.
pub(super) const PINS: Pins = Pins {
    user: "12345678",
    so: "87654321",
};
/// A part of the suite, by the suite's own names.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub enum Category {
    /// Many threads and sessions at once.
    Concurrency,
    /// Encryption and decryption.
    Encrypt,
    /// Bad input and calls in the wrong order.
    Errors,
    /// The library and its interfaces.
    Interface,
    /// Objects, keys and attributes.
    Object,
    /// Signing and verifying.
    Sign,
    /// Slots, tokens and sessions.
    Slot,
}

impl Category {
    /// The suite's name for it.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Concurrency => "concurrency",
            Self::Encrypt => "encrypt",
            Self::Errors => "errors",
            Self::Interface => "interface",
            Self::Object => "object",
            Self::Sign => "sign",
            Self::Slot => "slot",
        }
    }
}

/// Runs a category. `cases` is how many cases are expected to run; a fault happens in their middle.
///
/// # Panics
/// The suite is not installed; the message says what installs it.
pub(super) fn run(target: &Target, category: Category, cases: usize) -> Results {
    let program = program();
    assert!(
        program.is_file(),
        "{} is not there: `tests/prerequisites conformance` installs it (`make conformance` does)",
        program.display()
    );
    let mut command = Command::new(program);
    command
        .args(["test", "--isolation", "none", "--timeout"])
        .arg(pytest::CASE.to_string())
        .args(["--category", category.name(), "--module"])
        .arg(target.module())
        .env("P11TEST_PIN", PINS.user)
        .env("P11TEST_SO_PIN", PINS.so);
    pytest::run(&mut command, target, cases)
}

/// The program, where `tests/prerequisites conformance` puts it.
pub(super) fn program() -> PathBuf {
    crate::artifact::build_directory().join("conformance/python/bin/pkcs11-check")
}
