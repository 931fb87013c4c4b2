//! What the group offers: its mechanisms, what it tells of slot and token, and its coming and going.

use std::time::Duration;

use cryptoki_sys::{
    CKF_DIGEST, CKF_REMOVABLE_DEVICE, CKF_RNG, CKF_TOKEN_PRESENT, CKF_USER_PIN_COUNT_LOW,
    CKM_AES_GCM, CKM_ECDSA, CKM_RSA_PKCS, CKM_SHA256, CKM_SHA384, CKM_SHA512,
};
use everslot_core::{Rv, ckr};
use everslot_tests::client::{Failure, Mechanism, Session};
use everslot_tests::{ECDSA, HASH, Lab, PATIENCE, Plan, Token, ec_key, eventually};

const SHA256: Mechanism = Mechanism::Plain(CKM_SHA256);
const DEADLINE: Duration = Duration::from_millis(500);

/// SoftHSM members that differ in their mechanisms. SoftHSM 2.6 takes the sign before a list of those that are not enabled for
/// a part of the first name, so such a list begins with a name that is none.
fn softhsm(mechanisms: &'static str, enabled: &[&'static str]) -> Lab {
    let settings = enabled.iter().map(|list| vec![("slots.mechanisms", *list)]);
    Lab::new(Plan {
        members: enabled.len(),
        mechanisms,
        settings: settings.collect(),
        ..Plan::default()
    })
}

/// Members of the test module: all of ECDSA and AES-GCM, and those told of SHA-256.
fn some_with_sha256(mechanisms: &'static str, with: &[bool]) -> Lab {
    let settings = with.iter().map(|&with| {
        let list = if with {
            "0x1041 0x1087 0x250"
        } else {
            "0x1041 0x1087"
        };
        vec![("EVERSLOT_TEST_MECHANISMS", list)]
    });
    Lab::new(Plan {
        token: Token::Test,
        members: with.len(),
        deadline: DEADLINE,
        mechanisms,
        settings: settings.collect(),
        ..Plan::default()
    })
}

fn digest(session: Session, mechanism: Mechanism) -> Result<Vec<u8>, Rv> {
    let digest = || {
        session.digest_init(mechanism)?;
        session.digest(b"data")
    };
    digest().map_err(code)
}

fn code(failure: Failure) -> Rv {
    failure.code
}

#[test]
fn common_mechanisms_are_those_of_every_member_lost_or_not() {
    let lab = softhsm(
        "common",
        &["ALL", "-NONE,CKM_SHA384,CKM_SHA512", "-NONE,CKM_SHA512"],
    );
    let module = lab.module();
    let session = lab.session(module);
    let slot = module.slot_of(Lab::LABEL);
    let list = module.mechanisms(slot).expect("a member serves");
    assert!(list.contains(&CKM_SHA256) && list.contains(&CKM_RSA_PKCS));
    assert!(!list.contains(&CKM_SHA384) && !list.contains(&CKM_SHA512));
    let sha384 = module.mechanism_info(slot, CKM_SHA384).map_err(code);
    assert_eq!(sha384.map(drop), Err(ckr::MECHANISM_INVALID));
    for _ in 0..3 {
        let refused = digest(session, Mechanism::Plain(CKM_SHA384));
        assert_eq!(refused, Err(ckr::MECHANISM_INVALID));
        assert!(digest(session, SHA256).is_ok());
    }
    lab.take_away(1);
    eventually("the loss is seen", PATIENCE, || lab.code(1) != "CKR_OK");
    assert_eq!(module.mechanisms(slot).as_ref(), Ok(&list));
    assert_eq!(
        digest(session, Mechanism::Plain(CKM_SHA384)),
        Err(ckr::MECHANISM_INVALID)
    );
}

#[test]
fn a_mechanism_that_is_not_offered_costs_no_member_a_call() {
    let lab = some_with_sha256("common", &[true, false]);
    let session = lab.session(lab.module());
    for _ in 0..4 {
        assert_eq!(digest(session, SHA256), Err(ckr::MECHANISM_INVALID));
    }
    let asked = lab
        .members()
        .iter()
        .map(|member| member.calls("C_DigestInit"));
    assert_eq!(asked.sum::<usize>(), 0);
    // The refusal has ended nothing and begun nothing.
    session
        .sign(ECDSA, ec_key(session), &HASH)
        .expect("it signs");
}

#[test]
fn a_member_narrows_the_list_when_it_is_first_seen() {
    let lab = softhsm("common", &["ALL", "-NONE,CKM_SHA384"]);
    lab.members()[1].store().take_away();
    let module = lab.module();
    let slot = module.slot_of(Lab::LABEL);
    assert!(
        module
            .mechanisms(slot)
            .expect("one serves")
            .contains(&CKM_SHA384)
    );
    lab.bring_back(1);
    lab.wait_until_all_serve();
    assert!(
        !module
            .mechanisms(slot)
            .expect("both serve")
            .contains(&CKM_SHA384)
    );
}

