//! Every member is lost, then one returns: the same process, sessions, handles and login work again.

use std::time::Duration;

use cryptoki_sys::CKS_RW_USER_FUNCTIONS;
use everslot_core::ckr;
use everslot_tests::{ECDSA, HASH, Lab, PATIENCE, Plan, ec_key, eventually, within};

#[test]
fn the_same_session_handle_and_login_work_when_one_is_back() {
    let lab = Lab::new(Plan {
        deadline: Duration::from_millis(500),
        trace: true,
        ..Plan::default()
    });
    let module = lab.module();
    let session = lab.session(module);
    let key = ec_key(session);
    session.sign(ECDSA, key, &HASH).expect("all members serve");

    (0..3).for_each(|member| lab.take_away(member));
    eventually("every member is lost", PATIENCE, || {
        // At most one deadline for each member that is only found to be gone by this call.
        within(Duration::from_millis(1_650), || {
            session.sign(ECDSA, key, &HASH)
        })
        .is_err()
            && lab.codes().iter().all(|code| code != "CKR_OK")
    });
    let refused = within(Duration::from_millis(50), || {
        session.sign(ECDSA, key, &HASH)
    });
    assert_eq!(
        refused.map_err(|failure| failure.code),
        Err(ckr::DEVICE_ERROR)
    );

    lab.bring_back(2);
    lab.wait_for_code(2, "CKR_OK");
    session.sign(ECDSA, key, &HASH).expect("a member is back");
    let state = session.info().expect("the session is there").state;
    assert_eq!(
        state, CKS_RW_USER_FUNCTIONS,
        "the login outlived every member"
    );
    let further = lab.public_session(module);
    further
        .sign(ECDSA, key, &HASH)
        .expect("a further session is logged in, too");
}
