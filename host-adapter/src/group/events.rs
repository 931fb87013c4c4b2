//! One log line for each change of a member's state, never one for each call.

use std::sync::atomic::Ordering;

use everslot_core::{Attempts, Event, Evidence, Instant, MemberId, QuarantineReason, ckr};

use super::GroupDriver;
use crate::status::evidence_words;

/// Counts and logs what happened.
pub(super) fn note(driver: &GroupDriver, event: &Event) {
    count(driver, event);
    let group = driver.config.label.as_str();
    let name = |member: &MemberId| {
        driver
            .member(*member)
            .map_or("?", |member| member.config.name.as_str())
    };
    let function = |member: &MemberId, evidence: &Evidence| {
        let function = driver.member(*member)?.function_of(evidence)?;
        Some(function.name())
    };
    let most = match driver.config.recovery.policy.attempts {
        Attempts::AtMost(most) => most.to_string(),
        Attempts::Unlimited => "no limit".to_owned(),
    };
    let of = most.as_str();
    let next = |next: Option<Instant>| match next {
        Some(at) => format!("in {} ms", driver.clock.until(at).as_millis()),
        None => "none by itself".to_owned(),
    };
    let words = event.words();
    match event {
        Event::Added { member, role } => {
            tracing::debug!(group, member = name(member), ?role, "{words}")
        }
        Event::Removed { member } => tracing::info!(group, member = name(member), "{words}"),
        Event::Lost {
            member,
            incarnation,
            evidence,
        } => {
            tracing::warn!(
                group,
                member = name(member),
                incarnation = incarnation.0,
                function = function(member, evidence),
                evidence = evidence_words(evidence),
                "{words}"
            );
        }
        Event::AttemptBegan { member, number } => {
            tracing::info!(group, member = name(member), number, of, "{words}");
        }
        Event::AttemptFailed {
            member,
            number,
            step,
            evidence,
            next: at,
        } => {
            tracing::warn!(
                group,
                member = name(member),
                number,
                of,
                ?step,
                evidence = evidence_words(evidence),
                next = next(*at),
                "{words}"
            );
        }
        Event::GaveUp { member, attempts } => {
            tracing::error!(
                group,
                member = name(member),
                attempts,
                "{words}: `everslot recover` tries it again"
            );
        }
        Event::Returned {
            member,
            incarnation,
            attempts,
        } => {
            tracing::info!(
                group,
                member = name(member),
                incarnation = incarnation.0,
                attempts,
                "{words}"
            );
        }
        Event::Quarantined { member, why } => {
            tracing::error!(
                group,
                member = name(member),
                function = function(member, &why_it_says(why)),
                why = evidence_words(&Evidence::SetAside(*why)),
                "{words}: `everslot recover` tries it again"
            );
        }
        Event::Parked { member } => tracing::info!(group, member = name(member), "{words}"),
        Event::Unparked { member } => tracing::info!(group, member = name(member), "{words}"),
        Event::RoleChanged { member, role } => {
            tracing::info!(group, member = name(member), ?role, "{words}")
        }
        Event::PolicyChanged { policy } => tracing::info!(group, ?policy, "{words}"),
        Event::StandbyServing => {
            tracing::warn!(group, "{words}")
        }
        Event::ActiveServing => tracing::info!(group, "{words}"),
        Event::GroupDown => tracing::error!(group, "{words}"),
        Event::GroupUp => tracing::info!(group, "{words}"),
        Event::LoggedIn { user } => tracing::info!(group, ?user, "{words}"),
        Event::LoggedOut => tracing::info!(group, "{words}"),
    }
}

/// The code for which a member is set aside, if it was for one.
const fn why_it_says(why: &QuarantineReason) -> Evidence {
    match why {
        QuarantineReason::Other(rv) => Evidence::Code(*rv),
        QuarantineReason::SelfTestFailed => Evidence::Code(ckr::GENERAL_ERROR),
        QuarantineReason::PinRefused
        | QuarantineReason::PinChanged
        | QuarantineReason::TokenChanged
        | QuarantineReason::DomainKeyDiffers
        | QuarantineReason::KeepsDestroyed => Evidence::SetAside(*why),
    }
}

fn count(driver: &GroupDriver, event: &Event) {
    match event {
        Event::Lost { member, .. } => {
            if let Some(member) = driver.member(*member) {
                member.counters.losses.fetch_add(1, Ordering::Relaxed);
            }
        }
        // The first time in service is no recovery.
        Event::Returned {
            member,
            incarnation,
            ..
        } if incarnation.0 > 1 => {
            if let Some(member) = driver.member(*member) {
                member.counters.recoveries.fetch_add(1, Ordering::Relaxed);
            }
        }
        _ => {}
    }
}
