//! `pkcs11-tool`, which people have, through the module.

use std::process::{Command, Output};

use everslot_tests::apart::succeeds_while_members_die;
use everslot_tests::{Artifact, Lab, SOFTHSM};

struct Tool<'a>(&'a Lab);

/// Threads of pkcs11-tool, in a command that says no token's label: the tool reads labels into one buffer for all of its threads, and one
/// that prints a token's while the first looks for the slot makes it miss. The first is given something to do: when it is done before the
/// others, the tool sleeps for 30 seconds.
fn threads(lab: &Lab, patterns: &[&str]) -> Command {
    let mut threads = Command::new("pkcs11-tool");
    threads.arg("--module").arg(Artifact::Module.path());
    threads.args(["--slot-index", "0", "--login", "--pin", lab.pin()]);
    threads.args(["--list-objects", "--list-mechanisms"]);
    for pattern in patterns {
        threads.args(["--test-threads", pattern]);
    }
    threads
}

impl Tool<'_> {
    fn try_run(&self, pin: &str, arguments: &[&str]) -> Output {
        let mut command = Command::new("pkcs11-tool");
        command.arg("--module").arg(Artifact::Module.path());
        command
            .args(["--token-label", Lab::LABEL, "--login", "--pin", pin])
            .args(arguments);
        command
            .current_dir(self.0.directory())
            .output()
            .expect("pkcs11-tool is installed; `make test` does it")
    }

    /// What it prints, when it does as it is told.
    #[track_caller]
    fn run(&self, arguments: &[&str]) -> String {
        let output = self.try_run(self.0.pin(), arguments);
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(
            output.status.success(),
            "pkcs11-tool {arguments:?}: {error}"
        );
        String::from_utf8_lossy(&output.stdout).into_owned()
    }
}

fn write(lab: &Lab, name: &str, bytes: &[u8]) {
    std::fs::write(lab.directory().join(name), bytes).expect("the lab's directory is writable");
}

fn read(lab: &Lab, name: &str) -> Vec<u8> {
    std::fs::read(lab.directory().join(name)).expect("it was written")
}

#[test]
fn it_lists_slots_mechanisms_and_objects() {
    let lab = Lab::softhsm();
    let tool = Tool(&lab);
    let slots = tool.run(&["--list-slots"]);
    assert_eq!(
        slots.matches("token label").count(),
        1,
        "one slot, not three: {slots}"
    );
    assert!(slots.contains("lab"), "{slots}");
    assert!(tool.run(&["--list-mechanisms"]).contains("ECDSA"));
    let objects = tool.run(&["--list-objects"]);
    assert_eq!(
        objects.matches("Private Key Object").count(),
        2,
        "{objects}"
    );
    assert_eq!(objects.matches("Secret Key Object").count(), 1, "{objects}");
}

#[test]
fn it_signs_and_openssl_verifies() {
    let lab = Lab::softhsm();
    let tool = Tool(&lab);
    write(&lab, "message", b"everslot");
    tool.run(&[
        "--sign",
        "--mechanism",
        "SHA256-RSA-PKCS",
        "--id",
        "02",
        "--input-file",
        "message",
        "--output-file",
        "signature",
    ]);
    tool.run(&[
        "--read-object",
        "--type",
        "pubkey",
        "--id",
        "02",
        "--output-file",
        "public.der",
    ]);
    let mut openssl = Command::new("openssl");
    openssl.args([
        "dgst",
        "-sha256",
        "-verify",
        "public.der",
        "-keyform",
        "DER",
        "-signature",
        "signature",
        "message",
    ]);
    let verified = openssl
        .current_dir(lab.directory())
        .output()
        .expect("openssl is installed");
    assert!(
        verified.status.success(),
        "{}",
        String::from_utf8_lossy(&verified.stderr)
    );
}

#[test]
fn it_generates_finds_and_deletes() {
    let lab = Lab::softhsm();
    let tool = Tool(&lab);
    tool.run(&[
        "--keypairgen",
        "--key-type",
        "EC:prime256v1",
        "--label",
        "made",
        "--id",
        "42",
    ]);
    let listed = tool.run(&["--list-objects", "--id", "42"]);
    assert_eq!(listed.matches("label:      made").count(), 2, "{listed}");
    write(&lab, "hash", &[7; 32]);
    for _ in 0..3 {
        tool.run(&[
            "--sign",
            "--mechanism",
            "ECDSA",
            "--id",
            "42",
            "--input-file",
            "hash",
            "--output-file",
            "signature",
        ]);
        assert_eq!(read(&lab, "signature").len(), 64);
    }
    for kind in ["privkey", "pubkey"] {
        tool.run(&["--delete-object", "--type", kind, "--id", "42"]);
    }
    assert!(!tool.run(&["--list-objects"]).contains("made"));
}

