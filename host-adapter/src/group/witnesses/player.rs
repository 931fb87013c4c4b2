//! Puts the real adapter through a run of the model's world.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread::JoinHandle;
use std::time::Duration;

use everslot_core::{Action, Evidence, Input, MemberId, Next, Policy, Rv, ckr};

use super::application::Application;
use super::outline::outline;
use super::script::{Act, Fate, Kind, Order, Pace, Setting, Start, Step};
use super::stops::{Place, Point, Stops, Who};
use super::token::ScriptedToken;
use super::{MEMBERS, world};
use crate::group::GroupDriver;
use crate::status::Read;

/// A call of the application that is under way, or over.
struct Calling {
    thread: JoinHandle<()>,
    answer: Arc<OnceLock<Result<(), Rv>>>,
    /// What members have answered to it.
    codes: Vec<Rv>,
    /// What the model says that the application gets, once it says so.
    expected: Option<String>,
}

pub(super) struct Player {
    setting: Setting,
    driver: Arc<GroupDriver>,
    application: Arc<Application>,
    stops: Arc<Stops>,
    tokens: Vec<Arc<ScriptedToken>>,
    now: Arc<AtomicU64>,
    callers: [Option<Calling>; 2],
    /// What the adapter does by itself.
    threads: Vec<JoinHandle<()>>,
}

impl Player {
    /// The adapter as the world begins.
    pub(super) fn new(setting: &Setting, directory: &std::path::Path) -> Self {
        let stops = Arc::new(Stops::default());
        // Long after anything could have happened before.
        let now = Arc::new(AtomicU64::new(1_000_000));
        let tokens: Vec<_> = (0..MEMBERS as u8)
            .map(MemberId)
            .map(|id| {
                let has_other_pin = setting.other_pin == Some(id);
                Arc::new(ScriptedToken::new(id, &stops, has_other_pin, setting.job))
            })
            .collect();
        let driver = world::driver(setting, directory, (&stops, &now), &tokens);
        for member in driver.members() {
            driver.seat(member);
        }
        if setting.start != Start::Cold {
            for _ in &tokens {
                driver.drive(Input::Timer);
            }
            let longest = setting.policy.0.max(setting.other_policy.0);
            let _ = now.fetch_add(longest, Ordering::SeqCst);
        }
        let application = Arc::new(Application::new(&driver, setting.job));
        if setting.start == Start::LoggedIn {
            application.log_in(true).expect("the PIN is right");
        }
        Self {
            setting: setting.clone(),
            driver,
            application,
            stops,
            tokens,
            now,
            callers: [None, None],
            threads: Vec::new(),
        }
    }

    /// Plays the steps; what is the first thing that differs, if anything does.
    pub(super) fn play(mut self, steps: &[Step]) -> Result<(), String> {
        let played = self.play_all(steps);
        self.stops.open();
        let ended = self.end();
        played.and(ended)
    }

    fn play_all(&mut self, steps: &[Step]) -> Result<(), String> {
        for (at, Step { act, then }) in steps.iter().enumerate() {
            let played = self.act(*act).and_then(|()| self.settle());
            let played = played.and_then(|()| self.compare(then));
            played.map_err(|why| format!("step {}, {act:?}: {why}", at + 1))?;
        }
        Ok(())
    }

    /// Calls that have not ended by now end as the model has said.
    fn end(&mut self) -> Result<(), String> {
        let mut outcome = Ok(());
        for caller in 0..self.callers.len() {
            let ended = self.returns(caller);
            outcome = outcome.and(ended);
        }
        for thread in self.threads.drain(..) {
            thread.join().map_err(|_| "a thread panics".to_owned())?;
        }
        self.driver.begin_to_stop();
        self.driver
            .stop(std::time::Instant::now() + Duration::from_secs(1));
        outcome
    }

