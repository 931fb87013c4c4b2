//! Objects of a group that has a domain key, when something is lost while they are made: a member, the application, the journal.

use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::time::Duration;

use cryptoki_sys::*;
use everslot_core::ckr;
use everslot_tests::client::{Failure, Mechanism, Object, Session, Template};
use everslot_tests::{Artifact, HASH, HostProcess, Lab, PATIENCE, Pins, Plan, eventually};

const PLANTED: &str = "everslot is making";

fn plan() -> Plan {
    Plan {
        domain: true,
        empty: true,
        ..Plan::default()
    }
}

fn make_aes(session: Session, label: &str) -> Result<Object, Failure> {
    let template = Template::new()
        .label(label)
        .id(9)
        .on_token(true)
        .number(CKA_VALUE_LEN, 16)
        .flag(CKA_ENCRYPT, true);
    session.generate_key(Mechanism::Plain(CKM_AES_KEY_GEN), &template)
}

fn encrypt(session: Session, key: Object) -> Vec<u8> {
    let encrypted = session.encrypt(Mechanism::Plain(CKM_AES_ECB), key, &HASH);
    encrypted.expect("a member that has it serves")
}

/// The labels of a member's secret and private keys, each asked past everslot.
fn labels_alone(lab: &Lab) -> Vec<Vec<String>> {
    let labels = |session: Session| {
        let mut labels = Vec::new();
        for class in [CKO_SECRET_KEY, CKO_PRIVATE_KEY, CKO_PUBLIC_KEY] {
            let found = session.find(&Template::new().class(class));
            for object in found.expect("it answers") {
                let label = session.attribute(object, CKA_LABEL).expect("it has one");
                labels.push(String::from_utf8_lossy(&label).into_owned());
            }
        }
        labels.retain(|label| !label.starts_with("everslot domain key"));
        labels.sort();
        labels
    };
    lab.members()
        .iter()
        .map(|member| member.alone(labels))
        .collect()
}

#[test]
fn a_member_that_dies_while_objects_are_made_costs_none_that_was_acknowledged() {
    let lab = Lab::new(plan());
    let module = lab.module();
    let session = lab.session(module);
    let over = AtomicBool::new(false);
    let made = std::thread::scope(|scope| {
        let killer = scope.spawn(|| {
            for member in [0, 1, 2, 0] {
                lab.kill_everywhere(member);
                lab.wait_until_all_serve();
            }
            over.store(true, SeqCst);
        });
        let mut made = Vec::new();
        let mut number = 0;
        while !over.load(SeqCst) && !killer.is_finished() {
            let label = format!("key-{number}");
            number += 1;
            if let Ok(key) = make_aes(session, &label) {
                made.push((label, key));
            }
        }
        made
    });
    assert!(!made.is_empty());
    for (label, key) in &made {
        let found = session
            .find(&Template::new().label(label))
            .expect("they answer");
        assert_eq!(found, [*key], "{label}");
        encrypt(session, *key);
    }
    module.finalize().expect("it is initialised");
    // What was left at members that were away goes with the next login.
    let module = lab.module();
    let session = lab.session(module);
    let all = session.find(&Template::new()).expect("they answer");
    assert!(all.len() >= made.len());
    module.finalize().expect("it is initialised");
    let on_members = labels_alone(&lab);
    for labels in &on_members {
        assert!(
            !labels.iter().any(|label| label.starts_with(PLANTED)),
            "{on_members:?}"
        );
        let mut once = labels.clone();
        once.dedup();
        assert_eq!(*labels, once, "no twin");
    }
    for (label, _) in &made {
        assert!(
            on_members.iter().any(|labels| labels.contains(label)),
            "{label}"
        );
    }
}

#[test]
fn an_application_that_is_killed_leaves_all_or_nothing() {
    let lab = Lab::new(plan());
    for round in 0..6_u64 {
        let label = format!("pair-{round}");
        let mut tool = Command::new("pkcs11-tool");
        tool.arg("--module").arg(Artifact::Module.path());
        tool.args(["--token-label", Lab::LABEL, "--login", "--pin", lab.pin()]);
        tool.args(["--keypairgen", "--key-type", "EC:prime256v1"]);
        tool.args(["--label", &label, "--id", &format!("0{round}")]);
        tool.stdout(std::process::Stdio::null());
        let mut tool = tool.spawn().expect("pkcs11-tool is installed");
        // Anywhere in it: what is asserted holds for every moment.
        std::thread::sleep(Duration::from_millis(150 + 120 * round));
        let hosts = HostProcess::all_of_application(lab.members()[0].module(), tool.id());
        tool.kill().expect("it is ours");
        tool.wait().expect("it is ours");
        eventually("its member hosts end", PATIENCE, || {
            !hosts.iter().any(|host| host.is_running())
        });
    }
    let module = lab.module();
    let session = lab.session(module);
    let seen = session.find(&Template::new()).expect("they answer").len();
    module.finalize().expect("it is initialised");
    let on_members = labels_alone(&lab);
    for labels in &on_members {
        assert_eq!(*labels, on_members[0], "all have the same");
        assert!(
            !labels.iter().any(|label| label.starts_with(PLANTED)),
            "{labels:?}"
        );
    }
    assert_eq!(seen, on_members[0].len());
    assert_eq!(seen % 2, 0, "a pair is a pair");
}

