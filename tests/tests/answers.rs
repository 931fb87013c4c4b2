//! An application gets the answers that the bare member gives, however many members there are.

use cryptoki::context::{CInitializeArgs, CInitializeFlags, Function, Pkcs11};
use cryptoki::mechanism::Mechanism as Cryptoki;
use cryptoki::object::Attribute;
use cryptoki::session::{Session, UserType};
use cryptoki_sys::CKM_RSA_X_509;
use everslot_core::ckr;
use everslot_tests::client::{Mechanism, Object};
use everslot_tests::{Artifact, ECDSA, HASH, Lab, Plan, Token, ec_key};

#[test]
fn a_function_that_no_member_has_is_said_to_be_none_whatever_the_key() {
    let lab = Lab::softhsm();
    let session = lab.session(lab.module());
    for key in [ec_key(session), Object(0), Object(77)] {
        let refused = session.sign_recover_init(Mechanism::Plain(CKM_RSA_X_509), key);
        let code = refused.expect_err("SoftHSM has none").code;
        assert_eq!(code, ckr::FUNCTION_NOT_SUPPORTED, "{key:?}");
    }
}

#[test]
fn a_key_that_is_none_is_refused_and_costs_nothing() {
    let lab = Lab::softhsm();
    let session = lab.session(lab.module());
    for key in [Object(0), Object(77)] {
        let refused = session.sign_init(ECDSA, key).expect_err("it is no key");
        assert_eq!(refused.code, ckr::KEY_HANDLE_INVALID);
    }
    let losses = lab.status();
    assert!(losses.iter().all(|member| member["losses"] == 0));
    let key = ec_key(session);
    session.sign(ECDSA, key, &HASH).expect("it is a key");
}

#[test]
fn no_mechanism_ends_an_operation_and_is_a_bad_argument_without_one() {
    let lab = Lab::softhsm();
    let session = lab.session(lab.module());
    let key = ec_key(session);
    session.sign_init(ECDSA, key).expect("it begins");
    session
        .sign_init(Mechanism::Null, key)
        .expect("it has something to end");
    let refused = session.sign_init(Mechanism::Null, key);
    let code = refused.expect_err("nothing is active").code;
    assert_eq!(code, ckr::ARGUMENTS_BAD);
    session.sign(ECDSA, key, &HASH).expect("it begins anew");
}

#[test]
fn two_keys_that_a_session_has_made_can_be_used_together() {
    let lab = Lab::softhsm();
    let module = Pkcs11::new(Artifact::Module.path()).expect("it loads");
    module
        .initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK))
        .expect("it begins");
    lab.wait_until_all_serve();
    let slot = module.get_slots_with_token().expect("slots are listed")[0];
    let open = || module.open_rw_session(slot).expect("it opens");
    let first = open();
    first
        .login(UserType::User, Some(&lab.pin().into()))
        .expect("the PIN is right");
    for _ in 0..5 {
        wrap(&open());
    }
}

fn wrap(session: &Session) {
    let make = || {
        let template = [
            Attribute::ValueLen(32.into()),
            Attribute::Extractable(true),
            Attribute::Wrap(true),
        ];
        session
            .generate_key(&Cryptoki::AesKeyGen, &template)
            .expect("a member makes it")
    };
    let (wrapping, wrapped) = (make(), make());
    session
        .wrap_key(&Cryptoki::AesKeyWrap, wrapping, wrapped)
        .expect("they are on one member");
}

#[test]
fn the_default_interface_is_one_that_a_member_has() {
    for (token, is_latest) in [(Token::SoftHsm, false), (Token::Test, true)] {
        let lab = Lab::new(Plan {
            token,
            ..Plan::default()
        });
        let module = Pkcs11::new(Artifact::Module.path()).expect("it loads");
        assert_eq!(
            module.is_fn_supported(Function::MessageEncryptInit),
            is_latest,
            "{token:?}"
        );
        drop(lab);
    }
}
