//! The decisions of everslot: which member serves, when a lost one is tried again, how a call ends, and how all members come to have the
//! same objects.
//!
//! Small machines and pure tables, all of them plain values: they know no clock, thread,
//! wire or PKCS#11 function, allocate nothing and call nobody back. A caller feeds an input and the
//! current [`Instant`], and gets values back that say what to do next.
//!
//! | part | decides | seed and properties |
//! |---|---|---|
//! | [`Group`] | who is a member and in which state; recovery; login | S2, S3, S5, S6, S7, S12, L1 |
//! | [`Call`] | one call, from choosing a member to the answer | S1, S10, S11, S12, L2 |
//! | [`Work`] | an operation of many calls: where it stands, how it gets to another member | S4, S6, S10 |
//! | [`Change`] | one change of the group's objects, from its intent to the answer | S1, S4, S8, S9 |
//! | [`Reconcile`], [`decide()`] | how a member that returns gets the group's objects | S8, S9, L3 |
//! | [`verdict()`] | what a member's `CK_RV` says about the member | PKCS#11 v3.2 §5.1 |
//! | [`candidates`], [`choose`] | which member a call goes to | S2, S10 |
//! | [`repeat()`] | what may be sent twice | S4 |
//! | [`replayable()`] | which operations may be done again from their transcripts, and how that is checked | S4, S10 |
//!
//! The properties, each named in the doc comment of the code that upholds it:
//!
//! - **S1** every call is answered exactly once.
//! - **S2** nothing is sent to a member that is not active.
//! - **S3** recovery attempts are at most N and at least X apart, per outage (seed: "it will only try
//!   to reconnection to an appliance every X secs and N number of times").
//! - **S4** an operation that is not idempotent takes effect at most once.
//! - **S5** the first status read after a loss says `CKR_DEVICE_ERROR`, each later one
//!   `CKR_TOKEN_NOT_PRESENT`, until the member returns (seed: "Detecting the Failure of an HA Member").
//! - **S6** no lease or handle of an older incarnation is used.
//! - **S7** nothing that needs a login goes to a member that is not logged in; after logout none stays
//!   logged in.
//! - **S8** an object acknowledged to the application survives while one member that holds it survives.
//! - **S9** a destroyed object never returns.
//! - **S10** a call that may be repeated fails only when no member is left that could serve it.
//! - **S11** nothing leaks: what a member had open is closed when it stops serving.
//! - **S12** a wrong PIN reaches at most one member per login.
//! - **L1** a lost member that can be reached comes back while attempts remain. **L2** every call ends.
//!   **L3** every reconcile ends.
//!
//! # The step contract
//!
//! A machine's `handle`, as [`Group::handle`], is the only way to change it. After each call the
//! caller carries out what came back, in order, and feeds each outcome in when it has it. An input
//! that does not fit the state (a late report about an older incarnation, a step of an attempt that
//! is over) is void: nothing changes and nothing comes back. So a caller never has to check first.
//!
//! ```
//! use everslot_core::*;
//!
//! let mut group = Group::<2>::new(Policy::default());
//! let (a, start) = (MemberId(0), Instant::ZERO);
//! let _ = group.handle(Input::Add { member: a, role: Role::Active }, start);
//! assert_eq!(group.poll_timeout(), WakeUp::At(start, Reason::Attempt(a)));
//!
//! // Each step of the attempt is an action; its outcome is the next input.
//! let mut output = group.handle(Input::Timer, start);
//! while let Some(Action::Perform { member, serial, step, login: (_, login) }) = output.actions.pop() {
//!     let outcome = StepOutcome::Done { login };
//!     output = group.handle(Input::Step { member, serial, step, outcome }, start);
//! }
//! assert_eq!(group.view().active, MemberSet::of(a));
//!
//! // A call goes to a member of the view, and finds it lost.
//! let mut call = Call::new(Repeat::Safe, Binding::Free);
//! let _ = call.handle(CallInput::Start);
//! let chosen = choose(candidates(group.view().serving(), MemberSet::of(a), MemberSet::EMPTY), |_| 0, 0);
//! let chosen = chosen.zip(group.view().incarnation(a));
//! let _ = call.handle(CallInput::Chosen(chosen));
//! let read = verdict(ckr::DEVICE_ERROR, Context::default(), &Overrides::<16>::new());
//! let found = call.handle(CallInput::Verdict(read));
//! assert_eq!(found.lost, chosen);
//!
//! if let Some((member, incarnation)) = found.lost {
//!     let evidence = Evidence::Code(ckr::DEVICE_ERROR);
//!     let _ = group.handle(Input::Lost { member, incarnation, evidence }, start);
//! }
//! assert_eq!(group.status(a), Some(ckr::DEVICE_ERROR));
//! let _ = group.handle(Input::StatusRead, start);
//! assert_eq!(group.status(a), Some(ckr::TOKEN_NOT_PRESENT));
//! ```
//!
//! The healthy path does not enter the group: it reads a published [`View`], and only a verdict
//! other than [`Verdict::Fine`] and [`Verdict::CallersFault`] needs the group at all.
//!
//! # In firmware
//!
//! No function here waits, and all memory is the values themselves: a [`Group`], an [`Output`], a [`Call`] for each call under way. This is all of a
//! gateway but for its members' lines, which are `Option`s here, and its timer. `firmware-example/` is one for a Cortex-M, whose `README.md`
//! says on one page what to feed when; `firmware-example/c/` is the same in C.
//!
//! ```
//! use everslot_core::*;
//!
//! const MEMBERS: usize = 3;
//!
//! struct Gateway {
//!     group: Group<MEMBERS>,
//!     output: Output<MEMBERS>,
//!     /// What a member answers to a request; nothing when it is unplugged.
//!     lines: [Option<Rv>; MEMBERS],
//!     choices: u32,
//! }
//!
//! impl Gateway {
//!     /// Feeds an input, then whatever comes of its actions. Where requests take time, an action begins one, and its outcome is fed when it is there.
//!     fn feed(&mut self, input: Input, now: Instant) {
//!         self.group.handle_into(input, now, &mut self.output);
//!         for event in &self.output.events {
//!             println!("{} ms: {}", now.as_millis(), event.words());
//!         }
//!         for action in self.output.actions.clone() {
//!             if let Some(outcome) = self.carry_out(action) {
//!                 self.feed(outcome, now);
//!             }
//!         }
//!     }
//!
//!     fn carry_out(&self, action: Action) -> Option<Input> {
//!         let is_well = self.lines[action.member().index()] == Some(ckr::OK);
//!         match action {
//!             Action::Perform { member, serial, step, login: (_, login) } => {
//!                 let outcome = match is_well {
//!                     true => StepOutcome::Done { login },
//!                     false => StepOutcome::Failed(Evidence::NotReached),
//!                 };
//!                 Some(Input::Step { member, serial, step, outcome })
//!             }
//!             Action::LogIn { member, incarnation, generation, .. }
//!             | Action::LogOut { member, incarnation, generation } => {
//!                 let outcome = match is_well {
//!                     true => LoginOutcome::Done,
//!                     false => LoginOutcome::Lost(Evidence::NotReached),
//!                 };
//!                 Some(Input::LoginChanged { member, incarnation, generation, outcome })
//!             }
//!             Action::Close { .. } => None,
//!         }
//!     }
//!
//!     /// To be called often, or when `poll_timeout` says.
//!     fn turn(&mut self, now: Instant) {
//!         while matches!(self.group.poll_timeout(), WakeUp::At(at, _) if at <= now) {
//!             self.feed(Input::Timer, now);
//!         }
//!     }
//!
//!     /// A signature, say: it may be sent twice.
//!     fn call(&mut self, now: Instant) -> Answer {
//!         let mut call = Call::new(repeat(Effect::Computes), Binding::Free);
//!         let mut input = CallInput::Start;
//!         loop {
//!             let found = call.handle(input);
//!             if let Some((member, incarnation)) = found.lost {
//!                 self.feed(Input::Lost { member, incarnation, evidence: Evidence::DeadlinePassed }, now);
//!             }
//!             if let Some(SetAside { member, incarnation, why }) = found.set_aside {
//!                 self.feed(Input::Quarantine { member, incarnation, why }, now);
//!             }
//!             input = match found.next {
//!                 Next::Choose { tried } => CallInput::Chosen(self.choose(tried)),
//!                 Next::Send { member, .. } => match self.lines[member.index()] {
//!                     Some(rv) => CallInput::Verdict(verdict(rv, Context::default(), &Overrides::<0>::new())),
//!                     None => CallInput::Unanswered { delivered: true },
//!                 },
//!                 Next::Reopen { member, .. } => CallInput::Reopened(self.lines[member.index()].is_some()),
//!                 Next::Probe { member, .. } => CallInput::Probed(self.lines[member.index()].is_some()),
//!                 Next::Answer(answer) => return answer,
//!             };
//!         }
//!     }
//!
//!     fn choose(&mut self, tried: MemberSet) -> Option<(MemberId, Incarnation)> {
//!         let view = self.group.view();
//!         self.choices += 1;
//!         let who = candidates(view.serving(), MemberSet::from_bits(u32::MAX), tried);
//!         let member = choose(who, |_| 0, self.choices)?;
//!         Some((member, view.incarnation(member)?))
//!     }
//! }
//!
//! let mut gateway = Gateway {
//!     group: Group::new(Policy::default()),
//!     output: Output::new(),
//!     lines: [Some(ckr::OK); MEMBERS],
//!     choices: 0,
//! };
//! let boot = Instant::ZERO;
//! for (member, role) in [(0, Role::Active), (1, Role::Active), (2, Role::Standby)] {
//!     gateway.feed(Input::Add { member: MemberId(member), role }, boot);
//! }
//! gateway.turn(boot);
//!
//! // The first member has accepted the PIN: the others log in.
//! if let Some((member, incarnation)) = gateway.choose(MemberSet::EMPTY) {
//!     gateway.feed(Input::LoginAccepted { member, incarnation, user: User::User }, boot);
//! }
//! assert_eq!(gateway.group.view().active.len(), 2);
//! assert_eq!(gateway.group.view().standby.len(), 1);
//!
//! // Both active members are unplugged: no call fails, the standby one serves.
//! (gateway.lines[0], gateway.lines[1]) = (None, None);
//! let later = Instant::from_millis(90_000);
//! assert_eq!(gateway.call(later), Answer::Reply);
//! assert!(gateway.group.view().active.is_empty());
//!
//! // One is plugged in again, and comes back with its next attempt.
//! gateway.lines[1] = Some(ckr::OK);
//! gateway.turn(later);
//! assert_eq!(gateway.group.view().active, MemberSet::of(MemberId(1)));
//! ```