    fn act(&mut self, act: Act) -> Result<(), String> {
        match act {
            Act::Tick => {
                let _ = self.now.fetch_add(1, Ordering::SeqCst);
            }
            Act::Timer => self.feed(Input::Timer),
            Act::Fails(member) => self.token(member).dies(),
            Act::Comes(member) => self.token(member).comes(),
            Act::Noticed(member) => {
                self.token(member).processes_end();
                let driver = Arc::clone(&self.driver);
                let incarnation = driver.members()[member.index()].incarnation();
                self.aside(move || {
                    driver.report_loss(member, incarnation, Evidence::HostEnded, None);
                });
            }
            Act::TaskEnds(member) => return self.task_ends(member),
            Act::TaskRefused(member) => {
                return Err(format!(
                    "the other token of {member:?} is none for the adapter"
                ));
            }
            Act::Obey(order) => self.obey(order),
            Act::StatusRead => drop(self.driver.status(Read::Status)),
            Act::LogOut => {
                let application = Arc::clone(&self.application);
                self.aside(move || application.log_out());
            }
            Act::Start(caller, kind) => return self.start(caller, kind),
            Act::Choose(caller, member) => return self.choose(caller, member),
            Act::Issue(caller) => {
                return self.go_on(caller, |next| matches!(next, Next::Send { .. }));
            }
            Act::Resolve(caller, fate) => return self.resolve(caller, fate),
            Act::Reopen(caller) => {
                return self.go_on(caller, |next| matches!(next, Next::Reopen { .. }));
            }
            Act::Probe(caller) => {
                return self.go_on(caller, |next| matches!(next, Next::Probe { .. }));
            }
            Act::Return(caller) => return self.take_answer(caller),
        }
        Ok(())
    }

    /// Waits until nobody goes on by himself. What was to be done for an incarnation that is over is no task of the model's any more; the
    /// adapter finds that out when it comes to it.
    fn settle(&self) -> Result<(), String> {
        let is_void = |place| match place {
            Place::At(Point::Action(
                Action::LogIn {
                    member,
                    incarnation,
                    ..
                }
                | Action::LogOut {
                    member,
                    incarnation,
                    ..
                },
            )) => {
                let known = self.driver.lock().member(member);
                known.is_none_or(|known| !known.state.serves() || known.incarnation != incarnation)
            }
            _ => false,
        };
        self.stops.settle()?;
        while self.stops.release_any(is_void) {
            self.stops.settle()?;
        }
        Ok(())
    }

    fn feed(&mut self, input: Input) {
        let driver = Arc::clone(&self.driver);
        self.aside(move || driver.drive(input));
    }

    /// Does something on a thread of the adapter's.
    fn aside(&mut self, work: impl FnOnce() + Send + 'static) {
        self.threads.push(self.stops.spawn(Who::Adapter, work));
    }

    fn token(&self, member: MemberId) -> &ScriptedToken {
        &self.tokens[member.index()]
    }

    fn task_ends(&mut self, member: MemberId) -> Result<(), String> {
        loop {
            if self.token(member).is_away() {
                self.token(member).processes_end();
            }
            self.stops
                .release("what the adapter does for the member", None, |_, place| {
                    matches!(place, Place::At(Point::Action(action)) if action.member() == member)
                })?;
            self.stops.settle()?;
            let is_step = |_, place| matches!(place, Place::At(Point::Action(Action::Perform { member: of, .. })) if of == member);
            if self.setting.pace == Pace::StepByStep || !self.stops.has(is_step) {
                return Ok(());
            }
        }
    }

    fn obey(&mut self, order: Order) {
        let input = match order {
            Order::Add(member) => Input::Add {
                member,
                role: self.setting.roles[member.index()],
            },
            Order::Remove(member) => Input::Remove { member },
            Order::Park(member) => Input::Park { member },
            Order::Unpark(member) => Input::Unpark { member },
            Order::Recover(member) => Input::Recover { member },
            Order::SetRole(member, role) => Input::SetRole { member, role },
            Order::SetPolicy => {
                let policy = |(interval, attempts)| Policy {
                    interval: Duration::from_millis(interval),
                    attempts,
                };
                let other = policy(self.setting.other_policy);
                let is_other = self.driver.lock().policy() == other;
                Input::SetPolicy(if is_other {
                    policy(self.setting.policy)
                } else {
                    other
                })
            }
        };
        self.feed(input);
    }

    fn start(&mut self, caller: usize, kind: Kind) -> Result<(), String> {
        if self.callers[caller].is_some() {
            return Err("the call before is not over".to_owned());
        }
        let application = Arc::clone(&self.application);
        let answer = Arc::default();
        let answered = Arc::clone(&answer);
        let thread = self.stops.spawn(Who::Caller(caller), move || {
            let _ = OnceLock::set(&answered, application.call(caller, kind));
        });
        self.callers[caller] = Some(Calling {
            thread,
            answer,
            codes: Vec::new(),
            expected: None,
        });
        Ok(())
    }

