use stateright::Model;

use super::{Fairness, Graph};

const STEP: Fairness = Fairness::kind(0);
const LEAVE: Fairness = Fairness::kind(1);

/// A graph written down: `(from, to, label)`; the start is 0.
#[derive(Clone)]
struct Drawn(Vec<(u8, u8, Fairness)>);

impl Model for Drawn {
    type State = u8;
    type Action = (u8, Fairness);

    fn init_states(&self) -> Vec<u8> {
        vec![0]
    }

    fn actions(&self, state: &u8, actions: &mut Vec<Self::Action>) {
        let out = self.0.iter().filter(|(from, ..)| from == state);
        actions.extend(out.map(|&(_, to, label)| (to, label)));
    }

    fn next_state(&self, _state: &u8, (to, _): Self::Action) -> Option<u8> {
        Some(to)
    }
}

fn graph(edges: &[(u8, u8, Fairness)]) -> Graph<u8> {
    Graph::explore(&Drawn(edges.to_vec()), |_, &(_, label)| label)
}

#[test]
fn a_cycle_without_the_goal_is_found_where_eventually_misses_it() {
    let graph = graph(&[(0, 1, STEP), (1, 2, STEP), (2, 0, STEP)]);
    let run = graph
        .fair_cycle(STEP, |_| true)
        .expect("a run that never leaves");
    assert_eq!(run.way, [0]);
    assert_eq!(run.cycle, [0, 1, 2, 0]);
}

#[test]
fn a_join_cannot_hide_the_path_that_misses_the_goal() {
    for edges in [
        [(0, 1, STEP), (0, 2, STEP), (1, 3, STEP), (2, 3, STEP)],
        [(0, 2, STEP), (0, 1, STEP), (2, 3, STEP), (1, 3, STEP)],
    ] {
        let graph = graph(&edges);
        let run = graph
            .fair_cycle(STEP, |&state| state != 1)
            .expect("the way through 2");
        assert_eq!(run.cycle, [3]);
    }
}

#[test]
fn a_cycle_that_starves_what_is_always_possible_is_not_fair() {
    let edges = [
        (0, 1, STEP),
        (1, 0, STEP),
        (0, 2, LEAVE),
        (1, 2, LEAVE),
        (2, 2, STEP),
    ];
    let graph = graph(&edges);
    assert!(
        graph
            .fair_cycle(STEP.union(LEAVE), |&state| state != 2)
            .is_none()
    );
    assert!(graph.fair_cycle(STEP, |&state| state != 2).is_some());
}

#[test]
fn what_is_impossible_now_and_then_may_starve() {
    let edges = [(0, 1, STEP), (1, 0, STEP), (0, 2, LEAVE), (2, 2, STEP)];
    let graph = graph(&edges);
    let run = graph.fair_cycle(STEP.union(LEAVE), |&state| state != 2);
    assert_eq!(run.expect("leaving is impossible in 1").cycle, [0, 1, 0]);
}

#[test]
fn a_cycle_does_justice_to_every_kind_before_it_closes() {
    let edges = [
        (0, 1, STEP),
        (1, 0, STEP),
        (1, 2, LEAVE),
        (2, 1, STEP),
        (0, 0, LEAVE),
    ];
    let graph = graph(&edges);
    let run = graph
        .fair_cycle(STEP.union(LEAVE), |_| true)
        .expect("it never leaves");
    assert_eq!(run.cycle.first(), run.cycle.last());
    assert!(
        run.cycle
            .windows(2)
            .any(|pair| pair == [0, 0] || pair == [1, 2])
    );
}

#[test]
fn a_dead_end_is_a_run_that_waits_for_ever() {
    let graph = graph(&[(0, 1, STEP)]);
    let run = graph.fair_cycle(STEP, |_| true).expect("1 has no way out");
    assert_eq!((run.way, run.cycle), (vec![0, 1], vec![1]));
}

#[test]
fn a_run_may_stop_where_nothing_is_bound_to_happen() {
    let graph = graph(&[(0, 1, STEP), (1, 2, LEAVE), (2, 2, STEP)]);
    let run = graph
        .fair_cycle(STEP, |&state| state != 2)
        .expect("nobody has to leave 1");
    assert_eq!((run.way, run.cycle), (vec![0, 1], vec![1]));
    assert!(
        graph
            .fair_cycle(STEP.union(LEAVE), |&state| state != 2)
            .is_none()
    );
}

#[test]
fn a_trap_is_the_nearest_state_that_cannot_reach_the_goal() {
    let edges = [
        (0, 1, STEP),
        (1, 0, STEP),
        (1, 2, STEP),
        (2, 3, STEP),
        (3, 2, STEP),
    ];
    let graph = graph(&edges);
    let trap = graph.trap(|&state| state == 0).expect("2 never comes back");
    assert_eq!(graph.path_to(trap), [0, 1, 2]);
    assert!(graph.trap(|&state| state == 3).is_none());
}

#[test]
fn a_graph_deeper_than_the_stack_is_no_trouble() {
    #[derive(Clone)]
    struct Line;
    impl Model for Line {
        type State = u32;
        type Action = ();
        fn init_states(&self) -> Vec<u32> {
            vec![0]
        }
        fn actions(&self, _: &u32, actions: &mut Vec<()>) {
            actions.push(());
        }
        fn next_state(&self, state: &u32, (): ()) -> Option<u32> {
            Some((state + 1) % 300_000)
        }
    }
    let graph = Graph::explore(&Line, |_, ()| STEP);
    assert_eq!((graph.len(), graph.edges()), (300_000, 300_000));
    assert!(graph.fair_cycle(STEP, |&state| state != 17).is_none());
    assert_eq!(
        graph
            .fair_cycle(STEP, |_| true)
            .expect("all of it")
            .cycle
            .len(),
        300_001
    );
}
