//! Real sessions: lent, brought back and waited for.

use std::sync::Arc;
use std::time::Duration;

use everslot_core::Incarnation;
use everslot_protocol::{Deadline, Reply, Request, SessionHandle};
use loom::sync::atomic::{AtomicU32, Ordering};

use super::pool::{Pool, RealSession, Taken};
use super::{LONG, explore, on};
use crate::module::{Delivery, Instance, Link, LinkCause, LinkFailure};

const BEFORE: Incarnation = Incarnation(1);
const NOW: Incarnation = Incarnation(2);

/// A module that is never asked.
struct Silent;

impl Instance for Silent {
    fn link(&self) -> Result<Box<dyn Link>, LinkFailure> {
        Ok(Box::new(Self))
    }

    fn is_alive(&self) -> bool {
        true
    }

    fn stop(&self, _grace: Duration) {}

    fn process(&self) -> Option<u32> {
        None
    }
}

impl Link for Silent {
    fn call(&mut self, _: &Request<'_>, _: &mut [u8], _: Deadline) -> Result<Reply, LinkFailure> {
        Err(LinkFailure {
            delivery: Delivery::None,
            cause: LinkCause::HostEnded,
        })
    }
}

/// A member's pool, and how many of its sessions are lent.
struct Member {
    pool: Pool,
    lent: AtomicU32,
}

impl Member {
    fn new(limit: u32) -> Arc<Self> {
        Arc::new(Self {
            pool: Pool::new(limit),
            lent: AtomicU32::new(0),
        })
    }

    fn session(&self, incarnation: Incarnation) -> Box<RealSession> {
        Box::new(RealSession {
            link: Box::new(Silent),
            handle: SessionHandle(1),
            incarnation,
            instance: Arc::new(Silent),
            holder: self.pool.new_holder(),
        })
    }

    /// A session, as [`Member::lease`](crate::group::Member::lease) gets one; `None` where there is none to be had.
    fn take(&self, patience: Duration) -> Option<Box<RealSession>> {
        let session = match self.pool.take(NOW, patience) {
            Taken::Idle(session) => session,
            Taken::MayOpen => self.session(NOW),
            Taken::Exhausted => return None,
        };
        assert_eq!(session.incarnation, NOW, "S6");
        self.lent.fetch_add(1, Ordering::SeqCst);
        Some(session)
    }

    fn put(&self, session: Box<RealSession>) {
        self.lent.fetch_sub(1, Ordering::SeqCst);
        self.pool.put(session);
    }

    fn forget(&self) {
        self.lent.fetch_sub(1, Ordering::SeqCst);
        self.pool.forget();
    }
}

#[test]
fn whoever_waits_for_a_session_gets_one_and_no_more_are_lent_than_there_are() {
    explore(|| {
        let member = Member::new(1);
        let call = |member: &Member| {
            let session = member.take(LONG).expect("one comes back");
            assert_eq!(member.lent.load(Ordering::SeqCst), 1);
            member.put(session);
        };
        let others = [on(&member, call), on(&member, call)];
        call(&member);
        for other in others {
            other.join().expect("no panic");
        }
        assert!(member.pool.has_room());
    });
}

#[test]
fn a_session_that_is_forgotten_makes_room_for_whoever_waits() {
    explore(|| {
        let member = Member::new(1);
        let session = member.take(Duration::ZERO).expect("there is room");
        let waits = on(&member, |member| {
            let session = member.take(LONG).expect("there is room again");
            member.put(session);
        });
        drop(session);
        member.forget();
        waits.join().expect("no panic");
    });
}

#[test]
fn sessions_of_a_time_that_is_over_go_and_leave_room() {
    explore(|| {
        let member = Member::new(1);
        assert!(matches!(
            member.pool.take(BEFORE, Duration::ZERO),
            Taken::MayOpen
        ));
        let old = member.session(BEFORE);
        let waits = on(&member, |member| {
            let session = member.take(LONG).expect("there is room");
            member.put(session);
        });
        let closes = on(&member, |member| {
            member.pool.drain(|session| session.incarnation <= BEFORE);
        });
        // Its lease ends while the core says that it goes.
        member.pool.put(old);
        closes.join().expect("no panic");
        waits.join().expect("no panic");
    });
}

#[test]
fn who_waits_for_the_end_of_all_hears_it_and_hides_it_from_nobody() {
    explore(|| {
        let member = Member::new(1);
        let session = member.take(Duration::ZERO).expect("there is room");
        let waits = on(&member, |member| {
            let session = member.take(LONG).expect("there is room again");
            drop(session);
            member.forget();
        });
        let empties = on(&member, |member| member.pool.wait_until_empty(LONG));
        member.put(session);
        waits.join().expect("no panic");
        assert!(empties.join().expect("no panic"));
    });
}

#[test]
fn what_the_member_refuses_is_waited_for() {
    explore(|| {
        let member = Member::new(2);
        let session = member.take(Duration::ZERO).expect("there is room");
        let waits = on(&member, |member| {
            // The member allows one only.
            let session = match member.pool.take(NOW, Duration::ZERO) {
                Taken::Idle(session) => session,
                Taken::MayOpen if member.pool.refused() => match member.pool.take(NOW, LONG) {
                    Taken::Idle(session) => session,
                    Taken::MayOpen | Taken::Exhausted => member.session(NOW),
                },
                Taken::MayOpen | Taken::Exhausted => return,
            };
            member.pool.put(session);
        });
        member.put(session);
        waits.join().expect("no panic");
        assert!(member.pool.has_room());
    });
}
