//! `everslot vtl haAdmin`: Luna's commands, from no configuration at all to a group that serves.

use std::path::{Path, PathBuf};
use std::process::Command;

use everslot_tests::{Artifact, Lab, Plan};

/// Tokens of a lab, and a configuration that is made of them by Luna's commands.
struct Client {
    lab: Lab,
    path: PathBuf,
    serials: Vec<String>,
}

impl Client {
    fn new() -> Self {
        let lab = Lab::prepare(Plan::default());
        let path = lab.directory().join("luna.toml");
        let mut client = Self {
            lab,
            path,
            serials: Vec::new(),
        };
        client.serials = (0..3).map(|index| client.serial(index)).collect();
        client
    }

    /// Of a member's token, as `show` has it for the lab's own configuration.
    fn serial(&self, member: usize) -> String {
        let shown = self
            .vtl_on(&self.lab.config_path(), "show")
            .expect("it shows");
        let (_, members) = shown
            .split_once("Group Members: ")
            .expect("there are members");
        let members = members.lines().next().expect("a line");
        members
            .split(", ")
            .nth(member)
            .expect("a member")
            .to_owned()
    }

    /// What a line of Luna's prints, or the error.
    fn vtl(&self, line: &str) -> Result<String, String> {
        self.vtl_on(&self.path, line)
    }

    fn vtl_on(&self, config: &Path, line: &str) -> Result<String, String> {
        let output = Command::new(Artifact::Command.path())
            .args(["vtl", "haAdmin"])
            .args(line.split(' '))
            .env("EVERSLOT_CONF", config)
            .env("XDG_RUNTIME_DIR", self.lab.directory())
            .output()
            .expect("the everslot program starts");
        let text = |bytes| String::from_utf8(bytes).expect("it is text");
        if output.status.success() {
            Ok(text(output.stdout))
        } else {
            Err(text(output.stderr))
        }
    }

    /// Where a member's token is.
    fn place(&self, member: usize) -> String {
        let member = &self.lab.members()[member];
        let (module, config) = (member.module(), member.store().config());
        format!(
            "-module {} -environment SOFTHSM2_CONF={}",
            module.display(),
            config.display()
        )
    }

    fn done(&self, line: &str) {
        self.vtl(line)
            .unwrap_or_else(|error| panic!("{line}: {error}"));
    }

    fn shown(&self) -> String {
        self.vtl("show").expect("it shows")
    }
}

#[test]
fn a_group_is_made_changed_and_shown_by_lunas_commands() {
    let client = Client::new();
    let [a, b, c] = [0, 1, 2].map(|index| client.serials[index].as_str());
    client.done(&format!(
        "newGroup -label signing -serialNum {a} -p unused {}",
        client.place(0)
    ));
    client.done(&format!(
        "addMember -group signing -serialNum {b} {}",
        client.place(1)
    ));
    // By the number of the group, and through the module of the first member.
    let number = format!("1{a}").chars().take(16).collect::<String>();
    client.done(&format!(
        "addMember -group {number} -serialNum {c} {}",
        client.place(2)
    ));
    client.done(&format!(
        "-standbyMembers -set -group signing -serialnum {c}"
    ));
    client.done("autorecovery -retry 500 -interval 90");
    let screen = client.shown();
    let head = format!(
        "
================ HA Global Configuration Settings ===============

HA Proxy: disabled
HA Auto Recovery: enabled
Maximum Auto Recovery Retry: 500
Auto Recovery Poll Interval: 90 seconds
HA Logging: enabled
HA Log File: standard error
Only Show HA Slots: yes

================ HA Group and Member Information ================

 HA Group Label: signing
 HA Group Number: {number}
 HA Group Slot #: 0
 Synchronization: enabled
 Group Members: {a}, {b}, {c}
 Standby members: {c}

Slot #    Member S/N                      Member Label    Status
======    ==========                      ============    ======
"
    );
    assert!(screen.starts_with(&head), "{screen}");
    let rows: Vec<Vec<&str>> = screen[head.len()..]
        .lines()
        .map(|line| line.split_whitespace().skip(1).collect())
        .collect();
    let labels: Vec<_> = client
        .lab
        .members()
        .iter()
        .map(|member| member.token_label())
        .collect();
    assert_eq!(
        rows,
        [
            [a, labels[0], "alive"],
            [b, labels[1], "alive"],
            [c, labels[2], "alive"]
        ]
    );

    client.lab.members()[1].store().take_away();
    let screen = client.shown();
    assert_eq!(screen.matches("alive\n").count(), 2, "{screen}");
    assert_eq!(screen.matches("down\n").count(), 1, "{screen}");
    client.lab.members()[1].store().bring_back();

    client.done(&format!(
        "standbyMembers -remove -group signing -serialNum {c}"
    ));
    client.done(&format!("removeMember -group signing -serialNum {b}"));
    let screen = client.shown();
    assert!(
        screen.contains(&format!(" Group Members: {a}, {c}\n Standby members: \n")),
        "{screen}"
    );
    // The number stays when the first member goes.
    client.done(&format!("removeMember -group signing -serialNum {a}"));
    assert!(
        client
            .shown()
            .contains(&format!("HA Group Number: {number}\n"))
    );

    client.done("HAOnly -disable");
    assert!(client.shown().contains("Only Show HA Slots: no\n"));
    let said = client.vtl("HAOnly -show").expect("it shows");
    assert!(said.contains("disabled"), "{said}");
    client.done("HAOnly -enable");
    assert!(client.shown().contains("Only Show HA Slots: yes\n"));

    let log = client.lab.directory().join("ha.log");
    client.done(&format!("halog -path {}", log.display()));
    client.done("haLog -maxlength 262144");
    let line = format!("HA Log File: {}\n", log.display());
    assert!(client.shown().contains(&line));
    let text = std::fs::read_to_string(&client.path).expect("it was written");
    assert!(text.contains("size = \"262144B\""), "{text}");
}

#[test]
fn what_cannot_be_done_is_said_in_one_line_and_changes_nothing() {
    let client = Client::new();
    let a = &client.serials[0];
    client.done(&format!(
        "newGroup -label signing -serialNum {a} {}",
        client.place(0)
    ));
    let before = std::fs::read_to_string(&client.path).expect("it was written");
    for (line, error) in [
        ("deleteGroup -label signing", "not changed"),
        ("deleteGroup -label other", "there is no group \"other\""),
        (
            "addMember -group signing -serialNum 42",
            "no token has the serial \"42\"",
        ),
        (
            "removeMember -group signing -serialNum 42",
            "no member with the serial \"42\"",
        ),
        ("autorecovery -retry 70000", "not changed"),
        ("recover -group signing", "no running application"),
        ("synchronize -group other", "other"),
        ("dance", "is not a command of haAdmin"),
    ] {
        let said = client.vtl(line).expect_err(line);
        assert!(
            said.contains(error) && said.lines().count() == 1,
            "{line}: {said}"
        );
    }
    assert_eq!(
        std::fs::read_to_string(&client.path).expect("it is there"),
        before
    );
}
