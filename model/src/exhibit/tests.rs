use super::{Core, Library, Pseudo, Reading, findings};

/// The promises that a library breaks, by number.
fn broken(library: impl Library) -> Vec<String> {
    let broken = findings(library)
        .into_iter()
        .filter(|finding| finding.broken.is_some());
    broken
        .map(|finding| {
            finding
                .promise
                .split(' ')
                .next()
                .unwrap_or_default()
                .to_owned()
        })
        .collect()
}

#[test]
fn read_literally_only_the_spacing_holds() {
    let broken = broken(Pseudo::new(Reading::Literal));
    assert_eq!(broken, ["E1", "E3", "E4", "E5", "E6", "E6"]);
}

#[test]
fn with_the_else_one_count_for_all_members_still_breaks_the_limit_and_starves() {
    let broken = broken(Pseudo::new(Reading::WithElse));
    assert_eq!(broken, ["E1", "E5", "E6", "E6"]);
}

#[test]
fn the_core_keeps_every_promise() {
    assert_eq!(broken(Core::new()), Vec::<String>::new());
}

#[test]
fn the_count_is_wrong_after_three_steps_of_the_literal_reading() {
    let findings = findings(Pseudo::new(Reading::Literal));
    let count = findings
        .iter()
        .find(|finding| finding.promise.starts_with("E3"));
    let run = count
        .and_then(|finding| finding.broken.as_ref())
        .expect("a run");
    assert_eq!(run.steps(), 3);
    let told = run.to_string();
    assert!(told.contains("A is tried in vain"), "{told}");
}
