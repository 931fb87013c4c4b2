//! What has gone wrong once, and no script leads to.

use std::sync::Arc;

use cryptoki_sys as ck;
use everslot_core::{Copies, Evidence, Input, MemberId, ckr};
use serde_json::{Value, json};

use super::super::token::ScriptedToken;
use super::application::Application;
use super::player::Player;
use super::script::{Setting, Start, Step, Wish};
use super::store::{Doom, Store};
use super::{outline, world};
use crate::group::GroupDriver;
use crate::journal::{Intent, IntentKind, Journal, Plant};
use crate::objects::Owner;

const A: MemberId = MemberId(0);
const B: MemberId = MemberId(1);
const C: MemberId = MemberId(2);

fn setting(members: usize, wishes: Vec<Vec<Wish>>, stands: &str) -> Setting {
    Setting {
        scenario: "by hand".to_owned(),
        members,
        wishes,
        copies: Copies::All,
        start: Start::Equal(1),
        stands: stands.to_owned(),
    }
}

fn play(setting: &Setting, steps: &[Step]) {
    let directory = tempfile::tempdir().expect("a directory");
    let played = Player::new(setting, directory.path()).play(steps);
    played.unwrap_or_else(|why| panic!("{why}"));
}

fn step(act: Value, does: Value, then: &str) -> Step {
    let step = json!({"act": act, "does": does, "then": then});
    serde_json::from_value(step).expect("a step")
}

fn change(process: u8) -> Value {
    json!({"Step": [process, "Change"]})
}

fn records(kind: &str) -> Value {
    json!({"RecordIntent": {"kind": kind, "members": 3, "plant": {"attempt": 0}}})
}

fn at(deed: &str, member: MemberId) -> Value {
    json!({deed: {"member": member}})
}

fn commits() -> Value {
    json!({"Commit": {"done": 3, "plant": {"attempt": 0}, "unclear": 0}})
}

/// An application that changes an object which another process destroys meanwhile is not left in doubt: nothing of the change stands.
#[test]
fn a_change_of_what_is_destroyed_meanwhile_ends() {
    let begins = "A 0r0, B 0r0; journal 0r0 at AB; serve AB|AB; told 0 made";
    let wishes = vec![vec![Wish::Destroy(0)], vec![Wish::Update(0)]];
    let retracts = json!({"Retract": {"left": 0, "plant": {"attempt": 0}}});
    let stands = |then: &str| format!("{then}; serve AB|AB; told 0 made");
    let both = |tokens: &str| {
        stands(&format!(
            "{tokens}; journal Destroy intent at AB Update intent at AB"
        ))
    };
    let updating =
        |tokens: &str| stands(&format!("{tokens}; journal 0r0 at AB Update intent at AB"));
    let steps = [
        step(json!({"Wish": 1}), Value::Null, begins),
        step(json!({"Wish": 0}), Value::Null, begins),
        step(change(1), records("Update"), &updating("A 0r0, B 0r0")),
        step(change(1), at("Update", A), &updating("A 0r17, B 0r0")),
        step(change(1), at("Update", B), &updating("A 0r17, B 0r17")),
        step(change(0), records("Destroy"), &both("A 0r17, B 0r17")),
        step(change(0), at("Destroy", A), &both("A, B 0r17")),
        step(change(0), at("Destroy", B), &both("A, B")),
        step(change(1), commits(), &both("A, B")),
        step(
            change(1),
            retracts,
            &stands("A, B; journal Destroy intent at AB"),
        ),
    ];
    play(&setting(2, wishes, begins), &steps);
}

/// The steps of an update up to where it is to be committed.
fn updated(begins: &str) -> Vec<Step> {
    let stands = |tokens: &str| {
        format!("{tokens}; journal 0r0 at AB Update intent at AB; serve AB; told 0 made")
    };
    vec![
        step(json!({"Wish": 0}), Value::Null, begins),
        step(change(0), records("Update"), &stands("A 0r0, B 0r0")),
        step(change(0), at("Update", A), &stands("A 0r1, B 0r0")),
        step(change(0), at("Update", B), &stands("A 0r1, B 0r1")),
        step(json!({"Fails": A}), Value::Null, &stands("A 0r1, B 0r1")),
    ]
}

#[test]
fn what_a_change_has_made_is_read_where_it_can_be_read() {
    let begins = "A 0r0, B 0r0; journal 0r0 at AB; serve AB; told 0 made";
    let mut steps = updated(begins);
    let committed = "A 0r1, B 0r1; journal 0r1 at AB; serve B; told 0 made";
    steps.push(step(change(0), commits(), committed));
    play(&setting(2, vec![vec![Wish::Update(0)]], begins), &steps);
}

