//! Members as slots of their own beside the virtual one.

use cryptoki_sys::{CKF_TOKEN_PRESENT, CKO_DATA, CKS_RW_PUBLIC_SESSION, CKS_RW_USER_FUNCTIONS};
use everslot_core::ckr;
use everslot_tests::client::{Module, Session, Template};
use everslot_tests::{ECDSA, HASH, Isolation, Lab, PATIENCE, Plan, ec_key, eventually};

/// A lab of two tokens whose group exposes them.
fn exposing(plan: Plan) -> Lab {
    let lab = Lab::prepare(Plan { members: 2, ..plan });
    edit(&lab, |text| {
        text.replacen("[[group]]\n", "[[group]]\nexpose_members = true\n", 1)
    });
    lab.enter();
    lab
}

fn edit(lab: &Lab, edit: impl FnOnce(&str) -> String) {
    let path = lab.config_path();
    let text = std::fs::read_to_string(&path).expect("the lab has a configuration");
    std::fs::write(path, edit(&text)).expect("the lab's directory is writable");
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).trim_end().to_owned()
}

fn labels(module: Module) -> Vec<String> {
    let slots = module.slots().expect("the library is initialised");
    let label = |slot: &u64| text(&module.token_info(*slot).expect("it serves").label);
    slots.iter().map(label).collect()
}

/// Waits until each token is in its slot.
fn wait_for_slots(module: Module, number: usize) -> Vec<u64> {
    eventually("every slot has its token", PATIENCE, || {
        module.slots().is_ok_and(|slots| {
            let is_there = |slot: &u64| module.token_info(*slot).is_ok();
            slots.len() == number && slots.iter().all(is_there)
        })
    });
    module.slots().expect("the library is initialised")
}

fn data(label: &str) -> Template {
    Template::new().class(CKO_DATA).label(label)
}

#[test]
fn each_member_is_a_slot_of_its_own_with_its_own_objects_and_login() {
    let lab = exposing(Plan::default());
    let module = lab.module();
    let slots = wait_for_slots(module, 3);
    let [m0, m1] = [0, 1].map(|at| lab.members()[at].token_label());
    assert_eq!(labels(module), [Lab::LABEL, m0, m1]);
    assert_eq!(slots[0], 0, "the group's comes first");
    let serial = |slot: u64| text(&module.token_info(slot).expect("it serves").serialNumber);
    let group = lab.session(module);
    let status = lab.status();
    let serials = status.iter().map(|member| member["serial"].clone());
    let serials: Vec<_> = serials.collect();
    assert_eq!(serials, [serial(slots[1]), serial(slots[2])]);
    let slot_info = module.slot_info(slots[2]).expect("it is there");
    assert_eq!(
        text(&slot_info.slotDescription),
        "everslot member m1 of lab"
    );

    let [first, second] = [1, 2].map(|at| module.open(slots[at]).expect("it serves"));
    first.login(lab.pin()).expect("nobody is logged in there");
    let state = |session: Session| session.info().expect("it is open").state;
    assert_eq!(state(first), CKS_RW_USER_FUNCTIONS);
    assert_eq!(state(second), CKS_RW_PUBLIC_SESSION);
    second.login(lab.pin()).expect("nobody is logged in there");
    let made = data("of m0").on_token(true);
    first.create(&made).expect("the token takes it");
    let found = |session: Session| session.find(&data("of m0")).expect("it serves").len();
    assert_eq!((found(first), found(second), found(group)), (1, 0, 1));
    second.logout().expect("it is logged in");
    assert_eq!(state(first), CKS_RW_USER_FUNCTIONS);
    assert_eq!(state(group), CKS_RW_USER_FUNCTIONS);
    first
        .sign(ECDSA, ec_key(first), &HASH)
        .expect("it has the key, too");
}

#[test]
fn a_member_that_is_away_is_an_empty_slot_until_it_returns() {
    let lab = exposing(Plan::default());
    let module = lab.module();
    let slots = wait_for_slots(module, 3);
    let session = module.open(slots[1]).expect("it serves");
    session.login(lab.pin()).expect("the PIN is right");
    let key = ec_key(session);
    let group = lab.session(module);
    let groups_key = ec_key(group);
    lab.members()[0].store().take_away();
    assert_eq!(lab.kill_everywhere(0), 2, "the group's and the slot's own");
    eventually("its slot is empty", PATIENCE, || {
        group
            .sign(ECDSA, groups_key, &HASH)
            .expect("the other serves");
        let info = module.slot_info(slots[1]).expect("the slot is there");
        info.flags & CKF_TOKEN_PRESENT == 0
    });
    let failed = session
        .sign(ECDSA, key, &HASH)
        .map_err(|failure| failure.code);
    assert_eq!(failed, Err(ckr::DEVICE_ERROR), "nobody takes over here");
    lab.bring_back(0);
    eventually("it is back", PATIENCE, || {
        session.sign(ECDSA, key, &HASH).is_ok()
    });
    assert_eq!(module.slots().expect("they stay"), slots);
}

#[test]
fn slots_keep_their_ids_when_other_members_go() {
    let lab = exposing(Plan::default());
    let module = lab.module();
    let slots = wait_for_slots(module, 3);
    let output = lab.everslot(&["member", "remove", "m0"]);
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    let line = "the members' own slots of group \"lab\": not before the application starts again";
    assert!(told.contains(line), "{told}");
    assert_eq!(module.slots().expect("they stay"), slots);
    module.finalize().expect("it is initialised");
    module.initialize().expect("a member is left");
    assert_eq!(wait_for_slots(module, 2), [slots[0], slots[2]]);
    assert_eq!(labels(module)[1], lab.members()[1].token_label());
}

#[test]
fn members_that_the_group_has_in_the_application_are_slots_in_processes_of_their_own() {
    let lab = exposing(Plan {
        isolation: Isolation::None,
        ..Plan::default()
    });
    let module = lab.module();
    let slots = wait_for_slots(module, 3);
    let group = lab.session(module);
    let own = module.open(slots[2]).expect("it serves");
    let state = own.info().expect("it is open").state;
    assert_eq!(state, CKS_RW_PUBLIC_SESSION, "the group's login is not its");
    own.login(lab.pin()).expect("nobody is logged in there");
    own.logout().expect("it is logged in");
    group
        .sign(ECDSA, ec_key(group), &HASH)
        .expect("the group is logged in still");
}
