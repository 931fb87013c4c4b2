//! Every rule on both databases; a full one, a damaged one, and several writers.

mod damage;
mod doubt;
mod known;
mod rules;
pub(crate) mod server;
mod writers;

use super::*;

/// A journal that is used in a test, with what it stands in.
struct Bench {
    journal: Journal,
    place: String,
    _directory: Option<tempfile::TempDir>,
}

/// Does `steps` with a new journal in each database that there is.
fn with_journals(steps: impl Fn(&mut Journal)) {
    let mut bench = file();
    steps(&mut bench.journal);
    if let Some(server) = server::Server::start() {
        let mut journal = Journal::open(&server.url, "e1a0c3").expect("the server serves");
        steps(&mut journal);
    }
}

fn file() -> Bench {
    let directory = tempfile::tempdir().expect("there is room");
    let path = file_of_group(&directory.path().join("state"), "e1a0/c3");
    let place = path.display().to_string();
    Bench {
        journal: Journal::open(&place, "e1a0/c3").expect("a new journal opens"),
        place,
        _directory: Some(directory),
    }
}

/// An object whose fingerprint begins with `number`.
fn object(number: u16) -> Object {
    let [high, low] = number.to_be_bytes();
    let mut fingerprint = [0; 16];
    fingerprint[..2].copy_from_slice(&[high, low]);
    let mut id = [0xff; 16];
    id[..2].copy_from_slice(&[low, high]);
    Object {
        id: ObjectId(id),
        fingerprint: Fingerprint(fingerprint),
        class: u64::MAX - u64::from(number),
        revision: Revision([high; 8]),
        bare: None,
        remembered: None,
    }
}

fn holder(member: &str, revision: u8) -> Holder {
    Holder {
        member: member.to_owned(),
        revision: Some(Revision([revision; 8])),
    }
}

fn intent(mark: u64, kind: IntentKind, object: Option<ObjectId>) -> Intent {
    Intent {
        plant: Plant { mark, attempt: 1 },
        kind,
        members: vec!["a".to_owned(), "b".to_owned()],
        object,
        fingerprint: None,
        owner: "1:2".to_owned(),
    }
}

fn names(members: &[&str]) -> Vec<String> {
    members.iter().map(|name| (*name).to_owned()).collect()
}
