//! What a running application says of its members, and how the command asks it.
//!
//! Every application that has loaded the library has a [`Server`]: a thread of ours that answers on a Unix socket which only
//! the application's user can reach. [`Client`] finds the sockets of that user. One line of JSON asks ([`Ask`]), one answers
//! ([`Answer`]). Who asks in HTTP, as `curl --unix-socket` and Prometheus do, gets what was measured at `/metrics`; nothing else is
//! answered on a loopback address, where every user of the machine may ask.
//!
//! For programs in Rust this is the interface that `everslot.h` is for those in C:
//!
//! ```
//! use std::time::Duration;
//!
//! use everslot::status::{Client, Read, State};
//!
//! for application in Client::of_this_user().applications() {
//!     let told = application.snapshot(Read::Peek, Duration::from_secs(1))?;
//!     for group in told.groups {
//!         let lost = group.members.iter().filter(|member| member.state == State::Lost);
//!         println!("{}: {} members are lost", group.label, lost.count());
//!     }
//! }
//! # Ok::<(), everslot::status::ClientError>(())
//! ```

mod client;
mod conversation;
mod exposition;
mod http;
mod measured;
mod place;
mod server;
mod snapshot;

use serde::{Deserialize, Serialize};

pub use client::{Application, Client, ClientError};
pub use exposition::{CONTENT_TYPE, text};
pub use http::{Asked, Http, Page};
pub use measured::{Answers, CallTimes, GroupMeasured, Measured, MemberCalls};
pub use server::Server;
pub use snapshot::{
    GroupStatus, LoginState, MemberStatus, ObjectsStatus, Process, ReturnCode, Role, Snapshot,
    State, evidence_words,
};

/// Whether there is a place for the sockets of this user's applications.
///
/// # Errors
/// None of the places can be used; why not the last one.
pub fn check_place() -> std::io::Result<()> {
    let tried = place::directories();
    let mut tried = tried.iter().map(|directory| place::provide(directory));
    let first = tried.next().unwrap_or(Ok(()));
    tried.fold(first, |before, next| before.or(next))
}

/// Where a server takes its answers from: the running library.
pub trait Source: Send + Sync {
    /// How things are, from what is known: no member is asked, so that it returns at once.
    fn snapshot(&self, read: Read) -> Snapshot;

    /// What was measured; looking changes no state. Times are measured from then on.
    fn measured(&self) -> Measured;

    /// Begins a fresh outage's attempts at `member`, or at all members of the group that do not serve, without waiting for
    /// their outcome.
    ///
    /// # Errors
    /// One line for people: no such group or member, or the member cannot be recovered (it serves, or is parked).
    fn recover(&self, group: &str, member: Option<&str>) -> Result<(), String>;
}

/// Whether reading counts for the seed's rule, by which the first status read after a loss says `CKR_DEVICE_ERROR` and
/// each later one `CKR_TOKEN_NOT_PRESENT`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Read {
    /// It does.
    Status,
    /// It leaves everything as it is.
    Peek,
}

/// What a client asks.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub enum Ask {
    /// A snapshot, as [`Read::Status`].
    Status {},
    /// A snapshot, as [`Read::Peek`].
    Peek {},
    /// [`Source::measured`].
    Measured {},
    /// [`Source::recover`].
    Recover {
        /// The group's label or serial.
        group: String,
        /// The member's name; without it all that do not serve.
        member: Option<String>,
    },
}

/// What a server answers.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Answer {
    /// To a status read.
    Snapshot(Snapshot),
    /// What was measured.
    Measured(Measured),
    /// What was asked for is begun.
    Begun {},
    /// It is not; one line says why.
    Refused {
        /// For people.
        why: String,
    },
}

#[cfg(test)]
mod tests;
