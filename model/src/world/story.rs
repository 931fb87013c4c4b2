//! How a run of the world is told.

use everslot_core::{
    Answer, Login, LoginSync, Member, MemberId, MemberState, Role, Rv, Step, Verdict, WorkNext,
};

use crate::timeline::Story;

use super::act::{Act, Fate, Kind, Order};
use super::caller::{Busy, Caller, Stage};
use super::job::Ongoing;
use super::plan::Plan;
use super::token::{Task, Token, Work};
use super::{World, places};

/// A tick as it is told: with X at two ticks, X is a minute, as in the seed.
const SECONDS_PER_TICK: u64 = 30;

impl Story for Plan {
    fn columns(&self) -> Vec<String> {
        let callers = (0..self.callers).map(|caller| format!("caller {}", caller + 1));
        places()
            .map(|id| format!("member {}", name(id)))
            .chain(["login".to_owned()])
            .chain(callers)
            .collect()
    }

    fn cells(&self, world: &World) -> Vec<String> {
        let callers = world.callers[..self.callers].iter().map(shown_caller);
        places()
            .map(|id| shown_member(world.group.member(id), &world.tokens[id.index()]))
            .chain([shown_login(world)])
            .chain(callers)
            .collect()
    }

    fn tell(&self, before: &World, act: &Act, after: &World) -> String {
        let told = told(before, *act);
        match after.watch.breach {
            Some(breach) if before.watch.breach.is_none() => format!("{told} — breaks {breach:?}"),
            Some(_) | None => told,
        }
    }

    fn seconds(&self, act: &Act) -> u64 {
        if *act == Act::Tick {
            SECONDS_PER_TICK
        } else {
            0
        }
    }
}

fn told(before: &World, act: Act) -> String {
    match act {
        Act::Tick => "time passes".to_owned(),
        Act::Timer => "the timer is due".to_owned(),
        Act::Fails(id) => format!("{}'s token dies", name(id)),
        Act::Comes(id) => format!("{}'s token can be reached again", name(id)),
        Act::Noticed(id) => format!("the adapter sees that {}'s process has ended", name(id)),
        Act::TaskEnds(id) => told_task(id, &before.tokens[id.index()]),
        Act::TaskRefused(id) => format!("{} has another token in its slot", name(id)),
        Act::Obey(order) => told_order(order),
        Act::StatusRead => "the status is read".to_owned(),
        Act::LogOut => "the application logs out".to_owned(),
        Act::Start(caller, kind) => format!("caller {} calls: {}", caller + 1, shown_kind(kind)),
        Act::Choose(caller, Some(id)) => {
            format!("{} is chosen for caller {}", name(id), caller + 1)
        }
        Act::Choose(caller, None) => format!("nobody is left for caller {}", caller + 1),
        Act::Issue(caller) => format!(
            "caller {} is sent{}",
            caller + 1,
            told_issue(before, caller)
        ),
        Act::Resolve(caller, fate) => format!("caller {}: {}", caller + 1, told_fate(fate)),
        Act::Reopen(caller) => format!("a fresh session for caller {}", caller + 1),
        Act::Probe(caller) => format!("a probe for caller {}", caller + 1),
        Act::Return(caller) => format!("caller {} returns", caller + 1),
    }
}

fn told_task(id: MemberId, token: &Token) -> String {
    let well = if token.reachable { "" } else { ", in vain" };
    match token.task {
        Some(Task {
            work: Work::Step { step, .. },
            ..
        }) => format!("{}: {} ends{well}", name(id), shown_step(step)),
        Some(Task {
            work: Work::Login { to, .. },
            ..
        }) => match to {
            Login::In(_) => format!("{}: C_Login ends{well}", name(id)),
            Login::Out => format!("{}: C_Logout ends{well}", name(id)),
        },
        None => format!("{}: nothing ends", name(id)),
    }
}

fn told_issue(before: &World, caller: usize) -> String {
    match before.callers[caller].busy().and_then(Busy::target) {
        Some(target) if before.has_lease(target) => format!(" to {}", name(target.member)),
        Some(target) => format!(
            " nowhere: {} has no lease for it any more",
            name(target.member)
        ),
        None => String::new(),
    }
}

fn told_fate(fate: Fate) -> String {
    match fate {
        Fate::Reply { code, executed } => match (shown_code(code), executed) {
            ("CKR_OK", true) => "CKR_OK".to_owned(),
            (name, true) => format!("{name}, although it took effect"),
            (name, false) => name.to_owned(),
        },
        Fate::Silence {
            delivered,
            executed,
        } => match (delivered, executed) {
            (_, true) => "no answer, although it took effect".to_owned(),
            (true, false) => "no answer, and it had no effect".to_owned(),
            (false, false) => "it could not be sent".to_owned(),
        },
    }
}

