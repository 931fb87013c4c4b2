//! Recovery within the application's calls, as the seed has it: without a thread, and only when it calls.

use std::time::{Duration, Instant};

use everslot_tests::{ECDSA, HASH, Lab, PATIENCE, Plan, ec_key, eventually};

#[test]
fn a_lost_member_comes_back_in_a_call_and_only_then() {
    let interval = Duration::from_millis(300);
    let lab = Lab::new(Plan {
        in_call: true,
        interval,
        trace: true,
        ..Plan::default()
    });
    let module = lab.module();
    let session = lab.public_session(module);
    session.login(lab.pin()).expect("the PIN is right");
    let key = ec_key(session);
    let all_serve = || lab.codes().iter().all(|code| code == "CKR_OK");
    let sign = || session.sign(ECDSA, key, &HASH).expect("a member is left");
    eventually("every member has joined", PATIENCE, || {
        sign();
        all_serve()
    });
    lab.take_away(1);
    eventually(
        "the loss is seen and the first attempt has failed",
        PATIENCE,
        || {
            sign();
            lab.status()[1]["attempts"].as_u64() >= Some(1)
        },
    );
    lab.bring_back(1);
    let start = Instant::now();
    while start.elapsed() < 3 * interval {
        assert!(!all_serve(), "nothing happens between calls");
    }
    eventually("it is back", PATIENCE, || {
        sign();
        all_serve()
    });
}
