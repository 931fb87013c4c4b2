//! One log line for each change of a member's state, never one for each call.

use std::sync::atomic::Ordering;

use everslot_core::{Event, MemberId};

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
                evidence = evidence_words(evidence),
                "{words}"
            );
        }
        Event::AttemptBegan { member, number } => {
            tracing::info!(group, member = name(member), number, "{words}");
        }
        Event::AttemptFailed {
            member,
            number,
            step,
            evidence,
            next,
        } => {
            let next_ms = next.map(|next| driver.clock.until(next).as_millis());
            tracing::warn!(
                group,
                member = name(member),
                number,
                ?step,
                evidence = evidence_words(evidence),
                ?next_ms,
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
                ?why,
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
