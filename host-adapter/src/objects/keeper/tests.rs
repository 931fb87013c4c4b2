use std::collections::BTreeMap;
use std::path::Path;

use super::*;
use crate::config::Config;

const JOURNAL: &str = "journal.sqlite";

fn keeper(directory: &Path) -> Keeper {
    let text = format!(
        "[[group]]\nlabel = \"lab\"\nserial = \"e1a0c3\"\njournal = \"{JOURNAL}\"\n\
         [[group.member]]\nname = \"a\"\nmodule = \"/bin/sh\"\ntoken = \"a\"\n\
         [[group.member]]\nname = \"b\"\nmodule = \"/bin/sh\"\ntoken = \"b\"\n"
    );
    let config = Config::parse(&text, &directory.join("everslot.toml")).unwrap();
    Keeper::new(&config.groups[0])
}

fn initialise(directory: &Path) {
    let place = directory.join(JOURNAL);
    let mut journal = Journal::open(place.to_str().unwrap(), "e1a0c3").unwrap();
    let profiles = ["a", "b"].map(|name| (name.to_owned(), Profile::default()));
    journal.set_profiles(&BTreeMap::from(profiles)).unwrap();
}

#[test]
fn a_group_without_a_domain_has_no_journal_made_for_it() {
    let directory = tempfile::tempdir().unwrap();
    let keeper = keeper(directory.path());
    assert!(keeper.profiles().unwrap().is_none());
    assert_eq!(keeper.status(), ObjectsStatus::Apart);
    assert!(!directory.path().join(JOURNAL).exists());
}

#[test]
fn a_domain_that_is_made_while_the_process_runs_is_seen() {
    let directory = tempfile::tempdir().unwrap();
    let keeper = keeper(directory.path());
    assert!(keeper.profiles().unwrap().is_none());
    initialise(directory.path());
    assert_eq!(keeper.profiles().unwrap().unwrap().len(), 2);
    assert_eq!(keeper.status(), ObjectsStatus::Replicated { short: 0 });
}

#[test]
fn a_journal_that_is_gone_is_not_taken_for_none() {
    let directory = tempfile::tempdir().unwrap();
    initialise(directory.path());
    let keeper = keeper(directory.path());
    assert!(keeper.profiles().unwrap().is_some());
    std::fs::remove_file(directory.path().join(JOURNAL)).unwrap();
    assert!(keeper.profiles().is_err());
    assert!(matches!(keeper.status(), ObjectsStatus::Unknown(_)));
    initialise(directory.path());
    assert!(keeper.profiles().unwrap().is_some());
}

#[test]
fn a_damaged_journal_is_told_of_and_taken_up_again_when_it_is_put_right() {
    let directory = tempfile::tempdir().unwrap();
    let place = directory.path().join(JOURNAL);
    initialise(directory.path());
    let whole = std::fs::read(&place).unwrap();
    let keeper = keeper(directory.path());
    std::fs::write(&place, vec![0x5a; 8192]).unwrap();
    assert!(matches!(
        keeper.profiles(),
        Err(JournalError::Corrupt { .. })
    ));
    std::fs::write(&place, whole).unwrap();
    assert!(keeper.profiles().unwrap().is_some());
}

#[test]
fn members_are_named_both_ways() {
    let directory = tempfile::tempdir().unwrap();
    let keeper = keeper(directory.path());
    let both = keeper.members(["b", "gone", "a"]);
    assert_eq!(keeper.names(both), ["a", "b"]);
    assert_eq!(keeper.member("gone"), None);
}