    /// The balance prefers whoever has the least to do; who is to be chosen has.
    fn choose(&mut self, caller: usize, member: Option<MemberId>) -> Result<(), String> {
        let others = || {
            let members = self.driver.members().iter();
            members.filter(|other| Some(other.id) != member)
        };
        let weigh = 1_000_000;
        for other in others() {
            let _ = other.counters.in_flight.fetch_add(weigh, Ordering::SeqCst);
        }
        let chosen = self.go_on(caller, |next| matches!(next, Next::Choose { .. }));
        let settled = chosen.and_then(|()| self.stops.settle());
        for other in others() {
            let _ = other.counters.in_flight.fetch_sub(weigh, Ordering::SeqCst);
        }
        settled?;
        let is_there = |who, place| match place {
            Place::At(Point::Call(Next::Send { member: at, .. })) => {
                who == Who::Caller(caller) && Some(at) == member
            }
            _ => false,
        };
        if member.is_none() || self.stops.has(is_there) {
            Ok(())
        } else {
            Err("another member is chosen".to_owned())
        }
    }

    fn go_on(&self, caller: usize, wanted: impl Fn(Next) -> bool) -> Result<(), String> {
        let at = |who, place| match place {
            Place::At(Point::Call(next)) => who == Who::Caller(caller) && wanted(next),
            _ => false,
        };
        self.stops
            .release("that point of the call", None, at)
            .map(drop)
    }

    fn resolve(&mut self, caller: usize, fate: Fate) -> Result<(), String> {
        if let (Fate::Reply { code, .. }, Some(calling)) = (fate, &mut self.callers[caller]) {
            calling.codes.push(code);
        }
        let at = |who, place| who == Who::Caller(caller) && matches!(place, Place::Request(_));
        self.stops.release("a member", Some(fate), at).map(drop)
    }

    /// The application goes on as soon as it can: a login ends when all members have followed it.
    fn take_answer(&mut self, caller: usize) -> Result<(), String> {
        let calling = self.callers[caller].as_ref();
        if calling.is_some_and(|calling| calling.answer.get().is_some()) {
            self.returns(caller)
        } else {
            Ok(())
        }
    }

    fn returns(&mut self, caller: usize) -> Result<(), String> {
        let Some(Calling {
            thread,
            answer,
            codes,
            expected,
        }) = self.callers[caller].take()
        else {
            return Ok(());
        };
        thread.join().map_err(|_| "a call panics".to_owned())?;
        let answer = answer.get().ok_or("a call has no answer")?;
        let told = |code: &Rv| codes.contains(code) || *code == ckr::DEVICE_ERROR;
        let agrees = match (expected.as_deref(), answer) {
            (None, _) | (Some("done"), Ok(())) => true,
            (Some("refused"), Err(code)) => told(code),
            (Some("failed"), Err(code)) => *code == ckr::DEVICE_ERROR,
            (Some(_), _) => false,
        };
        if agrees {
            Ok(())
        } else {
            Err(format!("the application gets {answer:?}, not {expected:?}"))
        }
    }

    fn compare(&mut self, then: &str) -> Result<(), String> {
        let mut parts = then.split("; ");
        let group: Vec<_> = parts.by_ref().take(2).collect();
        let (expected, found) = (group.join("; "), outline(&self.driver));
        if expected != found {
            return Err(format!("{found:?}, not {expected:?}"));
        }
        let answers: Vec<_> = parts.filter_map(|part| part.split_once(' ')).collect();
        for (caller, calling) in self.callers.iter_mut().enumerate() {
            let Some(calling) = calling else {
                continue;
            };
            let mut answers = answers.iter();
            let expected = answers.find(|(who, _)| *who == caller.to_string());
            match expected {
                Some((_, answer)) => calling.expected = Some((*answer).to_owned()),
                None if calling.expected.is_none() && calling.answer.get().is_some() => {
                    return Err(format!("caller {caller} has its answer already"));
                }
                None => {}
            }
        }
        Ok(())
    }
}
