//! A journal on a file system that is full: nothing is made, what there is is used, and once there is room all goes on.

use std::process::Command;

use cryptoki_sys::*;
use everslot_tests::client::{Session, Template};
use everslot_tests::{Artifact, Lab, Plan, checked};

/// Runs in a mount namespace of its own, where `$PLACE` is a file system of some hundred KiB: each call of `pkcs11-tool` is a process that has not
/// seen the journal before. Whatever ends otherwise than it should ends it.
const SCRIPT: &str = r#"
set -eu
mount -t tmpfs -o size=300k tmpfs "$PLACE"
cp "$LAB/journal.sqlite" "$PLACE/journal.sqlite"
tool() { pkcs11-tool --module "$MODULE" --token-label lab --login --pin "$PIN" "$@"; }
make() { tool --keypairgen --key-type EC:prime256v1 --label key --id "$1"; }
sign() { tool --sign --mechanism ECDSA --id "$1" --input-file "$LAB/message" --output-file "$LAB/signature$1"; }

make 01
cat /dev/zero > "$PLACE/filler" 2>/dev/null || true
if make 02; then echo "made without a journal"; exit 1; fi
echo "full: signing"
sign 01
rm "$PLACE/filler"
make 03
sign 03
echo "room again"
cp "$PLACE"/journal.sqlite* "$LAB"
"#;

/// The ids of a member's keys, asked past everslot.
fn ids(session: Session) -> Vec<Vec<u8>> {
    let mut ids = Vec::new();
    for class in [CKO_PUBLIC_KEY, CKO_PRIVATE_KEY] {
        let found = session.find(&Template::new().class(class));
        let id = |key| session.attribute(key, CKA_ID).expect("it has one");
        ids.extend(found.expect("it answers").into_iter().map(id));
    }
    ids.sort();
    ids
}

/// Whether this user may mount something in a namespace of its own.
fn may_mount() -> bool {
    let mut mount = Command::new("unshare");
    mount.args([
        "--map-root-user",
        "--mount",
        "mount",
        "-t",
        "tmpfs",
        "tmpfs",
        "/mnt",
    ]);
    mount.output().is_ok_and(|output| output.status.success())
}

#[test]
fn while_it_is_full_nothing_is_made_and_all_is_used() {
    if !may_mount() {
        println!("skipped: this user may not mount in a namespace of its own");
        return;
    }
    let lab = Lab::prepare(Plan {
        domain: true,
        empty: true,
        ..Plan::default()
    });
    let place = lab.directory().join("small");
    std::fs::create_dir(&place).expect("the directory is writable");
    std::fs::write(lab.directory().join("message"), [7; 32]).expect("the directory is writable");
    let config = std::fs::read_to_string(lab.config_path()).expect("it is ours");
    let journal = lab.journal().display().to_string();
    let elsewhere = place.join("journal.sqlite").display().to_string();
    std::fs::write(lab.config_path(), config.replace(&journal, &elsewhere)).expect("it is ours");
    let mut script = Command::new("unshare");
    script.args(["--map-root-user", "--mount", "sh", "-c", SCRIPT]);
    script.envs(lab.environment()).env("PLACE", &place);
    script.env("LAB", lab.directory()).env("PIN", lab.pin());
    script.env("MODULE", Artifact::Module.path());
    let output = checked(&mut script);
    let words = String::from_utf8_lossy(&output.stderr);
    let event = words
        .lines()
        .find(|line| line.contains("no object is made"));
    let event = event.unwrap_or_else(|| panic!("nobody is told: {words}"));
    assert!(event.contains("small/journal.sqlite"), "{event}");
    std::fs::write(lab.config_path(), config).expect("it is ours");
    lab.enter();
    let synchronised = lab.everslot(&["sync", "--dry-run"]);
    let words = String::from_utf8_lossy(&synchronised.stdout);
    assert!(words.contains("Nothing was done"), "{words}");
    let expected = [[1], [1], [3], [3]].map(Vec::from);
    for member in lab.members() {
        assert_eq!(member.alone(ids), expected, "{}", member.name());
    }
}
