//! The crate's source, as cargo has it for this workspace, and its test programs.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use super::Program;

/// How the tests prepare the token: all of it is in these lines of `tests/common/mod.rs`.
const INITIALISE: &str = r#"    pkcs11.init_token(slot, &so_pin, "Test Token").unwrap();
"#;
const PREPARED: &str = "    (pkcs11, slot)
}";
/// everslot refuses `C_InitToken`, as its members' vendors have tools for it; the PIN is still given with `C_InitPIN`.
const EMPTIED: &str = "    empty(&pkcs11, slot);
    (pkcs11, slot)
}

/// The token is initialised already: what earlier tests left on it is removed.
fn empty(pkcs11: &Pkcs11, slot: Slot) {
    let session = pkcs11.open_rw_session(slot).unwrap();
    session
        .login(UserType::User, Some(&AuthPin::new(USER_PIN.into())))
        .unwrap();
    for object in session.find_objects(&[]).unwrap() {
        session.destroy_object(object).unwrap();
    }
}";
/// Another test prepares the token by itself, and ignores a refusal.
const INITIALISE_AGAIN: &str = r#"    let _ = pkcs11.init_token(slot, &so_pin, "Test Token");
"#;

/// Builds the crate's test programs, in `directory`.
///
/// # Panics
/// The crate's source is not what it was when this was written, or it does not build.
pub(in super::super) fn build(directory: &Path) -> Vec<Program> {
    let source = source();
    let copy = directory.join(source.file_name().expect("a crate has a directory"));
    let _ = std::fs::remove_dir_all(&copy);
    copy_tree(&source, &copy);
    change(
        &copy.join("Cargo.toml"),
        "[package]",
        "[workspace]\n\n[package]",
    );
    let common = copy.join("tests/common/mod.rs");
    change(&common, INITIALISE, "");
    change(&common, PREPARED, EMPTIED);
    change(&copy.join("tests/wycheproof.rs"), INITIALISE_AGAIN, "");
    let output = Command::new("cargo")
        .args([
            "test",
            "--quiet",
            "--tests",
            "--no-run",
            "--message-format=json",
        ])
        .current_dir(&copy)
        .env("CARGO_TARGET_DIR", directory.join("target"))
        .stderr(std::process::Stdio::inherit())
        .output()
        .expect("cargo starts");
    assert!(
        output.status.success(),
        "the cryptoki crate's tests do not build"
    );
    let programs = String::from_utf8_lossy(&output.stdout)
        .lines()
        .filter_map(program)
        .collect::<Vec<_>>();
    assert!(!programs.is_empty(), "the cryptoki crate has tests");
    programs
}

/// Where cargo has the source of the crate, in the version that this workspace uses.
fn source() -> PathBuf {
    let output = Command::new("cargo")
        .args([
            "metadata",
            "--format-version=1",
            "--locked",
            "--manifest-path",
        ])
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml"))
        .stderr(std::process::Stdio::inherit())
        .output()
        .expect("cargo starts");
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("cargo writes JSON");
    let packages = metadata["packages"].as_array().into_iter().flatten();
    let manifest = packages
        .filter(|package| package["name"] == "cryptoki")
        .find_map(|package| package["manifest_path"].as_str())
        .expect("this workspace depends on cryptoki");
    let directory = Path::new(manifest).parent();
    directory.expect("a manifest is in a directory").to_owned()
}

/// A test program that cargo says it has built; the crate's unit tests need no module.
fn program(message: &str) -> Option<Program> {
    let message: Value = serde_json::from_str(message).ok()?;
    let kinds = message["target"]["kind"].as_array()?;
    let is_test = kinds.iter().any(|kind| kind == "test");
    Some(Program {
        name: message["target"]["name"].as_str()?.to_owned(),
        path: message["executable"].as_str()?.into(),
    })
    .filter(|_| is_test)
}

fn change(path: &Path, old: &str, new: &str) {
    let text = std::fs::read_to_string(path).expect("the crate ships it");
    assert_eq!(
        text.matches(old).count(),
        1,
        "{}: not the source that this was written for; see conformance/cryptoki_crate/source.rs",
        path.display()
    );
    std::fs::write(path, text.replacen(old, new, 1)).expect("the copy is writable");
}

fn copy_tree(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("the build's directory is writable");
    for entry in std::fs::read_dir(from).expect("cargo has unpacked it") {
        let entry = entry.expect("it is readable");
        let to = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_tree(&entry.path(), &to);
        } else {
            std::fs::copy(entry.path(), to).expect("the build's directory is writable");
        }
    }
}
