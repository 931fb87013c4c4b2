//! Operations of many parts outlive the member that they were begun on.

use cryptoki_sys::{CKM_SHA256, CKM_SHA256_RSA_PKCS, CKO_PRIVATE_KEY, CKO_PUBLIC_KEY};
use everslot_core::ckr;
use everslot_tests::client::{Mechanism, Object, Session, Template};
use everslot_tests::replay::{Bed, Load, Tally, Work};
use everslot_tests::{AES_LABEL, EC_LABEL, Lab, Plan, RSA_LABEL};

const RSA: Mechanism = Mechanism::Plain(CKM_SHA256_RSA_PKCS);
const SHA256: Mechanism = Mechanism::Plain(CKM_SHA256);
const CBC: Mechanism = Mechanism::AesCbc([9; 16]);

fn private(session: Session, label: &str) -> Object {
    session.only(&Template::new().class(CKO_PRIVATE_KEY).label(label))
}

fn public(session: Session, label: &str) -> Object {
    session.only(&Template::new().class(CKO_PUBLIC_KEY).label(label))
}

fn aes(session: Session) -> Object {
    session.only(&Template::new().label(AES_LABEL))
}

/// Kills every member's process; each is back soon, without what it had open.
fn kill_all(lab: &Lab) {
    (0..lab.members().len()).for_each(|member| lab.host(member).kill());
    lab.wait_until_all_serve();
}

fn lab_with(transcript: &'static str) -> Lab {
    Lab::new(Plan {
        members: 2,
        transcript: Some(transcript),
        ..Plan::default()
    })
}

/// Members are killed at various parts; the transcript holds all of it, or a part.
fn disturb(transcript: &'static str) -> Vec<(Work, Tally)> {
    let lab = lab_with(transcript);
    let load = Load {
        bytes: 512 * 1024 + 48,
        part: 4096,
    };
    let bed = Bed::new(&lab, lab.module(), load);
    let tally = |work| {
        let expected = bed.undisturbed(work);
        let mut tally = Tally::default();
        for kill_at in [1, 97] {
            tally.count(bed.disturbed(work, &expected, kill_at));
        }
        (work, tally)
    };
    Work::ALL.map(tally).to_vec()
}

#[test]
fn what_the_transcript_holds_is_right_whenever_the_member_dies() {
    for (work, tally) in disturb("1MiB") {
        let all_right = Tally {
            runs: 2,
            right: 2,
            ..Tally::default()
        };
        assert_eq!(tally, all_right, "{work:?}");
    }
}

#[test]
fn what_it_does_not_hold_is_refused_once() {
    for (work, tally) in disturb("256KiB") {
        let early_right = Tally {
            runs: 2,
            right: 1,
            refused: 1,
            wrong: 0,
        };
        assert_eq!(tally, early_right, "{work:?}");
    }
}

#[test]
fn verifying_outlives_its_member_and_still_tells_right_from_wrong() {
    let lab = lab_with("1MiB");
    let session = lab.session(lab.module());
    let (private, public) = (private(session, RSA_LABEL), public(session, RSA_LABEL));
    let signature = session.sign(RSA, private, b"abc").expect("it signs");
    for (last, verdict) in [(b"c", Ok(())), (b"d", Err(ckr::SIGNATURE_INVALID))] {
        session.verify_init(RSA, public).expect("it begins");
        session.verify_update(b"ab").expect("it takes a part");
        kill_all(&lab);
        session
            .verify_update(last)
            .expect("another member takes it");
        kill_all(&lab);
        let told = session.verify_final(&signature);
        assert_eq!(told.map_err(|failure| failure.code), verdict);
    }
}

#[test]
fn lengths_and_small_buffers_cost_nothing_over_a_loss() {
    let lab = lab_with("1MiB");
    let session = lab.session(lab.module());
    let private = private(session, RSA_LABEL);
    let expected = session.sign(RSA, private, b"abc").expect("it signs");
    session.sign_init(RSA, private).expect("it begins");
    session.sign_update(b"abc").expect("it takes a part");
    assert_eq!(session.signature_length(), Ok(256));
    kill_all(&lab);
    assert_eq!(session.signature_length(), Ok(256));
    let small = session.sign_final_into(&mut [0; 255]);
    assert_eq!(
        small.map_err(|failure| failure.code),
        Err(ckr::BUFFER_TOO_SMALL)
    );
    kill_all(&lab);
    let mut signature = vec![0; 256];
    assert_eq!(session.sign_final_into(&mut signature), Ok(256));
    assert_eq!(signature, expected);
}

