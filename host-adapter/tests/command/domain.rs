//! The domain of a group.

use std::fs;
use std::path::Path;

use crate::{User, mode, stderr, succeeds};

/// The demo's configuration with a journal of its own, and with what `extra` gives each member.
fn with_journal(config: &Path, extra: &str) {
    let text = fs::read_to_string(config).unwrap();
    let text = text
        .replacen(
            "[[group]]\n",
            "[[group]]\njournal = \"state/journal.sqlite\"\n",
            1,
        )
        .replace("\npin = ", &format!("\n{extra}\npin = "));
    fs::write(config, text).unwrap();
}

#[test]
fn domain_init_gives_all_members_one_key_that_stays() {
    let (user, config) = User::with_tokens("2");
    with_journal(&config, "");
    let config = config.to_str().unwrap();
    let shown = user.everslot(&["domain", "show", "--config", config]);
    assert_eq!(shown.status.code(), Some(2), "{}", stderr(&shown));
    assert!(
        stderr(&shown).contains("none on a, b"),
        "{}",
        stderr(&shown)
    );
    let first = succeeds(&user.everslot(&["domain", "init", "--config", config]));
    assert!(first.contains("0x210a"), "{first}");
    assert_eq!(
        first.matches("AES, generic secret, EC, RSA, data").count(),
        2,
        "{first}"
    );
    let again = succeeds(&user.everslot(&["domain", "init", "--config", config]));
    assert_eq!(first, again);
    let shown = succeeds(&user.everslot(&["domain", "show", "--config", config]));
    let value = shown
        .split_whitespace()
        .find(|word| word.len() == 6 && word.chars().all(|c| c.is_ascii_hexdigit()))
        .unwrap()
        .to_owned();
    assert_eq!(shown.matches(&value).count(), 2, "{shown}");
    let new = succeeds(&user.everslot(&["domain", "init", "--new", "--config", config]));
    assert!(!new.contains(&value), "{new}");
    let shown = succeeds(&user.everslot(&["domain", "show", "--config", config]));
    assert_eq!(shown.matches("not trusted").count(), 2, "{shown}");
    let journal = user.path("everslot-demo/state/journal.sqlite");
    assert_eq!(mode(&journal), 0o600);
}

#[test]
fn the_officer_has_the_domain_key_trusted() {
    let (user, config) = User::with_tokens("2");
    with_journal(&config, "so_pin = { file = \"so-pin\" }");
    let run = |arguments: &[&str]| {
        let mut command = user.command(arguments);
        command.arg("--config").arg(&config).output().unwrap()
    };
    let init = run(&["domain", "init"]);
    let text = succeeds(&init);
    assert_eq!(stderr(&init), "");
    assert_eq!(text.matches(" trusted").count(), 2, "{text}");
    assert!(!text.contains("not trusted"), "{text}");
    assert!(succeeds(&run(&["domain", "show"])).contains(" trusted"));
}
