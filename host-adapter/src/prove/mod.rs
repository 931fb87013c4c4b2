//! What a group's own settings guarantee: asked of the core that ships, in every state that the group can get into.
//!
//! The members, their roles and how often they are tried are the user's; what dies when is anybody's. A loss is found at once and an
//! attempt takes no time, so that the search is about the policy; how long each takes at most is added from the settings. The larger
//! world of `everslot-model` has calls, logins and late reports as well, but three members.

mod call;
mod copies;
mod search;
mod times;
mod world;

#[cfg(test)]
mod tests;

use everslot_core::{Attempts, Role};

use crate::config::{GroupConfig, MemberConfig};
use search::{Search, Step};
use world::{Act, World};

pub(crate) use times::Times;

/// Members that are looked at: with more, the others are like these.
const MOST_MEMBERS: usize = 4;
/// N that is looked at: one attempt more changes when a member is given up, not what becomes of the group.
const MOST_ATTEMPTS: u16 = 2;

/// What is true of a group whatever happens to its tokens, and what is not.
pub(crate) struct Proof {
    /// States that were looked at.
    pub(crate) states: usize,
    /// Whether these are all there are.
    pub(crate) is_complete: bool,
    /// The attempts of an outage that were looked at, where the policy gives more.
    pub(crate) attempts: Option<u16>,
    /// Members that may be out of service at the same time while somebody still serves.
    pub(crate) survives: usize,
    /// Whether a standby member is there, and whether calls ever go to it.
    pub(crate) standby: Standby,
    /// How long things take at most.
    pub(crate) times: Times,
    /// What is not guaranteed.
    pub(crate) gaps: Vec<Gap>,
}

/// Whether standby members are needed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Standby {
    /// There is none.
    None,
    /// Calls go to one once so many members are out of service.
    NeededAfter(usize),
}

/// Something that is not guaranteed.
pub(crate) struct Gap {
    pub(crate) what: String,
    /// How it comes about, a line for each step; empty where no run of the machines is needed to see it.
    pub(crate) run: Vec<String>,
    /// Whether a user has to know it before all else.
    pub(crate) is_unsafe: bool,
}

/// Looks at every state of the group.
pub(crate) fn prove(config: &GroupConfig) -> Proof {
    let searched = searched(config);
    let members = searched.len();
    let roles: Vec<Role> = searched.iter().map(|member| member.role).collect();
    let attempts = match config.recovery.policy.attempts {
        Attempts::AtMost(most) => Attempts::AtMost(most.min(MOST_ATTEMPTS)),
        Attempts::Unlimited => Attempts::Unlimited,
    };
    // A member that is lost for good in each loss is what takes most losses: one each.
    let search = Search::all(World::new(&roles, attempts, members));
    // Without attempts a death that is over counts like one that is not, which is a gap of its own.
    let at_once = Search::all(World::new(&roles, Attempts::Unlimited, members));
    let least_lost = |wanted: &dyn Fn(&World) -> bool| {
        let worlds = at_once.worlds().filter(|world| wanted(world));
        worlds.map(World::lost).min()
    };
    let down = least_lost(&|world| !world.is_up());
    let beyond = config.members.len() - members;
    let standby = match least_lost(&World::is_on_standby) {
        Some(lost) => Standby::NeededAfter(lost),
        None => Standby::None,
    };
    Proof {
        states: search.states() + at_once.states(),
        is_complete: !search.is_cut_off && !at_once.is_cut_off,
        attempts: match config.recovery.policy.attempts {
            Attempts::AtMost(most) if most > MOST_ATTEMPTS => Some(MOST_ATTEMPTS),
            Attempts::AtMost(_) | Attempts::Unlimited => None,
        },
        survives: down.map_or(0, |lost| lost.saturating_sub(1)) + beyond,
        standby,
        times: Times::of(config),
        gaps: gaps(config, &searched, &search, &at_once),
    }
}

/// All members, or as many as are looked at: at least one of a role that there is, of both as evenly as may be.
fn searched(config: &GroupConfig) -> Vec<&MemberConfig> {
    let mut members: Vec<&MemberConfig> = config.members.iter().collect();
    while members.len() > MOST_MEMBERS {
        let active = |member: &&&MemberConfig| member.role == Role::Active;
        let more = if 2 * members.iter().filter(active).count() >= members.len() {
            Role::Active
        } else {
            Role::Standby
        };
        if let Some(at) = members.iter().rposition(|member| member.role == more) {
            members.remove(at);
        }
    }
    members
}

fn gaps(
    config: &GroupConfig,
    searched: &[&MemberConfig],
    search: &Search,
    at_once: &Search,
) -> Vec<Gap> {
    let mut gaps = Vec::new();
    let hand = "until `everslot recover`";
    if let Some(run) = search.run_to(World::is_down_for_good) {
        // No token had to stay away for longer than it takes to see that it is gone.
        let is_unsafe = run.iter().all(|(act, _)| *act != Some(Act::Attempt));
        gaps.push(Gap {
            what: format!("the group can stay down although every token is back, {hand}"),
            run: told(config, searched, &run),
            is_unsafe,
        });
    } else if let Some(run) = search.run_to(World::leaves_somebody_out) {
        gaps.push(Gap {
            what: format!("a member can stay out of service although its token is back, {hand}"),
            run: told(config, searched, &run),
            is_unsafe: false,
        });
    }
    if config.members.len() == 1 {
        gaps.push(Gap {
            what: "no loss is survived: there is one member".to_owned(),
            run: Vec::new(),
            is_unsafe: true,
        });
    }
    gaps.extend(copies::gaps(config, searched, at_once));
    gaps.extend(times::gaps(config));
    gaps
}

/// A run as lines of a table: what happens, then how each member stands.
fn told(config: &GroupConfig, searched: &[&MemberConfig], run: &[Step<'_>]) -> Vec<String> {
    let names: Vec<&str> = searched.iter().map(|member| &*member.name).collect();
    let name = |member: everslot_core::MemberId| names.get(member.index()).copied().unwrap_or("?");
    let line = |(act, world): &Step<'_>| {
        let happens = match act {
            None => "all serve".to_owned(),
            Some(Act::Dies(member)) => format!("{}'s token dies", name(*member)),
            Some(Act::Returns(member)) => {
                format!("{}'s token can be reached again", name(*member))
            }
            Some(Act::Attempt) => "an attempt is made".to_owned(),
            Some(Act::Passes) => {
                let interval = config.recovery.policy.interval;
                format!("{} go by", humantime::format_duration(interval))
            }
        };
        let members = (0..).map(everslot_core::MemberId).zip(&names);
        let stand: Vec<String> = members
            .map(|(id, name)| format!("{name}: {}", world.told(id)))
            .collect();
        format!("{happens:<36} {}", stand.join(", "))
    };
    run.iter().map(line).collect()
}
