use crate::status::{Answers, GroupMeasured, LoginState, Process, ReturnCode, Role};

use super::*;

fn member(name: &str, state: State) -> MemberStatus {
    MemberStatus {
        name: name.to_owned(),
        serial: None,
        role: Role::Active,
        state,
        incarnation: 1,
        code: ReturnCode::from(everslot_core::ckr::OK),
        evidence: None,
        attempts: 2,
        attempts_allowed: None,
        next_attempt_ms: None,
        in_flight: 3,
        calls: 9,
        failures: 1,
        losses: 4,
        recoveries: 3,
    }
}

fn measured(pid: u32, label: &str, objects: ObjectsStatus) -> Measured {
    let mut counts = vec![0; CallTimes::BOUNDS.len() + 1];
    counts[1] = 2;
    counts[CallTimes::BOUNDS.len()] = 1;
    let calls = MemberCalls {
        answers: vec![Answers {
            code: "CKR_OK".to_owned(),
            count: 8,
        }],
        unanswered: 1,
        times: vec![CallTimes {
            function: "C_Sign".to_owned(),
            nanoseconds: 1_500_000_000,
            counts,
        }],
        last_ok_ms: Some(1_000_500),
        last_failure_ms: None,
    };
    Measured {
        process: Process {
            pid,
            program: "signer".to_owned(),
            since: 1,
        },
        groups: vec![GroupMeasured {
            status: GroupStatus {
                label: label.to_owned(),
                serial: "1".to_owned(),
                login: LoginState::Out,
                objects,
                members: vec![member("a", State::Active), member("b", State::Lost)],
            },
            calls: vec![calls, MemberCalls::default()],
        }],
    }
}

#[test]
fn what_is_measured_is_written_as_openmetrics_has_it() {
    let short = ObjectsStatus::Replicated { short: 5 };
    let text = text(vec![measured(7, "g", short)]);
    let of = "{pid=\"7\",program=\"signer\",group=\"g\"";
    for line in [
        format!("everslot_group_serves{of}}} 1"),
        format!("everslot_objects_short{of}}} 5"),
        format!("everslot_journal_readable{of}}} 1"),
        format!("everslot_member_state{of},member=\"a\",state=\"active\"}} 1"),
        format!("everslot_member_state{of},member=\"b\",state=\"lost\"}} 1"),
        format!("everslot_member_state{of},member=\"b\",state=\"given up\"}} 0"),
        format!("everslot_member_serves{of},member=\"b\"}} 0.0"),
        format!("everslot_member_in_flight{of},member=\"a\"}} 3.0"),
        format!("everslot_member_attempts{of},member=\"b\"}} 2.0"),
        format!("everslot_member_losses_total{of},member=\"a\"}} 4"),
        format!("everslot_member_answers_total{of},member=\"a\",code=\"CKR_OK\"}} 8"),
        format!("everslot_member_unanswered_total{of},member=\"a\"}} 1"),
        format!("everslot_member_last_ok_timestamp_seconds{of},member=\"a\"}} 1000.5"),
        format!("everslot_member_call_seconds_sum{of},member=\"a\",function=\"C_Sign\"}} 1.5"),
        format!("everslot_member_call_seconds_count{of},member=\"a\",function=\"C_Sign\"}} 3"),
    ] {
        assert!(text.lines().any(|found| found == line), "{line}\n{text}");
    }
    let bucket = |bound: &str| {
        let start = "everslot_member_call_seconds_bucket{";
        let mut found = text
            .lines()
            .filter(|line| line.starts_with(start) && line.contains(&format!("le=\"{bound}\"")));
        found
            .next()
            .and_then(|line| line.rsplit(' ').next())
            .map(str::to_owned)
    };
    assert_eq!(
        bucket("0.00001").or_else(|| bucket("1e-5")).as_deref(),
        Some("0"),
        "{text}"
    );
    assert_eq!(bucket("0.0001").as_deref(), Some("2"));
    assert_eq!(bucket("60.0").as_deref(), Some("2"));
    assert_eq!(bucket("+Inf").as_deref(), Some("3"));
    assert!(text.ends_with("# EOF\n"));
    assert!(!text.contains("last_failure_timestamp_seconds{"));
}

#[test]
fn a_metric_of_several_processes_is_described_once() {
    let apart = || ObjectsStatus::Apart;
    let text = text(vec![measured(7, "g", apart()), measured(8, "g", apart())]);
    let described = text.matches("# TYPE everslot_member_state gauge\n").count();
    assert_eq!(described, 1, "{text}");
    assert!(text.contains("everslot_group_serves{pid=\"8\""));
    assert!(
        !text.contains("everslot_objects_short{"),
        "it has no domain key"
    );
}

#[test]
fn a_label_may_hold_any_character() {
    let text = text(vec![measured(
        7,
        "a\"b\\c",
        ObjectsStatus::Unknown("why".to_owned()),
    )]);
    let line = "everslot_journal_readable{pid=\"7\",program=\"signer\",group=\"a\\\"b\\\\c\"} 0";
    assert!(text.lines().any(|found| found == line), "{text}");
}
