use super::*;

const FILE: &str = include_str!("chrystoki.conf");

fn converted(text: &str) -> Result<Converted, String> {
    convert(Chrystoki::parse(text).expect("it is one"), None)
}

#[test]
fn two_groups_and_a_standby_become_ours_and_nothing_is_dropped() {
    let converted = converted(FILE).expect("it has groups");
    let expected = "\
# Made by `everslot import` of a Luna client's configuration.
[log]
level = \"info\"
file = \"/var/log/luna/everslot.log\"
size = \"262144B\"

[[group]]
label = \"signing\"
serial = \"1599447001\"

[group.recovery]
interval = \"60s\"
attempts = -1

[[group.member]]
name = \"599447001\"
module = \"/usr/lib/libCryptoki2_64.so\"
serial = \"599447001\"
deadline = \"20000ms\"

[[group.member]]
name = \"78665001\"
module = \"/usr/lib/libCryptoki2_64.so\"
serial = \"78665001\"
deadline = \"20000ms\"

[[group.member]]
name = \"78665002\"
module = \"/usr/lib/libCryptoki2_64.so\"
serial = \"78665002\"
role = \"standby\"
deadline = \"20000ms\"

[[group]]
label = \"archive\"
serial = \"1888800003\"

[group.recovery]
interval = \"60s\"
attempts = -1

[[group.member]]
name = \"888800003\"
module = \"/usr/lib/libCryptoki2_64.so\"
serial = \"888800003\"
deadline = \"20000ms\"
";
    assert_eq!(converted.text, expected);
    assert_eq!(
        converted.without_counterpart,
        [
            "Chrystoki2: LibUNIX = /usr/lib/libCryptoki2.so (Luna's module goes on to read it)",
            "Luna: DefaultTimeOut = 500000 (Luna's module goes on to read it)",
            "Luna: PEDTimeout1 = 100000 (Luna's module goes on to read it)",
            "LunaSA Client: NetClient = 1 (Luna's module goes on to read it)",
            "LunaSA Client: TCPKeepAlive = 1 (Luna's module goes on to read it)",
            "LunaSA Client: ServerName00 = hsm1.example (Luna's module goes on to read it)",
            "LunaSA Client: ServerPort00 = 1792 (Luna's module goes on to read it)",
            "HAConfiguration: failover_on_deactivation = 1",
        ]
    );
    for word in ["ReceiveTimeout", "archive", "ActiveRecovery", "HAOnly"] {
        let noted = converted.notes.iter().any(|note| note.contains(word));
        assert!(noted, "{word}: {:?}", converted.notes);
    }
}

#[test]
fn every_setting_is_in_the_text_in_a_note_or_named() {
    let converted = converted(FILE).expect("it has groups");
    let told = format!(
        "{}{:?}{:?}",
        converted.text, converted.notes, converted.without_counterpart
    );
    for setting in Chrystoki::parse(FILE).expect("it is one").rest() {
        // What the text has is there by its value, two of them in our units.
        let value = match setting.name.as_str() {
            "AutoReconnectInterval" => "60s",
            "haLogStatus" => "info",
            "signing" | "archive" => &setting.name,
            "VirtualToken00Members" => "78665001",
            "HAOnly" => "HAOnly",
            _ => &setting.value,
        };
        assert!(told.contains(value), "{setting:?}");
    }
}

#[test]
fn what_luna_does_without_a_setting_is_done_and_said() {
    let text = "Chrystoki2={LibUNIX64=/m.so;}\nVirtualToken={VirtualToken00Label=g;VirtualToken00SN=1;VirtualToken00Members=7;}";
    let converted = converted(text).expect("it has a group");
    assert!(
        converted.text.contains("attempts = 0\n"),
        "{}",
        converted.text
    );
    assert!(
        converted.text.contains("expose_members = true\n"),
        "HAOnly is off: {}",
        converted.text
    );
    assert!(
        converted.text.contains("interval = \"60s\""),
        "{}",
        converted.text
    );
    assert!(
        converted
            .notes
            .iter()
            .any(|note| note.contains("reconnAtt"))
    );
}

#[test]
fn what_is_no_group_is_refused() {
    for (text, error) in [
        ("Chrystoki2={LibUNIX64=/m.so;}", "no HA group"),
        ("VirtualToken={VirtualToken00Label=g;}", "names no module"),
        (
            "Chrystoki2={LibUNIX64=/m.so;}\nVirtualToken={VirtualToken00Label=g;}",
            "VirtualToken00SN",
        ),
        (
            "Chrystoki2={LibUNIX64=/m.so;}\nHAConfiguration={reconnAtt=often;}",
            "is not a number",
        ),
    ] {
        let refused = converted(text).expect_err("it is none");
        assert!(refused.contains(error), "{refused}");
    }
}
