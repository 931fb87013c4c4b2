//! Members loaded in the application itself.

use everslot_tests::{
    ECDSA, HASH, HostProcess, Isolation, Lab, PATIENCE, Plan, Token, ec_key, ec_public_key,
    eventually,
};

fn lab(token: Token) -> Lab {
    Lab::new(Plan {
        token,
        isolation: Isolation::None,
        ..Plan::default()
    })
}

#[test]
fn three_tokens_of_one_module_sign_in_the_application() {
    let lab = lab(Token::SoftHsm);
    let session = lab.session(lab.module());
    let key = ec_key(session);
    let public = ec_public_key(session);
    for _ in 0..9 {
        let signature = session.sign(ECDSA, key, &HASH).expect("it signs");
        session
            .verify(ECDSA, public, &HASH, &signature)
            .expect("it is right");
    }
    let calls: Vec<_> = lab
        .status()
        .iter()
        .map(|member| member["calls"].as_u64())
        .collect();
    assert!(
        calls
            .iter()
            .all(|calls| calls.is_some_and(|calls| calls > 0)),
        "each took its share: {calls:?}"
    );
    // Others on this machine may use the module as well.
    let hosts = HostProcess::all_of_module(lab.members()[0].module());
    let ours = hosts.into_iter().filter(|host| host.is_ours());
    assert_eq!(ours.count(), 0, "no process was started");
}

#[test]
fn a_code_that_says_gone_moves_the_call_and_the_member_comes_back() {
    let lab = lab(Token::Test);
    let session = lab.session(lab.module());
    let key = ec_key(session);
    // All three members share the module, so whichever is asked first fails once.
    lab.members()[0].misbehave("C_Sign return 0x30 times 1\n");
    for _ in 0..6 {
        session.sign(ECDSA, key, &HASH).expect("a member is left");
    }
    assert_eq!(
        lab.members()[0].calls("C_Sign"),
        7,
        "one call was sent twice"
    );
    eventually("the member was lost and is back", PATIENCE, || {
        let status = lab.status();
        let losses: u64 = status
            .iter()
            .filter_map(|member| member["losses"].as_u64())
            .sum();
        losses == 1
            && status
                .iter()
                .all(|member| member["code"]["name"] == "CKR_OK")
    });
}
