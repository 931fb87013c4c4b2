use everslot_core::{Attempts, Copies};

use super::{GROUP, MEMBER, parse, refused};

#[test]
fn a_transcript_is_so_many_bytes_long() {
    for (written, bytes) in [
        ("0B", 0),
        ("4096B", 4096),
        ("16KiB", 16 << 10),
        ("2 MiB", 2 << 20),
        ("1GiB", 1 << 30),
    ] {
        let config = parse(&format!("{GROUP}transcript = \"{written}\"\n{MEMBER}"));
        assert_eq!(config.groups[0].transcript, bytes);
    }
    assert_eq!(
        parse(&format!("{GROUP}{MEMBER}")).groups[0].transcript,
        1 << 20
    );
    for wrong in [
        "1",
        "MiB",
        "-1B",
        "1.5MiB",
        "99999999999999999999B",
        "17179869184GiB",
    ] {
        let line = refused(&format!("{GROUP}transcript = \"{wrong}\"\n{MEMBER}"));
        assert!(line.contains("expected a size with its unit"), "{line}");
    }
}

#[test]
fn every_way_to_count_attempts_is_read() {
    for (written, attempts) in [
        ("-1", Attempts::Unlimited),
        ("0", Attempts::AtMost(0)),
        ("65535", Attempts::AtMost(65535)),
    ] {
        let config = parse(&format!("{GROUP}recovery.attempts = {written}\n{MEMBER}"));
        assert_eq!(config.groups[0].recovery.policy.attempts, attempts);
    }
}

#[test]
fn values_out_of_their_range_are_refused() {
    for (text, line) in [
        (
            format!("{GROUP}recovery.interval = \"0s\"\n{MEMBER}"),
            "everslot.toml:4:21: interval cannot be zero; write for example \"60s\"",
        ),
        (
            format!("{GROUP}transcript = \"1MB\"\n{MEMBER}"),
            "everslot.toml:4:14: invalid value: string \"1MB\", expected a size with its unit (B, KiB, MiB, GiB), such as \"1MiB\" or \"0B\"",
        ),
        (
            format!("{GROUP}recovery.interval = 60\n{MEMBER}"),
            "everslot.toml:4:21: invalid type: integer `60`, expected a time with its unit, such as \"2s\" or \"1m 30s\"",
        ),
        (
            format!("{GROUP}{MEMBER}deadline = \"2\"\n"),
            "everslot.toml:8:12: invalid value: string \"2\", expected a time with its unit, such as \"2s\" or \"1m 30s\"",
        ),
        (
            format!("{GROUP}{MEMBER}generation_deadline = \"0ms\"\n"),
            "everslot.toml:8:23: generation_deadline cannot be zero; write for example \"60s\"",
        ),
        (
            format!("{GROUP}recovery.attempts = -2\n{MEMBER}"),
            "everslot.toml:4:21: attempts cannot be -2; write -1 for no limit, 0 for no automatic recovery, or up to 65535",
        ),
        (
            format!("{GROUP}{MEMBER}sessions = 0\n"),
            "everslot.toml:8:12: invalid value: integer `0`, expected a nonzero u32",
        ),
        (
            format!("{GROUP}{MEMBER}verdicts = {{ CKR_FOO = \"member-lost\" }}\n"),
            "everslot.toml:8:14: \"CKR_FOO\" is no return code; write a name such as \"CKR_FUNCTION_FAILED\" or a number such as \"0x80000001\"",
        ),
        (
            format!("{GROUP}{MEMBER}verdicts = {{ CKR_DEVICE_ERROR = \"memberlost\" }}\n"),
            "everslot.toml:8:33: unknown word \"memberlost\"; did you mean \"member-lost\"?",
        ),
        (
            format!(
                "{GROUP}{MEMBER}verdicts = {{ CKR_DEVICE_ERROR = \"unknown\", 0x30 = \"unknown\" }}\n"
            ),
            "everslot.toml:8:14: this key is there already; remove one of the two",
        ),
        (
            format!("{GROUP}{MEMBER}init_string = \"a\\u0000b\"\n"),
            "everslot.toml:8:15: init_string holds a NUL character; remove it",
        ),
        (
            format!("{GROUP}{MEMBER}name = \"b\"\n"),
            "everslot.toml:8:1: this key is there already; remove one of the two",
        ),
        (
            MEMBER
                .replace("\"a\"", "\"a b\"")
                .replace("[[group", &format!("{GROUP}[[group")),
            "everslot.toml:5:8: name must be of ASCII letters, digits, \".\", \"_\" and \"-\", and \"a b\" is not; change it",
        ),
        (
            format!(
                "[[group]]\nlabel = \"{}\"\nserial = \"1\"\n",
                "é".repeat(17)
            ),
            "everslot.toml:2:9: label must be 1 to 32 bytes without control characters, and \"ééééééééééééééééé\" is not; change it",
        ),
        (
            "[[group]]\nlabel = \"x\"\nserial = \"12345678901234567\"\n".to_owned(),
            "everslot.toml:3:10: serial must be 1 to 16 printable ASCII characters, and \"12345678901234567\" is not; change it",
        ),
    ] {
        assert_eq!(refused(&text), line);
    }
}

#[test]
fn copies_are_all_or_a_number_of_members() {
    let of = |copies: &str| format!("{GROUP}{copies}\n{MEMBER}");
    let read = |copies: &str| parse(&of(copies)).groups[0].copies;
    assert_eq!(read(""), Copies::All);
    assert_eq!(read("copies = \"all\""), Copies::All);
    assert_eq!(read("copies = 1"), Copies::Number(1));
    for copies in ["copies = 0", "copies = -1", "copies = \"most\""] {
        let line = refused(&of(copies));
        assert!(line.contains("\"all\" or a number of members"), "{line}");
    }
    let line = refused(&of("copies = 2"));
    assert!(line.contains("no more than the group's members"), "{line}");
}
