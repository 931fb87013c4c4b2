//! Several processes make and destroy objects of one group at once: two of one application, and another application with a configuration of its own
//! over the same journal.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use cryptoki_sys::*;
use everslot_core::ckr;
use everslot_tests::client::{Session, Template};
use everslot_tests::{Artifact, Lab, Plan};

const ROUNDS: usize = 4;
/// Of what all of them destroy.
const SHARED: usize = 4;

fn data(label: &str) -> Template {
    let data = Template::new().class(CKO_DATA).on_token(true);
    data.label(label).bytes(CKA_VALUE, label)
}

/// Another process, which does one thing; what it said if it was not done.
fn tool(lab: &Lab, config: &Path, arguments: &[&str]) -> Result<(), String> {
    let mut tool = Command::new("pkcs11-tool");
    tool.envs(lab.environment()).env("EVERSLOT_CONF", config);
    tool.arg("--module").arg(Artifact::Module.path());
    tool.args(["--token-label", Lab::LABEL, "--login", "--pin", lab.pin()]);
    let output = tool.args(["--type", "data"]).args(arguments).output();
    let output = output.expect("pkcs11-tool is installed");
    let words = || String::from_utf8_lossy(&output.stderr).into_owned();
    output.status.success().then_some(()).ok_or_else(words)
}

/// Makes an object and destroys one in each round; of its own it keeps every other one.
fn work_by_tool(lab: &Lab, config: &Path, name: &str) {
    let file = lab.directory().join(name);
    std::fs::write(&file, name).expect("the directory is writable");
    let file = file.display().to_string();
    for round in 0..ROUNDS {
        let own = format!("{name} {round}");
        let made = tool(lab, config, &["--write-object", &file, "--label", &own]);
        assert_eq!(made, Ok(()), "{own} is made");
        if round % 2 == 1 {
            let gone = tool(lab, config, &["--delete-object", "--label", &own]);
            assert_eq!(gone, Ok(()), "{own} is destroyed");
        }
        // Somebody else may have been quicker.
        let shared = format!("shared {round}");
        let _ = tool(lab, config, &["--delete-object", "--label", &shared]);
    }
}

fn work(session: Session) {
    for round in 0..ROUNDS {
        let label = format!("first {round}");
        let own = session.create(&data(&label)).expect("all members serve");
        if round % 2 == 1 {
            session.destroy(own).expect("all members serve");
        }
        let shared = Template::new().label(&format!("shared {round}"));
        for object in session.find(&shared).expect("all members serve") {
            let code = session.destroy(object).map_err(|failure| failure.code);
            assert!(matches!(code, Ok(()) | Err(ckr::OBJECT_HANDLE_INVALID)));
        }
    }
}

fn labels(session: Session) -> Vec<String> {
    let all = session.find(&Template::new().class(CKO_DATA));
    let label = |object| session.attribute(object, CKA_LABEL).expect("it has one");
    let labels = all.expect("it answers").into_iter().map(label);
    let mut labels: Vec<_> = labels
        .map(|label| String::from_utf8_lossy(&label).into_owned())
        .collect();
    labels.sort();
    labels
}

#[test]
fn what_several_processes_make_and_destroy_at_once_ends_the_same_everywhere() {
    let lab = Lab::new(Plan {
        domain: true,
        empty: true,
        deadline: Duration::from_secs(10),
        ..Plan::default()
    });
    let other = lab.directory().join("other.toml");
    std::fs::copy(lab.config_path(), &other).expect("the directory is writable");
    let module = lab.module();
    let session = lab.session(module);
    for number in 0..SHARED {
        let shared = data(&format!("shared {number}"));
        session.create(&shared).expect("all members serve");
    }
    std::thread::scope(|scope| {
        scope.spawn(|| work_by_tool(&lab, &lab.config_path(), "second"));
        scope.spawn(|| work_by_tool(&lab, &other, "other"));
        work(session);
    });
    let expected = [
        "first 0", "first 2", "other 0", "other 2", "second 0", "second 2",
    ];
    assert_eq!(labels(session), expected, "as the application sees it");
    module.finalize().expect("it is initialised");
    for member in lab.members() {
        assert_eq!(member.alone(labels), expected, "{}", member.name());
    }
    let sync = lab.everslot(&["sync", "--dry-run"]);
    let words = String::from_utf8_lossy(&sync.stdout);
    assert!(words.contains("Nothing was done"), "{words}");
}
