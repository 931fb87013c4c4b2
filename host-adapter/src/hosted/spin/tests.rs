use std::cell::Cell;

use super::*;

fn board() -> Board {
    Board::create().expect("a board").0
}

#[test]
fn a_client_takes_the_leave_of_a_waiting_host_but_a_host_takes_nobodys() {
    if leaves() == 0 {
        return; // a single core: nobody ever spins
    }
    let board = board();
    let host = Spinner::host(HostNumber::from_u16(7), 3);
    let hosts: Vec<_> = (0..leaves()).map_while(|_| board.leave(host)).collect();
    assert_eq!(hosts.len(), leaves());
    assert!(board.leave(host).is_none(), "every leave is in use");

    let client = board.leave(Spinner::client()).expect("a host's leave");
    assert_eq!(
        hosts.iter().filter(|leave| leave.is_valid()).count(),
        leaves() - 1
    );
    drop(hosts);
    assert!(
        client.is_valid(),
        "a host gives back only what it still has"
    );
    let clients: Vec<_> = (1..leaves())
        .map_while(|_| board.leave(Spinner::client()))
        .collect();
    assert!(
        board.leave(Spinner::client()).is_none(),
        "clients do not take from each other"
    );
    drop(clients);
}

#[test]
fn what_a_dead_host_leaves_behind_is_freed() {
    let board = board();
    let (dead, alive) = (HostNumber::from_u16(7), HostNumber::from_u16(8));
    board.leaves()[0].store(Spinner::host(dead, 1023).0, Ordering::Relaxed);
    board.leaves()[1].store(Spinner::host(alive, 0).0, Ordering::Relaxed);
    board.leaves()[2].store(Spinner::client().0, Ordering::Relaxed);
    board.clear(dead);
    let taken = board
        .leaves()
        .each_ref()
        .map(|leave| leave.load(Ordering::Relaxed) != 0);
    assert_eq!(taken[..3], [false, true, true]);
}

const LONG: Duration = Duration::from_secs(10);
const SHORT: Duration = Duration::from_micros(100);

#[test]
fn spinning_ends_when_done_or_in_time() {
    let board = board();
    let looks = Cell::new(0);
    let spun = board.spin(Spinner::client(), LONG, || {
        looks.set(looks.get() + 1);
        looks.get() == 2
    });
    let alone = leaves() == 0;
    assert_eq!(spun, if alone { Spun::Not } else { Spun::Done });
    let spun = board.spin(Spinner::client(), SHORT, || false);
    assert_eq!(spun, if alone { Spun::Not } else { Spun::InVain });
    assert_eq!(
        board.spin(Spinner::client(), Duration::ZERO, || false),
        Spun::Not
    );
    assert_eq!(
        board.spin(Spinner::client(), Duration::ZERO, || true),
        Spun::Done,
        "a look costs nothing"
    );
    assert!(
        board
            .leaves()
            .iter()
            .all(|leave| leave.load(Ordering::Relaxed) == 0),
        "leave is given back"
    );
}

#[test]
fn without_leave_nobody_spins_for_long() {
    let board = board();
    let others: Vec<_> = (0..leaves())
        .map_while(|_| board.leave(Spinner::client()))
        .collect();
    assert_eq!(board.spin(Spinner::client(), LONG, || false), Spun::Not);
    drop(others);
}

#[test]
fn long_waits_end_the_spinning_and_short_ones_bring_it_back() {
    let mut experience = Experience::default();
    assert!(experience.patience(NOTICING) > Duration::ZERO);
    for _ in 0..3 {
        experience.saw(Duration::from_secs(3));
    }
    assert_eq!(experience.patience(NOTICING), Duration::ZERO);
    for _ in 0..16 {
        experience.saw(Duration::from_micros(5));
    }
    assert!(experience.patience(NOTICING) > Duration::ZERO);
}

#[test]
fn who_spins_in_vain_makes_way_ever_longer_until_it_pays_again() {
    let mut experience = Experience::default();
    let mut pauses = Vec::new();
    for _ in 0..8 {
        experience.spun(Spun::InVain);
        let pause = (0..1000)
            .take_while(|_| experience.patience(NOTICING).is_zero())
            .count();
        pauses.push(pause);
    }
    assert_eq!(pauses, [2, 4, 8, 16, 32, 64, 64, 64]);
    experience.spun(Spun::Done);
    experience.spun(Spun::InVain);
    assert_eq!(
        (0..1000)
            .take_while(|_| experience.patience(NOTICING).is_zero())
            .count(),
        2
    );
}
