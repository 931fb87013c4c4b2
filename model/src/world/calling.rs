//! The way of a call: what the adapter does about what the call asks for.

use everslot_core::{
    CallInput, CallOutput, Context, Input, Login, MemberId, MemberSet, Overrides, Rv, User,
    Verdict, WorkInput, WorkNext, ckr, verdict,
};

use super::act::{Fate, Kind};
use super::caller::{Busy, Caller, Stage, Target};
use super::fate::leaves_it_open;
use super::plan::{Plan, Recovery};
use super::properties::Rule;
use super::{World, places};

impl World {
    pub(super) fn start_call(&mut self, plan: &Plan, caller: usize, kind: Kind) {
        if plan.recovery == Recovery::InCall {
            self.timer();
        }
        match kind {
            Kind::LogIn { .. } => self.left.logins -= 1,
            Kind::Sign | Kind::Generate | Kind::Begin | Kind::Part | Kind::Finish => {
                self.left.calls = self.left.calls.map(|left| left - 1);
            }
        }
        let mut job = self.callers[caller].work();
        if let Some(job) = &mut job
            && job.lease().is_some_and(|target| !self.has_lease(target))
        {
            job.drop_lease();
        }
        let busy = Busy::new(kind, (job, plan.job), self.is_logged_in(), self.well());
        self.callers[caller] = Caller::Busy(busy);
        self.tell(caller, CallInput::Start);
    }

    pub(super) fn choose(&mut self, caller: usize, member: Option<MemberId>) {
        let view = self.group.view();
        let at_hand = self.callers[caller].busy().and_then(|busy| {
            let target = busy.at_hand(busy.asked)?;
            Some((target.member, target.incarnation))
        });
        if let Some(member) = member.filter(|_| at_hand.is_none()) {
            self.watch_choice(caller, member);
        }
        let chosen = member.and_then(|member| Some((member, view.incarnation(member)?)));
        let chosen = at_hand.or(chosen);
        self.tell(caller, CallInput::Chosen(chosen));
    }

    pub(super) fn issue(&mut self, plan: &Plan, caller: usize) {
        let Some(Busy {
            stage: Stage::Chosen(target),
            ..
        }) = self.callers[caller].busy().copied()
        else {
            return;
        };
        if let Some(busy) = self.callers[caller].busy_mut() {
            busy.sends += 1;
            busy.asked.insert(target.member);
        }
        if !self.has_lease(target) {
            self.tell(caller, CallInput::Unanswered { delivered: false });
            return;
        }
        self.watch_send(target);
        if let Some(busy) = self.callers[caller].busy_mut() {
            busy.stage = Stage::Sent(target);
            if let Some(job) = &mut busy.job {
                job.reach(plan.job, target);
            }
        }
        self.give_up(caller);
    }

    /// Work that cannot be brought to where the call came ends there, whatever the member might say.
    fn give_up(&mut self, caller: usize) {
        let given_up = |busy: &Busy| busy.job.is_some_and(|job| job.given_up);
        if self.callers[caller].busy().is_some_and(given_up) {
            self.tell(caller, CallInput::Verdict(Verdict::CallersFault));
        }
    }

    pub(super) fn resolve(&mut self, plan: &Plan, caller: usize, fate: Fate) {
        let Some(busy) = self.callers[caller].busy() else {
            return;
        };
        let Some(target) = busy.target() else {
            return;
        };
        if fate.is_odd(self, plan, busy) {
            self.left.odd_answers -= 1;
        }
        self.take_effect(plan, caller, target, fate);
        match fate {
            Fate::Reply { code: ckr::OK, .. } if self.goes_on(plan, caller) => self.give_up(caller),
            Fate::Reply { code, .. } => self.answers(caller, code),
            Fate::Silence { delivered, .. } => {
                self.tell(caller, CallInput::Unanswered { delivered });
            }
        }
    }

    fn answers(&mut self, caller: usize, code: Rv) {
        let mut verdict = verdict(code, self.context(caller), &Overrides::<0>::default());
        // What one member has accepted another has not: that is not the caller's fault.
        if verdict == Verdict::CallersFault && self.is_replaying(caller) {
            verdict = Verdict::MemberBusy;
        }
        self.tell_of(caller, CallInput::Verdict(verdict), Some(code));
    }

    fn is_replaying(&self, caller: usize) -> bool {
        let job = self.callers[caller].busy().and_then(|busy| busy.job);
        job.is_some_and(|job| job.doing != WorkNext::Send)
    }

    /// A step of multi-part work has succeeded. Whether something of it has to be done before the call has its answer.
    fn goes_on(&mut self, plan: &Plan, caller: usize) -> bool {
        let Some(busy) = self.callers[caller].busy_mut() else {
            return false;
        };
        let is_part = busy.kind == Kind::Part;
        let Some(job) = &mut busy.job else {
            return false;
        };
        if job.doing != WorkNext::Send {
            job.tell(plan.job, WorkInput::Done);
            return true;
        }
        let sound = job.succeeds(plan.job, is_part);
        if !sound.whole {
            self.watch.breaks(Rule::S4);
        } else if !sound.alike {
            self.watch.breaks(Rule::O4);
        }
        false
    }

