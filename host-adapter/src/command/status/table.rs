//! A report as text for people.

use std::fmt::Write;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use comfy_table::presets::UTF8_FULL_CONDENSED;
use comfy_table::{CellAlignment, Table};

use super::report::{Report, Source};
use crate::status::{GroupStatus, LoginState, MemberStatus, ObjectsStatus, Process};

const HEAD: [&str; 8] = [
    "member",
    "role",
    "state",
    "CK_RV",
    "attempts",
    "next attempt",
    "in flight",
    "calls",
];
/// The columns that hold numbers.
const NUMBERS: [usize; 2] = [6, 7];
/// The first columns, which are all that a probe can tell.
const PROBED: usize = 4;

/// The whole report.
pub(super) fn text(report: &Report) -> String {
    let mut text = String::new();
    if report.source == Source::Probe {
        text.push_str("own probe: no application was asked, and nobody was logged in\n\n");
    }
    let mut pieces = Vec::new();
    for snapshot in &report.processes {
        for group in &snapshot.groups {
            let heading = match report.source {
                Source::Applications => format!(
                    "{} in {}, {}",
                    group.label,
                    process(&snapshot.process),
                    login(group.login)
                ),
                Source::Probe => group.label.clone(),
            };
            pieces.push(format!("{heading}\n{}", group_text(group, report.source)));
        }
    }
    text + &pieces.join("\n")
}

/// The table of a group's members, and a line for each that does not serve.
fn group_text(group: &GroupStatus, source: Source) -> String {
    let columns = match source {
        Source::Applications => HEAD.len(),
        Source::Probe => PROBED,
    };
    let mut table = Table::new();
    table
        .load_style(UTF8_FULL_CONDENSED)
        .set_header(&HEAD[..columns]);
    let total = group
        .members
        .iter()
        .fold(0, |total: u64, member| total.saturating_add(member.calls));
    for member in &group.members {
        table.add_row(&row(member, total)[..columns]);
    }
    for number in NUMBERS {
        if let Some(column) = table.column_mut(number) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    let mut text = format!("{table}\n");
    for member in group.members.iter().filter(|member| !member.state.serves()) {
        if let Some(evidence) = &member.evidence {
            // Writing to a String cannot fail.
            let _ = writeln!(text, "{}: {evidence}", member.name);
        }
    }
    if let Some(line) = objects(group) {
        let _ = writeln!(text, "{line}");
    }
    text
}

/// What there is to be said of the group's objects, if anything.
fn objects(group: &GroupStatus) -> Option<String> {
    match &group.objects {
        ObjectsStatus::Apart if group.members.len() == 1 => None,
        ObjectsStatus::Apart => Some(
            "an object lives on the member that made it; `everslot domain init` has new ones made on all"
                .to_owned(),
        ),
        ObjectsStatus::Replicated { short: 0 } => None,
        ObjectsStatus::Replicated { short: 1 } => {
            Some("1 object lives on fewer members than asked for".to_owned())
        }
        ObjectsStatus::Replicated { short } => Some(format!(
            "{short} objects live on fewer members than asked for"
        )),
        ObjectsStatus::Unknown(why) => Some(why.clone()),
    }
}

fn row(member: &MemberStatus, total: u64) -> [String; 8] {
    [
        member.name.clone(),
        member.role.word().to_owned(),
        member.state.word().to_owned(),
        member.code.name.clone(),
        attempts(member),
        member.next_attempt_ms.map(next_attempt).unwrap_or_default(),
        member.in_flight.to_string(),
        calls(member.calls, total),
    ]
}

fn attempts(member: &MemberStatus) -> String {
    match member.attempts_allowed {
        _ if member.state.serves() => String::new(),
        Some(allowed) => format!("{} of {allowed}", member.attempts),
        None => member.attempts.to_string(),
    }
}

fn next_attempt(milliseconds: u64) -> String {
    match milliseconds {
        0 => "due".to_owned(),
        // A whole second that has begun.
        milliseconds => format!("in {} s", milliseconds.div_ceil(1000)),
    }
}

/// How many, and how large a share that is of the group's.
fn calls(calls: u64, total: u64) -> String {
    match (u128::from(calls) * 100).checked_div(u128::from(total)) {
        Some(share) => format!("{calls} ({share:>2} %)"),
        None => "0".to_owned(),
    }
}

fn process(process: &Process) -> String {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs();
    let since = humantime::format_duration(Duration::from_secs(now.saturating_sub(process.since)));
    format!("{} ({}) for {since}", process.program, process.pid)
}

const fn login(login: LoginState) -> &'static str {
    match login {
        LoginState::Out => "nobody logged in",
        LoginState::User => "user logged in",
        LoginState::SecurityOfficer => "security officer logged in",
    }
}

