//! A configuration written for tokens that are there.

use std::fs;
use std::process::Command;

use everslot::config::Config;

use crate::{SOFTHSM, User, codes, fails, mode, pkcs11_tool, stderr, succeeds};

#[test]
fn a_configuration_is_written_for_tokens_that_are_there() {
    let (user, _) = User::with_tokens("2");
    let (a, b) = (
        user.member("a", "token=everslot-demo"),
        user.member("b", "token=everslot-demo,role=standby,name=spare"),
    );
    let told =
        succeeds(&user.everslot(&["init", "--member", &a, "--member", &b, "--label", "mine"]));
    assert!(
        told.contains("member a: token \"everslot-demo\", serial "),
        "{told}"
    );
    let path = user.path(".config/everslot/everslot.toml");
    assert_eq!(mode(&path), 0o600);
    let config = Config::from_file(&path).unwrap();
    let names: Vec<_> = config.groups[0]
        .members
        .iter()
        .map(|member| member.name.as_str())
        .collect();
    assert_eq!(
        (config.groups[0].label.as_str(), names),
        ("mine", vec!["a", "spare"])
    );
    assert_eq!(config.groups[0].serial.len(), 16);

    let again = user.everslot(&["init", "--member", &a]);
    let line = format!(
        "{} is there already; give --force to write over it, or --output",
        path.display()
    );
    assert_eq!(fails(&again), line);
    succeeds(&user.everslot(&["init", "--member", &a, "--force"]));
    assert_eq!(Config::from_file(&path).unwrap().groups[0].members.len(), 1);
    assert!(succeeds(&user.everslot(&["status"])).contains("CKR_OK"));
}

#[test]
fn a_configuration_is_not_written_for_tokens_that_are_not_there() {
    let (user, config) = User::with_tokens("1");
    let missing = user.everslot(&[
        "init",
        "--output",
        "x.toml",
        "--member",
        &user.member("a", "token=gone"),
    ]);
    let line = format!(
        "member \"a\": module {SOFTHSM} has no token \"gone\" (it has \"everslot-demo\"); correct the configuration or bring the token back"
    );
    assert_eq!(fails(&missing), line);

    let serial = fs::read_to_string(config).unwrap();
    assert!(serial.contains("token = \"everslot-demo\""));
    let (_, report) = user.probed(&user.path("everslot-demo/everslot.toml"));
    assert_eq!(codes(&report), ["CKR_OK"]);
    let listed = pkcs11_tool(
        &user.path("everslot-demo/a/softhsm2.conf"),
        &["--list-token-slots"],
    );
    let listed = String::from_utf8(listed).unwrap();
    let serial = listed
        .lines()
        .find_map(|line| line.trim().strip_prefix("serial num         : "))
        .unwrap();
    let by_label = user.member("a", "token=everslot-demo");
    let by_serial = user.member("a", &format!("serial={}", serial.trim()));
    let double = user.everslot(&[
        "init", "--output", "x.toml", "--member", &by_label, "--member", &by_serial,
    ]);
    let line =
        "members \"a\" and \"b\" are the same token; remove one of them from the configuration";
    assert_eq!(fails(&double), line);
    assert!(!user.path("x.toml").exists());
}

#[test]
fn copies_of_one_token_are_pointed_out_and_taken() {
    let (user, _) = User::with_tokens("2");
    fs::remove_dir_all(user.path("everslot-demo/b/tokens")).unwrap();
    let mut copy = Command::new("cp");
    copy.args(["-r", "a/tokens", "b/tokens"])
        .current_dir(user.path("everslot-demo"));
    assert!(copy.status().unwrap().success());
    let (a, b) = (
        user.member("a", "token=everslot-demo"),
        user.member("b", "token=everslot-demo"),
    );
    let output = user.everslot(&["init", "--member", &a, "--member", &b]);
    succeeds(&output);
    let line = "everslot: members \"a\" and \"b\" have the same serial; remove one of them, unless they are copies of one token\n";
    assert_eq!(stderr(&output), line);
    let output = user.everslot(&["status"]);
    assert_eq!(
        (output.status.code(), stderr(&output)),
        (Some(0), String::new())
    );
}
