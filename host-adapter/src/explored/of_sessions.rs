//! Virtual sessions and their handles, the login that goes with them, and the events that a call may wait for.

use std::sync::Arc;

use everslot_core::{Login, User, ckr};

use super::handles::Handles;
use super::open_sessions::OpenSessions;
use super::slot_events::{EventFlag, SlotEvents};
use super::{explore, on};

const USER: Login = Login::In(User::User);
const OFFICER: Login = Login::In(User::SecurityOfficer);

#[test]
fn no_two_sessions_have_one_handle_and_a_handle_is_closed_once() {
    explore(|| {
        let handles: Arc<Handles<u64>> = Arc::default();
        let opens = |handles: &Handles<u64>| handles.open(|handle| handle);
        let other = on(&handles, opens);
        let mine = opens(&handles);
        let others = other.join().expect("no panic");
        assert_ne!(mine, others);
        assert_eq!(handles.value(others).as_deref(), Some(&others));

        let closes = on(&handles, move |handles| handles.remove(mine).is_some());
        let closed = handles.remove(mine).is_some();
        assert_ne!(closed, closes.join().expect("no panic"));
        assert!(handles.value(mine).is_none());
    });
}

#[test]
fn a_handle_is_looked_up_while_all_are_closed() {
    explore(|| {
        let handles: Arc<Handles<u64>> = Arc::default();
        let handle = handles.open(|handle| handle);
        let ends = on(&handles, Handles::clear);
        if let Some(value) = handles.value(handle) {
            assert_eq!(*value, handle, "who has found it has it for his call");
        }
        ends.join().expect("no panic");
        assert!(handles.value(handle).is_none());
    });
}

/// `C_Login` as the slot does it: members are asked between the begin of the turn and its end.
fn log_in(open: &OpenSessions, login: Login) -> bool {
    let _turn = open.turn();
    open.settle(login).is_ok()
}

#[test]
fn no_login_outlives_the_last_session() {
    explore(|| {
        let open: Arc<OpenSessions> = Arc::default();
        open.admit(true).expect("nobody is logged in");
        let logs_in = on(&open, |open| log_in(open, USER));
        let comes = on(&open, |open| {
            open.admit(true).expect("the user may have any");
            open.leave(true, || ());
        });
        open.leave(true, || ());
        logs_in.join().expect("no panic");
        comes.join().expect("no panic");
        assert_eq!(open.counts().all(), 0);
        assert_eq!(open.login(), Login::Out, "PKCS#11 v3.1 §5.6.2");
    });
}

#[test]
fn the_officer_and_a_read_only_session_never_meet() {
    explore(|| {
        let open: Arc<OpenSessions> = Arc::default();
        open.admit(true).expect("nobody is logged in");
        let logs_in = on(&open, |open| log_in(open, OFFICER));
        let admitted = open.admit(false);
        let is_in = logs_in.join().expect("no panic");
        assert_ne!(admitted.is_ok(), is_in, "one of them was first");
        if let Err(why) = admitted {
            assert_eq!(why, ckr::SESSION_READ_WRITE_SO_EXISTS);
        }
    });
}

/// `C_WaitForSlotEvent`, blocking, as the library does it.
fn wait_for_event(events: &SlotEvents) -> Option<u64> {
    loop {
        let turn = events.turn();
        match events.take() {
            Ok(Some(slot)) => return Some(slot),
            Ok(None) => events.wait(turn, None),
            Err(_) => return None,
        }
    }
}

#[test]
fn who_waits_for_an_event_gets_it_and_nobody_else_does() {
    explore(|| {
        let events: Arc<SlotEvents> = Arc::default();
        events.begin();
        let flags = [4, 5].map(|slot| EventFlag::new(slot, &events));
        let waits = on(&events, wait_for_event);
        let first = on(&Arc::new(flags), |flags| {
            flags.iter().for_each(EventFlag::set);
        });
        let mine = wait_for_event(&events);
        let others = waits.join().expect("no panic");
        first.join().expect("no panic");
        assert_ne!(mine, others);
        assert!(mine.is_some() && others.is_some());
    });
}

#[test]
fn the_end_wakes_whoever_waits_for_an_event() {
    explore(|| {
        let events: Arc<SlotEvents> = Arc::default();
        events.begin();
        let waits = on(&events, wait_for_event);
        let comes = on(&Arc::new(EventFlag::new(4, &events)), EventFlag::set);
        events.end();
        comes.join().expect("no panic");
        assert!(matches!(waits.join().expect("no panic"), None | Some(4)));
    });
}