#[test]
fn a_damaged_journal_keeps_objects_from_being_made_and_none_from_being_used() {
    let lab = Lab::new(plan());
    let session = lab.session(lab.module());
    let key = make_aes(session, "before").expect("all members serve");
    let before = encrypt(session, key);
    let away = lab.directory().join("away");
    let files = ["", "-wal", "-shm"].map(|end| {
        let mut name = lab.journal().into_os_string();
        name.push(end);
        std::path::PathBuf::from(name)
    });
    std::fs::create_dir(&away).expect("the directory is writable");
    for file in files.iter().filter(|file| file.exists()) {
        let name = file.file_name().expect("it is a file");
        std::fs::rename(file, away.join(name)).expect("the directory is writable");
    }
    let refused = make_aes(session, "without").map_err(|failure| failure.code);
    assert_eq!(refused, Err(ckr::DEVICE_ERROR));
    let refused = session.destroy(key).map_err(|failure| failure.code);
    assert_eq!(refused, Err(ckr::DEVICE_ERROR));
    assert_eq!(encrypt(session, key), before);
    std::fs::write(lab.journal(), vec![0x5a; 8192]).expect("the directory is writable");
    let refused = make_aes(session, "damaged").map_err(|failure| failure.code);
    assert_eq!(refused, Err(ckr::DEVICE_ERROR));
    assert_eq!(encrypt(session, key), before);
    std::fs::remove_file(lab.journal()).expect("the directory is writable");
    for file in &files {
        let kept = away.join(file.file_name().expect("it is a file"));
        if kept.exists() {
            std::fs::rename(kept, file).expect("the directory is writable");
        }
    }
    make_aes(session, "after").expect("the journal is back");
    assert_eq!(encrypt(session, key), before);
}

#[test]
fn no_log_journal_or_status_shows_a_pin_a_value_or_a_secrets_label() {
    const SECRETS: [&str; 3] = [
        "pin-planted-77",
        "value-planted-in-the-test-24",
        "label-planted-31",
    ];
    let lab = Lab::prepare(Plan {
        pins: Pins {
            user: SECRETS[0],
            ..Pins::default()
        },
        ..plan()
    });
    let log = lab.directory().join("log");
    let text = std::fs::read_to_string(lab.config_path()).expect("it is ours");
    let head = format!(
        "log = {{ level = \"trace\", file = \"{}\" }}\n",
        log.display()
    );
    std::fs::write(lab.config_path(), head + &text).expect("it is ours");
    lab.enter();
    let module = lab.module();
    let session = lab.session(module);
    let secret = Template::new()
        .class(CKO_SECRET_KEY)
        .number(CKA_KEY_TYPE, CKK_GENERIC_SECRET)
        .label(SECRETS[2])
        .id(3)
        .on_token(true)
        .bytes(CKA_VALUE, SECRETS[1]);
    let object = session.create(&secret).expect("all members serve");
    let renamed = Template::new().label(&format!("{}-again", SECRETS[2]));
    session
        .set_attributes(object, &renamed)
        .expect("all members serve");
    lab.kill_everywhere(1);
    let status = lab.everslot(&["status", "--json"]);
    session.destroy(object).expect("two members serve");
    module.finalize().expect("it is initialised");
    let mut told = [status.stdout, status.stderr].concat();
    let read = |path: &std::path::Path| std::fs::read(path).unwrap_or_default();
    told.extend(read(&log));
    assert!(!told.is_empty());
    for end in ["", "-wal"] {
        let mut name = lab.journal().into_os_string();
        name.push(end);
        told.extend(read(name.as_ref()));
    }
    for secret in SECRETS {
        let shown = told
            .windows(secret.len())
            .any(|window| window == secret.as_bytes());
        assert!(!shown, "{secret}");
    }
}