    /// A fresh session, and with it the group's login.
    pub(super) fn reopen(&mut self, plan: &Plan, caller: usize) {
        let Some(target) = self.callers[caller].busy().and_then(Busy::target) else {
            return;
        };
        let logged_in = self.is_logged_in();
        let may_open =
            self.has_lease(target) && !(logged_in && plan.other_pin == Some(target.member));
        let token = &mut self.tokens[target.member.index()];
        let opened = token.reachable && may_open;
        if opened {
            token.sessions = true;
            token.logged_in = logged_in;
        }
        let job = self.callers[caller]
            .busy_mut()
            .and_then(|busy| busy.job.as_mut());
        if let Some(job) = job.filter(|_| opened) {
            let _ = job.open(target);
        }
        self.tell(caller, CallInput::Reopened(opened));
    }

    pub(super) fn probe(&mut self, caller: usize) {
        let Some(target) = self.callers[caller].busy().and_then(Busy::target) else {
            return;
        };
        let alive = self.has_lease(target) && self.tokens[target.member.index()].is_well();
        self.tell(caller, CallInput::Probed(alive));
    }

    pub(super) fn has_lease(&self, target: Target) -> bool {
        self.tokens[target.member.index()].leases(target.incarnation)
    }

    pub(super) fn is_logged_in(&self) -> bool {
        self.group.login() != Login::Out
    }

    /// Members that serve and whose token does what it is told.
    pub(super) fn well(&self) -> MemberSet {
        places()
            .filter(|&member| self.serves(member) && self.tokens[member.index()].is_well())
            .collect()
    }

    fn tell(&mut self, caller: usize, input: CallInput) {
        self.tell_of(caller, input, None);
    }

    /// Feeds a call, reports to the group what it has found, and notes what it wants next.
    fn tell_of(&mut self, caller: usize, input: CallInput, code: Option<Rv>) {
        let logged_in = self.is_logged_in();
        let Some(busy) = self.callers[caller].busy_mut() else {
            return;
        };
        let before = *busy;
        let at = before.target();
        let output = busy.call.handle(input);
        busy.stage = Stage::of(output.next);
        busy.reopened |= matches!(busy.stage, Stage::Reopening(_));
        match (at, input) {
            (Some(at), CallInput::Verdict(verdict)) => busy.reply = answerable(at, verdict),
            (_, CallInput::Unanswered { .. } | CallInput::Reopened(false)) => busy.reply = None,
            _ => {}
        }
        let accepted = at.filter(|_| {
            matches!(busy.kind, Kind::LogIn { .. }) && input == CallInput::Verdict(Verdict::Fine)
        });
        if !before.reports_rightly(input, code, logged_in, &output) {
            self.watch.breaks(Rule::O3);
        }
        self.report(output);
        if let Some(at) = accepted {
            self.accept_login(at);
        }
    }

    fn report(&mut self, output: CallOutput) {
        if let Some((member, incarnation)) = output.lost {
            self.report_lost(member, incarnation);
        }
        if let Some(set_aside) = output.set_aside {
            let _ = self.feed(Input::Quarantine {
                member: set_aside.member,
                incarnation: set_aside.incarnation,
                why: set_aside.why,
            });
        }
    }

    fn accept_login(&mut self, at: Target) {
        let Target {
            member,
            incarnation,
        } = at;
        let user = User::User;
        let _ = self.feed(Input::LoginAccepted {
            member,
            incarnation,
            user,
        });
    }

    fn context(&self, caller: usize) -> Context {
        let login_call = self.callers[caller].is_logging_in();
        Context {
            logged_in: self.is_logged_in(),
            login_call,
            pin_accepted: false,
            handles_resolved: !login_call,
        }
    }

    /// What the call does to the token, whatever the adapter hears of it.
    fn take_effect(&mut self, plan: &Plan, caller: usize, target: Target, fate: Fate) {
        // With the sessions that the adapter has dropped the login is gone too.
        let logs_in = self.has_lease(target) && plan.other_pin != Some(target.member);
        let Some(busy) = self.callers[caller].busy_mut() else {
            return;
        };
        let (executed, unclear) = match fate {
            Fate::Reply { code, executed } => (executed, leaves_it_open(code)),
            Fate::Silence {
                executed,
                delivered,
            } => (executed, delivered),
        };
        if !busy.may_be_repeated() {
            busy.effects = (busy.effects + u8::from(executed)).min(2);
            busy.doubtful |= unclear;
        }
        match busy.kind {
            Kind::LogIn { right: false } if executed => busy.wrong_pin_at.insert(target.member),
            Kind::LogIn { right: true } if executed && logs_in => {
                self.tokens[target.member.index()].logged_in = true;
            }
            Kind::Part | Kind::Finish if executed => {
                let (is_part, heard) = (busy.kind == Kind::Part, fate == Fate::DONE);
                if let Some(job) = &mut busy.job {
                    job.takes_effect(is_part, heard);
                }
            }
            Kind::LogIn { .. }
            | Kind::Sign
            | Kind::Generate
            | Kind::Begin
            | Kind::Part
            | Kind::Finish => {}
        }
    }
}

/// A reply that the application may be given as it is.
const fn answerable(at: Target, verdict: Verdict) -> Option<(Target, Verdict)> {
    match verdict {
        Verdict::Fine | Verdict::CallersFault | Verdict::MemberBusy | Verdict::Unknown => {
            Some((at, verdict))
        }
        Verdict::MemberLost { .. } | Verdict::SessionLost { .. } | Verdict::Quarantine(_) => None,
    }
}
