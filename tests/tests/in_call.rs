//! Recovery within the application's calls, as the seed has it: without a thread, and only when it calls.

use std::time::{Duration, Instant};

use cryptoki_sys::{CKM_ECDSA, CKO_PRIVATE_KEY};
use everslot_tests::client::{Mechanism, Template};
use everslot_tests::{EC_LABEL, Lab, Plan, eventually};

const PATIENCE: Duration = Duration::from_secs(20);
const ECDSA: Mechanism = Mechanism::Plain(CKM_ECDSA);
const HASH: [u8; 32] = [7; 32];

#[test]
fn a_lost_member_comes_back_in_a_call_and_only_then() {
    let interval = Duration::from_millis(300);
    let lab = Lab::new(Plan {
        in_call: true,
        interval,
        ..Plan::default()
    });
    let module = lab.module();
    let session = lab.public_session(module);
    session.login(lab.pin()).expect("the PIN is right");
    let key = session.only(&Template::new().class(CKO_PRIVATE_KEY).label(EC_LABEL));
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
