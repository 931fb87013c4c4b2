//! The demo's tokens.

use std::fs;
use std::path::PathBuf;

use everslot::config::Config;

use crate::{User, fails, mode, pkcs11_tool, succeeds};

#[test]
fn demo_tokens_hold_the_same_keys_for_any_client() {
    let (user, config) = User::with_tokens("2");
    let pin = fs::read_to_string(user.path("everslot-demo/pin")).unwrap();
    let confs = ["a", "b"].map(|name| user.path(&format!("everslot-demo/{name}/softhsm2.conf")));
    for id in ["01", "02"] {
        let [one, other] = confs
            .each_ref()
            .map(|conf| pkcs11_tool(conf, &["--read-object", "--type", "pubkey", "--id", id]));
        assert!(one.len() > 60 && one == other);
    }
    let objects = |conf: &PathBuf| {
        String::from_utf8(pkcs11_tool(
            conf,
            &["--login", "--pin", &pin, "--list-objects"],
        ))
    };
    for conf in &confs {
        let listed = objects(conf).unwrap();
        assert_eq!(listed.matches("Private Key Object").count(), 2, "{listed}");
        assert_eq!(listed.matches("Public Key Object").count(), 2, "{listed}");
        assert_eq!(listed.matches("Secret Key Object").count(), 1, "{listed}");
        assert_eq!(
            listed.matches("never extractable").count(),
            0,
            "they were carried: {listed}"
        );
    }
    // What one token has signed, the other verifies.
    let (message, signature) = (user.path("message"), user.path("signature"));
    fs::write(&message, "a message").unwrap();
    let files = ["--input-file", message.to_str().unwrap()];
    let (input, key) = (&files[..], ["--id", "02", "--mechanism", "SHA256-RSA-PKCS"]);
    let login = ["--login", "--pin", &pin];
    let sign = [
        &["--sign", "--output-file", signature.to_str().unwrap()],
        input,
        &key,
        &login,
    ]
    .concat();
    pkcs11_tool(&confs[0], &sign);
    let verify = [
        &["--verify", "--signature-file", signature.to_str().unwrap()],
        input,
        &key,
    ]
    .concat();
    assert!(
        String::from_utf8(pkcs11_tool(&confs[1], &verify))
            .unwrap()
            .contains("Signature is valid")
    );
    assert_eq!(
        Config::from_file(&config).unwrap().groups[0].members.len(),
        2
    );
}

#[test]
fn demo_tokens_are_the_users_alone_and_are_not_made_twice() {
    let user = User::new();
    let told = succeeds(&user.everslot(&["init", "--demo", "1", "--directory", "d"]));
    assert!(
        told.contains("made 1 SoftHSM tokens in ") && told.contains("export EVERSLOT_CONF="),
        "{told}"
    );
    for name in ["d/pin", "d/so-pin", "d/everslot.toml", "d/a/softhsm2.conf"] {
        assert_eq!(mode(&user.path(name)), 0o600, "{name}");
    }
    assert_eq!(mode(&user.path("d")), 0o700);
    let pin = fs::read_to_string(user.path("d/pin")).unwrap();
    assert!(!told.contains(&pin));
    let line = fails(&user.everslot(&[
        "init",
        "--demo",
        "1",
        "--directory",
        "d",
        "--output",
        "other.toml",
    ]));
    assert!(
        line.ends_with("/d is not empty; remove it, or choose another with --directory"),
        "{line}"
    );
}

#[test]
fn nothing_is_left_of_demo_tokens_that_cannot_be_made() {
    let user = User::new();
    let line = fails(&user.everslot(&["init"]));
    assert!(line.starts_with("which tokens? give --member "), "{line}");
    let line = fails(&user.everslot(&["init", "--demo", "1", "--softhsm", "/dev/null"]));
    assert!(line.contains("SoftHSM's module is not there"), "{line}");
    fs::write(user.path("no-module.so"), "not a library").unwrap();
    let line = fails(&user.everslot(&["init", "--demo", "1", "--softhsm", "no-module.so"]));
    assert!(
        line.starts_with("token a cannot be made: the module cannot be loaded"),
        "{line}"
    );
    assert!(!user.path("everslot-demo").exists());
}
