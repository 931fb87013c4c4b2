//! Every point of a scenario, several at once.

use std::ops::AddAssign;
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use super::judge::{Violation, Wrong};
use super::look::{self, Seen};
use super::point::{run, run_change, standing};
use super::{Answer, Fault, Loss, MEMBERS, Outcome, Point, Scenario, World};
use crate::{Artifact, checked};

/// The member that is away over the changes that a reconcile brings it.
const AWAY: usize = 1;
/// Runs without a fault, by which the requests are counted: the member that makes an object is another one now and then.
const RUNS: usize = 2;

/// A scenario, with all that its points start from.
#[derive(Debug)]
pub struct Campaign {
    scenario: Scenario,
    world: World,
    before: Vec<Seen>,
    after: Vec<Seen>,
    /// The requests of each member, at most.
    counts: [u64; MEMBERS],
}

/// How many points ended how.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Tally {
    /// Points tried.
    pub tried: usize,
    /// Points at which nothing was lost, as the member was not sent so many requests.
    pub not_reached: usize,
    /// Points at which the application was refused its change.
    pub refused: usize,
    /// Points at which something is wrong, in the order of [`Wrong::ALL`]; one may be wrong in several ways.
    pub wrong: [usize; Wrong::ALL.len()],
}

impl Tally {
    /// Whether nothing is wrong.
    #[must_use]
    pub fn is_right(&self) -> bool {
        self.wrong.iter().all(|count| *count == 0)
    }

    fn count(&mut self, outcome: &Outcome) {
        self.tried += 1;
        self.not_reached += usize::from(!outcome.happened);
        self.refused += usize::from(matches!(outcome.answer, Answer::Refused(_)));
        for (count, wrong) in self.wrong.iter_mut().zip(Wrong::ALL) {
            let is_so = |violation: &Violation| violation.wrong == wrong;
            *count += usize::from(outcome.violations.iter().any(is_so));
        }
    }
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.tried += other.tried;
        self.not_reached += other.not_reached;
        self.refused += other.refused;
        for (count, more) in self.wrong.iter_mut().zip(other.wrong) {
            *count += more;
        }
    }
}

impl Campaign {
    /// A world with the objects that every scenario begins with.
    ///
    /// # Panics
    /// They cannot be made.
    #[must_use]
    pub fn furnished() -> World {
        let world = World::new();
        let mut command = Command::new(Artifact::Faults.path());
        checked(command.arg("furnish").envs(world.environment()));
        world
    }

    /// Makes the scenario without a fault, in copies of a furnished world, to see what is to come of it and how many requests it takes.
    ///
    /// # Errors
    /// It does not come out right even so.
    pub fn new(scenario: Scenario, furnished: &World) -> Result<Self, String> {
        let world = start(scenario, furnished)?;
        let mut before = same_everywhere(furnished)?;
        let (mut after, mut counts) = (Vec::new(), [0; MEMBERS]);
        for _ in 0..RUNS {
            let copy = world.copy();
            let ended = run_change(&copy, scenario, MEMBERS);
            let answer = super::application::answer(&copy.ledger());
            if !ended.is_well() || answer != Answer::Done {
                return Err(format!(
                    "{scenario:?} without a fault: {answer:?}, {ended:?}"
                ));
            }
            after = same_everywhere(&copy)?;
            for (most, count) in counts.iter_mut().zip(copy.control().counts()) {
                *most = count.max(*most);
            }
            if let Some(violation) = standing(&copy.journal()) {
                return Err(format!("{scenario:?} without a fault: {violation}"));
            }
        }
        if scenario == Scenario::Reconcile {
            // What the application was told, while a member was away, is what a reconcile has to bring about.
            after = look::at(&Artifact::Faults.path(), &world).swap_remove(0);
            before.clone_from(&after);
        }
        Ok(Self {
            scenario,
            world,
            before,
            after,
            counts,
        })
    }

    /// All its faults: each loss before and after each request of each member.
    #[must_use]
    pub fn faults(&self) -> Vec<Fault> {
        let mut faults = Vec::new();
        for (member, &count) in self.counts.iter().enumerate() {
            for request in 1..=count {
                for after in [false, true] {
                    faults.extend(Loss::ALL.map(|loss| Fault {
                        member,
                        request,
                        after,
                        loss,
                    }));
                }
            }
        }
        faults
    }

    /// The requests of each member, without a fault.
    #[must_use]
    pub const fn counts(&self) -> [u64; MEMBERS] {
        self.counts
    }

    /// Tries the faults out, so many at once; `tell` hears of each that ends.
    #[must_use]
    pub fn run(
        &self,
        faults: &[Fault],
        jobs: usize,
        keep: bool,
        tell: &(dyn Fn(&Fault, &Outcome) + Sync),
    ) -> Tally {
        let (next, tally) = (AtomicUsize::new(0), Mutex::new(Tally::default()));
        let point = Point {
            scenario: self.scenario,
            world: &self.world,
            before: &self.before,
            after: &self.after,
        };
        let work = || {
            while let Some(fault) = faults.get(next.fetch_add(1, SeqCst)) {
                let outcome = point.try_out(*fault, keep);
                tell(fault, &outcome);
                tally.lock().expect("nobody panicked").count(&outcome);
            }
        };
        std::thread::scope(|scope| {
            for _ in 0..jobs {
                scope.spawn(work);
            }
        });
        tally.into_inner().expect("nobody panicked")
    }
}

/// The world that a scenario begins in.
fn start(scenario: Scenario, furnished: &World) -> Result<World, String> {
    let world = furnished.copy();
    if scenario == Scenario::Reconcile {
        let store = world.store(AWAY);
        store.take_away();
        let ended = run(&mut super::point::change(&world, scenario, MEMBERS - 1));
        store.bring_back();
        let answer = super::application::answer(&world.ledger());
        if !ended.is_well() || answer != Answer::Done {
            return Err(format!(
                "changes while a member is away: {answer:?}, {ended:?}"
            ));
        }
    }
    Ok(world)
}

fn same_everywhere(world: &World) -> Result<Vec<Seen>, String> {
    let mut members = look::at(&Artifact::Faults.path(), world);
    if members.iter().any(|objects| *objects != members[0]) {
        return Err(format!("the members differ without a fault: {members:#?}"));
    }
    Ok(members.swap_remove(0))
}
