//! Some steps of `make random-objects`.

use everslot_tests::random_objects::run;

#[test]
fn what_was_acknowledged_is_on_every_member_whatever_happened_to_them() {
    let report = run(1, 60, false, None);
    assert_eq!(report.violations, []);
    assert!(report.done > 10, "{report:?}");
}
