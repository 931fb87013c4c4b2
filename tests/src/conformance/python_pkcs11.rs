//! The tests that python-pkcs11 ships.

use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::process::Command;

use super::outcome::Results;
use super::pytest;
use super::situation::Target;
use crate::Pins;
use crate::apart::python;
use crate::artifact::build_directory;

/// The suite takes any.
pub(super) const PINS: Pins = super::pkcs11_check::PINS;

/// Whether the suite is installed.
#[must_use]
pub(super) fn is_installed() -> bool {
    directory().join("tests").is_dir() && python().is_file()
}

/// Runs all of it. `cases` is how many cases are expected to run; a fault happens in their middle.
///
/// # Panics
/// The suite is not installed; the message says what installs it.
pub(super) fn run(target: &Target, cases: usize) -> Results {
    let suite = directory();
    assert!(
        is_installed(),
        "{} is not there: `tests/prerequisites conformance` installs it (`make conformance` does)",
        suite.display()
    );
    // The suite knows SoftHSM by its file's name, and keeps some cases for it.
    let module = target.directory().join("libsofthsm2.so");
    symlink(target.module(), &module).expect("the lab's directory is writable");
    let mut command = Command::new(python());
    command
        .args(["-m", "pytest", "-p", "no:cacheprovider", "--rootdir"])
        .args([&suite, &suite.join("tests")])
        .env("PKCS11_MODULE", module)
        .env("PKCS11_TOKEN_LABEL", target.label())
        .env("PKCS11_TOKEN_PIN", PINS.user)
        .env("PKCS11_TOKEN_SO_PIN", PINS.so);
    pytest::run(&mut command, target, cases)
}

/// Where `tests/prerequisites` puts the tests of python-pkcs11's source.
fn directory() -> PathBuf {
    build_directory().join("clients/python/suite")
}
