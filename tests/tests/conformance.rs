//! Another's test suite over a group of three: the short one. `make conformance` runs the long ones too, and while members are killed.

use everslot_tests::Artifact;
use everslot_tests::conformance::{self, Choice, Situation, Suite};

#[test]
fn a_group_fails_no_case_of_python_pkcs11_that_its_member_passes() {
    if !Suite::PythonPkcs11.is_installed() {
        eprintln!(
            "SKIPPED: the tests of python-pkcs11 are not installed; `tests/prerequisites test` does it"
        );
        return;
    }
    let met = conformance::run(&Choice {
        module: Artifact::Module.path(),
        suites: vec![Suite::PythonPkcs11],
        categories: Vec::new(),
        situations: vec![Situation::Three],
    });
    assert!(
        met,
        "everslot alone fails cases, or not all ran: see the table above"
    );
}