#[test]
fn any_mechanism_goes_to_the_members_that_have_it() {
    let lab = some_with_sha256("any", &[true, false, true]);
    let module = lab.module();
    let session = lab.session(module);
    let slot = module.slot_of(Lab::LABEL);
    let list = module.mechanisms(slot).expect("they serve");
    assert_eq!(list, [CKM_SHA256, CKM_ECDSA, CKM_AES_GCM]);
    let info = module
        .mechanism_info(slot, CKM_SHA256)
        .expect("it is offered");
    assert_eq!(info.flags, CKF_DIGEST);
    assert_eq!(
        digest(session, Mechanism::Plain(CKM_SHA512)),
        Err(ckr::MECHANISM_INVALID)
    );
    for _ in 0..6 {
        digest(session, SHA256).expect("two have it");
    }
    let asked: Vec<usize> = (lab.members().iter())
        .map(|member| member.calls("C_DigestInit"))
        .collect();
    assert!(asked[0] > 0 && asked[1] == 0 && asked[2] > 0, "{asked:?}");
}

#[test]
fn any_mechanism_fails_over_among_the_members_that_have_it() {
    let lab = some_with_sha256("any", &[true, false, true]);
    let session = lab.session(lab.module());
    let key = ec_key(session);
    for (member, left) in [(0, true), (2, false)] {
        session
            .digest_init(SHA256)
            .expect("one that has it is left");
        lab.members()[member].misbehave("* crash\n");
        assert_eq!(session.digest(b"data").is_ok(), left);
        eventually("the loss is seen", PATIENCE, || {
            let refused = digest(session, SHA256).err();
            assert!(left == refused.is_none(), "{refused:?}");
            lab.code(member) != "CKR_OK"
        });
    }
    assert_eq!(digest(session, SHA256), Err(ckr::DEVICE_ERROR));
    session
        .sign(ECDSA, key, &HASH)
        .expect("the one without it signs");
    lab.members()[2].misbehave("");
    lab.wait_for_code(2, "CKR_OK");
    digest(session, SHA256).expect("one that has it is back");
}

#[test]
fn any_mechanism_is_begun_beside_another_only_where_it_is_had() {
    let lab = some_with_sha256("any", &[true, false]);
    let module = lab.module();
    let session = lab.session(module);
    let key = ec_key(session);
    for _ in 0..4 {
        let session = lab.public_session(module);
        session.sign_init(ECDSA, key).expect("both have it");
        digest(session, SHA256).expect("wherever the signature stands");
        session.sign_final().expect("it stands there still");
    }
    let without = lab.members()[1].calls("C_SignInit");
    assert!(without > 0, "a signature stood where SHA-256 is not");
}

#[test]
fn key_sizes_are_those_that_every_member_takes() {
    let largest = |size| vec![("EVERSLOT_TEST_LARGEST_KEY", size)];
    let plan = |mechanisms| Plan {
        token: Token::Test,
        members: 2,
        mechanisms,
        settings: vec![largest("256"), largest("384")],
        ..Plan::default()
    };
    for (mechanisms, size) in [("common", 256), ("any", 384)] {
        let lab = Lab::new(plan(mechanisms));
        let module = lab.module();
        lab.wait_until_all_serve();
        let slot = module.slot_of(Lab::LABEL);
        let info = module
            .mechanism_info(slot, CKM_ECDSA)
            .expect("it is offered");
        assert_eq!((info.ulMinKeySize, info.ulMaxKeySize), (16, size));
        module.finalize().expect("it ends");
    }
}

#[test]
fn the_slot_is_there_for_good_and_its_token_while_a_member_serves() {
    let lab = Lab::new(Plan {
        members: 2,
        deadline: DEADLINE,
        ..Plan::default()
    });
    let module = lab.module();
    let session = lab.session(module);
    let slot = module.slot_of(Lab::LABEL);
    let flags = || module.slot_info(slot).expect("the slot is there").flags;
    assert_eq!(flags(), CKF_TOKEN_PRESENT);
    assert_eq!(flags() & CKF_REMOVABLE_DEVICE, 0);
    let list = module.mechanisms(slot).expect("they serve");
    (0..2).for_each(|member| lab.take_away(member));
    eventually("every member is lost", PATIENCE, || {
        _ = session.random(&mut [0; 8]);
        flags() == 0
    });
    let absent = Err(ckr::TOKEN_NOT_PRESENT);
    assert_eq!(module.token_info(slot).map(drop).map_err(code), absent);
    assert_eq!(module.mechanisms(slot).map(drop).map_err(code), absent);
    lab.bring_back(1);
    lab.wait_for_code(1, "CKR_OK");
    assert_eq!(flags(), CKF_TOKEN_PRESENT);
    assert_eq!(module.mechanisms(slot), Ok(list));
}

#[test]
fn the_token_tells_of_its_own_sessions_and_of_its_members_warnings() {
    let lab = Lab::softhsm();
    let module = lab.module();
    lab.wait_until_all_serve();
    let slot = module.slot_of(Lab::LABEL);
    let info = || module.token_info(slot).expect("they serve");
    assert_eq!((info().ulSessionCount, info().ulRwSessionCount), (0, 0));
    let session = lab.public_session(module);
    let _reader = module.open_read_only(slot).expect("they serve");
    assert_eq!((info().ulSessionCount, info().ulRwSessionCount), (2, 1));
    assert_ne!(info().flags & CKF_RNG, 0);
    assert_eq!((info().ulMinPinLen, info().ulMaxPinLen), (4, 255));
    assert_eq!(info().flags & CKF_USER_PIN_COUNT_LOW, 0);
    let refused = session.login("wrong").map_err(code);
    assert_eq!(refused, Err(ckr::PIN_INCORRECT));
    // One member has seen it, and says so when it is asked.
    assert_ne!(info().flags & CKF_USER_PIN_COUNT_LOW, 0);
}