fn told_order(order: Order) -> String {
    match order {
        Order::Add(id) => format!("the operator adds {}", name(id)),
        Order::Remove(id) => format!("the operator removes {}", name(id)),
        Order::Park(id) => format!("the operator parks {}", name(id)),
        Order::Unpark(id) => format!("the operator unparks {}", name(id)),
        Order::Recover(id) => format!("the operator recovers {}", name(id)),
        Order::SetRole(id, Role::Active) => format!("the operator makes {} active", name(id)),
        Order::SetRole(id, Role::Standby) => format!("the operator makes {} standby", name(id)),
        Order::SetPolicy => "the operator changes the policy".to_owned(),
    }
}

/// The members as people call them.
pub(super) fn name(id: MemberId) -> char {
    char::from(b'A' + id.0)
}

fn shown_code(code: Rv) -> &'static str {
    code.name().unwrap_or("a vendor's code")
}

fn shown_member(member: Option<Member>, token: &Token) -> String {
    let Some(member) = member else {
        return "no member".to_owned();
    };
    let state = match member.state {
        MemberState::Active => format!("active #{}", member.incarnation.0),
        MemberState::Standby => format!("standby #{}", member.incarnation.0),
        MemberState::Lost { outage } => format!("lost, {} tried", outage.attempts),
        MemberState::Recovering { step, outage, .. } => {
            format!("attempt {}: {}", outage.attempts, shown_step(step))
        }
        MemberState::GivenUp { .. } => "given up".to_owned(),
        MemberState::Quarantined { .. } => "quarantined".to_owned(),
        MemberState::Parked => "parked".to_owned(),
    };
    let login = match member.login {
        LoginSync::Changing => ", to follow the login",
        LoginSync::Void | LoginSync::Reached => "",
    };
    let token = match (token.reachable, token.sessions) {
        (false, _) => " (dead)",
        (true, false) if member.state.serves() => " (restarted)",
        (true, _) if token.logged_in => " (in)",
        (true, _) => "",
    };
    format!("{state}{login}{token}")
}

fn shown_step(step: Step) -> &'static str {
    match step {
        Step::Connect => "connect",
        Step::Open => "open",
        Step::LogIn => "log in",
        Step::Synchronise => "synchronise",
    }
}

fn shown_login(world: &World) -> String {
    match world.group.login() {
        Login::Out => "out".to_owned(),
        Login::In(_) => "in".to_owned(),
    }
}

fn shown_kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Sign => "sign",
        Kind::Generate => "generate a key",
        Kind::Begin => "begin multi-part work",
        Kind::Part => "a part of it",
        Kind::Finish => "end it",
        Kind::LogIn { right: true } => "log in",
        Kind::LogIn { right: false } => "log in with a wrong PIN",
    }
}

fn shown_caller(caller: &Caller) -> String {
    match caller {
        Caller::Idle { work: None } => String::new(),
        Caller::Idle { work: Some(job) } => shown_job(job),
        Caller::Busy(busy) => {
            let stage = match busy.stage {
                Stage::Choosing { .. } => "chooses".to_owned(),
                Stage::Chosen(target) => {
                    format!("to {} #{}", name(target.member), target.incarnation.0)
                }
                Stage::Sent(target) => {
                    let at = (name(target.member), target.incarnation.0);
                    format!("{}at {} #{}", shown_step_of(busy), at.0, at.1)
                }
                Stage::Reopening(target) => format!("reopens at {}", name(target.member)),
                Stage::Probing(target) => format!("probes {}", name(target.member)),
                Stage::Answered(answer) => shown_answer(answer, busy),
            };
            format!("{}: {stage}", shown_kind(busy.kind))
        }
    }
}

/// What is done for a call before its own request.
fn shown_step_of(busy: &Busy) -> String {
    match busy.job.map(|job| job.doing) {
        Some(WorkNext::Begin) => "begun anew ".to_owned(),
        Some(WorkNext::Resend { part }) => format!("part {} again ", part + 1),
        _ => String::new(),
    }
}

fn shown_job(job: &Ongoing) -> String {
    let parts = job.work.parts();
    match job.lease() {
        Some(target) => format!("has work at {}, {parts} parts", name(target.member)),
        None => format!("has work, {parts} parts"),
    }
}

fn shown_answer(answer: Answer, busy: &Busy) -> String {
    match (answer, busy.reply) {
        (Answer::Reply, Some((_, Verdict::Fine))) => "done".to_owned(),
        (Answer::Reply, _) => "the member's error".to_owned(),
        (Answer::Unavailable, _) => "nobody left".to_owned(),
        (Answer::Unknown, _) => "outcome unknown".to_owned(),
    }
}
