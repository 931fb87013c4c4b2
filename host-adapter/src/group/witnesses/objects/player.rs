//! Puts the real adapter through a run of the model's world of objects.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use cryptoki_sys as ck;
use everslot_core::{Evidence, Input, MemberId};

use super::super::token::ScriptedToken;
use super::application::Application;
use super::script::{Act, Setting, Start, Step, Thread, Wish};
use super::stage::{Asked, Part, Stage};
use super::store::{Doom, Store};
use super::{outline, world};
use crate::group::GroupDriver;
use crate::journal::Journal;

/// A process: the group as it has it, and its application.
struct Process {
    driver: Arc<GroupDriver>,
    application: Arc<Application>,
    tokens: Vec<Arc<ScriptedToken>>,
    /// How many of its wishes it has begun.
    begun: usize,
}

/// The bases of which the application was told that they are made, or destroyed.
#[derive(Clone, Default)]
struct Told {
    made: Vec<u8>,
    destroyed: Vec<u8>,
}

pub(super) struct Player {
    setting: Setting,
    stage: Arc<Stage>,
    stores: Vec<Arc<Store>>,
    processes: Vec<Process>,
    journal: Journal,
    told: Arc<Mutex<Told>>,
    threads: Vec<JoinHandle<()>>,
}

impl Player {
    /// The adapter as the world begins.
    pub(super) fn new(setting: &Setting, directory: &Path) -> Self {
        let stores: Vec<_> = (0..setting.members).map(|_| Arc::default()).collect();
        world::establish(directory, &stores);
        let processes = setting.wishes.iter().map(|_| {
            let tokens = world::tokens(&stores);
            let driver = world::driver(setting, directory, &tokens);
            Process {
                application: Arc::new(Application::new(&driver)),
                driver,
                tokens,
                begun: 0,
            }
        });
        let processes = processes.collect();
        let place = world::journal(directory);
        let journal = Journal::open_existing(place.to_str().expect("text"), world::SERIAL);
        let mut player = Self {
            setting: setting.clone(),
            stage: Arc::default(),
            stores,
            processes,
            journal: journal.expect("a journal"),
            told: Arc::default(),
            threads: Vec::new(),
        };
        player.begin();
        player
    }

    /// Plays the steps; what is the first thing that differs, if anything does.
    pub(super) fn play(mut self, steps: &[Step]) -> Result<(), String> {
        let played = self.play_all(steps);
        self.stage.open();
        for thread in self.threads.drain(..) {
            // What panics is told of where it is waited for.
            let _ = thread.join();
        }
        for process in &self.processes {
            process.driver.begin_to_stop();
            process.driver.stop(Instant::now() + Duration::from_secs(1));
        }
        played
    }

    fn play_all(&mut self, steps: &[Step]) -> Result<(), String> {
        let begins = self.setting.stands.clone();
        self.compare(&begins)?;
        for (at, step) in steps.iter().enumerate() {
            let played = self.act(step);
            let played = played.and_then(|()| self.compare(&step.then));
            played.map_err(|why| format!("step {}, {:?}: {why}", at + 1, step.act))?;
        }
        Ok(())
    }

    fn begin(&mut self) {
        let wish = |wish, revision| {
            let done = self.processes[0].application.wish(wish, revision);
            done.expect("all serve");
        };
        match self.setting.start {
            Start::Equal(bases) => {
                (0..bases).for_each(|base| wish(Wish::Create(base), 0));
                self.told().made = (0..bases).collect();
            }
            Start::Behind => {
                (1..4).for_each(|base| wish(Wish::Create(base), 0));
                let last = self.stores.len() - 1;
                self.dies(MemberId(last as u8))
                    .expect("nothing is under way");
                wish(Wish::Create(0), 0);
                wish(Wish::Destroy(1), 0);
                wish(Wish::Update(2), 1);
                let label = world::object(3, 0);
                self.stores[last].each(ck::CKO_DATA, |object| {
                    if object.get(ck::CKA_LABEL) == label.get(ck::CKA_LABEL) {
                        object.set(ck::CKA_APPLICATION, &world::application(2));
                    }
                });
                self.stores[last].put(world::object(4, 0));
                self.tokens(MemberId(last as u8))
                    .for_each(|token| token.comes());
                let mut told = self.told();
                told.made = (0..5).collect();
                told.destroyed = vec![1];
            }
        }
    }