#[test]
fn a_search_goes_on_over_a_loss() {
    let lab = lab_with("1MiB");
    let session = lab.session(lab.module());
    let all = session.find(&Template::new()).expect("it finds");
    assert!(all.len() >= 5, "{all:?}");
    session.find_init(&Template::new()).expect("it begins");
    let mut found = vec![
        session
            .find_one()
            .expect("it goes on")
            .expect("there is one"),
    ];
    (0..2).for_each(|member| lab.host(member).kill());
    while let Some(object) = session.find_one().expect("it goes on") {
        found.push(object);
    }
    session.find_final().expect("it ends");
    assert_eq!(found, all);
}

#[test]
fn a_saved_operation_goes_on_in_another_session_and_on_another_member() {
    let lab = lab_with("1MiB");
    let module = lab.module();
    let session = lab.session(module);
    let key = aes(session);
    let text = [6; 96];
    let expected = session.encrypt(CBC, key, &text).expect("it encrypts");
    session.encrypt_init(CBC, key).expect("it begins");
    let first = session
        .encrypt_update(&text[..48])
        .expect("it takes a part");
    let state = session.operation_state().expect("it is saved");
    kill_all(&lab);
    let other = lab.public_session(module);
    for second in [session, other] {
        second
            .set_operation_state(&state, Some(key), None)
            .expect("it is restored");
        let mut output = first.clone();
        output.extend(second.encrypt_update(&text[48..]).expect("it goes on"));
        output.extend(second.encrypt_final().expect("it ends"));
        assert_eq!(output, expected);
    }
}

#[test]
fn a_state_is_restored_with_its_own_key_only_and_whole() {
    let lab = lab_with("64KiB");
    let session = lab.session(lab.module());
    let (aes, rsa, ec) = (
        aes(session),
        private(session, RSA_LABEL),
        private(session, EC_LABEL),
    );
    let idle = session.operation_state().map_err(|failure| failure.code);
    assert_eq!(idle, Err(ckr::OPERATION_NOT_INITIALIZED));
    session.sign_init(RSA, rsa).expect("it begins");
    session.sign_update(b"ab").expect("it takes a part");
    let state = session.operation_state().expect("it is saved");
    let restore = |state: &[u8], cipher, signature| {
        session
            .set_operation_state(state, cipher, signature)
            .map_err(|failure| failure.code)
    };
    assert_eq!(restore(&state, None, None), Err(ckr::KEY_NEEDED));
    assert_eq!(restore(&state, None, Some(ec)), Err(ckr::KEY_CHANGED));
    assert_eq!(
        restore(&state, Some(aes), Some(rsa)),
        Err(ckr::KEY_NOT_NEEDED)
    );
    let nothing = Some(Object(0xdead));
    assert_eq!(restore(&state, None, nothing), Err(ckr::KEY_HANDLE_INVALID));
    let mut torn = state.clone();
    torn[60] ^= 1;
    for invalid in [&torn[..], &state[..40], b"another token's"] {
        assert_eq!(
            restore(invalid, None, Some(rsa)),
            Err(ckr::SAVED_STATE_INVALID)
        );
    }
    session
        .sign_update(b"c")
        .expect("none of it has ended what is active");
    assert_eq!(restore(&state, None, Some(rsa)), Ok(()));
    session.sign_update(b"c").expect("it goes on");
    let expected = session.sign(RSA, rsa, b"abc");
    assert_eq!(
        expected.map_err(|failure| failure.code),
        Err(ckr::OPERATION_ACTIVE)
    );
    let signature = session.sign_final().expect("it ends");
    assert_eq!(signature, session.sign(RSA, rsa, b"abc").expect("it signs"));

    session.digest_init(SHA256).expect("it begins");
    session
        .digest_update(&[0; 70_000])
        .expect("it takes a part");
    let long = session.operation_state().map_err(|failure| failure.code);
    assert_eq!(
        long,
        Err(ckr::STATE_UNSAVEABLE),
        "it has outgrown its transcript"
    );
}