#![no_std]
#![forbid(unsafe_code)]
#![warn(missing_docs)]
// Nothing panics, and a new state or input is a compile error wherever it has to be thought of.
#![deny(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unreachable,
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm
)]
#![cfg_attr(
    test,
    allow(
        clippy::indexing_slicing,
        clippy::panic,
        clippy::wildcard_enum_match_arm
    )
)]

#[cfg(test)]
extern crate std;

mod balance;
mod call;
mod change;
mod group;
mod ids;
mod member;
mod object;
mod policy;
mod reconcile;
mod repeat;
mod replayable;
mod rv;
mod set;
mod time;
mod verdict;
mod work;

pub use balance::{Serving, candidates, choose};
pub use call::{Answer, Binding, Call, CallInput, CallOutput, CallViolation, Next, SetAside};
pub use change::{
    Change, ChangeAnswer, ChangeInput, ChangeKind, ChangeNext, ChangeViolation, Intent, Plant,
};
pub use group::{
    Action, EVENTS, Event, Group, Input, Login, LoginOutcome, Output, Reason, StepOutcome, User,
    View, Violation, WakeUp,
};
pub use ids::{AttemptSerial, Incarnation, LoginGeneration, MemberId};
pub use member::{Evidence, LoginSync, Member, MemberState, Outage, QuarantineReason, Role, Step};
pub use object::{Copies, ObjectKey, Revision, Sequence};
pub use policy::{Attempts, Policy};
pub use reconcile::{
    Decision, Deed, DeedOutcome, Ended, GroupEntry, Live, MemberEntry, Progress, Reconcile,
    ReconcileEvent, ReconcileInput, ReconcileNext, ReconcileOutput, ReconcileViolation, Stream,
    decide,
};
pub use repeat::{Effect, Repeat, repeat};
pub use replayable::{Nonce, Replayable, Usage, replayable, signing};
pub use rv::{Rv, ckr};
pub use set::{MemberSet, Members};
pub use time::Instant;
pub use verdict::{Class, Context, Overrides, OverridesFull, UnknownClass, Verdict, verdict};
pub use work::{Seat, Work, WorkInput, WorkNext, WorkViolation};
