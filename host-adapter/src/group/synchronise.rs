//! A member that returns is brought in step with the group's objects before it is admitted, where the group has a domain key.
//!
//! Its private objects can be seen only while the group is logged in. One that comes while nobody is logged in is brought in step
//! [apart](super::apart) where the configuration has the PINs. Else it is admitted for what needs no login, and brought in step when the group's
//! login reaches it, before it counts as logged in.

mod owed;
mod state;

use std::sync::Arc;
use std::time::Duration;

use everslot_core::{
    Copies, Ended, Evidence, Login, LoginOutcome, MemberId, MemberSet, Progress, QuarantineReason,
    ReconcileEvent, User, ckr,
};
use everslot_protocol::Request;

use super::GroupDriver;
use super::lease::{Lease, LeaseFailure};
use super::member::{Anchor, Member};
use super::pool::RealSession;
use super::recovery::Obstacle;
use crate::domain::{CallError, CheckValue, Deadlines, Token};
use crate::journal::{Journal, JournalError};
use crate::objects::{Claim, Outcome, Peer, Profiles, Tools, Watcher, reconcile};
use state::Admitting;
pub(super) use state::{Judged, Side, Synchronised};

/// How long another process's reconcile of the same member is waited for.
const CLAIM: Duration = Duration::from_secs(20);
/// How long the changes that are under way may take to end, before the attempt is given up.
const CLOSE: Duration = Duration::from_secs(5);
/// How long a serving member's session is waited for, to copy from.
const LEND: Duration = Duration::from_millis(500);

impl GroupDriver {
    /// Brings a member that is to be admitted in step with the group's objects, where there is something to bring: it was lost, or the journal
    /// has what it lacks. Where the group has no domain key there is nothing to do.
    ///
    /// A journal that cannot be read keeps a member from returning, since nobody can tell what was destroyed while it was away. At the start it
    /// does not: use goes on without a journal.
    pub(super) fn bring_in_step(&self, member: &Arc<Member>, login: Login) -> Result<(), Obstacle> {
        let returns = member.incarnation().0 > 0;
        let profiles = match self.keeper.profiles() {
            Ok(Some(profiles)) => profiles,
            Ok(None) => return Ok(()),
            Err(_) if !returns => return Ok(()),
            Err(error) => return Err(self.not_in_step(member, &error.to_string())),
        };
        let all = self.keeper.copies() == Copies::All;
        let name = member.config.name.as_str();
        let behind = |journal: &mut Journal| journal.is_behind(name, all);
        if !returns && !self.keeper.with_journal(behind).unwrap_or(false) {
            return Ok(());
        }
        match login {
            Login::In(User::User) => self.reconcile_member(member, &profiles),
            Login::Out | Login::In(User::SecurityOfficer) => {
                // At the start others may come later, who have what it lacks: all of them are there at the login.
                let is_done = returns && self.bring_in_step_apart(member, &profiles)?;
                self.synchronised.set_owing(member.id, !is_done);
                Ok(())
            }
        }
    }

    /// A member follows the group's login: what it owes is done before it counts as logged in.
    pub(super) fn bring_in_step_at_login(
        &self,
        member: &Arc<Member>,
        user: User,
    ) -> Result<(), Obstacle> {
        if user != User::User || !self.synchronised.owes(member.id) {
            return Ok(());
        }
        match self.keeper.profiles() {
            Ok(Some(profiles)) => self.reconcile_member(member, &profiles),
            Ok(None) => Ok(()),
            Err(error) => Err(self.not_in_step(member, &error.to_string())),
        }
    }

    /// The members that are to be asked first for the word on a login: those that are in step.
    pub(super) fn in_step(&self) -> MemberSet {
        self.serving().difference(self.synchronised.owing())
    }

    /// The member was admitted, or not: changes may go on, and those who lack what it has brought get that.
    pub(super) fn admitted(self: &Arc<Self>, member: MemberId) {
        let Some(admitting) = self.synchronised.admitting().remove(&member) else {
            return;
        };
        drop(admitting.closed);
        self.bring(admitting.owed);
    }

