//! Whatever is wrong with a configuration is one line that says what, where and what to do.

use std::process::Output;

use everslot_core::ckr;
use everslot_tests::client::Module;
use everslot_tests::{Artifact, Lab, SOFTHSM, process};

/// The one line on standard error of a command that fails.
#[track_caller]
fn complaint(output: &Output) -> String {
    let text = String::from_utf8(output.stderr.clone()).expect("text");
    assert!(!output.status.success(), "it failed");
    assert_eq!(text.lines().count(), 1, "one line: {text}");
    text
}

fn edit(lab: &Lab, change: impl FnOnce(String) -> String) {
    let text = std::fs::read_to_string(lab.config_path()).expect("it is there");
    std::fs::write(lab.config_path(), change(text)).expect("it is writable");
}

#[test]
fn an_unknown_key_is_named_with_its_line_and_the_likely_one() {
    let lab = Lab::softhsm();
    edit(&lab, |text| text.replacen("deadline", "deadlime", 1));
    let line = complaint(&lab.everslot(&["status"]));
    assert!(
        line.contains("deadlime") && line.contains("deadline") && line.contains("everslot.toml:"),
        "{line}"
    );
}

#[test]
fn a_missing_file_is_named() {
    let lab = Lab::softhsm();
    std::fs::remove_file(lab.config_path()).expect("it is there");
    let line = complaint(&lab.everslot(&["status"]));
    assert!(
        line.contains("everslot.toml") && line.contains("everslot init"),
        "{line}"
    );
}

#[test]
fn a_missing_module_is_named() {
    let lab = Lab::softhsm();
    edit(&lab, |text| {
        text.replacen("libsofthsm2.so", "libsofthsm3.so", 1)
    });
    let line = complaint(&lab.everslot(&["status"]));
    assert!(line.contains("libsofthsm3.so"), "{line}");
}

#[test]
fn a_token_that_is_not_there_is_named_in_the_status() {
    let lab = Lab::softhsm();
    edit(&lab, |text| text.replacen("token-1", "token-9", 1));
    let output = lab.everslot(&["status"]);
    let text = String::from_utf8_lossy(&output.stdout).into_owned()
        + &String::from_utf8_lossy(&output.stderr);
    let about = text.lines().filter(|line| line.contains("token-9")).count();
    assert_eq!(about, 1, "{text}");
}

#[test]
fn two_members_that_are_one_token_are_refused() {
    let lab = Lab::softhsm();
    let store = lab.members()[0].store().config();
    let member = |name| {
        let environment = format!(
            "environment = {{ SOFTHSM2_CONF = \"{}\" }}",
            store.display()
        );
        format!(
            "[[group.member]]\nname = \"{name}\"\nmodule = \"{SOFTHSM}\"\ntoken = \"token-0\"\n{environment}\n"
        )
    };
    edit(&lab, |_| {
        format!(
            "[[group]]\nlabel = \"lab\"\nserial = \"1\"\n{}{}",
            member("a"),
            member("b")
        )
    });
    let line = complaint(&lab.everslot(&["status"]));
    assert!(
        line.contains("\"a\"") && line.contains("\"b\"") && line.contains("same token"),
        "{line}"
    );
}

#[test]
fn an_application_gets_an_error_not_a_crash() {
    let lab = Lab::softhsm();
    process::set_variable("EVERSLOT_CONF", lab.directory().join("none.toml"));
    let begun = Module::load(&Artifact::Module.path()).initialize();
    assert_eq!(
        begun.map_err(|failure| failure.code),
        Err(ckr::GENERAL_ERROR)
    );
}
