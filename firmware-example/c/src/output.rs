//! What a group answers: actions to carry out, events to log.

use crate::codes::{Login, Step};
use crate::event::Event;
use crate::{CoreOutput, EVENTS, MEMBERS};

/// Something to do. What goes with each kind in an `EverslotAction` is in brackets.
#[repr(u8)]
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum ActionKind {
    /// Nothing.
    #[default]
    None,
    /// Perform a step of an attempt, then feed `STEP` (serial, step, login, generation).
    Perform,
    /// Log the user in at a member that serves, then feed `LOGIN_CHANGED` (incarnation, generation, login).
    LogIn,
    /// Log out at a member that serves, then feed `LOGIN_CHANGED` (incarnation, generation).
    LogOut,
    /// Drop what is open at the member (incarnation).
    Close,
}

/// Something to do for a member.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Action {
    /// The attempt.
    pub serial: u32,
    /// The member's incarnation.
    pub incarnation: u32,
    /// Which change of the login it is.
    pub generation: u32,
    /// An `EverslotActionKind`.
    pub kind: u8,
    /// The member.
    pub member: u8,
    /// An `EverslotStep`.
    pub step: u8,
    /// Whose login the member is brought to: an `EverslotLogin`.
    pub login: u8,
}

impl Action {
    fn of(action: everslot_core::Action) -> Self {
        use everslot_core::Action as Core;
        let of_member = Self {
            member: action.member().0,
            ..Self::default()
        };
        match action {
            Core::Perform {
                serial,
                step,
                login: (login, generation),
                ..
            } => Self {
                kind: ActionKind::Perform as u8,
                serial: serial.0,
                step: Step::of(step) as u8,
                login: Login::of(login) as u8,
                generation: generation.0,
                ..of_member
            },
            Core::LogIn {
                incarnation,
                generation,
                user,
                ..
            } => Self {
                kind: ActionKind::LogIn as u8,
                incarnation: incarnation.0,
                generation: generation.0,
                login: Login::of(everslot_core::Login::In(user)) as u8,
                ..of_member
            },
            Core::LogOut {
                incarnation,
                generation,
                ..
            } => Self {
                kind: ActionKind::LogOut as u8,
                incarnation: incarnation.0,
                generation: generation.0,
                ..of_member
            },
            Core::Close { incarnation, .. } => Self {
                kind: ActionKind::Close as u8,
                incarnation: incarnation.0,
                ..of_member
            },
        }
    }
}

/// What is to be done about an input, in this order, and what to log of it.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct Output {
    /// What happened: the first `events_length`.
    pub events: [Event; EVENTS],
    /// What to do: the first `actions_length`.
    pub actions: [Action; MEMBERS],
    /// How many actions there are.
    pub actions_length: u8,
    /// How many events there are.
    pub events_length: u8,
}

impl Output {
    pub(crate) fn of(output: &CoreOutput, into: &mut Self) {
        into.actions_length = 0;
        for (place, action) in into.actions.iter_mut().zip(&output.actions) {
            *place = Action::of(*action);
            into.actions_length += 1;
        }
        into.events_length = 0;
        for (place, event) in into.events.iter_mut().zip(&output.events) {
            *place = Event::of(event);
            into.events_length += 1;
        }
    }
}
