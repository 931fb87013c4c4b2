use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::string::{String, ToString as _};
use std::{format, fs};

use super::table::inputs;
use super::*;
use crate::LoginSync;

const DOCUMENT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../ARCHITECTURE.md");
const FENCE: &str = "```mermaid\n";

/// Longer than any interval of the table's policies, so that a lost member is always due.
const PAUSE: u64 = 200;

/// Which inputs lead from one state of a member to another.
type Edges = BTreeMap<(String, String), BTreeSet<String>>;

/// The diagram in ARCHITECTURE.md says what the machine does.
#[test]
fn the_diagram_is_the_machine() {
    let document = fs::read_to_string(DOCUMENT).unwrap();
    let (_, rest) = document.split_once(FENCE).expect("a diagram");
    let (written, _) = rest.split_once("```").expect("the end of the diagram");
    let drawn = diagram(edges());
    assert_eq!(
        written, drawn,
        "put this into {DOCUMENT}:\n{FENCE}{drawn}```"
    );
}

/// Feeds every input of the transition table in every state that can be reached by them, until nothing new is seen.
fn edges() -> Edges {
    let mut edges = Edges::new();
    let mut seen = std::vec![];
    let mut open = std::vec![(trio(Attempts::AtMost(2)), PAUSE)];
    while let Some((before, now)) = open.pop() {
        for (name, input) in inputs(&before) {
            let mut after = before.clone();
            let _ = at(&mut after, now, input);
            let (from, to) = (place(&before), place(&after));
            if from != to {
                edges.entry((from, to)).or_default().insert(kind(name));
            }
            let what = distinct(&after);
            if !seen.contains(&what) {
                seen.push(what);
                open.push((after, now + PAUSE));
            }
        }
    }
    edges
}

/// What decides where member A can get to; how often it has been through it all does not.
fn distinct(group: &Trio) -> impl PartialEq + use<> {
    let member = group.member(A).map(|member| {
        let outage = member.state.outage();
        let attempts = outage.map(|outage| outage.attempts.min(3));
        let joining = outage.map(|outage| outage.evidence == Evidence::Joining);
        let changing = member.login == LoginSync::Changing;
        (member.role, attempts, joining, changing)
    });
    (place(group), member, group.policy(), group.login())
}

fn diagram(mut edges: Edges) -> String {
    let places: BTreeSet<_> = edges.keys().map(|(_, to)| to.clone()).collect();
    let mut drawn = String::from("stateDiagram-v2\n");
    for to in &places {
        let leads = |from: &String, name: &str| {
            let edge = edges.get(&(from.clone(), to.clone()));
            edge.is_some_and(|names| names.contains(name))
        };
        let others = || places.iter().filter(|from| *from != to && *from != "[*]");
        for name in ["Park", "Remove"] {
            if others().all(|from| leads(from, name)) {
                writeln!(drawn, "    %% from every other state to {to}: {name}").unwrap();
                for from in others() {
                    if let Some(names) = edges.get_mut(&(from.clone(), to.clone())) {
                        names.remove(name);
                    }
                }
                break;
            }
        }
    }
    edges.retain(|_, names| !names.is_empty());
    for ((from, to), names) in edges {
        let names: std::vec::Vec<_> = names.into_iter().collect();
        writeln!(drawn, "    {from} --> {to}: {}", names.join(", ")).unwrap();
    }
    drawn
}

/// The name of member A's state; a step of an attempt is a state of its own.
fn place(group: &Trio) -> String {
    let Some(member) = group.member(A) else {
        return "[*]".to_string();
    };
    match member.state {
        MemberState::Active => "Active".to_string(),
        MemberState::Standby => "Standby".to_string(),
        MemberState::Lost { .. } => "Lost".to_string(),
        MemberState::Recovering { step, .. } => format!("{step:?}"),
        MemberState::GivenUp { .. } => "GivenUp".to_string(),
        MemberState::Quarantined { .. } => "Quarantined".to_string(),
        MemberState::Parked => "Parked".to_string(),
    }
}

/// The input's name in the table, without the values of a policy.
fn kind(name: &str) -> String {
    let policy = "SetPolicy";
    if name.starts_with(policy) {
        policy.to_string()
    } else {
        name.replace(',', "")
    }
}