    fn act(&mut self, step: &Step) -> Result<(), String> {
        match step.act {
            Act::Skip(_) => {}
            Act::Wish(process) => return self.wish(process),
            Act::Reconcile(process, member) => return self.reconcile(process, member),
            Act::Step(process, thread) => return self.go_on((process, thread), step),
            Act::Lost {
                process,
                thread,
                done,
            } => return self.go_on_and_die((process, thread), done, step),
            Act::Dies(member) => return self.dies(member),
            Act::Fails(member) => self.stores[member.index()].set_doom(Some(Doom::Before)),
            Act::Returns(member) => self.tokens(member).for_each(|token| token.comes()),
            Act::ReturnsEmpty(member) => {
                self.stores[member.index()].wipe(ck::CKO_DATA);
                self.tokens(member).for_each(|token| token.comes());
            }
        }
        Ok(())
    }

    fn wish(&mut self, number: u8) -> Result<(), String> {
        let process = &mut self.processes[usize::from(number)];
        let wish = self.setting.wishes[usize::from(number)][process.begun];
        process.begun += 1;
        let revision = u64::from(number) * 16 + process.begun as u64;
        let application = Arc::clone(&process.application);
        let told = Arc::clone(&self.told);
        let part = (number, Thread::Change);
        let thread = self.stage.spawn(part, move || {
            let done = application.wish(wish, revision);
            let mut told = told.lock().unwrap_or_else(PoisonError::into_inner);
            match (done, wish) {
                (Ok(()), Wish::Create(base)) => told.made.push(base),
                (Ok(()), Wish::Destroy(base)) => told.destroyed.push(base),
                (Ok(()), Wish::Update(_)) | (Err(_), _) => {}
            }
        });
        self.threads.push(thread?);
        Ok(())
    }

    /// A member that serves and lacks something is waiting to be reconciled already; another one is tried.
    fn reconcile(&mut self, number: u8, member: MemberId) -> Result<(), String> {
        let part = (number, Thread::Recovery);
        if self.stage.at(part).is_none() {
            let driver = Arc::clone(&self.processes[usize::from(number)].driver);
            let recover = move || driver.drive(Input::Recover { member });
            let thread = self.stage.spawn(part, recover)?;
            self.threads.push(thread);
        }
        match self.stage.at(part) {
            Some(Asked::Begin(begun)) if begun == member => {
                self.stage.release(part)?;
                self.stage.take_deed(part);
                Ok(())
            }
            other => Err(format!("no reconcile of it begins, but {other:?}")),
        }
    }

    fn go_on(&mut self, part: Part, step: &Step) -> Result<(), String> {
        // Before it does anything it hears of those who are lost, one at a time.
        let does = loop {
            if self.stage.at(part).is_none() {
                return Err(format!("{part:?} waits for nothing"));
            }
            self.stage.release(part)?;
            if let Some(deed) = self.stage.take_deed(part) {
                break outline::does(deed);
            }
        };
        if Some(&does) == step.does.as_ref() {
            Ok(())
        } else {
            Err(format!("it does {does}, not {:?}", step.does))
        }
    }

    fn go_on_and_die(&mut self, part: Part, done: bool, step: &Step) -> Result<(), String> {
        let asked = self.stage.at(part);
        let member = asked.and_then(|asked| self.asked_of(part, asked));
        let member = member.ok_or_else(|| format!("{asked:?} asks no member"))?;
        let changes = step.then.split("; ").next() != Some(&outline::tokens(&self.stores));
        let store = Arc::clone(&self.stores[member.index()]);
        store.set_doom(Some(if done && changes {
            Doom::After
        } else {
            Doom::Before
        }));
        let went_on = self.go_on(part, step);
        if store.is_doomed() {
            store.set_doom(None);
            return Err(format!("{member:?} is not asked"));
        }
        went_on.and(self.dies(member))
    }

