//! The gateway in C on its board in QEMU: it is linked with the core's static library, and its members are made up, so its log is the same each time.

use std::time::Duration;

use everslot_tests::board::{Machine, has_qemu};

/// Longer than it takes, whatever else runs on the machine.
const PATIENCE: Duration = Duration::from_secs(60);

#[test]
fn a_gateway_in_c_outlives_its_active_members() {
    if let Err(missing) = has_qemu() {
        println!("skipped: {missing} is not installed");
        return;
    }
    let (status, log) = Machine::start_plain("gateway_c").finish(PATIENCE);
    assert!(status.success(), "{status}: {log:#?}");
    insta::assert_snapshot!(log.join("\n"));
}
