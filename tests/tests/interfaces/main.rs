//! The interfaces 3.0 to 3.2, over members that have them, over some that have not, and while members are lost.

mod functions;
mod losses;
mod users;

use std::time::Duration;

use cryptoki_sys::{CKG_NO_GENERATE, CKM_ECDSA_SHA256, CKM_ML_KEM, CKO_SECRET_KEY};
use everslot_core::{Rv, ckr};
use everslot_tests::client::{Failure, Gcm, Mechanism, Object, Session, Template};
use everslot_tests::{AES_LABEL, Isolation, Lab, Plan, Token};

const ECDSA_SHA256: Mechanism = Mechanism::Plain(CKM_ECDSA_SHA256);
const ML_KEM: Mechanism = Mechanism::Plain(CKM_ML_KEM);

const CALLERS: Gcm = Gcm {
    iv: [1; 12],
    tag: [0; 16],
    generator: CKG_NO_GENERATE,
};

fn lab(isolation: Isolation, legacy: usize) -> Lab {
    Lab::new(Plan {
        token: Token::Test,
        isolation,
        legacy,
        deadline: Duration::from_millis(500),
        ..Plan::default()
    })
}

fn aes_key(session: Session) -> Object {
    session.only(&Template::new().class(CKO_SECRET_KEY).label(AES_LABEL))
}

fn code<T>(result: Result<T, Failure>) -> Rv {
    result.err().map_or(ckr::OK, |failure| failure.code)
}

fn calls(lab: &Lab, function: &str) -> Vec<usize> {
    lab.members()
        .iter()
        .map(|member| member.calls(function))
        .collect()
}

fn misbehave(lab: &Lab, script: &str) {
    lab.members()
        .iter()
        .for_each(|member| member.misbehave(script));
}

/// The member that was asked since `before`.
fn asked(lab: &Lab, function: &str, before: &[usize]) -> usize {
    let now = calls(lab, function);
    now.iter()
        .zip(before)
        .position(|(now, before)| now > before)
        .expect("a member was asked")
}
