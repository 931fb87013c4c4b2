use cryptoki_sys::CKF_USER_PIN_INITIALIZED;
use everslot_protocol::Version;

use super::super::finding::page;
use super::*;

fn info(flags: u64) -> TokenInfo {
    let version = Version { major: 1, minor: 0 };
    TokenInfo {
        label: [b' '; 32],
        manufacturer: [b' '; 32],
        model: [b' '; 16],
        serial: [b' '; 16],
        flags,
        max_sessions: CK_EFFECTIVELY_INFINITE,
        sessions: 0,
        max_rw_sessions: CK_EFFECTIVELY_INFINITE,
        rw_sessions: 0,
        max_pin: 255,
        min_pin: 4,
        total_public_memory: 0,
        free_public_memory: 0,
        total_private_memory: 0,
        free_private_memory: 0,
        hardware: version,
        firmware: version,
        utc_time: *b"2026112213040500",
    }
}

fn member() -> MemberConfig {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("m.so"), "").unwrap();
    let text = "[[group]]\nlabel = \"e\"\nserial = \"e\"\n[[group.member]]\nname = \"a\"\nmodule = \"m.so\"\nslot = 1\nsessions = 8\n\
                pin = { environment = \"PIN\" }\n";
    let path = directory.path().join("everslot.toml");
    let mut config = crate::config::Config::parse(text, &path).unwrap();
    config.groups.swap_remove(0).members.swap_remove(0)
}

#[test]
fn a_pin_is_tried_only_where_a_try_does_no_harm() {
    let member = member();
    let may = |flags| pin("member a", &member, &info(CKF_USER_PIN_INITIALIZED | flags));
    assert_eq!(may(0), Ok(()));
    for harmful in [
        CKF_USER_PIN_COUNT_LOW,
        CKF_USER_PIN_FINAL_TRY,
        CKF_USER_PIN_LOCKED,
        CKF_USER_PIN_TO_BE_CHANGED,
    ] {
        assert!(
            may(harmful).is_err_and(|finding| finding.is_problem()),
            "{harmful:#x}"
        );
    }
    assert!(pin("member a", &member, &info(0)).is_err_and(|finding| finding.is_problem()));
    let mut without = member.clone();
    without.pin = None;
    let said = pin("member a", &without, &info(CKF_USER_PIN_INITIALIZED));
    assert!(said.is_err_and(|finding| !finding.is_problem()));
}

#[test]
fn too_few_sessions_are_told() {
    let allowed = |most| {
        sessions(
            "member a",
            &member(),
            &TokenInfo {
                max_sessions: most,
                ..info(0)
            },
        )
    };
    assert_eq!(allowed(CK_EFFECTIVELY_INFINITE), None);
    assert_eq!(allowed(CK_UNAVAILABLE_INFORMATION), None);
    assert_eq!(allowed(8), None);
    let page = page(&[allowed(7).expect("a warning")]);
    assert!(
        page.contains("its token allows 7 sessions") && page.contains("sessions = 7"),
        "{page}"
    );
}

#[test]
fn a_clock_that_is_off_is_told() {
    let time = seconds(b"2026112213040500").unwrap();
    assert_eq!(time, 1_795_352_645);
    let with_clock = info(CKF_CLOCK_ON_TOKEN);
    assert_eq!(clock("member a", &with_clock, time + 60), None);
    assert_eq!(clock("member a", &with_clock, time - 60), None);
    let off = clock("member a", &with_clock, time - 61).expect("a warning");
    assert!(page(&[off]).contains("61 s off"));
    assert_eq!(clock("member a", &info(0), 0), None, "it has none");
    let silent = TokenInfo {
        utc_time: [b' '; 16],
        ..with_clock
    };
    assert!(clock("member a", &silent, time).is_some());
}