#[test]
fn it_encrypts_and_decrypts() {
    let lab = Lab::softhsm();
    let tool = Tool(&lab);
    write(&lab, "text", b"sixteen bytes and then some");
    let cipher = [
        "--mechanism",
        "AES-CBC-PAD",
        "--iv",
        "000102030405060708090a0b0c0d0e0f",
        "--id",
        "03",
    ];
    let encrypt = [
        "--encrypt",
        "--input-file",
        "text",
        "--output-file",
        "encrypted",
    ];
    let decrypt = [
        "--decrypt",
        "--input-file",
        "encrypted",
        "--output-file",
        "decrypted",
    ];
    tool.run(&[&encrypt[..], &cipher[..]].concat());
    assert_ne!(read(&lab, "encrypted"), read(&lab, "text"));
    tool.run(&[&decrypt[..], &cipher[..]].concat());
    assert_eq!(read(&lab, "decrypted"), read(&lab, "text"));
}

/// What the tool's own tests found, but for the keys, which each token has in an order of its own: what went well, and what stopped them.
fn findings(output: &Output) -> (Vec<String>, String) {
    let (text, errors) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    let before_keys = text
        .lines()
        .take_while(|line| !line.starts_with("Signatures"));
    let last_error = errors
        .lines()
        .rfind(|line| line.starts_with("error:"))
        .unwrap_or_default();
    (
        before_keys.map(str::to_owned).collect(),
        last_error.to_owned(),
    )
}

#[test]
fn its_own_tests_find_what_they_find_in_the_bare_token() {
    let lab = Lab::softhsm();
    let member = &lab.members()[0];
    let mut bare = Command::new("pkcs11-tool");
    bare.args([
        "--module",
        SOFTHSM,
        "--token-label",
        member.token_label(),
        "--login",
        "--pin",
        lab.pin(),
        "--test",
    ]);
    let bare = bare
        .env("SOFTHSM2_CONF", member.store().config())
        .output()
        .expect("pkcs11-tool is installed");
    let bare = findings(&bare);
    assert!(
        bare.0.iter().any(|line| line.contains("SHA256: OK")),
        "{bare:?}"
    );
    assert_eq!(findings(&Tool(&lab).try_run(lab.pin(), &["--test"])), bare);
}

#[test]
fn its_threads_agree() {
    let lab = Lab::softhsm();
    for pattern in ["IN", "ILGISLT0L", "INLT0"] {
        let output = threads(&lab, &[pattern; 2]).output();
        let output = output.expect("pkcs11-tool is installed; `make test` does it");
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{pattern}: {error}");
    }
}

#[test]
fn its_fork_is_served_where_the_bare_token_fails() {
    let lab = Lab::softhsm();
    let printed = Tool(&lab).run(&["--test-fork"]);
    assert!(
        printed.contains("C_Initialize in forked child"),
        "{printed}"
    );
    let member = &lab.members()[0];
    let mut bare = Command::new("pkcs11-tool");
    bare.args(["--module", SOFTHSM, "--token-label", member.token_label()]);
    bare.args(["--login", "--pin", lab.pin(), "--test-fork"]);
    let bare = bare.env("SOFTHSM2_CONF", member.store().config()).output();
    let bare = bare.expect("pkcs11-tool is installed");
    assert!(!bare.status.success(), "SoftHSM knows nothing of fork");
}

#[test]
fn it_signs_while_members_die() {
    let lab = Lab::softhsm();
    write(&lab, "message", b"everslot");
    succeeds_while_members_die(&lab, || {
        let mut sign = Command::new("pkcs11-tool");
        sign.arg("--module").arg(Artifact::Module.path());
        sign.args(["--token-label", Lab::LABEL, "--login", "--pin", lab.pin()]);
        sign.args(["--sign", "--mechanism", "SHA256-RSA-PKCS", "--id", "02"]);
        sign.args(["--input-file", "message", "--output-file", "signature"]);
        sign.current_dir(lab.directory());
        sign
    });
    assert_eq!(read(&lab, "signature").len(), 256);
}

#[test]
fn its_threads_agree_while_members_die() {
    let lab = Lab::softhsm();
    succeeds_while_members_die(&lab, || threads(&lab, &["ILGISLT0L"; 2]));
}

#[test]
fn a_wrong_pin_is_refused() {
    let lab = Lab::softhsm();
    let refused = Tool(&lab).try_run("000000", &["--list-objects"]);
    assert!(!refused.status.success());
    let text = String::from_utf8_lossy(&refused.stderr);
    assert!(text.contains("CKR_PIN_INCORRECT"), "{text}");
    assert!(
        Tool(&lab)
            .run(&["--list-objects"])
            .contains("Private Key Object"),
        "the right one is taken after it"
    );
}
