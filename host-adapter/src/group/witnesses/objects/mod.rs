//! The witnesses of the model's world of objects, played against the real adapter.
//!
//! The tokens keep their objects in memory, everything else is the adapter's own: the virtual slot, the group with its recovery, the journal in SQLite,
//! the gate and the claims. A change waits before each deed that the core's machine asks for, and so does a reconcile, until the script says that it goes
//! on; what it then does must be what the model has it do, and after each step everybody must stand as in the model.

mod application;
mod outline;
mod player;
mod script;
mod stage;
mod store;
mod world;

pub(crate) use stage::{Asked, before, hold, notice};
pub(super) use store::{Doom, Store};

use player::Player;

#[test]
fn objects_fare_as_the_model_says() {
    let mut differ = Vec::new();
    let mut played = 0;
    for (setting, scripts) in script::all() {
        for script in scripts {
            played += 1;
            let directory = tempfile::tempdir().expect("a directory");
            let player = Player::new(&setting, directory.path());
            if let Err(why) = player.play(&script.steps) {
                differ.push(format!("{}: {}: {why}", setting.scenario, script.witness));
            }
        }
    }
    assert!(
        differ.is_empty(),
        "{} of {played}:\n{}",
        differ.len(),
        differ.join("\n")
    );
}

/// An application that changes an object which another process destroys meanwhile is not left in doubt: nothing of the change stands.
#[test]
fn a_change_of_what_is_destroyed_meanwhile_ends() {
    let setting = script::Setting {
        scenario: "by hand".to_owned(),
        members: 2,
        wishes: vec![
            vec![script::Wish::Destroy(0)],
            vec![script::Wish::Update(0)],
        ],
        copies: everslot_core::Copies::All,
        start: script::Start::Equal(1),
        stands: "A 0r0, B 0r0; journal 0r0 at AB; serve AB|AB; told 0 made".to_owned(),
    };
    let record = |kind| serde_json::json!({"RecordIntent": {"kind": kind, "members": 3, "plant": {"attempt": 0}}});
    let at = |deed: &str, member: u8| serde_json::json!({deed: {"member": member}});
    let plant = serde_json::json!({"attempt": 0});
    let commit = serde_json::json!({"Commit": {"done": 3, "plant": plant, "unclear": 0}});
    let retract = serde_json::json!({"Retract": {"left": 0, "plant": plant}});
    let (update, destroy) = (" Update intent at AB", "journal Destroy intent at AB");
    let (destroys, updates) = (0, 1);
    let begins = |process| (script::Act::Wish(process), None);
    let does = |process, does| {
        (
            script::Act::Step(process, script::Thread::Change),
            Some(does),
        )
    };
    let steps = [
        (
            begins(updates),
            "A 0r0, B 0r0; journal 0r0 at AB".to_owned(),
        ),
        (
            begins(destroys),
            "A 0r0, B 0r0; journal 0r0 at AB".to_owned(),
        ),
        (
            does(updates, record("Update")),
            format!("A 0r0, B 0r0; journal 0r0 at AB{update}"),
        ),
        (
            does(updates, at("Update", 0)),
            format!("A 0r17, B 0r0; journal 0r0 at AB{update}"),
        ),
        (
            does(updates, at("Update", 1)),
            format!("A 0r17, B 0r17; journal 0r0 at AB{update}"),
        ),
        (
            does(destroys, record("Destroy")),
            format!("A 0r17, B 0r17; {destroy}{update}"),
        ),
        (
            does(destroys, at("Destroy", 0)),
            format!("A, B 0r17; {destroy}{update}"),
        ),
        (
            does(destroys, at("Destroy", 1)),
            format!("A, B; {destroy}{update}"),
        ),
        (does(updates, commit), format!("A, B; {destroy}{update}")),
        (does(updates, retract), format!("A, B; {destroy}")),
    ];
    let steps = steps.map(|((act, does), then)| script::Step {
        act,
        does,
        then: then + "; serve AB|AB; told 0 made",
    });
    let directory = tempfile::tempdir().expect("a directory");
    let played = Player::new(&setting, directory.path()).play(&steps);
    played.unwrap_or_else(|why| panic!("{why}"));
}

/// Nobody waits for its next return to have it destroy what was destroyed.
#[test]
fn a_member_that_serves_and_has_not_followed_is_brought_in_step() {
    let setting = script::Setting {
        scenario: "by hand".to_owned(),
        members: 3,
        wishes: Vec::new(),
        copies: everslot_core::Copies::All,
        start: script::Start::Equal(0),
        stands: String::new(),
    };
    let directory = tempfile::tempdir().expect("a directory");
    let stores: Vec<_> = (0..setting.members).map(|_| Default::default()).collect();
    world::establish(directory.path(), &stores);
    let driver = world::driver(&setting, directory.path(), &world::tokens(&stores));
    let application = application::Application::new(&driver);
    application
        .wish(script::Wish::Create(0), 0)
        .expect("all can");
    assert_eq!(outline::tokens(&stores), "A 0r0, B 0r0, C 0r0");
    stores[1].set_doom(Some(Doom::Refuses));
    application
        .wish(script::Wish::Destroy(0), 0)
        .expect("others can");
    assert!(!stores[1].is_doomed());
    assert_eq!(outline::tokens(&stores), "A, B, C");
    assert_eq!(outline::serving(&driver), "ABC");
}
