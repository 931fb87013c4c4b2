//! `everslot import` of a Luna client's configuration, and what `everslot vtl haAdmin show` then says of real tokens.

use std::path::PathBuf;
use std::process::{Command, Output};

use everslot_tests::{Artifact, Pins, SOFTHSM, Store, checked};

/// A directory with tokens whose serials a Luna client's configuration names.
struct Client {
    directory: tempfile::TempDir,
    store: Store,
    serials: Vec<String>,
}

impl Client {
    fn new(labels: &[&str]) -> Self {
        let directory = tempfile::tempdir().expect("there is room for a temporary directory");
        let store = Store::new(&directory.path().join("tokens"), Pins::default());
        labels.iter().for_each(|label| store.add_empty_token(label));
        let slots = checked(
            Command::new("softhsm2-util")
                .arg("--show-slots")
                .env("SOFTHSM2_CONF", store.config()),
        );
        let slots = String::from_utf8(slots.stdout).expect("it is text");
        let serial = |label: &&str| {
            let (before, _) = slots
                .split_once(&format!("Label:            {label} "))
                .unwrap_or_else(|| panic!("{label}: {slots}"));
            let (_, serial) = before.rsplit_once("Serial number:").expect("a serial");
            serial.split_whitespace().next().expect("it").to_owned()
        };
        let serials = labels.iter().map(serial).collect();
        Self {
            directory,
            store,
            serials,
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn everslot(&self, arguments: &[&str]) -> Output {
        Command::new(Artifact::Command.path())
            .args(arguments)
            .env("EVERSLOT_CONF", self.path("everslot.toml"))
            .env("XDG_RUNTIME_DIR", self.directory.path())
            .env("SOFTHSM2_CONF", self.store.config())
            .output()
            .expect("the everslot program starts")
    }

    fn printed(&self, arguments: &[&str]) -> String {
        let output = self.everslot(arguments);
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments:?}: {error}");
        String::from_utf8(output.stdout).expect("it is text")
    }

    /// Two groups, one of them with a standby member, as Luna's own tools leave them.
    fn chrystoki(&self) -> String {
        let [a, b, c, d] = [0, 1, 2, 3].map(|nth| self.serials[nth].as_str());
        let log = self.directory.path().display();
        format!(
            "Chrystoki2 = {{\n   LibUNIX64 = {SOFTHSM};\n}}\n\n\
             LunaSA Client = {{\n   ReceiveTimeout = 20000;\n   ServerName00 = hsm1.example;\n}}\n\n\
             VirtualToken = {{\n   VirtualToken00Label = signing;\n   VirtualToken00SN = 1599447001;\n   \
             VirtualToken00Members = {a},{b},{c};\n   VirtualToken01Label = archive;\n   VirtualToken01SN = 1888800003;\n   \
             VirtualToken01Members = {d};\n   VirtualTokenActiveRecovery = activeEnhanced;\n}}\n\n\
             HASynchronize = {{\n   signing = 1;\n   archive = 1;\n}}\n\n\
             HAConfiguration = {{\n   HAOnly = 1;\n   haLogPath = {log};\n   haLogStatus = enabled;\n   logLen = 262144;\n   \
             reconnAtt = 500;\n   AutoReconnectInterval = 60;\n   signingStandbyMembers = {c};\n}}\n"
        )
    }
}

#[test]
fn two_groups_and_a_standby_are_imported_and_shown_as_luna_shows_them() {
    let client = Client::new(&["one", "two", "three", "four"]);
    let [a, b, c, d] = [0, 1, 2, 3].map(|nth| client.serials[nth].as_str());
    let file = client.path("Chrystoki.conf");
    std::fs::write(&file, client.chrystoki()).expect("it is ours");
    let file = file.display().to_string();
    let report = client.printed(&["import", &file]);
    for line in [
        &format!("group signing: {a}, {b}, {c}\n"),
        &format!("group archive: {d}\n"),
        "no counterpart: LunaSA Client: ServerName00 = hsm1.example (Luna's module goes on to read it)\n",
    ] {
        assert!(report.contains(line), "{line}: {report}");
    }

    let screen = client.printed(&["vtl", "haAdmin", "show"]);
    let log = client.path("everslot.log").display().to_string();
    let head = format!(
        "
================ HA Global Configuration Settings ===============

HA Proxy: disabled
HA Auto Recovery: enabled
Maximum Auto Recovery Retry: 500
Auto Recovery Poll Interval: 60 seconds
HA Logging: enabled
HA Log File: {log}
Only Show HA Slots: yes
"
    );
    assert!(screen.starts_with(&head), "{screen}");
    for (slot, label, number, members, standby) in [
        (0, "signing", "1599447001", format!("{a}, {b}, {c}"), c),
        (1, "archive", "1888800003", d.to_owned(), ""),
    ] {
        let block = format!(
            "
 HA Group Label: {label}
 HA Group Number: {number}
 HA Group Slot #: {slot}
 Synchronization: enabled
 Group Members: {members}
 Standby members: {standby}

Slot #    Member S/N                      Member Label    Status
======    ==========                      ============    ======
"
        );
        assert!(screen.contains(&block), "{block}: {screen}");
    }
    let rows: Vec<Vec<&str>> = screen
        .lines()
        .filter(|line| line.ends_with("alive"))
        .map(|line| line.split_whitespace().skip(1).collect())
        .collect();
    assert_eq!(
        rows,
        [
            [a, "one", "alive"],
            [b, "two", "alive"],
            [c, "three", "alive"],
            [d, "four", "alive"]
        ]
    );
}

#[test]
fn a_file_that_is_there_is_not_written_over_and_one_that_is_none_is_refused_with_its_line() {
    let client = Client::new(&["one", "two", "three", "four"]);
    let file = client.path("Chrystoki.conf");
    std::fs::write(&file, client.chrystoki()).expect("it is ours");
    let name = file.display().to_string();
    client.printed(&["import", &name]);
    let refused = |arguments: &[&str], why: &str| {
        let output = client.everslot(arguments);
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success(), "{error}");
        assert!(
            error.contains(why) && error.lines().count() == 1,
            "{why}: {error}"
        );
    };
    refused(&["import", &name], "--force");
    client.printed(&["import", &name, "--force"]);
    std::fs::write(&file, "VirtualToken = {\n   VirtualToken00Label\n").expect("it is ours");
    refused(&["import", &name, "--force"], "line 2");
    refused(&["import", "/nowhere/Chrystoki.conf"], "cannot be read");
}
