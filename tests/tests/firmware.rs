//! The firmware's gateway on its board in QEMU, over three real tokens on its UARTs: what happens to the members, and what the log says.
//!
//! The log of each scenario is compared with the one that is kept, times and counts of attempts aside.

use std::time::Duration;

use everslot_tests::board::{Machine, SerialMember, has_qemu};

/// Longer than anything takes that is waited for, whatever else runs on the machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// The line after which everything has been brought up, in whatever order.
const SERVES: &str = "the gateway serves";

/// Three members and the board that has them on its UARTs.
struct Scene {
    _folder: tempfile::TempDir,
    members: [SerialMember; 3],
    machine: Machine,
}

impl Scene {
    /// The board with all members in service. `None`, said in a word, where there is no QEMU.
    fn set(mission: &str) -> Option<Self> {
        if let Err(missing) = has_qemu() {
            println!("skipped: {missing} is not installed");
            return None;
        }
        let folder = tempfile::tempdir().expect("there is room");
        let members =
            ["alpha", "beta", "gamma"].map(|label| SerialMember::new(folder.path(), label));
        let lines = members.each_ref().map(|member| member.cable().end());
        let mut machine = Machine::start("gateway", mission, &lines, &[]);
        machine.expect(SERVES, PATIENCE);
        Some(Self {
            _folder: folder,
            members,
            machine,
        })
    }

    fn expect(&mut self, text: &str) {
        self.machine.expect(text, PATIENCE);
    }

    /// The log of a board that ends with success.
    fn end(self) -> String {
        let (status, log) = self.machine.finish(PATIENCE);
        assert!(status.success(), "{status}: {log:#?}");
        assert_in_order_of_time(&log);
        kept(&log)
    }
}

fn assert_in_order_of_time(log: &[String]) {
    let times = log.iter().map(|line| {
        let time = line.split(' ').next().unwrap_or_default();
        time.parse::<f64>()
            .unwrap_or_else(|_| panic!("no time: {line}"))
    });
    assert!(times.is_sorted(), "{log:#?}");
}

/// The log without what differs from run to run: times, how many attempts it takes, and in which order members come up at first.
fn kept(log: &[String]) -> String {
    let mut lines: Vec<String> = log.iter().map(|line| without_numbers(line)).collect();
    let serves = lines.iter().position(|line| line.contains(SERVES));
    let rest = lines.split_off(serves.expect("it came to serve"));
    lines.retain(|line| line.contains("in service"));
    lines.sort();
    for line in rest {
        lines.push(line);
        // An attempt that fails like the one before it is none to tell of.
        if let [.., first, failed, again, failed_again] = &lines[..]
            && (first, failed) == (again, failed_again)
            && failed.contains("attempt to recover failed")
        {
            lines.truncate(lines.len() - 2);
        }
    }
    lines.join("\n")
}

/// A line with its time, and every number that counts attempts or milliseconds, left out.
fn without_numbers(line: &str) -> String {
    let (_, mut rest) = line.split_once(' ').unwrap_or_default();
    let mut text = String::new();
    while let Some(end) = ["Instant(", "number: ", "attempts: "]
        .iter()
        .filter_map(|mark| Some(rest.find(mark)? + mark.len()))
        .min()
    {
        text += &rest[..end];
        text.push('_');
        rest = rest[end..].trim_start_matches(|digit: char| digit.is_ascii_digit());
    }
    text + rest
}

#[test]
fn a_member_whose_host_is_killed_fails_over_and_comes_back() {
    let Some(mut scene) = Scene::set("lost=1") else {
        return;
    };
    scene.members[0].kill();
    scene.expect("attempt to recover failed");
    scene.members[0].start();
    insta::assert_snapshot!(scene.end());
}

#[test]
fn a_member_whose_host_is_frozen_fails_over_and_comes_back() {
    let Some(mut scene) = Scene::set("lost=1") else {
        return;
    };
    scene.members[1].freeze();
    scene.expect("attempt to recover failed");
    scene.members[1].thaw();
    insta::assert_snapshot!(scene.end());
}

#[test]
fn a_member_whose_cable_is_pulled_fails_over_and_comes_back() {
    let Some(mut scene) = Scene::set("lost=1") else {
        return;
    };
    scene.members[0].cable().pull();
    scene.expect("attempt to recover failed");
    scene.members[0].cable().put_back();
    insta::assert_snapshot!(scene.end());
}

#[test]
fn garbage_between_frames_costs_nothing_and_in_a_frame_one_deadline() {
    let Some(mut scene) = Scene::set("lost=2") else {
        return;
    };
    for member in &scene.members {
        member.cable().make_noisy();
    }
    scene.members[0].cable().spoil_an_answer();
    scene.expect("in service");
    scene.members[1].cable().spoil_an_ask();
    insta::assert_snapshot!(scene.end());
}

#[test]
fn without_any_member_calls_fail_cleanly_until_one_comes_back() {
    let Some(mut scene) = Scene::set("down") else {
        return;
    };
    for member in &mut scene.members {
        member.kill();
    }
    scene.expect("a call is answered CKR_DEVICE_ERROR");
    scene.members[2].start();
    // Three outages at once: how their attempts meet is told by no clock, nor which of the first two is found out first.
    let log = scene.end();
    let (mut lost, rest): (Vec<_>, Vec<_>) = log
        .lines()
        .filter(|line| !line.contains("attempt") && !line.contains("fails over"))
        .partition(|line| line.contains(" lost: "));
    lost.sort_unstable();
    insta::assert_snapshot!([lost, rest].concat().join("\n"));
}
