//! Operations of many parts outlive the member that they were begun on.

use cryptoki_sys::{CKM_ECDSA, CKM_SHA256, CKM_SHA256_RSA_PKCS, CKO_PRIVATE_KEY, CKO_PUBLIC_KEY};
use everslot_core::ckr;
use everslot_tests::client::{Dual, Failure, Mechanism, Object, Session, Template};
use everslot_tests::replay::{Bed, Load, Tally, Work};
use everslot_tests::{
    AES_LABEL, EC_LABEL, Lab, PATIENCE, Plan, RSA_LABEL, Token, ec_key, eventually,
};

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
    let losses = |lab: &Lab| -> Vec<u64> {
        let status = lab.status();
        status
            .iter()
            .filter_map(|member| member["losses"].as_u64())
            .collect()
    };
    let before = losses(lab);
    (0..lab.members().len()).for_each(|member| lab.host(member).kill());
    eventually("every member is lost", PATIENCE, || {
        let now = losses(lab);
        now.len() == before.len() && now.iter().zip(&before).all(|(now, before)| now > before)
    });
    lab.wait_until_all_serve();
}

/// Nothing hangs in these tests: whoever does not answer in time is slow, and not to be lost for it.
fn patient() -> Plan {
    Plan {
        deadline: PATIENCE,
        trace: true,
        ..Plan::default()
    }
}

fn lab_with(transcript: &'static str) -> Lab {
    Lab::new(Plan {
        members: 2,
        transcript: Some(transcript),
        ..patient()
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

#[test]
fn the_only_member_takes_its_work_up_again_when_it_is_back() {
    let lab = Lab::new(Plan {
        members: 1,
        ..patient()
    });
    let session = lab.session(lab.module());
    let private = private(session, RSA_LABEL);
    session.sign_init(RSA, private).expect("it begins");
    session.sign_update(b"ab").expect("it takes a part");
    lab.host(0).kill();
    eventually("the member is lost and back", PATIENCE, || {
        let status = &lab.status()[0];
        status["losses"] == 1 && status["code"]["name"] == "CKR_OK"
    });
    session.sign_update(b"c").expect("it is there");
    let signature = session.sign_final().expect("it ends");
    assert_eq!(
        signature,
        session.sign(RSA, private, b"abc").expect("it signs")
    );
}

/// The PIN is asked for again: everslot does not send it by itself (PKCS#11 v3.1 §5.6.8).
#[test]
fn a_key_that_asks_for_each_use_asks_again_when_its_member_is_lost() {
    let lab = Lab::prepare(Plan {
        members: 2,
        ..patient()
    });
    for member in lab.members() {
        member
            .store()
            .add_key_that_asks(member.token_label(), "asks");
    }
    lab.enter();
    let session = lab.session(lab.module());
    let key = private(session, "asks");
    let code = |result: Result<usize, Failure>| result.map_err(|failure| failure.code);
    let mut signature = vec![0; 256];
    session.sign_init(RSA, key).expect("it begins");
    assert_eq!(
        code(session.sign_into(b"abc", &mut signature)),
        Err(ckr::USER_NOT_LOGGED_IN),
        "nobody has logged in for it"
    );
    session
        .sign_init(RSA, key)
        .expect("the session is usable at once");
    session.login_for_operation(lab.pin()).expect("it is right");
    assert_eq!(code(session.sign_into(b"abc", &mut signature)), Ok(256));

    session.sign_init(RSA, key).expect("it begins");
    session.login_for_operation(lab.pin()).expect("it is right");
    kill_all(&lab);
    assert_eq!(
        code(session.sign_into(b"abc", &mut signature)),
        Err(ckr::USER_NOT_LOGGED_IN)
    );
    session
        .sign_init(RSA, key)
        .expect("the session is usable at once");
    kill_all(&lab);
    session
        .login_for_operation(lab.pin())
        .expect("it goes where the operation is now");
    assert_eq!(code(session.sign_into(b"abc", &mut signature)), Ok(256));
    let losses: u64 = lab
        .status()
        .iter()
        .filter_map(|member| member["losses"].as_u64())
        .sum();
    assert!(
        losses <= 4,
        "two kills of two members, and no loss for a missing login"
    );
}

#[test]
fn two_operations_that_are_fed_at_once_both_outlive_their_member() {
    let lab = Lab::new(Plan {
        token: Token::Test,
        members: 2,
        ..patient()
    });
    let session = lab.session(lab.module());
    let key = ec_key(session);
    let mechanism = Mechanism::Plain(CKM_ECDSA);
    let text = [5; 96];
    let signature = session.sign(mechanism, key, &text).expect("it signs");
    let cipher = Mechanism::AesCbcPad([7; 16]);
    let encrypted = session.encrypt(cipher, key, &text).expect("it encrypts");
    let both = |dual, data: &[u8]| {
        kill_all(&lab);
        let mut output = session
            .update_both(dual, &data[..32])
            .expect("it takes a part");
        kill_all(&lab);
        output.extend(
            session
                .update_both(dual, &data[32..])
                .expect("another member takes it"),
        );
        kill_all(&lab);
        output
    };
    session.sign_init(mechanism, key).expect("it begins");
    session.encrypt_init(cipher, key).expect("it begins");
    let mut output = both(Dual::SignEncrypt, &text);
    output.extend(session.encrypt_final().expect("it ends"));
    assert_eq!(output, encrypted);
    assert_eq!(session.sign_final().expect("it ends"), signature);

    session.verify_init(mechanism, key).expect("it begins");
    session.decrypt_init(cipher, key).expect("it begins");
    assert_eq!(both(Dual::DecryptVerify, &encrypted), text);
    session.decrypt_final().expect("it ends");
    session.verify_final(&signature).expect("it is right");
}

#[test]
fn a_member_that_puts_out_something_else_does_not_go_on() {
    let lab = lab_with("1MiB");
    let module = lab.module();
    let session = lab.session(module);
    let key = aes(session);
    session.encrypt_init(CBC, key).expect("it begins");
    let first = session.encrypt_update(&[1; 32]).expect("it takes a part");
    let mut state = session.operation_state().expect("it is saved");
    let (mark, body) = (8, 40);
    let at = state.len() - 1;
    state[at] ^= 1;
    // A state of our making, which says that something else was put out.
    let hash = sha256(lab.public_session(module), &state[body..]);
    state[mark..body].copy_from_slice(&hash);
    let restored = session.set_operation_state(&state, Some(key), None);
    assert_eq!(
        restored.map_err(|failure| failure.code),
        Err(ckr::DEVICE_ERROR),
        "another output than {first:?} was promised"
    );
    session
        .encrypt(CBC, key, &[1; 32])
        .expect("the session is usable at once");
}

/// By everslot itself, whose hash is not what is tested.
fn sha256(session: Session, data: &[u8]) -> Vec<u8> {
    session.digest_init(SHA256).expect("it begins");
    session.digest(data).expect("it ends")
}