    /// The right to reconcile the member, and a journal for it alone.
    pub(super) fn claim(&self, member: &Member) -> Result<(Claim, Journal), Obstacle> {
        let group = &self.config;
        let claimed = self.keeper.gate().claim(&member.config.name, CLAIM);
        let opened = claimed.and_then(|claim| {
            let journal = Journal::open_existing(&group.journal, &group.serial)?;
            Ok((claim, journal))
        });
        opened.map_err(|error: JournalError| self.not_in_step(member, &error.to_string()))
    }

    fn reconcile_member(&self, member: &Arc<Member>, profiles: &Profiles) -> Result<(), Obstacle> {
        let (_claim, mut journal) = self.claim(member)?;
        let mut session = self.own_session(member)?;
        let mut sources = self.sources(member);
        let deadlines = Deadlines {
            call: member.config.deadline,
            generation: member.config.generation_deadline,
        };
        let own = Token::new(&mut *session.link, session.handle, deadlines);
        let sides = sources.iter_mut().map(|lease| Side {
            member: lease.member().id,
            token: lease.token(),
        });
        let sides = sides.collect();
        let done = self.reconcile_over(member, own, sides, profiles, &mut journal);
        let close = Request::CloseSession {
            session: session.handle,
        };
        // A session that cannot be closed goes with its member.
        let _ = session
            .link
            .call(&close, &mut [], Some(member.config.deadline));
        let failed = |error| failed(member, &session, error);
        let outcome = done.map_err(failed)??;
        self.judge(member, outcome, failed).map(drop)
    }

    /// A session of the member beside its anchor: calls on that are not to wait.
    fn own_session(&self, member: &Arc<Member>) -> Result<Box<RealSession>, Obstacle> {
        let not_reached = || Obstacle::Evidence(Evidence::NotReached);
        let instance = match member.anchor().as_ref() {
            Some(Anchor { session, .. }) => Arc::clone(&session.instance),
            None => return Err(not_reached()),
        };
        let token = member.token().ok_or_else(not_reached)?;
        member
            .open_on(&instance, token.slot, member.incarnation())
            .map_err(|failure| match failure {
                LeaseFailure::Refused(rv) => {
                    Obstacle::Evidence(Evidence::Code(everslot_core::Rv(rv)))
                }
                LeaseFailure::Exhausted => not_reached(),
                LeaseFailure::Lost(failure, _) => Obstacle::from(failure),
            })
    }

    /// Sessions of the members that serve and are logged in as the group is.
    fn sources(&self, member: &Member) -> Vec<Lease> {
        if self.login() != Login::In(User::User) {
            return Vec::new();
        }
        let others = self.serving().without(member.id);
        let lend = |id| {
            let other = self.member(id)?;
            other.lease(other.incarnation(), LEND).ok()
        };
        others.iter().filter_map(lend).collect()
    }