    /// The member that is asked next.
    fn asked_of(&self, part: Part, asked: Asked) -> Option<MemberId> {
        use everslot_core::{ChangeNext, ReconcileNext};
        match asked {
            Asked::Begin(member) => Some(member),
            Asked::Change(
                ChangeNext::Make { member, .. }
                | ChangeNext::Find { member, .. }
                | ChangeNext::Update { member }
                | ChangeNext::Restore { member, .. }
                | ChangeNext::Destroy { member }
                | ChangeNext::Clean { member, .. }
                | ChangeNext::Copy { to: member, .. },
            ) => Some(member),
            Asked::Reconcile(ReconcileNext::Do { .. }) => self.reconciled(part.0),
            Asked::Change(_) | Asked::Reconcile(_) => None,
        }
    }

    /// The member that a process reconciles: the one that does not serve.
    fn reconciled(&self, process: u8) -> Option<MemberId> {
        let serving = self.processes[usize::from(process)].driver.serving();
        let all = (0..self.stores.len() as u8).map(MemberId);
        let away = |member: &MemberId| !serving.contains(*member);
        all.filter(away)
            .find(|member| self.tokens(*member).all(|token| !token.is_away()))
    }

    /// The token dies, and every process that has it notices.
    fn dies(&self, member: MemberId) -> Result<(), String> {
        for process in &self.processes {
            let token = &process.tokens[member.index()];
            token.dies();
            token.processes_end();
            let driver = &process.driver;
            let incarnation = driver.members()[member.index()].incarnation();
            driver.report_loss(member, incarnation, Evidence::HostEnded, None);
        }
        (0..self.processes.len() as u8).try_for_each(|number| self.gives_up(number, member))
    }

    /// What was waiting to be reconciled while it served is nothing of the model's yet: it finds its session gone.
    fn gives_up(&self, number: u8, member: MemberId) -> Result<(), String> {
        let part = (number, Thread::Recovery);
        if !matches!(self.stage.at(part), Some(Asked::Begin(begun)) if begun == member) {
            return Ok(());
        }
        loop {
            self.stage.release(part)?;
            self.stage.take_deed(part);
            if matches!(self.stage.at(part), Some(Asked::Begin(_)) | None) {
                return Ok(());
            }
        }
    }

    fn tokens(&self, member: MemberId) -> impl Iterator<Item = &Arc<ScriptedToken>> {
        let processes = self.processes.iter();
        processes.map(move |process| &process.tokens[member.index()])
    }

    fn told(&self) -> std::sync::MutexGuard<'_, Told> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn compare(&mut self, then: &str) -> Result<(), String> {
        let found = self.outline(then.contains("journal …"))?;
        if found == then {
            Ok(())
        } else {
            Err(format!("\n  {found:?}, not\n  {then:?}"))
        }
    }

    fn outline(&mut self, has_notes: bool) -> Result<String, String> {
        let recorded = if has_notes {
            " …".to_owned()
        } else {
            let recorded = outline::recorded(&mut self.journal);
            recorded.map_err(|error| error.to_string())?
        };
        let serve = self.processes.iter();
        let serve: Vec<_> = serve
            .map(|process| outline::serving(&process.driver))
            .collect();
        let Told {
            mut made,
            mut destroyed,
        } = self.told().clone();
        made.sort_unstable();
        destroyed.sort_unstable();
        let word = |bases: Vec<u8>, word| {
            let told = bases.iter().map(|base| format!(" {base} {word}"));
            told.collect::<String>()
        };
        Ok(format!(
            "{}; journal{recorded}; serve {}; told{}{}",
            outline::tokens(&self.stores),
            serve.join("|"),
            word(made, "made"),
            word(destroyed, "destroyed"),
        ))
    }
}
