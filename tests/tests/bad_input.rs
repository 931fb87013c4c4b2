//! Bad calls: the specified code, no crash, no session stuck, no member lost for it; and what the bare member says to them.

use std::panic::AssertUnwindSafe;

use cryptoki_sys::{CK_SLOT_ID, CKO_PRIVATE_KEY};
use everslot_tests::client::bad::{Bare, Ground, bad_calls};
use everslot_tests::client::{Module, Session, Template};
use everslot_tests::{
    AES_LABEL, ECDSA, HASH, Isolation, Lab, PIN, Pins, Plan, RSA_LABEL, SOFTHSM, Store, ec_key,
    ec_public_key, process,
};

fn ground(session: Session, slot: CK_SLOT_ID) -> Ground {
    Ground {
        module: session.module(),
        slot,
        session: session.handle(),
        private: ec_key(session).0,
        public: ec_public_key(session).0,
        rsa: session
            .only(&Template::new().class(CKO_PRIVATE_KEY).label(RSA_LABEL))
            .0,
        aes: session.only(&Template::new().label(AES_LABEL)).0,
    }
}

/// Makes every bad call, each in a session of its own, in which is then signed.
fn go_through(isolation: Isolation) {
    let lab = Lab::new(Plan {
        isolation,
        ..Plan::default()
    });
    let module = lab.module();
    let slot = module.slot_of(Lab::LABEL);
    let _login = lab.session(module);
    let mut wrong = Vec::new();
    for (function, call) in bad_calls() {
        let session = module.open(slot).expect("a session can be had");
        let ground = ground(session, slot);
        let code = (call.make)(&ground);
        if code != call.expected {
            wrong.push(format!(
                "{function} {}: {code}, not {}",
                call.name, call.expected
            ));
        }
        session.clear();
        if let Err(failure) = session.sign(ECDSA, ec_key(session), &HASH) {
            wrong.push(format!("{function} {}: then {failure:?}", call.name));
        }
        session.close().expect("the session is not stuck");
    }
    assert_eq!(wrong, [""; 0]);
    let losses: Vec<_> = lab
        .status()
        .iter()
        .map(|member| member["losses"].clone())
        .collect();
    assert_eq!(losses, [0, 0, 0], "no member is blamed");
    module.finalize().expect("it ends");
}

#[test]
fn bad_calls_of_hosted_members_are_answered_as_specified() {
    go_through(Isolation::Process);
}

#[test]
fn bad_calls_of_members_in_the_application_are_answered_as_specified() {
    go_through(Isolation::None);
}

/// So that the table does not expect of a token what no token does.
#[test]
fn bare_softhsm_answers_the_same_where_it_is_said_to() {
    let directory = tempfile::tempdir().expect("there is room for a temporary directory");
    let store = Store::new(directory.path(), Pins::default());
    store.add_token("bare");
    process::set_variable("SOFTHSM2_CONF", store.config());
    let module = Module::load(SOFTHSM.as_ref());
    module.initialize().expect("it begins");
    let slot = module.slot_of("bare");
    let session = module.open(slot).expect("it opens");
    session.login(PIN).expect("the PIN is right");
    let ground = ground(session, slot);
    for (function, call) in bad_calls() {
        let expected = match call.bare {
            Bare::Same => call.expected,
            Bare::Other(code, _why) => code,
            Bare::NotAsked => continue,
        };
        // SoftHSM is left as it was: operations that a call begins end with the child.
        let status = process::in_fork(AssertUnwindSafe(|| {
            let code = (call.make)(&ground);
            if code != expected {
                eprintln!("{function} {}: {code}, not {expected}", call.name);
            }
            u8::from(code != expected)
        }));
        assert_eq!(status, 0, "{function} {}", call.name);
    }
    session.info().expect("it is as it was");
}
