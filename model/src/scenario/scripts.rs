//! Runs of a world as the real adapter can be put through them.

use std::fmt::Debug;
use std::hash::Hash;

use serde::{Deserialize, Serialize};
use stateright::{Checker, Expectation, Model, Path, Property};

use super::Case;
use super::asked::Alone;

/// A world whose runs the real adapter can be put through.
pub trait Scripted: Model + Clone {
    /// What the adapter has to be told of the world before anything happens in it.
    type Setting: PartialEq;
    /// What happens, and how everybody stands after it.
    type Step: Clone + Debug + PartialEq;

    /// The same world, in which only that happens which the adapter can be put through.
    fn as_shipped(&self) -> Self;

    /// What the adapter has to be told of it, as the world of this scenario.
    fn setting(&self, scenario: &str) -> Self::Setting;

    /// A step of it, and the state after it; none if it cannot happen.
    fn step(&self, before: &Self::State, act: Self::Action) -> Option<(Self::Step, Self::State)>;

    /// What happens in a step.
    fn act(step: &Self::Step) -> Self::Action;
}

/// A line of a file of scripts: JSON. The first line says which world it is; the steps of a run follow what it leads to.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Line<W, S> {
    /// The world.
    World(W),
    /// A situation, or a broken rule, to which the steps after it are the shortest way.
    Witness(String),
    /// The same, in the farthest state that has it.
    Farthest(String),
    /// A situation that no run leads to which the adapter can be put through.
    Beyond(String),
    /// A step.
    Step(S),
}

/// The lines about a world.
pub type Lines<M> = Vec<Line<<M as Scripted>::Setting, <M as Scripted>::Step>>;

/// Runs to all that a world can show, of those that the adapter can be put through: the shortest, and with `farthest` one to a state as far away
/// as any that shows it. A rule of the world that is broken is shown like a situation.
#[must_use]
pub fn scripts<M>(case: &Case<M>, farthest: bool) -> Lines<M>
where
    M: Scripted + Send + Sync + 'static,
    M::State: Clone + Debug + Eq + Hash + Send + Sync + 'static,
    M::Action: Clone + Debug + PartialEq,
{
    let model = case.model.as_shipped();
    let mut lines = vec![Line::World(model.setting(case.name))];
    // With several properties the search goes on to its end, and what it finds later takes the place of what it has found.
    let mut last = model.clone().checker().spawn_bfs().join().discoveries();
    for property in model.properties() {
        let name = property.name;
        let Some(last) = last.remove(name) else {
            if property.expectation == Expectation::Sometimes {
                lines.push(Line::Beyond(name.to_owned()));
            }
            continue;
        };
        lines.push(Line::Witness(name.to_owned()));
        lines.extend(steps(&model, shortest(&model, property)));
        if farthest {
            lines.push(Line::Farthest(name.to_owned()));
            lines.extend(steps(&model, last.into_actions()));
        }
    }
    lines
}

fn shortest<M>(model: &M, property: Property<M>) -> Vec<M::Action>
where
    M: Model + Clone + Send + Sync + 'static,
    M::State: Clone + Debug + Eq + Hash + Send + Sync + 'static,
    M::Action: Clone + Debug + PartialEq,
{
    let name = property.name;
    let alone = Alone::new(model, property).checker().spawn_bfs().join();
    let run = alone.discovery(name).map(Path::into_actions);
    run.expect("what was found once is found again")
}

fn steps<M: Scripted>(model: &M, acts: Vec<M::Action>) -> Lines<M> {
    let mut state = begin(model);
    let mut lines = Vec::new();
    for act in acts {
        let (step, after) = model.step(&state, act).expect("a step of a run");
        lines.push(Line::Step(step));
        state = after;
    }
    lines
}

fn begin<M: Model>(model: &M) -> M::State {
    let mut states = model.init_states().into_iter();
    states.next().expect("a world begins in one way")
}

