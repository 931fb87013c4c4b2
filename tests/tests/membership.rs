//! Changes of a group's members and policy while an application uses it.

use std::path::Path;

use cryptoki_sys::{CKA_TOKEN, CKA_VALUE, CKO_DATA};
use everslot_core::ckr;
use everslot_tests::client::{Module, Template};
use everslot_tests::turnover::turnover;
use everslot_tests::{ECDSA, HASH, Lab, PATIENCE, Plan, ec_key, eventually, turnover, within};

/// A lab whose applications log into `log`.
fn logged(plan: Plan) -> Lab {
    let lab = Lab::prepare(plan);
    edit(&lab, |text| {
        format!("log = {{ level = \"info\", file = \"log\" }}\n{text}")
    });
    lab.enter();
    lab
}

fn edit(lab: &Lab, edit: impl FnOnce(&str) -> String) {
    let path = lab.config_path();
    let text = std::fs::read_to_string(&path).expect("the lab has a configuration");
    std::fs::write(path, edit(&text)).expect("the lab's directory is writable");
}

fn log(lab: &Lab) -> String {
    std::fs::read_to_string(lab.directory().join("log")).unwrap_or_default()
}

fn slots(module: Module) -> (Vec<u64>, String, String) {
    let slots = module.slots().expect("there is one");
    let info = module.token_info(slots[0]).expect("a member serves");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (slots, text(&info.label), text(&info.serialNumber))
}

fn names(lab: &Lab) -> Vec<String> {
    let name = |member: &serde_json::Value| member["name"].as_str().unwrap_or_default().to_owned();
    lab.status().iter().map(name).collect()
}

