//! `C_SetPIN` and `C_InitPIN` over the members that serve.

use std::sync::Arc;

use everslot_core::{Login, MemberId, MemberSet, QuarantineReason, Repeat, Rv, User, ckr};
use everslot_protocol::{Bytes, Request};

use super::super::errand::{Errand, Stop};
use super::super::login::Secret;
use super::super::{GroupDriver, Lease};
use super::{Change, Standing};
use crate::module::Delivery;

/// The two PINs of a `C_SetPIN`; `None` stands for a protected authentication path.
#[derive(Clone, Copy)]
struct Exchange<'p> {
    old: Option<&'p [u8]>,
    new: Option<&'p [u8]>,
}

impl Exchange<'_> {
    const fn reversed(self) -> Self {
        Self {
            old: self.new,
            new: self.old,
        }
    }
}

/// What one member said.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Answer {
    Done,
    Refused(Rv),
    /// It was lost before it was asked.
    NotReached,
    /// It was lost over it: it may have done it.
    Silent,
}

/// How far a change has come.
#[derive(Default)]
struct Progress {
    changed: Vec<MemberId>,
    /// Lost over it.
    silent: Vec<MemberId>,
}

impl GroupDriver {
    /// `C_SetPIN` on every member that serves, or on none. The first member's word decides about the old PIN, so that a wrong one reaches
    /// one member only (S12): one that refuses it afterwards is set aside. When one refuses the new PIN, those that have it get the
    /// old one back. One change or login at a time is the caller's care.
    ///
    /// # Errors
    /// `CKR_PIN_LEN_RANGE` when a member would refuse the new one's length; what a member says; `CKR_DEVICE_ERROR` when none serves, or
    /// when the first gave no answer.
    pub(crate) fn set_pin(
        self: &Arc<Self>,
        old: Option<&[u8]>,
        new: Option<&[u8]>,
    ) -> Result<(), Rv> {
        let exchange = Exchange { old, new };
        let user = match self.login() {
            Login::In(user) => user,
            Login::Out => User::User,
        };
        self.on_all(new, |targets| {
            let mut progress = Progress::default();
            match self.exchange_on(targets, exchange, &mut progress) {
                Ok(()) => {
                    self.note_unknown(&progress.silent, user, exchange);
                    self.pin_changed(new);
                    self.note_same(&progress.changed);
                    Ok(())
                }
                Err(rv) => {
                    self.note_unknown(&progress.silent, user, exchange.reversed());
                    self.roll_back(&progress.changed, user, exchange);
                    Err(rv)
                }
            }
        })
    }

    /// `C_InitPIN` on every member that serves. Nobody can bring the old PIN back: when a member refuses after another has done it, the
    /// security officer may try again with another PIN; what differs when the officer logs out is then set aside.
    ///
    /// # Errors
    /// As in [`set_pin`](Self::set_pin).
    pub(crate) fn init_pin(self: &Arc<Self>, pin: Option<&[u8]>) -> Result<(), Rv> {
        self.on_all(pin, |targets| {
            let mut progress = Progress::default();
            for member in targets.iter() {
                let answer = self.ask_for_change(member, &mut |lease| Request::InitPin {
                    session: lease.handle(),
                    pin: pin.map(Bytes),
                });
                match answer {
                    Answer::Done => progress.changed.push(member),
                    Answer::Silent => progress.silent.push(member),
                    Answer::NotReached => {}
                    Answer::Refused(rv) => {
                        self.note_ahead(&progress);
                        return Err(rv);
                    }
                }
            }
            if progress.changed.is_empty() {
                return Err(ckr::DEVICE_ERROR);
            }
            self.note_same(&progress.changed);
            Ok(())
        })
    }

    /// Makes a change on the members that serve. Until it is over none is admitted, since it is not known yet which PIN it should have;
    /// when it succeeds, members that it has not reached are left behind.
    fn on_all(
        self: &Arc<Self>,
        new: Option<&[u8]>,
        change: impl FnOnce(MemberSet) -> Result<(), Rv>,
    ) -> Result<(), Rv> {
        self.recover_in_call();
        let targets = self.settled();
        self.fits(targets, new)?;
        let before = self.pins.lock().clone();
        self.pins.lock().fill(Standing::Awaiting);
        let outcome = change(targets);
        for member in self.members() {
            let before = before.get(member.id.index()).cloned();
            match (self.pins.standing(member.id), outcome) {
                (Standing::Awaiting, Ok(())) => self.set_behind_aside(member.id),
                (Standing::Awaiting, Err(_)) => {
                    let before = before.unwrap_or(Standing::Same);
                    self.pins.replace(member.id, |_| before);
                }
                _ => {}
            }
        }
        outcome
    }

