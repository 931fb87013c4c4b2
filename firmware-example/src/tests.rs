//! The gateway over tokens that are made up, with a clock that moves when somebody waits.

mod bench;
mod calls;
mod login;
mod recovery;
mod token;

use core::time::Duration;

use everslot_core::{Attempts, Event, MemberId, Policy, Rv, ckr};

use crate::{Failure, MemberSettings, Settings};
use bench::{Bench, Happened};

const A: MemberId = MemberId(0);
const B: MemberId = MemberId(1);
const C: MemberId = MemberId(2);

const PIN: &str = "1234";
const HASH: [u8; 32] = [9; 32];

const SETTINGS: Settings<'static> = Settings {
    policy: Policy {
        interval: Duration::from_secs(5),
        attempts: Attempts::Unlimited,
    },
    deadline: Duration::from_secs(1),
    look: Duration::from_millis(1),
    key: "ec",
};

fn members() -> [MemberSettings<'static>; 3] {
    [
        MemberSettings::active("alpha"),
        MemberSettings::active("beta"),
        MemberSettings::standby("gamma"),
    ]
}