    pub(super) fn reconcile_over<'t>(
        &self,
        member: &Arc<Member>,
        mut token: Token<'t>,
        sources: Vec<Side<'t>>,
        profiles: &Profiles,
        journal: &mut Journal,
    ) -> Result<Result<Outcome, Obstacle>, CallError> {
        let profile = |name: &str| profiles.get(name).cloned().unwrap_or_default();
        let mut peers = Vec::new();
        let key_name = self.keeper.key_name();
        let differs = Ok(Err(Obstacle::Refused(QuarantineReason::DomainKeyDiffers)));
        let [domain_key] = key_name.find(&mut token)?[..] else {
            return differs;
        };
        let value = CheckValue::of(&mut token, domain_key, cryptoki_sys::CKK_AES)?;
        let name = member.config.name.clone();
        let own = Peer::new(member.id, name.clone(), token, domain_key, profile(&name));
        for Side {
            member: id,
            mut token,
        } in sources
        {
            let name = self.keeper.name(id).to_owned();
            // A source that fails is none; what it is to its own calls shows there.
            let keys = key_name.find(&mut token).unwrap_or_default();
            let [key] = keys[..] else {
                continue;
            };
            let Ok(others) = CheckValue::of(&mut token, key, cryptoki_sys::CKK_AES) else {
                continue;
            };
            if others.is_some() && value.is_some() && others != value {
                return differs;
            }
            peers.push(Peer::new(id, name.clone(), token, key, profile(&name)));
        }
        peers.push(own);
        let names = self.keeper.names(MemberSet::from_bits(u32::MAX));
        let mut tools = Tools {
            journal,
            gate: self.keeper.gate(),
            key_name,
            names: &names,
            copies: self.keeper.copies(),
            patience: CLOSE,
            is_trial: false,
            trace: self.trace.as_ref(),
        };
        let mut log = Log {
            driver: self,
            member,
        };
        Ok(Ok(reconcile(member.id, &mut tools, &mut peers, &mut log)))
    }

    /// What the end of a reconcile means for the member.
    pub(super) fn judge(
        &self,
        member: &Arc<Member>,
        outcome: Outcome,
        failed: impl Fn(CallError) -> Obstacle,
    ) -> Result<Judged, Obstacle> {
        let Outcome {
            ended,
            why,
            progress,
            owed,
            closed,
            lost,
        } = outcome;
        match ended {
            Ended::Equal { .. } => {
                self.note_progress(member, &progress);
                self.synchronised.set_owing(member.id, false);
                let admitting = Admitting { closed, owed };
                self.synchronised.admitting().insert(member.id, admitting);
                let left = progress.postponed + progress.missing;
                Ok(if left == 0 {
                    Judged::Whole
                } else {
                    Judged::Short
                })
            }
            Ended::KeepsDestroyed(_) => Err(Obstacle::Refused(QuarantineReason::KeepsDestroyed)),
            Ended::MemberLost => Err(match lost {
                Some(error) => failed(error),
                None => Obstacle::Evidence(Evidence::NotReached),
            }),
            Ended::JournalFailed | Ended::GateNotClosed | Ended::NotAscending(_) => {
                let why = why.unwrap_or_else(|| "its objects change without an end".to_owned());
                Err(self.not_in_step(member, &why))
            }
        }
    }

    fn note_progress(&self, member: &Member, progress: &Progress) {
        let (group, name) = (self.config.label.as_str(), member.config.name.as_str());
        let Progress {
            copied,
            updated,
            destroyed,
            adopted,
            conflicts,
            ambiguous,
            stay,
            postponed,
            refused,
            missing,
            ..
        } = *progress;
        tracing::info!(
            group,
            member = name,
            copied,
            updated,
            destroyed,
            adopted,
            conflicts,
            "its objects are the group's"
        );
        if ambiguous + stay + postponed + refused + missing > 0 {
            tracing::warn!(
                group,
                member = name,
                ambiguous,
                stay,
                postponed,
                refused,
                missing,
                "some objects are not on it as they are to be; everslot sync says which"
            );
        }
    }

    fn not_in_step(&self, member: &Member, why: &str) -> Obstacle {
        let (group, name) = (self.config.label.as_str(), member.config.name.as_str());
        tracing::error!(
            group,
            member = name,
            why,
            "it is not admitted: its objects cannot be brought in step with the group's"
        );
        Obstacle::Evidence(Evidence::Code(ckr::FUNCTION_FAILED))
    }
}

impl From<Obstacle> for LoginOutcome {
    fn from(obstacle: Obstacle) -> Self {
        match obstacle {
            Obstacle::Evidence(evidence) => Self::Lost(evidence),
            Obstacle::Refused(why) => Self::Refused(why),
        }
    }
}

/// What a member's failure is evidence of. One that gave no answer has its module ended: nothing that hangs in it can be saved.
fn failed(member: &Member, session: &RealSession, error: CallError) -> Obstacle {
    Obstacle::Evidence(match error {
        CallError::Code { rv, .. } => Evidence::Code(rv),
        CallError::NoAnswer { cause, .. } | CallError::NotLoaded(cause) => {
            member.load.give_up(&session.instance, || ());
            cause.evidence()
        }
    })
}

/// Ends the reconcile when the library is finalised. What happens to single objects is not logged: an object is known by its attributes.
struct Log<'d> {
    driver: &'d GroupDriver,
    member: &'d Member,
}

impl Watcher for Log<'_> {
    fn progress(&mut self, progress: &Progress, of_about: u64) {
        // Some thousand objects take a while.
        if progress.looked_at > 0 && progress.looked_at.is_multiple_of(1000) {
            tracing::debug!(
                member = self.member.config.name,
                looked_at = progress.looked_at,
                of_about,
                "its objects are brought in step"
            );
        }
    }

    fn happened(&mut self, _event: ReconcileEvent, _object: &str, _why: Option<&str>) {}

    fn is_over(&self) -> bool {
        self.driver.is_stopping()
    }
}
