use super::*;

const A: MemberId = MemberId(0);
const B: MemberId = MemberId(1);

fn unknown() -> Standing {
    Standing::Unknown(Arc::new(Change {
        user: User::User,
        wanted: Secret::new(Some(b"2222")),
        other: Secret::new(Some(b"1111")),
    }))
}

#[test]
fn only_who_was_left_behind_is_vouched_for_and_only_until_it_shows() {
    let pins = Pins::new();
    pins.leave_behind(A);
    pins.vouch(A);
    pins.vouch(B);
    assert_eq!(pins.unproven(), MemberSet::of(A));
    pins.proven(A);
    assert!(pins.unproven().is_empty());
    assert!(matches!(pins.standing(A), Standing::Same));
}

#[test]
fn no_word_of_an_operator_replaces_finding_out() {
    let pins = Pins::new();
    pins.replace(A, |_| unknown());
    pins.vouch(A);
    assert!(matches!(pins.standing(A), Standing::Unknown(_)));
}

#[test]
fn a_logout_lets_go_of_kept_pins() {
    let pins = Pins::new();
    pins.replace(A, |_| unknown());
    assert_eq!(pins.forget_secrets(), MemberSet::of(A));
    assert!(matches!(pins.standing(A), Standing::LeftBehind));
    assert!(matches!(pins.standing(B), Standing::Same));
}
