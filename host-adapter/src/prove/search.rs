//! Every state that a world can get into, breadth first, so that the way to each is a shortest one.

use std::collections::HashSet;

use super::world::{Act, World};

/// More states than this are not looked at: the largest group that is looked at has fewer.
const MOST: usize = 50_000;

/// All states of a world, each with the one that it was first met from.
pub(super) struct Search {
    met: Vec<Met>,
    /// Whether there are more.
    pub(super) is_cut_off: bool,
}

struct Met {
    world: World,
    from: Option<(usize, Act)>,
}

/// A step of a run: what happened, and how things stand then.
pub(super) type Step<'a> = (Option<Act>, &'a World);

impl Search {
    pub(super) fn all(start: World) -> Self {
        let mut seen = HashSet::from([start.essence()]);
        let mut met = vec![Met {
            world: start,
            from: None,
        }];
        let mut at = 0;
        while at < met.len() {
            if met.len() > MOST {
                let is_cut_off = true;
                return Self { met, is_cut_off };
            }
            let acts = met[at].world.acts();
            for act in acts {
                let world = met[at].world.after(act);
                if seen.insert(world.essence()) {
                    let from = Some((at, act));
                    met.push(Met { world, from });
                }
            }
            at += 1;
        }
        Self {
            met,
            is_cut_off: false,
        }
    }

    pub(super) fn states(&self) -> usize {
        self.met.len()
    }

    pub(super) fn worlds(&self) -> impl Iterator<Item = &World> {
        self.met.iter().map(|met| &met.world)
    }

    /// A shortest run to a state that is like this.
    pub(super) fn run_to(&self, is_like_this: impl Fn(&World) -> bool) -> Option<Vec<Step<'_>>> {
        let mut at = self.met.iter().position(|met| is_like_this(&met.world))?;
        let mut run = Vec::new();
        loop {
            let Met { world, from } = &self.met[at];
            run.push((from.map(|(_, act)| act), world));
            match from {
                Some((before, _)) => at = *before,
                None => break,
            }
        }
        run.reverse();
        Some(run)
    }
}