#[test]
fn a_change_that_nobody_can_tell_of_is_left_to_whoever_resumes_it() {
    let begins = "A 0r0, B 0r0; journal 0r0 at AB; serve AB; told 0 made";
    let mut steps = updated(begins);
    let stands = |left: &str, serve: &str| {
        format!(
            "A 0r1, B 0r1; journal 0r0 at AB{left} Update intent at AB; serve {serve}; told 0 made"
        )
    };
    steps.extend([
        step(json!({"Fails": B}), Value::Null, &stands("", "AB")),
        step(change(0), commits(), &stands("", "")),
        step(change(0), commits(), &stands(" left", "")),
    ]);
    play(&setting(2, vec![vec![Wish::Update(0)]], begins), &steps);
}

/// Three members in one process, and an application that is logged in; an object of base 0 is on all of them.
struct Lab {
    stores: Vec<Arc<Store>>,
    tokens: Vec<Arc<ScriptedToken>>,
    driver: Arc<GroupDriver>,
    application: Application,
    journal: Journal,
    _directory: tempfile::TempDir,
}

impl Lab {
    fn new() -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let stores: Vec<_> = (0..3).map(|_| Arc::default()).collect();
        world::establish(directory.path(), &stores);
        let tokens = world::tokens(&stores);
        let driver = world::driver(&setting(3, Vec::new(), ""), directory.path(), &tokens);
        let application = Application::new(&driver);
        let made = application.wish(Wish::Create(0), 0);
        made.expect("all can");
        let place = world::journal(directory.path());
        let journal = Journal::open_existing(place.to_str().expect("text"), world::SERIAL);
        let lab = Self {
            stores,
            tokens,
            driver,
            application,
            journal: journal.expect("a journal"),
            _directory: directory,
        };
        lab.stands("A 0r0, B 0r0, C 0r0", "ABC");
        lab
    }

    #[track_caller]
    fn stands(&self, tokens: &str, serving: &str) {
        assert_eq!(outline::tokens(&self.stores), tokens);
        assert_eq!(outline::serving(&self.driver), serving);
    }

    fn loses(&self, member: MemberId) {
        let token = &self.tokens[member.index()];
        token.dies();
        token.processes_end();
        let incarnation = self.driver.members()[member.index()].incarnation();
        self.driver
            .report_loss(member, incarnation, Evidence::HostEnded, None);
    }

    fn recovers(&self, member: MemberId) {
        self.tokens[member.index()].comes();
        self.driver.drive(Input::Recover { member });
    }
}

/// Nobody waits for its next return to have it destroy what was destroyed.
#[test]
fn a_member_that_serves_and_has_not_followed_is_brought_in_step() {
    let lab = Lab::new();
    lab.stores[1].set_doom(Some(Doom::Refuses));
    let destroyed = lab.application.wish(Wish::Destroy(0), 0);
    destroyed.expect("others can");
    assert!(!lab.stores[1].is_doomed());
    lab.stands("A, B, C", "ABC");
}

/// Of a change of an object's name nobody knows whether it was made at a member that was lost over it, and whoever was about it runs still.
#[test]
fn a_member_is_not_brought_what_it_has_under_another_name() {
    let mut lab = Lab::new();
    let (former, renamed) = (world::object(0, 0), world::object(5, 0));
    let live = lab.journal.with_fingerprint(world::fingerprint(&former));
    let object = live.expect("the journal").remove(0).object;
    let recorded = lab.journal.record(&Intent {
        plant: Plant {
            mark: 7,
            attempt: 0,
        },
        kind: IntentKind::Update,
        members: vec!["B".to_owned()],
        object: Some(object.id),
        fingerprint: Some(world::fingerprint(&renamed)),
        owner: Owner::this().as_str().to_owned(),
    });
    assert!(recorded.expect("the journal"));
    let label = renamed.get(ck::CKA_LABEL).expect("it has one");
    lab.stores[1].each(ck::CKO_DATA, |object| object.set(ck::CKA_LABEL, label));
    lab.loses(B);
    lab.recovers(B);
    lab.stands("A 5r0, B 5r0, C 5r0", "ABC");
    assert!(lab.journal.intents().expect("the journal").is_empty());
}

/// What was acknowledged of an object that one member alone has so is not taken back by a change of how others have it.
#[test]
fn an_object_is_changed_as_the_group_has_it_or_not_at_all() {
    let lab = Lab::new();
    let update = |revision| lab.application.wish(Wish::Update(0), revision);
    lab.loses(B);
    lab.loses(C);
    update(1).expect("one can");
    lab.loses(A);
    lab.recovers(B);
    lab.recovers(C);
    lab.stands("A 0r1, B 0r0, C 0r0", "BC");
    assert_eq!(update(2), Err(ckr::DEVICE_ERROR));
    lab.stands("A 0r1, B 0r0, C 0r0", "BC");
    lab.recovers(A);
    update(2).expect("all can");
    lab.stands("A 0r2, B 0r2, C 0r2", "ABC");
}
