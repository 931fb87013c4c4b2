//! Logins with a name, and for one operation.

use cryptoki_sys::{CKU_CONTEXT_SPECIFIC, CKU_USER};
use everslot_core::ckr;
use everslot_tests::{ECDSA, HASH, Isolation, PATIENCE, ec_key, eventually};

use super::{aes_key, asked, calls, code, lab};

#[test]
fn a_login_by_name_comes_to_members_that_return() {
    let lab = lab(Isolation::Process, 0);
    let module = lab.module();
    lab.wait_until_all_serve();
    let session = lab.public_session(module);
    let refused = session.login_user(CKU_USER, lab.pin(), "nobody");
    assert_eq!(code(refused), ckr::PIN_INCORRECT);
    assert_eq!(
        calls(&lab, "C_LoginUser").iter().sum::<usize>(),
        1,
        "one member heard it"
    );
    session
        .login_user(CKU_USER, lab.pin(), "user")
        .expect("name and PIN are right");
    let key = ec_key(session);
    lab.host(0).kill();
    (0..6).for_each(|_| _ = session.sign(ECDSA, key, &HASH).expect("a member is left"));
    lab.wait_until_all_serve();
    eventually("the member has signed again", PATIENCE, || {
        session.sign(ECDSA, key, &HASH).expect("it signs");
        lab.members()[0].calls("C_LoginUser") >= 2 && lab.members()[0].calls("C_Sign") > 0
    });
    assert_eq!(calls(&lab, "C_Login"), [0; 3]);
    session.logout().expect("it logs out");
    session
        .login_user(CKU_USER, lab.pin(), "")
        .expect("without a name it is C_Login");
    assert!(calls(&lab, "C_Login").iter().sum::<usize>() > 0);
}

#[test]
fn a_member_without_named_users_is_set_aside_when_one_logs_in() {
    let lab = lab(Isolation::Process, 1);
    let module = lab.module();
    lab.wait_until_all_serve();
    let session = lab.public_session(module);
    session
        .login_user(CKU_USER, lab.pin(), "user")
        .expect("two members know the user");
    lab.wait_for_code(0, "CKR_DEVICE_ERROR");
    let key = ec_key(session);
    (0..6).for_each(|_| _ = session.sign(ECDSA, key, &HASH).expect("the others sign"));
    assert_eq!(lab.members()[0].calls("C_Sign"), 0);
}

#[test]
fn a_login_for_an_operation_goes_to_the_member_of_the_message() {
    let lab = lab(Isolation::Process, 0);
    let session = lab.session(lab.module());
    let login = || code(session.login_as(CKU_CONTEXT_SPECIFIC, lab.pin()));
    assert_eq!(login(), ckr::OPERATION_NOT_INITIALIZED);
    let (before, logins) = (calls(&lab, "C_MessageEncryptInit"), calls(&lab, "C_Login"));
    session
        .message_encrypt_init(aes_key(session))
        .expect("it begins");
    assert_eq!(
        login(),
        ckr::USER_TYPE_INVALID,
        "the test module's own word"
    );
    let member = asked(&lab, "C_MessageEncryptInit", &before);
    assert_eq!(asked(&lab, "C_Login", &logins), member);
}