#[cfg(test)]
mod tests {
    use everslot_core::ckr;

    use super::*;
    use crate::status::{ObjectsStatus, Role, Snapshot, State};

    fn member(name: &str, state: State, calls: u64) -> MemberStatus {
        MemberStatus {
            name: name.to_owned(),
            serial: None,
            role: Role::Active,
            state,
            incarnation: 1,
            code: if state.serves() {
                ckr::OK
            } else {
                ckr::DEVICE_ERROR
            }
            .into(),
            evidence: (!state.serves()).then(|| "its member host has ended".to_owned()),
            attempts: 2,
            attempts_allowed: Some(5),
            next_attempt_ms: (!state.serves()).then_some(41_100),
            in_flight: 3,
            calls,
            failures: 0,
            losses: 0,
            recoveries: 0,
        }
    }

    fn report(source: Source) -> Report {
        let group = GroupStatus {
            label: "everslot".to_owned(),
            serial: "e1a0".to_owned(),
            login: LoginState::User,
            objects: ObjectsStatus::Replicated { short: 0 },
            members: vec![member("a", State::Active, 30), member("b", State::Lost, 10)],
        };
        let process = Process {
            pid: 42,
            program: "nginx".to_owned(),
            since: u64::MAX,
        };
        Report {
            source,
            processes: vec![Snapshot {
                process,
                groups: vec![group],
            }],
            problems: Vec::new(),
        }
    }

    #[test]
    fn an_applications_view_is_a_table_with_the_evidence_below() {
        let expected = "\
everslot in nginx (42) for 0s, user logged in
┌────────┬────────┬────────┬──────────────────┬──────────┬──────────────┬───────────┬───────────┐
│ member ┆ role   ┆ state  ┆ CK_RV            ┆ attempts ┆ next attempt ┆ in flight ┆     calls │
╞════════╪════════╪════════╪══════════════════╪══════════╪══════════════╪═══════════╪═══════════╡
│ a      ┆ active ┆ active ┆ CKR_OK           ┆          ┆              ┆         3 ┆ 30 (75 %) │
│ b      ┆ active ┆ lost   ┆ CKR_DEVICE_ERROR ┆ 2 of 5   ┆ in 42 s      ┆         3 ┆ 10 (25 %) │
└────────┴────────┴────────┴──────────────────┴──────────┴──────────────┴───────────┴───────────┘
b: its member host has ended
";
        assert_eq!(text(&report(Source::Applications)), expected);
    }

    #[test]
    fn a_probe_says_that_it_is_one_and_counts_nothing() {
        let expected = "\
own probe: no application was asked, and nobody was logged in

everslot
┌────────┬────────┬────────┬──────────────────┐
│ member ┆ role   ┆ state  ┆ CK_RV            │
╞════════╪════════╪════════╪══════════════════╡
│ a      ┆ active ┆ active ┆ CKR_OK           │
│ b      ┆ active ┆ lost   ┆ CKR_DEVICE_ERROR │
└────────┴────────┴────────┴──────────────────┘
b: its member host has ended
";
        assert_eq!(text(&report(Source::Probe)), expected);
    }

    #[test]
    fn a_line_says_what_is_the_matter_with_the_objects() {
        let line = |objects| {
            let mut report = report(Source::Applications);
            report.processes[0].groups[0].objects = objects;
            text(&report).lines().last().unwrap().to_owned()
        };
        assert_eq!(
            line(ObjectsStatus::Apart),
            "an object lives on the member that made it; `everslot domain init` has new ones made on all"
        );
        assert_eq!(
            line(ObjectsStatus::Replicated { short: 7 }),
            "7 objects live on fewer members than asked for"
        );
        assert_eq!(
            line(ObjectsStatus::Unknown("journal x: no".to_owned())),
            "journal x: no"
        );
        assert_eq!(
            line(ObjectsStatus::Replicated { short: 0 }),
            "b: its member host has ended"
        );
    }

    #[test]
    fn numbers_are_said_as_people_say_them() {
        assert_eq!(
            (next_attempt(0), next_attempt(1), next_attempt(1000)),
            ("due".into(), "in 1 s".into(), "in 1 s".into())
        );
        assert_eq!(
            (calls(0, 0), calls(1, 3), calls(u64::MAX, u64::MAX)),
            (
                "0".into(),
                "1 (33 %)".into(),
                format!("{} (100 %)", u64::MAX)
            )
        );
    }
}
