//! How everybody stands, as `World::outline` of the model has it.

use everslot_core::{Login, LoginSync, Member, MemberId, MemberState, Rv, ckr};

use super::MEMBERS;
use crate::group::GroupDriver;

pub(super) fn outline(driver: &GroupDriver) -> String {
    let core = driver.lock();
    let members: Vec<_> = (0..MEMBERS as u8)
        .map(MemberId)
        .map(|id| member(core.member(id)) + told(core.status(id)))
        .collect();
    let login = match core.login() {
        Login::Out => "out",
        Login::In(_) => "in",
    };
    format!("{}; {login}", members.join(", "))
}

fn member(member: Option<Member>) -> String {
    let Some(member) = member else {
        return "none".to_owned();
    };
    let state = match member.state {
        MemberState::Active => format!("active {}", member.incarnation.0),
        MemberState::Standby => format!("standby {}", member.incarnation.0),
        MemberState::Lost { outage } => format!("lost {}", outage.attempts),
        MemberState::Recovering { step, outage, .. } => {
            format!("attempt {} {step:?}", outage.attempts)
        }
        MemberState::GivenUp { .. } => "given up".to_owned(),
        MemberState::Quarantined { .. } => "set aside".to_owned(),
        MemberState::Parked => "parked".to_owned(),
    };
    match member.login {
        LoginSync::Changing => state + " following",
        LoginSync::Void | LoginSync::Reached => state,
    }
}

fn told(code: Option<Rv>) -> &'static str {
    match code {
        Some(ckr::TOKEN_NOT_PRESENT) => " told",
        _ => "",
    }
}