#[track_caller]
fn command(lab: &Lab, arguments: &[&str]) -> String {
    let output = lab.everslot(arguments);
    assert!(output.status.success(), "{output:?}");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// `make turnover` does this 200 times.
#[test]
fn members_come_and_go_under_load_from_two_processes() {
    let worker = Path::new(env!("CARGO_BIN_EXE_turnover"));
    let seen = turnover(&turnover::lab(), worker, 12, |_, _| ());
    assert_eq!(seen.failures, Vec::<String>::new());
    assert!(seen.calls > 100, "{seen:?}");
}

#[test]
fn what_applications_know_the_slot_by_stays_while_every_member_is_replaced() {
    let lab = logged(Plan {
        members: 2,
        ..Plan::default()
    });
    let added = lab.member_argument(&lab.members()[1]);
    edit(&lab, |text| {
        let second = text.rfind("[[group.member]]").expect("two members");
        text[..second].to_owned()
    });
    let module = lab.module();
    let session = lab.public_session(module);
    session.login(lab.pin()).expect("the PIN is right");
    let before = slots(module);
    command(&lab, &["member", "add", &added]);
    eventually("it joins", PATIENCE, || lab.codes() == ["CKR_OK", "CKR_OK"]);
    command(&lab, &["member", "remove", "m0"]);
    eventually("it goes", PATIENCE, || names(&lab) == ["m1"]);
    session
        .sign(ECDSA, ec_key(session), &HASH)
        .expect("the one that joined serves, and is logged in");
    assert_eq!(slots(module), before);
    eventually("its host ends", PATIENCE, || {
        everslot_tests::HostProcess::of_module(lab.members()[0].module()).is_none()
    });
}

#[test]
fn a_member_that_replaces_another_in_one_edit_takes_over_without_a_failed_call() {
    let lab = logged(Plan {
        members: 2,
        ..Plan::default()
    });
    let whole = std::fs::read_to_string(lab.config_path()).expect("it is there");
    let parts: Vec<&str> = whole.split("[[group.member]]").collect();
    let alone = |member: &str| format!("{}[[group.member]]{member}", parts[0]);
    edit(&lab, |_| alone(parts[1]));
    let session = lab.public_session(lab.module());
    session.login(lab.pin()).expect("the PIN is right");
    edit(&lab, |_| alone(parts[2]));
    eventually("the other takes over", PATIENCE, || {
        session
            .sign(ECDSA, ec_key(session), &HASH)
            .expect("one of them serves");
        names(&lab) == ["m1"]
    });
}

#[test]
fn a_broken_edit_is_refused_with_its_line_and_the_old_one_stays() {
    let lab = logged(Plan {
        members: 2,
        ..Plan::default()
    });
    let session = lab.session(lab.module());
    let whole = std::fs::read_to_string(lab.config_path()).expect("it is there");
    edit(&lab, |text| {
        text.replacen("name = \"m0\"", "nmae = \"m0\"", 1)
    });
    let line = "everslot.toml:13:1: unknown key \"nmae\"; did you mean \"name\"?";
    eventually("the log says what is wrong", PATIENCE, || {
        log(&lab).contains(line)
    });
    assert_eq!(names(&lab), ["m0", "m1"]);
    session
        .sign(ECDSA, ec_key(session), &HASH)
        .expect("the old one stays");
    edit(&lab, |_| {
        whole.replacen(
            "[[group.member]]\nname = \"m0\"",
            "[[group.member]]\nparked = true\nname = \"m0\"",
            1,
        )
    });
    eventually("the next edit is taken", PATIENCE, || {
        lab.status()[0]["state"] == "parked"
    });
}

#[test]
fn a_parked_member_is_not_begun_with_and_has_no_sessions_when_it_is_parked_later() {
    let lab = logged(Plan {
        members: 2,
        ..Plan::default()
    });
    command(&lab, &["member", "park", "m0"]);
    let session = lab.public_session(lab.module());
    session.login(lab.pin()).expect("the PIN is right");
    assert!(everslot_tests::HostProcess::of_module(lab.members()[0].module()).is_none());
    command(&lab, &["member", "unpark", "m0"]);
    eventually("it comes", PATIENCE, || lab.codes() == ["CKR_OK", "CKR_OK"]);
    command(&lab, &["member", "park", "m1"]);
    eventually("it rests", PATIENCE, || {
        lab.status()[1]["state"] == "parked"
    });
    session
        .sign(ECDSA, ec_key(session), &HASH)
        .expect("the other serves");
}

#[test]
fn a_policy_is_taken_at_once_and_what_cannot_be_is_told() {
    let lab = logged(Plan {
        members: 2,
        attempts: 0,
        ..Plan::default()
    });
    let session = lab.session(lab.module());
    lab.host(0).kill();
    eventually("it is lost", PATIENCE, || {
        session
            .sign(ECDSA, ec_key(session), &HASH)
            .expect("the other serves");
        lab.code(0) != "CKR_OK"
    });
    let told = command(
        &lab,
        &[
            "vtl",
            "haAdmin",
            "autorecovery",
            "-retry",
            "-1",
            "-interval",
            "1",
        ],
    );
    assert_eq!(told, "");
    lab.wait_until_all_serve();
    let told = command(&lab, &["vtl", "haAdmin", "halog", "-path", "elsewhere"]);
    let line = "the log's settings: not before the application starts again";
    assert_eq!(told, format!("everslot: {line}\n"));
    eventually("the application says so, too", PATIENCE, || {
        log(&lab).contains(line)
    });
}

#[test]
fn a_deadline_counts_from_the_next_call_on() {
    use std::time::Duration;
    let lab = logged(Plan {
        token: everslot_tests::Token::Test,
        members: 2,
        deadline: Duration::from_secs(50),
        ..Plan::default()
    });
    let session = lab.session(lab.module());
    edit(&lab, |text| {
        text.replace("deadline = \"50000ms\"", "deadline = \"300ms\"")
    });
    command(&lab, &["member", "role", "m1", "standby"]);
    eventually("both changes are taken", PATIENCE, || {
        lab.status()[1]["state"] == "standby"
    });
    lab.members()[0].misbehave("C_Sign hang");
    within(PATIENCE, || {
        session
            .sign(ECDSA, ec_key(session), &HASH)
            .expect("the standby takes over")
    });
}

#[test]
fn what_lives_on_a_removed_member_alone_goes_with_it_and_nothing_else() {
    let lab = logged(Plan {
        members: 2,
        ..Plan::default()
    });
    let module = lab.module();
    let session = lab.session(module);
    let key = ec_key(session);
    let data = Template::new()
        .class(CKO_DATA)
        .label("alone")
        .flag(CKA_TOKEN, true)
        .bytes(CKA_VALUE, *b"value");
    let object = session.create(&data).expect("a member makes it");
    // On which member it is made is the balance's choice: it is on the one that has it past everslot.
    let on_first = {
        command(&lab, &["member", "park", "m1"]);
        eventually("it rests", PATIENCE, || {
            lab.status()[1]["state"] == "parked"
        });
        let has_it = session.attribute(object, CKA_VALUE).is_ok();
        command(&lab, &["member", "unpark", "m1"]);
        lab.wait_until_all_serve();
        has_it
    };
    let (gone, stays) = if on_first { ("m0", "m1") } else { ("m1", "m0") };
    assert_eq!(
        session.attribute(object, CKA_VALUE).as_deref(),
        Ok(&b"value"[..]),
        "while its member is there again it is"
    );
    command(&lab, &["member", "remove", gone]);
    eventually("it goes", PATIENCE, || names(&lab) == [stays]);
    let failure = session
        .attribute(object, CKA_VALUE)
        .expect_err("it is gone");
    assert_eq!(failure.code, ckr::OBJECT_HANDLE_INVALID);
    session.sign(ECDSA, key, &HASH).expect("the key is on both");
}