    fn exchange_on(
        self: &Arc<Self>,
        targets: MemberSet,
        exchange: Exchange<'_>,
        progress: &mut Progress,
    ) -> Result<(), Rv> {
        for member in targets.iter() {
            let is_first = progress.changed.is_empty();
            match self.exchange_at(member, exchange) {
                Answer::Done => progress.changed.push(member),
                Answer::NotReached => {}
                Answer::Silent => {
                    progress.silent.push(member);
                    if is_first {
                        return Err(ckr::DEVICE_ERROR);
                    }
                }
                Answer::Refused(rv) if !is_first && is_about_old(rv) => {
                    let place = (member, self.incarnation(member));
                    self.quarantine(place, QuarantineReason::PinRefused);
                }
                Answer::Refused(rv) => return Err(rv),
            }
        }
        if progress.changed.is_empty() {
            Err(ckr::DEVICE_ERROR)
        } else {
            Ok(())
        }
    }

    /// Gives the members that were changed the old PIN back, the last one first. One that cannot be brought back is set aside.
    fn roll_back(self: &Arc<Self>, changed: &[MemberId], user: User, exchange: Exchange<'_>) {
        for &member in changed.iter().rev() {
            let typed = exchange.old.is_none() || exchange.new.is_none();
            match typed {
                // Whoever types at the token's own keys cannot be asked to type the old one.
                true => self.set_behind_aside(member),
                false => match self.exchange_at(member, exchange.reversed()) {
                    Answer::Done => {}
                    Answer::Refused(_) => self.set_behind_aside(member),
                    Answer::NotReached | Answer::Silent => {
                        self.note_unknown(&[member], user, exchange.reversed());
                    }
                },
            }
        }
    }

    fn exchange_at(self: &Arc<Self>, member: MemberId, exchange: Exchange<'_>) -> Answer {
        self.ask_for_change(member, &mut |lease| Request::SetPin {
            session: lease.handle(),
            old: exchange.old.map(Bytes),
            new: exchange.new.map(Bytes),
        })
    }

    fn ask_for_change<'r>(
        self: &Arc<Self>,
        member: MemberId,
        request: &mut dyn FnMut(&Lease) -> Request<'r>,
    ) -> Answer {
        let mut reached = false;
        let mut send = |lease: &mut Lease| {
            let request = request(lease);
            let answer = lease.call(&request, &mut []);
            reached |= answer
                .as_ref()
                .map_or_else(|failure| failure.delivery == Delivery::Unknown, |_| true);
            answer.map_err(Stop::from)
        };
        let errand = Errand {
            eligible: MemberSet::of(member),
            ..Errand::anywhere(Repeat::OnlyIfUndelivered)
        };
        match self.perform(errand, &mut send) {
            Ok(done) => match Rv(done.reply.rv.0) {
                ckr::OK => Answer::Done,
                rv => Answer::Refused(rv),
            },
            Err(_) if reached => Answer::Silent,
            Err(_) => Answer::NotReached,
        }
    }

    fn note_same(&self, members: &[MemberId]) {
        for &member in members {
            self.pins.replace(member, |_| Standing::Same);
        }
    }

    /// Keeps both PINs of an exchange that the group has made, but of which these members gave no answer, until they are back or the application logs out.
    fn note_unknown(&self, members: &[MemberId], user: User, exchange: Exchange<'_>) {
        for &member in members {
            let change = Change {
                user,
                wanted: Secret::new(exchange.new),
                other: Secret::new(exchange.old),
            };
            self.pins
                .replace(member, |_| Standing::Unknown(Arc::new(change)));
        }
    }

    /// A `C_InitPIN` was refused after these had done it, or may have.
    fn note_ahead(&self, progress: &Progress) {
        if progress.changed.is_empty() {
            return;
        }
        for &member in &progress.changed {
            self.pins.replace(member, |_| Standing::Ahead);
        }
        for &member in &progress.silent {
            self.pins.leave_behind(member);
        }
    }

    /// Whether all of these members take a PIN of this length, as far as they say so.
    fn fits(&self, members: MemberSet, pin: Option<&[u8]>) -> Result<(), Rv> {
        let Some(length) = pin.map(|pin| pin.len() as u64) else {
            return Ok(());
        };
        let refuses = |id| {
            let token = self.member(id).and_then(|member| member.token());
            token.is_some_and(|token| {
                let (least, most) = (token.info.min_pin, token.info.max_pin);
                // A token that says 0 and 0 says nothing.
                least <= most && most > 0 && !(least..=most).contains(&length)
            })
        };
        if members.iter().any(refuses) {
            Err(ckr::PIN_LEN_RANGE)
        } else {
            Ok(())
        }
    }
}

/// Whether a refusal is about the old PIN, which another member has accepted.
const fn is_about_old(rv: Rv) -> bool {
    matches!(
        rv,
        ckr::PIN_INCORRECT | ckr::PIN_LOCKED | ckr::PIN_EXPIRED | ckr::USER_PIN_NOT_INITIALIZED
    )
}
