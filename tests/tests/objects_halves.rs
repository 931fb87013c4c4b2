//! A private key that is known by the public key beside it, which comes and goes: it stays one key, with what was asked for.

use std::process::Command;
use std::time::Duration;

use cryptoki_sys::*;
use everslot_tests::client::{Object, Session, Template};
use everslot_tests::{Artifact, Lab, PATIENCE, Plan, eventually};

fn domain(members: usize) -> Lab {
    Lab::new(Plan {
        members,
        domain: true,
        empty: true,
        // A call waits for its member's reconcile to let go of the gate.
        deadline: Duration::from_secs(10),
        ..Plan::default()
    })
}

fn wait_until_lost(lab: &Lab, member: usize) {
    eventually("the member is lost", PATIENCE, || {
        lab.code(member) != "CKR_OK"
    });
}

const P256: &[u8] = &[0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
/// The key of RFC 6979 A.2.5: its private value, and its point as PKCS#11 has it.
const PRIVATE: &str = "c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721";
const POINT: &str = "04410460fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb67903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299";

fn bytes(hexadecimal: &str) -> Vec<u8> {
    let pairs = hexadecimal.as_bytes().chunks(2);
    let byte = |pair| u8::from_str_radix(str::from_utf8(pair).unwrap_or_default(), 16);
    pairs.map(|pair| byte(pair).expect("two digits")).collect()
}

fn half(label: &str) -> Template {
    let half = Template::new().on_token(true).id(9).label(label);
    half.number(CKA_KEY_TYPE, CKK_EC).bytes(CKA_EC_PARAMS, P256)
}

fn create_private(session: Session) -> Object {
    let private = half("half").class(CKO_PRIVATE_KEY).flag(CKA_SIGN, true);
    let private = private
        .bytes(CKA_VALUE, bytes(PRIVATE))
        .flag(CKA_EXTRACTABLE, false)
        .flag(CKA_SENSITIVE, true);
    session.create(&private).expect("a member serves")
}

fn create_public(session: Session) -> Object {
    let public = half("half").class(CKO_PUBLIC_KEY).flag(CKA_VERIFY, true);
    let public = public.bytes(CKA_EC_POINT, bytes(POINT));
    session.create(&public).expect("a member serves")
}

/// How many private and public keys each member has, asked past everslot.
fn halves_alone(lab: &Lab) -> Vec<[usize; 2]> {
    let count = |session: Session| {
        [CKO_PRIVATE_KEY, CKO_PUBLIC_KEY].map(|class| {
            let found = session.find(&Template::new().class(class));
            found.expect("the token answers").len()
        })
    };
    let members = lab.members().iter();
    members.map(|member| member.alone(count)).collect()
}

/// All is as it is to be, and what was asked for is still on record.
fn assert_one_private_key(lab: &Lab, held: [usize; 2]) {
    assert_eq!(halves_alone(lab), [held, held]);
    let done = lab_sync(lab, &[]);
    assert!(done.0, "{}", done.1);
    let again = lab_sync(lab, &["--dry-run"]);
    assert!(
        again.0 && again.1.contains("Nothing was done"),
        "{}",
        again.1
    );
    assert_eq!(halves_alone(lab), [held, held]);
    let module = lab.module();
    let session = lab.session(module);
    let private = session.only(&Template::new().class(CKO_PRIVATE_KEY));
    let extractable = session.attribute(private, CKA_EXTRACTABLE);
    assert_eq!(extractable.as_deref(), Ok(&[0][..]));
    module.finalize().expect("it is initialised");
}

#[test]
fn a_private_key_whose_public_half_went_meanwhile_is_the_same_one() {
    let lab = domain(2);
    let module = lab.module();
    let session = lab.session(module);
    create_private(session);
    let public = create_public(session);
    lab.take_away(1);
    wait_until_lost(&lab, 1);
    session.destroy(public).expect("a member serves");
    lab.bring_back(1);
    lab.wait_until_all_serve();
    module.finalize().expect("it is initialised");
    assert_one_private_key(&lab, [1, 0]);
}

#[test]
fn a_private_key_that_was_renamed_without_its_public_half_has_one_name() {
    let lab = domain(2);
    let module = lab.module();
    let session = lab.session(module);
    let private = create_private(session);
    let public = create_public(session);
    lab.take_away(1);
    wait_until_lost(&lab, 1);
    session.destroy(public).expect("a member serves");
    let renamed = session.set_attributes(private, &Template::new().label("other"));
    renamed.expect("a member serves");
    lab.bring_back(1);
    lab.wait_until_all_serve();
    module.finalize().expect("it is initialised");
    assert_one_private_key(&lab, [1, 0]);
}

#[test]
fn a_pair_that_went_meanwhile_half_by_half_is_gone() {
    let lab = domain(2);
    let module = lab.module();
    let session = lab.session(module);
    let private = create_private(session);
    let public = create_public(session);
    lab.take_away(1);
    wait_until_lost(&lab, 1);
    session.destroy(private).expect("a member serves");
    session.destroy(public).expect("a member serves");
    lab.bring_back(1);
    lab.wait_until_all_serve();
    module.finalize().expect("it is initialised");
    assert_eq!(halves_alone(&lab), [[0, 0], [0, 0]]);
}

#[test]
fn a_private_key_whose_public_half_comes_later_is_the_same_one() {
    let lab = domain(2);
    let module = lab.module();
    let session = lab.session(module);
    create_private(session);
    create_public(session);
    module.finalize().expect("it is initialised");
    assert_one_private_key(&lab, [1, 1]);
}

#[test]
fn a_private_key_whose_public_half_came_meanwhile_is_the_same_one() {
    let lab = domain(2);
    let module = lab.module();
    let session = lab.session(module);
    create_private(session);
    lab.take_away(1);
    wait_until_lost(&lab, 1);
    create_public(session);
    lab.bring_back(1);
    lab.wait_until_all_serve();
    module.finalize().expect("it is initialised");
    assert_one_private_key(&lab, [1, 1]);
}

/// Only the second member serves, which has missed what the first one then had alone.
fn leave_the_second_alone(lab: &Lab) {
    lab.take_away(0);
    wait_until_lost(lab, 0);
    lab.bring_back(1);
    lab.wait_for_code(1, "CKR_OK");
}

#[test]
fn a_private_key_whose_public_half_went_while_nobody_had_it_is_the_same_one() {
    let lab = domain(2);
    let module = lab.module();
    let session = lab.session(module);
    lab.take_away(1);
    wait_until_lost(&lab, 1);
    create_private(session);
    let public = create_public(session);
    leave_the_second_alone(&lab);
    session.destroy(public).expect("the journal takes it");
    lab.bring_back(0);
    lab.wait_until_all_serve();
    module.finalize().expect("it is initialised");
    let done = lab_sync(&lab, &[]);
    assert!(done.0, "{}", done.1);
    assert_one_private_key(&lab, [1, 0]);
}

fn lab_sync(lab: &Lab, more: &[&str]) -> (bool, String) {
    let output = Command::new(Artifact::Command.path())
        .arg("sync")
        .args(more)
        .envs(lab.environment())
        .output()
        .expect("the program starts");
    let text = [output.stdout, output.stderr].concat();
    (
        output.status.success(),
        String::from_utf8_lossy(&text).into_owned(),
    )
}
