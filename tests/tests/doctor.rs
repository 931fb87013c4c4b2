//! `everslot doctor`, with real tokens that are well, absent, or have another PIN.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use everslot_tests::{Lab, Plan};

fn prepared() -> Lab {
    Lab::new(Plan::default())
}

/// The page, and whether the command found that something must be done.
fn doctor(lab: &Lab) -> (String, bool) {
    let output = lab.everslot(&["doctor"]);
    let page = String::from_utf8(output.stdout).expect("text");
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert_eq!(complaint, "", "{page}");
    (page, output.status.code() == Some(1))
}

fn lines<'p>(page: &'p str, grade: &str, about: &str) -> Vec<&'p str> {
    page.lines()
        .filter_map(|line| line.strip_prefix(grade)?.trim_start().strip_prefix(about))
        .map(str::trim)
        .collect()
}

#[test]
fn healthy_members_are_well() {
    let lab = prepared();
    let (page, bad) = doctor(&lab);
    assert!(!bad, "{page}");
    for member in ["member m0", "member m1", "member m2"] {
        let said = lines(&page, "ok", member);
        assert!(said[0].contains("mechanisms"), "{page}");
    }
    let offered = lines(&page, "ok", "group");
    assert!(
        offered
            .iter()
            .any(|line| line.contains("mechanisms, which all members have")),
        "{page}"
    );
}

#[test]
fn an_absent_token_and_a_wrong_pin_are_problems_with_a_remedy() {
    let lab = prepared();
    let pin = lab.directory().join("wrong-pin");
    fs::write(&pin, "not-the-pin").expect("it is writable");
    fs::set_permissions(&pin, fs::Permissions::from_mode(0o600)).expect("it is ours");
    let config = fs::read_to_string(lab.config_path()).expect("it is there");
    let member = "[[group.member]]\n";
    let with_pin = config.replacen(
        member,
        &format!("{member}pin = {{ file = \"wrong-pin\" }}\n"),
        1,
    );
    fs::write(lab.config_path(), with_pin).expect("it is writable");
    lab.members()[1].store().take_away();
    let (page, bad) = doctor(&lab);
    assert!(bad, "{page}");
    let wrong = lines(&page, "PROBLEM", "member m0");
    assert!(
        wrong.len() == 1 && wrong[0].contains("CKR_PIN_INCORRECT"),
        "{page}"
    );
    let absent = lines(&page, "PROBLEM", "member m1");
    assert!(
        absent.len() == 1 && absent[0].contains("bring the token back"),
        "{page}"
    );
    assert!(lines(&page, "PROBLEM", "member m2").is_empty(), "{page}");
    assert!(page.contains("-> correct the PIN's source"), "{page}");
}