/// What is wrong with scripts of a world: they are not its runs, or do not show what they are to, or some are missing.
///
/// # Errors
/// The first thing that is wrong, for people.
pub fn prove<M>(case: &Case<M>, lines: &[Line<M::Setting, M::Step>]) -> Result<(), String>
where
    M: Scripted,
    M::State: Clone,
    M::Action: Debug + PartialEq,
    M::Setting: Debug,
{
    let (first, rest) = lines.split_first().ok_or("there is nothing in it")?;
    if *first != Line::World(case.model.setting(case.name)) {
        return Err("it is about another world".to_owned());
    }
    let properties = case.model.properties();
    let mut expected: Vec<_> = properties
        .iter()
        .filter(|property| property.expectation == Expectation::Sometimes)
        .collect();
    let mut shown = Vec::new();
    for script in rest.chunk_by(|_, next| matches!(next, Line::Step { .. })) {
        let (title, steps) = script
            .split_first()
            .ok_or("there is nothing where a witness should be")?;
        let property = match title {
            Line::Witness(name) | Line::Beyond(name) => {
                let at = expected.iter().position(|property| property.name == name);
                let at = at.ok_or_else(|| format!("nothing is called {name:?}"))?;
                let property = expected.remove(at);
                shown.push(property);
                property
            }
            Line::Farthest(name) => *shown
                .iter()
                .find(|property| property.name == name)
                .ok_or_else(|| format!("no witness is called {name:?}"))?,
            Line::World(_) | Line::Step(_) => return Err("steps without a witness".to_owned()),
        };
        let end = follow(&case.model, steps)?;
        let is_beyond = matches!(script, [Line::Beyond(_)]);
        if !is_beyond && !(property.condition)(&case.model, &end) {
            return Err(format!("its last state is not {:?}", property.name));
        }
    }
    match expected.first() {
        Some(property) => Err(format!("{:?} is missing", property.name)),
        None => Ok(()),
    }
}

/// The state that the steps lead to, if they are a run of the world.
fn follow<M>(model: &M, steps: &[Line<M::Setting, M::Step>]) -> Result<M::State, String>
where
    M: Scripted,
    M::State: Clone,
    M::Action: Debug + PartialEq,
    M::Setting: Debug,
{
    let mut state = begin(model);
    for line in steps {
        let Line::Step(step) = line else {
            return Err(format!("{line:?} is no step"));
        };
        let mut enabled = Vec::new();
        model.actions(&state, &mut enabled);
        let act = M::act(step);
        if !enabled.contains(&act) {
            return Err(format!("{act:?} cannot happen"));
        }
        let found = model.step(&state, act);
        let (found, after) = found.ok_or("it does not happen")?;
        if found != *step {
            return Err(format!("{step:?} is {found:?}"));
        }
        state = after;
    }
    Ok(state)
}

/// What is asked of the scripts that are checked in, whatever they are about.
#[cfg(test)]
pub(crate) mod checked_in {
    use serde::de::DeserializeOwned;

    use super::*;

    /// The scripts of a scenario that the adapter's tests play; `path` is that under the directory of all witnesses.
    fn read<M>(path: &str) -> Lines<M>
    where
        M: Scripted,
        M::Setting: DeserializeOwned,
        M::Step: DeserializeOwned,
    {
        let path = format!(
            "{}/../tests/witnesses/{path}.jsonl",
            env!("CARGO_MANIFEST_DIR")
        );
        let text = std::fs::read_to_string(&path).unwrap_or_else(|error| {
            panic!("{path}: {error}; `everslot-model scripts` makes it anew")
        });
        let line = |line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}"));
        text.lines().map(line).collect()
    }

    /// They are runs of their worlds, to all witnesses.
    pub(crate) fn are_runs_to_all_witnesses<M>(directory: &str, cases: &[Case<M>])
    where
        M: Scripted,
        M::State: Clone,
        M::Action: Debug + PartialEq,
        M::Setting: Debug + DeserializeOwned,
        M::Step: DeserializeOwned,
    {
        for case in cases {
            let lines = read::<M>(&format!("{directory}{}", case.name));
            if let Err(wrong) = prove(case, &lines) {
                panic!("{}: {wrong}", case.name);
            }
        }
    }

    /// One in which any line is altered is found out.
    pub(crate) fn are_found_out_when_altered<M>(
        directory: &str,
        case: &Case<M>,
        alter_world: impl Fn(&mut M::Setting),
        alter_step: impl Fn(&mut M::Step),
    ) where
        M: Scripted,
        M::State: Clone,
        M::Action: Debug + PartialEq,
        M::Setting: Clone + Debug + DeserializeOwned,
        M::Step: DeserializeOwned,
    {
        let whole = read::<M>(&format!("{directory}{}", case.name));
        for at in 0..whole.len() {
            let mut lines = whole.clone();
            match &mut lines[at] {
                Line::World(setting) => alter_world(setting),
                Line::Witness(text) | Line::Farthest(text) | Line::Beyond(text) => text.push('!'),
                Line::Step(step) => alter_step(step),
            }
            assert!(prove(case, &lines).is_err(), "{:?}", whole[at]);
        }
    }
}
