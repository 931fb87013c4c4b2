use std::cell::Cell;

use everslot_core::{Login, User, ckr};

use super::open_sessions::*;

const OFFICER: Login = Login::In(User::SecurityOfficer);
const USER: Login = Login::In(User::User);

#[test]
fn the_officer_and_read_only_sessions_exclude_each_other() {
    let open = OpenSessions::default();
    open.admit(true).expect("nobody is logged in");
    open.settle(OFFICER).expect("no session is read-only");
    assert_eq!(open.admit(false), Err(ckr::SESSION_READ_WRITE_SO_EXISTS));
    assert_eq!(open.counts().all(), 1, "a refused session is not counted");

    let open = OpenSessions::default();
    open.admit(false).expect("nobody is logged in");
    assert_eq!(open.settle(OFFICER), Err(ckr::SESSION_READ_ONLY_EXISTS));
    assert_eq!(open.login(), Login::Out);
    open.settle(USER)
        .expect("the user may have read-only sessions");
}

#[test]
fn the_last_session_takes_the_login_with_it_and_no_other_does() {
    let open = OpenSessions::default();
    (0..3).for_each(|session| open.admit(session != 0).expect("nobody is logged in"));
    open.settle(USER).expect("sessions are open");
    let logouts = Cell::new(0);
    let leave = |read_write| open.leave(read_write, || logouts.set(logouts.get() + 1));
    leave(true);
    leave(false);
    assert_eq!((logouts.get(), open.login()), (0, USER));
    leave(true);
    assert_eq!((logouts.get(), open.login()), (1, Login::Out));
}

#[test]
fn a_login_whose_last_session_was_closed_meanwhile_does_not_stand() {
    let open = OpenSessions::default();
    open.admit(true).expect("nobody is logged in");
    open.leave(true, || panic!("nobody is logged in yet"));
    assert_eq!(open.settle(USER), Err(ckr::SESSION_CLOSED));
    assert_eq!(open.login(), Login::Out);
}
