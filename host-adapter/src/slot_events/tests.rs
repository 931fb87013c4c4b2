use std::sync::Arc;
use std::time::Duration;

use everslot_core::ckr;

use crate::slot_events::{EventFlag, SlotEvents};

fn recording() -> (Arc<SlotEvents>, [EventFlag; 2]) {
    let events = Arc::new(SlotEvents::default());
    events.begin();
    let flags = [0, 1].map(|slot| EventFlag::new(slot, &events));
    (events, flags)
}

#[test]
fn a_flag_is_reported_once_however_often_it_was_set() {
    let (events, [first, second]) = recording();
    assert_eq!(events.take(), Ok(None));
    first.set();
    second.set();
    first.set();
    assert_eq!(
        [events.take(), events.take(), events.take()],
        [Ok(Some(0)), Ok(Some(1)), Ok(None)]
    );
    first.set();
    assert_eq!(events.take(), Ok(Some(0)));
}

#[test]
fn what_happens_while_the_library_begins_is_no_event() {
    let events = Arc::new(SlotEvents::default());
    EventFlag::new(0, &events).set();
    events.begin();
    assert_eq!(events.take(), Ok(None));
}

#[test]
fn after_the_end_nothing_is_reported() {
    let (events, [first, _]) = recording();
    first.set();
    events.end();
    assert_eq!(events.take(), Err(ckr::CRYPTOKI_NOT_INITIALIZED));
}

#[test]
fn who_waits_is_woken_by_a_flag_a_stir_and_the_end() {
    let (events, [first, second]) = recording();
    let wakes: [&(dyn Fn() + Sync); 3] = [&|| first.set(), &|| second.stir(), &|| events.end()];
    for wake in wakes {
        let turn = events.turn();
        std::thread::scope(|scope| {
            scope.spawn(|| events.wait(turn, None));
            wake();
        });
        assert_ne!(events.turn(), turn);
    }
}

#[test]
fn what_has_stirred_before_the_wait_is_not_missed() {
    let (events, [first, _]) = recording();
    let turn = events.turn();
    first.set();
    events.wait(turn, None);
    assert_eq!(events.take(), Ok(Some(0)));
}

#[test]
fn a_wait_ends_when_its_time_is_up() {
    let (events, _) = recording();
    events.wait(events.turn(), Some(Duration::from_millis(1)));
    assert_eq!(events.take(), Ok(None));
}
