use std::path::Path;
use std::time::Duration;

use everslot_core::{Attempts, Role};

use super::call::longest_failover;
use super::search::Search;
use super::world::World;
use super::{Proof, Standby, prove};
use crate::config::Config;

/// A group of members with these roles; any file will do for a module, since none is loaded.
fn proof(policy: &str, roles: &[&str]) -> Proof {
    let module = std::env::current_exe().expect("this program is a file");
    let mut text = format!("[[group]]\nlabel = \"g\"\nserial = \"1\"\n{policy}\n");
    for (slot, role) in roles.iter().enumerate() {
        text += &format!(
            "[[group.member]]\nname = \"m{slot}\"\nmodule = {:?}\nslot = {slot}\nrole = {role:?}\n",
            module.display().to_string()
        );
    }
    let config = Config::parse(&text, Path::new("/everslot.toml")).expect("it is right");
    prove(&config.groups[0])
}

fn is_unsafe(proof: &Proof) -> bool {
    proof.gaps.iter().any(|gap| gap.is_unsafe)
}

const ACTIVE: &str = "active";
const STANDBY: &str = "standby";

#[test]
fn attempts_without_end_leave_no_gap() {
    let proof = proof("", &[ACTIVE, ACTIVE, STANDBY]);
    assert!(proof.is_complete);
    assert_eq!(proof.survives, 2);
    assert_eq!(proof.standby, Standby::NeededAfter(2));
    assert_eq!(proof.gaps.len(), 1, "what a fixed number of copies decides");
}

#[test]
fn without_attempts_short_losses_take_the_group_down_for_good() {
    let proof = proof("[group.recovery]\nattempts = 0", &[ACTIVE, ACTIVE]);
    assert!(is_unsafe(&proof));
    let run = &proof.gaps[0].run;
    assert_eq!(run.len(), 5, "two deaths and two returns: {run:?}");
    assert!(run[4].contains("m0: lost for good"), "{run:?}");
    assert!(run[4].contains("m1: lost for good"), "{run:?}");
}

#[test]
fn with_attempts_only_outages_longer_than_they_last_do() {
    let proof = proof("[group.recovery]\nattempts = 5", &[ACTIVE, ACTIVE]);
    assert!(!is_unsafe(&proof));
    let run = &proof.gaps[0].run;
    assert!(
        run.iter()
            .any(|step| step.starts_with("an attempt is made"))
    );
}

#[test]
fn a_single_member_is_unsafe() {
    let proof = proof("", &[ACTIVE]);
    assert!(is_unsafe(&proof));
    assert_eq!(proof.survives, 0);
}

#[test]
fn members_beyond_those_that_are_searched_count() {
    let mut roles = vec![ACTIVE; 9];
    roles.push(STANDBY);
    let proof = proof("", &roles);
    assert_eq!(proof.survives, 9);
    assert!(proof.is_complete);
}

#[test]
fn a_largest_world_ends() {
    let roles = [Role::Active; super::MOST_MEMBERS];
    for attempts in [Attempts::AtMost(super::MOST_ATTEMPTS), Attempts::Unlimited] {
        let search = Search::all(World::new(&roles, attempts, roles.len()));
        assert!(!search.is_cut_off, "{attempts:?}: {}", search.states());
    }
}

#[test]
fn the_longest_failover_is_through_everybody_with_a_longer_deadline() {
    let seconds = |active: bool, seconds| {
        let role = if active { Role::Active } else { Role::Standby };
        (role, Duration::from_secs(seconds))
    };
    let members = [seconds(true, 1), seconds(true, 5), seconds(false, 7)];
    assert_eq!(longest_failover(&members), Duration::from_secs(6));
    assert_eq!(longest_failover(&members[..1]), Duration::ZERO);
}

/// What is said of objects, with how many of how many members are out of service at the end of the run that is shown.
fn of_objects(copies: &str, members: usize) -> Vec<(String, usize, bool)> {
    let proof = proof(copies, &vec![ACTIVE; members]);
    let gaps = proof.gaps.into_iter();
    let gaps = gaps.filter(|gap| gap.what.contains("object"));
    let lost = |gap: &super::Gap| {
        let last = gap.run.last().expect("a run");
        last.matches("(dead)").count()
    };
    gaps.map(|gap| (gap.what.clone(), lost(&gap), gap.is_unsafe))
        .collect()
}

#[test]
fn on_all_that_serve_may_be_on_one() {
    let told = of_objects("", 3);
    let [(what, lost, is_unsafe)] = &told[..] else {
        panic!("{told:?}");
    };
    assert!(what.contains("on that one alone"), "{what}");
    assert_eq!((*lost, *is_unsafe), (2, false));
}

#[test]
fn fewer_copies_than_members_are_out_of_reach_with_these_and_none_is_made_with_fewer() {
    let told = of_objects("copies = 2", 3);
    let [(reach, lost, _), (made, others, _)] = &told[..] else {
        panic!("{told:?}");
    };
    assert!(reach.contains("on 2 of 3 members"), "{reach}");
    assert!(made.contains("fewer than 2 members"), "{made}");
    assert_eq!((*lost, *others), (2, 2));
    let told = of_objects("copies = 3", 3);
    let [(made, lost, is_unsafe)] = &told[..] else {
        panic!("{told:?}");
    };
    assert!(made.contains("fewer than 3 members"), "{made}");
    assert_eq!((*lost, *is_unsafe), (1, false));
}

#[test]
fn a_single_copy_is_unsafe() {
    let told = of_objects("copies = 1", 2);
    let [(what, lost, is_unsafe)] = &told[..] else {
        panic!("{told:?}");
    };
    assert!(what.contains("gone for good"), "{what}");
    assert_eq!((*lost, *is_unsafe), (1, true));
    assert!(of_objects("", 1).is_empty(), "there is one member only");
}
