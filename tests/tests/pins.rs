//! A PIN that one member has refused is not tried on another: tokens lock themselves after a few.

use everslot_core::ckr;
use everslot_tests::{Lab, Plan, Token};

fn logins(lab: &Lab) -> Vec<usize> {
    lab.members()
        .iter()
        .map(|member| member.calls("C_Login"))
        .collect()
}

#[test]
fn a_wrong_pin_reaches_one_member_only() {
    let lab = Lab::new(Plan {
        token: Token::Test,
        ..Plan::default()
    });
    let module = lab.module();
    lab.wait_until_all_serve();
    let session = lab.public_session(module);
    for attempts in 1..=3 {
        let refused = session.login("0000");
        assert_eq!(
            refused.map_err(|failure| failure.code),
            Err(ckr::PIN_INCORRECT)
        );
        assert_eq!(
            logins(&lab).iter().sum::<usize>(),
            attempts,
            "{:?}",
            logins(&lab)
        );
    }
    let before: usize = logins(&lab).iter().sum();
    session.login(lab.pin()).expect("the PIN is right");
    lab.wait_until_all_serve();
    // The right one reaches each member once.
    assert_eq!(
        logins(&lab).iter().sum::<usize>(),
        before + 3,
        "{:?}",
        logins(&lab)
    );
}

#[test]
fn a_member_that_refuses_an_accepted_pin_is_set_aside_and_not_tried_again() {
    let lab = Lab::new(Plan {
        token: Token::Test,
        ..Plan::default()
    });
    let module = lab.module();
    lab.wait_until_all_serve();
    lab.members()[1].misbehave("C_Login return 0xa0\n");
    lab.members()[2].misbehave("C_Login return 0xa0\n");
    let session = lab.public_session(module);
    // Whichever member is asked first decides; ask until that is the one that accepts.
    while session.login(lab.pin()).is_err() {}
    for member in [1, 2] {
        everslot_tests::eventually(
            "the member is set aside",
            std::time::Duration::from_secs(10),
            || lab.status()[member]["state"] == "quarantined",
        );
    }
    let before = logins(&lab);
    for _ in 0..20 {
        session.random(&mut [0; 8]).expect("a member is left");
    }
    assert_eq!(logins(&lab), before, "no further login");
}
