use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant};

use everslot_core::Incarnation;
use everslot_protocol::{Deadline, Reply, Request, SessionHandle};

use super::pool::*;
use crate::module::{Delivery, Instance, Link, LinkCause, LinkFailure};

const NOW: Incarnation = Incarnation(2);
const BEFORE: Incarnation = Incarnation(1);

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

fn session(number: u64, incarnation: Incarnation) -> Box<RealSession> {
    Box::new(RealSession {
        link: Box::new(Silent),
        handle: SessionHandle(number),
        incarnation,
        instance: Arc::new(Silent),
        holder: Arc::default(),
    })
}

fn number(taken: Taken) -> Option<u64> {
    match taken {
        Taken::Idle(session) => Some(session.handle.0),
        Taken::MayOpen | Taken::Exhausted => None,
    }
}

#[test]
fn an_idle_session_is_lent_before_another_is_opened() {
    let pool = Pool::new(2);
    assert!(matches!(pool.take(NOW, Duration::ZERO), Taken::MayOpen));
    pool.put(session(1, NOW));
    assert_eq!(number(pool.take(NOW, Duration::ZERO)), Some(1));
    assert!(matches!(pool.take(NOW, Duration::ZERO), Taken::MayOpen));
}

#[test]
fn no_more_are_open_than_the_limit() {
    let pool = Pool::new(2);
    assert!(matches!(pool.take(NOW, Duration::ZERO), Taken::MayOpen));
    assert!(matches!(pool.take(NOW, Duration::ZERO), Taken::MayOpen));
    assert!(matches!(pool.take(NOW, Duration::ZERO), Taken::Exhausted));
    pool.forget();
    assert!(matches!(pool.take(NOW, Duration::ZERO), Taken::MayOpen));
}

#[test]
fn a_session_of_an_older_incarnation_is_never_lent() {
    let pool = Pool::new(1);
    assert!(matches!(pool.take(BEFORE, Duration::ZERO), Taken::MayOpen));
    pool.put(session(1, BEFORE));
    assert!(
        matches!(pool.take(NOW, Duration::ZERO), Taken::MayOpen),
        "S6, and its place is free again"
    );
}

#[test]
fn whoever_waits_gets_what_comes_back() {
    let pool = Arc::new(Pool::new(1));
    assert!(matches!(pool.take(NOW, Duration::ZERO), Taken::MayOpen));
    let waiter = thread::spawn({
        let pool = Arc::clone(&pool);
        move || number(pool.take(NOW, Duration::from_secs(60)))
    });
    while pool.waiting.load(Ordering::SeqCst) == 0 {
        thread::yield_now();
    }
    pool.put(session(3, NOW));
    assert_eq!(waiter.join().unwrap(), Some(3));
}

#[test]
fn draining_makes_room() {
    let pool = Pool::new(1);
    assert!(matches!(pool.take(NOW, Duration::ZERO), Taken::MayOpen));
    pool.put(session(1, NOW));
    pool.drain(|session| session.incarnation == BEFORE);
    assert!(
        matches!(pool.take(NOW, Duration::ZERO), Taken::Idle(_)),
        "it is not over"
    );
    pool.put(session(1, NOW));
    pool.drain(|session| session.incarnation == NOW);
    assert!(matches!(pool.take(NOW, Duration::ZERO), Taken::MayOpen));
}

#[test]
fn what_the_member_refuses_is_its_limit_for_a_while() {
    let pool = Pool::new(8);
    assert!(matches!(pool.take(NOW, Duration::ZERO), Taken::MayOpen));
    assert!(matches!(pool.take(NOW, Duration::ZERO), Taken::MayOpen));
    assert!(pool.refused(), "one is open that may come back");
    assert!(!pool.has_room());
    assert!(matches!(pool.take(NOW, Duration::ZERO), Taken::Exhausted));
    pool.put(session(1, NOW));
    assert!(pool.has_room());
    assert_eq!(number(pool.take(NOW, Duration::ZERO)), Some(1));
    *pool.refusal() = Instant::now().checked_sub(RETRY);
    assert!(
        matches!(pool.take(NOW, Duration::ZERO), Taken::MayOpen),
        "others may have closed theirs"
    );
}

#[test]
fn a_member_that_refuses_the_very_first_session_has_none_to_wait_for() {
    let pool = Pool::new(8);
    assert!(matches!(pool.take(NOW, Duration::ZERO), Taken::MayOpen));
    assert!(!pool.refused());
    assert!(
        matches!(pool.take(NOW, Duration::ZERO), Taken::MayOpen),
        "it is asked again"
    );
}
