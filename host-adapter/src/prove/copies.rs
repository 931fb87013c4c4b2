//! What `copies` guarantees of a group's objects once it has a domain key, and what it does not.

use everslot_core::Copies;

use super::search::Search;
use super::world::World;
use super::{Gap, told};
use crate::config::{GroupConfig, MemberConfig};

/// A run of losses that nobody returns from on the way is the shortest to each of these; `search` has to be of a group that tries its members at once.
pub(super) fn gaps(config: &GroupConfig, searched: &[&MemberConfig], search: &Search) -> Vec<Gap> {
    let members = config.members.len();
    let mut gaps = Vec::new();
    let mut gap = |what: String, is_unsafe: bool, wanted: &dyn Fn(&World) -> bool| {
        let run = search.run_to(wanted).unwrap_or_default();
        let run = told(config, searched, &run);
        gaps.push(Gap {
            what,
            run,
            is_unsafe,
        });
    };
    match config.copies {
        Copies::All if members > 1 => gap(
            "an object that is made while one member serves is on that one alone until another is back; `copies = 2` has the call fail instead".to_owned(),
            false,
            &|world| world.serving() == 1,
        ),
        // That it is on one alone is said of the group.
        Copies::All => {}
        Copies::Number(copies) => {
            let copies = usize::from(copies.max(1));
            if copies < members {
                let all = match copies {
                    1 => "the member that has it is lost it is not there, and with its token it is gone for good".to_owned(),
                    _ => format!("{copies} members that have it are lost it is not there"),
                };
                gap(
                    format!("an object lives on {copies} of {members} members: while {all}, although others serve"),
                    copies == 1,
                    &|world| world.is_up() && world.lost() == copies,
                );
            }
            if copies > 1 {
                gap(
                    format!("no object is made while fewer than {copies} members serve, although others do"),
                    false,
                    &|world| world.is_up() && world.serving() < copies && world.lost() == members + 1 - copies,
                );
            }
        }
    }
    gaps
}
