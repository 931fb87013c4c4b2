use std::fs;
use std::os::unix::fs::PermissionsExt;

use super::*;

#[test]
fn a_full_journal_refuses_what_is_to_be_made_and_is_read_on() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("journal.sqlite");
    let sqlite = sqlite::Sqlite::open(&path).unwrap();
    let mut journal = Journal::with(Box::new(sqlite)).unwrap();
    journal.adopt(&object(0), &[holder("a", 0)]).unwrap();
    drop(journal);
    let sqlite = sqlite::Sqlite::open(&path).unwrap();
    sqlite.limit_pages(1);
    let mut journal = Journal::with(Box::new(sqlite)).unwrap();
    let refused = (1..10_000).find_map(|number| {
        let mut large = intent(number, IntentKind::Create, None);
        large.owner = "x".repeat(1000);
        journal.record(&large).err()
    });
    let error = refused.expect("it is full before that");
    assert!(matches!(error, JournalError::Full { .. }), "{error}");
    assert!(!error.may_be_done());
    assert_eq!(
        error.to_string(),
        format!(
            "journal {}: no room is left; make some, until then no object is made or destroyed",
            path.display()
        )
    );
    assert!(journal.entry(object(0).id).unwrap().is_some());
}

#[test]
fn a_full_disk_is_said_to_be_one() {
    if !rustix::process::geteuid().is_root() {
        eprintln!("skipped: only root can mount a small file system");
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let mount = std::process::Command::new("mount")
        .args(["-t", "tmpfs", "-o", "size=256k", "none"])
        .arg(directory.path())
        .output();
    if !mount.is_ok_and(|output| output.status.success()) {
        eprintln!("skipped: no file system can be mounted here");
        return;
    }
    let seen = fill(&directory.path().join("journal.sqlite"));
    let unmounted = std::process::Command::new("umount")
        .arg("--lazy")
        .arg(directory.path())
        .status();
    assert!(unmounted.unwrap().success());
    let (error, readable) = seen;
    assert!(matches!(error, JournalError::Full { .. }), "{error}");
    assert!(readable);
}

/// What a journal on a disk without room says, and whether it can be read still.
fn fill(path: &Path) -> (JournalError, bool) {
    let mut journal = Journal::open(&path.display().to_string(), "g").unwrap();
    journal.adopt(&object(0), &[]).unwrap();
    let refused = (1..10_000).find_map(|number| {
        let mut large = intent(number, IntentKind::Create, None);
        large.owner = "x".repeat(1000);
        journal.record(&large).err()
    });
    let readable = journal
        .entry(object(0).id)
        .is_ok_and(|entry| entry.is_some());
    (refused.expect("256 KiB are not enough for that"), readable)
}

#[test]
fn a_damaged_journal_is_named_with_what_to_do() {
    let bench = file();
    let place = bench.place.clone();
    drop(bench.journal);
    fs::write(
        &place,
        b"this is no database, but long enough to look like one".repeat(200),
    )
    .unwrap();
    let error = Journal::open(&place, "g").err().expect("it is refused");
    assert!(matches!(error, JournalError::Corrupt { .. }), "{error}");
    let line = error.to_string();
    assert!(line.starts_with(&format!("journal {place}: ")), "{line}");
    assert!(
        line.contains("move it away") && !line.contains('\n'),
        "{line}"
    );
}

#[test]
fn a_page_that_is_damaged_later_is_found_when_it_is_read() {
    let Bench {
        mut journal,
        place,
        _directory,
    } = file();
    for number in 0..2000 {
        journal.adopt(&object(number), &[holder("a", 0)]).unwrap();
    }
    drop(journal);
    let mut bytes = fs::read(&place).unwrap();
    let pages = bytes.len() / 4096;
    for page in 8..pages {
        bytes[page * 4096..][..64].fill(0xa5);
    }
    fs::write(&place, bytes).unwrap();
    let mut journal = Journal::open(&place, "g").unwrap();
    let mut entries = Entries::new(Range::default());
    let found = std::iter::from_fn(|| entries.next(&mut journal).transpose()).find_map(Result::err);
    let error = found.expect("the damage is seen");
    assert!(matches!(error, JournalError::Corrupt { .. }), "{error}");
}

#[test]
fn a_journal_is_its_owners_alone() {
    let bench = file();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let path = Path::new(&bench.place);
    assert_eq!(mode(path), 0o600);
    assert_eq!(mode(path.parent().unwrap()), 0o700);
    for other in path.parent().unwrap().read_dir().unwrap() {
        assert_eq!(mode(&other.unwrap().path()), 0o600);
    }
    fs::set_permissions(path, fs::Permissions::from_mode(0o644)).unwrap();
    let error = Journal::open(&bench.place, "g").err().expect("refused");
    assert_eq!(
        error.to_string(),
        format!(
            "journal {0} is open to others (mode 0644): chmod 600 {0}",
            bench.place
        )
    );
}

#[test]
fn a_later_version_and_a_place_that_is_none_are_refused() {
    let mut bench = file();
    let later = "INSERT INTO version (version) VALUES (99)";
    bench
        .journal
        .write(|statements| statements.batch(later))
        .unwrap();
    let error = Journal::open(&bench.place, "g").err().expect("refused");
    assert!(
        matches!(error, JournalError::Newer { version: 99, .. }),
        "{error}"
    );
    let error = Journal::open("mysql://user:secret@host/db", "g").err();
    let line = error.expect("refused").to_string();
    assert!(!line.contains("secret"), "{line}");
    let error = Journal::open("postgresql://user:secret@127.0.0.1:1/db", "g").err();
    let line = error.expect("nobody listens there").to_string();
    assert!(
        line.starts_with("journal postgresql 127.0.0.1/db: "),
        "{line}"
    );
    assert!(!line.contains("secret") && !line.contains('\n'), "{line}");
}
