//! Tools that people have, each run as they would, while all members are well and while one dies.

use std::process::Command;

use everslot_tests::apart::{
    certificate, engine_is_installed, is_installed, succeeds_while_members_die,
};
use everslot_tests::{Artifact, EC_LABEL, Lab, PIN, RSA_LABEL, SOFTHSM, checked};

/// A command in the lab's directory; its environment is the test's, which is the lab's.
fn command(lab: &Lab, program: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.args(arguments).current_dir(lab.directory());
    command
}

fn module() -> String {
    Artifact::Module.path().display().to_string()
}

fn key_uri(label: &str) -> String {
    format!("pkcs11:token=lab;object={label};type=private")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn p11tool_signs_and_verifies() {
    if !is_installed("p11tool") {
        return;
    }
    let lab = Lab::softhsm();
    let (module, key) = (module(), key_uri(RSA_LABEL));
    let sign = || {
        let arguments = ["--provider", &module, "--login", "--test-sign", &key];
        let mut sign = command(&lab, "p11tool", &arguments);
        sign.env("GNUTLS_PIN", PIN);
        sign
    };
    let output = checked(&mut sign());
    assert!(text(&output.stderr).contains("Verifying against public key in the token... ok"));
    succeeds_while_members_die(&lab, sign);
}

#[test]
fn openssl_signs_through_its_engine() {
    if !engine_is_installed() {
        return;
    }
    let lab = Lab::softhsm();
    for label in [RSA_LABEL, EC_LABEL] {
        let key = format!("{};pin-value={PIN}", key_uri(label));
        std::fs::write(lab.directory().join("message"), label).expect("it is writable");
        let engine = ["-engine", "pkcs11", "-keyform", "engine"];
        let sign = || {
            let mut sign = command(&lab, "openssl", &["dgst", "-sha256"]);
            sign.args(engine).args(["-sign", &key, "-out", "signature"]);
            sign.arg("message").env("PKCS11_MODULE_PATH", module());
            sign
        };
        checked(&mut sign());
        let mut public = command(&lab, "openssl", &["pkey", "-pubout"]);
        public.args(["-engine", "pkcs11", "-inform", "engine", "-in", &key]);
        public.args(["-out", "public.pem"]);
        checked(public.env("PKCS11_MODULE_PATH", module()));
        let verify = ["dgst", "-sha256", "-verify", "public.pem"];
        let verify = || {
            let mut verify = command(&lab, "openssl", &verify);
            verify.args(["-signature", "signature", "message"]);
            checked(&mut verify)
        };
        verify();
        succeeds_while_members_die(&lab, sign);
        verify();
    }
}

#[test]
fn nss_lists_the_keys_and_makes_requests_with_them() {
    if !is_installed("certutil") || !is_installed("modutil") {
        return;
    }
    let lab = Lab::softhsm();
    let module = module();
    std::fs::write(lab.directory().join("pin"), PIN).expect("it is writable");
    std::fs::create_dir(lab.directory().join("nss")).expect("it is writable");
    checked(&mut command(
        &lab,
        "certutil",
        &["-N", "-d", "sql:nss", "--empty-password"],
    ));
    let add = [
        "-dbdir", "sql:nss", "-add", "lab", "-libfile", &module, "-force",
    ];
    checked(&mut command(&lab, "modutil", &add));
    let listed = checked(&mut command(
        &lab,
        "modutil",
        &["-dbdir", "sql:nss", "-list", "lab"],
    ));
    assert!(
        text(&listed.stdout).contains("Token Name: lab"),
        "{}",
        text(&listed.stdout)
    );
    let certutil = |arguments: &[&str]| {
        let mut certutil = command(&lab, "certutil", arguments);
        certutil.args(["-d", "sql:nss", "-h", "lab", "-f", "pin"]);
        certutil
    };
    let keys = text(&checked(&mut certutil(&["-K"])).stdout);
    assert!(
        keys.contains(EC_LABEL) && keys.contains(RSA_LABEL),
        "{keys}"
    );
    succeeds_while_members_die(&lab, || certutil(&["-K"]));
    succeeds_while_members_die(&lab, || {
        certutil(&["-R", "-k", "02", "-s", "CN=lab", "-o", "request", "-a"])
    });
    let request = ["req", "-verify", "-noout", "-in", "request"];
    checked(&mut command(&lab, "openssl", &request));
}

#[test]
fn keytool_makes_a_key_and_requests_with_it() {
    if !is_installed("keytool") || !engine_is_installed() {
        return;
    }
    let lab = Lab::softhsm();
    put_certificate_on_each_member(&lab);
    let provider = format!("name = lab\nlibrary = {}\nslotListIndex = 0\n", module());
    std::fs::write(lab.directory().join("sun.cfg"), provider).expect("it is writable");
    let store = [
        "-keystore",
        "NONE",
        "-storetype",
        "PKCS11",
        "-storepass",
        PIN,
    ];
    let provider = "sun.security.pkcs11.SunPKCS11";
    let keytool = |arguments: &[&str]| {
        let mut keytool = command(&lab, "keytool", arguments);
        keytool.args(store).args(["-providerClass", provider]);
        keytool.args(["-providerArg", "sun.cfg"]);
        keytool
    };
    let make = [
        "-genkeypair",
        "-alias",
        "j",
        "-keyalg",
        "EC",
        "-groupname",
        "secp256r1",
    ];
    checked(keytool(&make).args(["-dname", "CN=j"]));
    let listed = text(&checked(&mut keytool(&["-list"])).stdout);
    for alias in ["j", "everywhere"] {
        let entry = format!("{alias}, PrivateKeyEntry");
        assert!(listed.contains(&entry), "{listed}");
    }
    let request = |alias| keytool(&["-certreq", "-alias", alias, "-file", "request"]);
    let verify = ["req", "-verify", "-noout", "-in", "request"];
    let verify = || checked(&mut command(&lab, "openssl", &verify));
    checked(&mut request("j"));
    verify();
    // Java looks at every entry first, and what was made here goes with the one member that has it.
    checked(&mut keytool(&["-delete", "-alias", "j"]));
    succeeds_while_members_die(&lab, || request("everywhere"));
    verify();
}

/// Java takes a private key for one of its entries if there is a certificate of the same id.
fn put_certificate_on_each_member(lab: &Lab) {
    let certificate = certificate(lab);
    let convert = ["x509", "-outform", "DER", "-out", "certificate.der", "-in"];
    checked(command(lab, "openssl", &convert).arg(certificate));
    for member in lab.members() {
        let write = ["--write-object", "certificate.der", "--type", "cert"];
        let mut write = command(lab, "pkcs11-tool", &write);
        write.args([
            "--id",
            "02",
            "--label",
            "everywhere",
            "--login",
            "--pin",
            PIN,
        ]);
        write.args(["--module", SOFTHSM, "--token-label", member.token_label()]);
        checked(write.env("SOFTHSM2_CONF", member.store().config()));
    }
}
