//! A run of a model, told step by step for a person.

use std::fmt;

use comfy_table::presets::NOTHING;
use comfy_table::{ContentArrangement, Table};
use stateright::Model;

use crate::graph::FairCycle;
use crate::scenario::Fair;

/// A model whose runs can be told to a person.
pub trait Story: Model {
    /// What the columns beside time and event show: members, callers.
    fn columns(&self) -> Vec<String>;

    /// One cell for each column.
    fn cells(&self, state: &Self::State) -> Vec<String>;

    /// What happened in a step, as a short sentence.
    fn tell(&self, before: &Self::State, action: &Self::Action, after: &Self::State) -> String;

    /// How many seconds of the told time an action takes; a model's own unit of time is arbitrary.
    fn seconds(&self, action: &Self::Action) -> u64;
}

/// A run as lines of text: time, what happened, and how everybody stands then. An unchanged cell is a dot.
#[derive(Clone, Debug)]
pub struct Timeline {
    heads: Vec<String>,
    lines: Vec<Vec<String>>,
}

impl Timeline {
    /// Tells the run that passes through `states`, each the successor of the one before.
    ///
    /// # Panics
    /// When a state is not a successor of the one before.
    #[must_use]
    pub fn of_states<M>(model: &M, states: &[M::State]) -> Self
    where
        M: Story,
        M::State: PartialEq,
        M::Action: Clone,
    {
        let mut teller = Teller::new(model);
        teller.start(&states[0]);
        for pair in states.windows(2) {
            teller.step(&pair[0], &pair[1], |_| true);
        }
        teller.timeline
    }

    /// Tells a run that never ends: the way to the cycle, and the cycle once.
    #[must_use]
    pub fn of_cycle<M>(model: &M, run: &FairCycle<M::State>) -> Self
    where
        M: Story + Fair,
        M::State: PartialEq,
        M::Action: Clone,
    {
        let mut teller = Teller::new(model);
        teller.start(&run.way[0]);
        for pair in run.way.windows(2) {
            teller.step(&pair[0], &pair[1], |_| true);
        }
        if let [_end] = run.cycle.as_slice() {
            teller.remark("and here nothing has to happen any more");
        } else {
            teller.remark("and from here for ever, over and over:");
            for (pair, &serves) in run.cycle.windows(2).zip(&run.serves) {
                teller.step(&pair[0], &pair[1], |action| {
                    model.serves(&pair[0], action) == serves
                });
            }
        }
        teller.timeline
    }

    /// The number of steps told.
    #[must_use]
    pub fn steps(&self) -> usize {
        self.lines.len() - 1
    }
}

impl fmt::Display for Timeline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut table = Table::new();
        table
            .load_style(NOTHING)
            .set_content_arrangement(ContentArrangement::Disabled)
            .set_header(&self.heads);
        for line in &self.lines {
            table.add_row(line);
        }
        writeln!(f, "{}", table.trim_fmt())
    }
}

struct Teller<'a, M: Story> {
    model: &'a M,
    seconds: u64,
    shown: Vec<String>,
    timeline: Timeline,
}

impl<'a, M: Story> Teller<'a, M>
where
    M::State: PartialEq,
    M::Action: Clone,
{
    fn new(model: &'a M) -> Self {
        let heads = ["time", "what happened"].map(String::from);
        Self {
            model,
            seconds: 0,
            shown: Vec::new(),
            timeline: Timeline {
                heads: heads.into_iter().chain(model.columns()).collect(),
                lines: Vec::new(),
            },
        }
    }

    fn start(&mut self, state: &M::State) {
        let cells = self.model.cells(state);
        self.line("(start)".to_owned(), cells);
    }

    /// Tells the first of the actions wanted that leads from one state to the other.
    fn step(&mut self, before: &M::State, after: &M::State, wanted: impl Fn(&M::Action) -> bool) {
        let mut actions = Vec::new();
        self.model.actions(before, &mut actions);
        let action = actions
            .into_iter()
            .filter(wanted)
            .find(
                |action| match self.model.next_state(before, action.clone()) {
                    Some(next) => next == *after,
                    None => before == after,
                },
            )
            .expect("each state of a run is a successor of the one before");
        self.seconds += self.model.seconds(&action);
        let told = self.model.tell(before, &action, after);
        let cells = self.model.cells(after);
        self.line(told, cells);
    }

    fn remark(&mut self, text: &str) {
        let cells = vec![String::new(); self.timeline.heads.len() - 2];
        self.push(String::new(), format!("… {text}"), cells);
    }

    fn line(&mut self, told: String, cells: Vec<String>) {
        let time = format!("{}:{:02}", self.seconds / 60, self.seconds % 60);
        let told_cells = cells
            .iter()
            .enumerate()
            .map(|(at, cell)| match self.shown.get(at) {
                Some(shown) if shown == cell => "·".to_owned(),
                Some(_) | None => cell.clone(),
            })
            .collect();
        self.shown = cells;
        self.push(time, told, told_cells);
    }

    fn push(&mut self, time: String, told: String, cells: Vec<String>) {
        let line = [time, told].into_iter().chain(cells).collect();
        self.timeline.lines.push(line);
    }
}
