use std::fs;
use std::os::unix::fs::PermissionsExt;

use secrecy::ExposeSecret;

use super::*;

#[test]
fn a_pin_file_must_be_closed_to_others() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("pin");
    fs::write(&path, "12345678\n").unwrap();
    let source = PinSource::File(path.clone());
    let mode = |mode| fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
    mode(0o644);
    let line = source.read().unwrap_err().to_string();
    let path_text = path.display();
    assert_eq!(
        line,
        format!("PIN file {path_text} is open to others (mode 0644): chmod 600 {path_text}")
    );
    mode(0o600);
    assert_eq!(source.read().unwrap().expose_secret(), "12345678");
    assert_eq!(
        format!("{:?}", source.read().unwrap())
            .matches("1234")
            .count(),
        0
    );
    fs::write(&path, "12345678\n87654321\n").unwrap();
    assert!(matches!(source.read(), Err(PinError::NotOneLine(_))));
    fs::remove_file(&path).unwrap();
    assert!(matches!(source.read(), Err(PinError::Unreadable { .. })));
    let line = PinSource::Environment("EVERSLOT_NO_SUCH_PIN".into())
        .read()
        .unwrap_err()
        .to_string();
    assert_eq!(
        line,
        "environment variable EVERSLOT_NO_SUCH_PIN, which has the PIN, is not set"
    );
}

#[test]
fn a_credential_is_a_file_of_the_service() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("hsm-pin");
    fs::write(&path, "12345678").unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o400)).unwrap();
    let given = Some(directory.path().as_os_str().to_owned());
    let pin = credential("hsm-pin", given.clone()).and_then(|path| of_file(&path));
    assert_eq!(pin.unwrap().expose_secret(), "12345678");
    let line = credential("hsm-pin", None).unwrap_err().to_string();
    assert_eq!(
        line,
        "credential \"hsm-pin\" is not given: run the program as a systemd service with LoadCredential=hsm-pin:FILE"
    );
    for outside in ["../hsm-pin", "/etc/passwd", "", ".", ".."] {
        let refused = credential(outside, given.clone()).unwrap_err();
        assert!(
            matches!(refused, PinError::NoCredentialName(_)),
            "{outside}"
        );
    }
}

#[test]
fn a_uri_says_a_file_or_a_program() {
    let read = |uri: &str| uri::target(uri);
    let file = |path: &str| Ok(uri::Target::File(path.into()));
    assert_eq!(read("file:/etc/pin"), file("/etc/pin"));
    assert_eq!(read("file:///etc/a%20pin"), file("/etc/a pin"));
    assert_eq!(read("file://localhost/etc/pin"), file("/etc/pin"));
    assert_eq!(
        read("|/usr/bin/pin%20matic"),
        Ok(uri::Target::Program("/usr/bin/pin matic".into()))
    );
    let token = "pkcs11:token=My%20token;object=k?module-path=/m.so&pin-source=file:/etc/pin";
    assert_eq!(read(token), file("/etc/pin"));
    assert_eq!(
        read("pkcs11:token=t?pin-source=%7C/bin/ask"),
        Ok(uri::Target::Program("/bin/ask".into()))
    );
    for (uri, why) in [
        ("pkcs11:token=t", "it has no pin-source"),
        (
            "pkcs11:token=t?pin-value=1234",
            "a PIN does not belong in the configuration: give a pin-source",
        ),
        ("file:etc/pin", "its path is not absolute"),
        ("file://elsewhere/etc/pin", "the file is on another machine"),
        ("|ask", "its path is not absolute"),
        ("https://pins/1", "only file: and |program are read"),
    ] {
        assert_eq!(read(uri), Err(why), "{uri}");
    }
    let line = PinSource::Uri("pkcs11:token=t?pin-value=1234".into())
        .read()
        .unwrap_err()
        .to_string();
    assert!(!line.contains("1234"), "{line}");
}

#[test]
fn a_command_prints_the_pin() {
    let of = |command: &[&str], patience| {
        let command: Vec<_> = command.iter().map(|word| (*word).to_owned()).collect();
        command::first_line(&command, patience)
    };
    let pin = of(&["printf", "12345678\\n"], command::PATIENCE).unwrap();
    assert_eq!(pin.expose_secret(), "12345678");
    let line = |command: &[&str]| of(command, command::PATIENCE).unwrap_err().to_string();
    assert_eq!(
        line(&["false"]),
        "the command \"false\", which is to print the PIN, ended with exit status: 1"
    );
    assert_eq!(
        line(&["true"]),
        "the output of the command \"true\" does not hold one line with a PIN"
    );
    assert!(line(&["/no/such/program", "1234"]).starts_with(
        "the command \"/no/such/program\", which is to print the PIN, does not start: "
    ));
    assert_eq!(
        line(&[]),
        "the command that is to print the PIN is empty; write for example command = [\"pass\", \"show\", \"hsm\"]"
    );
    for hanging in [
        &["sleep", "1000"][..],
        &["sh", "-c", "echo 1; exec sleep 1000 >&-"],
    ] {
        let hung = of(hanging, std::time::Duration::from_millis(50));
        assert!(
            matches!(hung, Err(PinError::CommandHangs { .. })),
            "{hanging:?}"
        );
    }
}
