//! A module: loaded by one thread at a time, given up, and ended with the library.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use loom::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use super::load::{Load, Loads};
use super::{LONG, explore, on};
use crate::module::{Delivery, Instance, Isolation, Link, LinkCause, LinkFailure, ModuleSettings};

/// A module that is loaded at once.
struct Loaded {
    alive: AtomicBool,
    running: Arc<AtomicU32>,
}

impl Instance for Loaded {
    fn link(&self) -> Result<Box<dyn Link>, LinkFailure> {
        Err(LinkFailure {
            delivery: Delivery::None,
            cause: LinkCause::HostEnded,
        })
    }

    fn is_alive(&self) -> bool {
        self.alive.load(Ordering::SeqCst)
    }

    fn stop(&self, _grace: Duration) {
        if self.alive.swap(false, Ordering::SeqCst) {
            self.running.fetch_sub(1, Ordering::SeqCst);
        }
    }

    fn process(&self) -> Option<u32> {
        None
    }
}

/// A load, how many of its modules run, and how many are being loaded.
struct Stage {
    load: Arc<Load>,
    running: Arc<AtomicU32>,
}

impl Stage {
    fn new() -> Arc<Self> {
        let running = Arc::new(AtomicU32::new(0));
        let loading = Arc::new(AtomicBool::new(false));
        let mut loads = Loads::new(None, false);
        loads.scripted = Some(Arc::new({
            let running = Arc::clone(&running);
            move |_: &ModuleSettings| {
                assert!(!loading.swap(true, Ordering::SeqCst), "one at a time");
                running.fetch_add(1, Ordering::SeqCst);
                loading.store(false, Ordering::SeqCst);
                Ok(Arc::new(Loaded {
                    alive: AtomicBool::new(true),
                    running: Arc::clone(&running),
                }) as Arc<dyn Instance>)
            }
        }));
        let settings = ModuleSettings {
            path: "module.so".into(),
            environment: BTreeMap::new(),
            init_string: None,
            isolation: Isolation::Process,
        };
        Arc::new(Self {
            load: loads.share(&settings, 1),
            running,
        })
    }

    fn running(&self) -> u32 {
        self.running.load(Ordering::SeqCst)
    }
}

#[test]
fn who_comes_while_it_is_loaded_gets_the_same() {
    explore(|| {
        let stage = Stage::new();
        let start = |stage: &Stage| stage.load.start(LONG).is_ok();
        let others = [on(&stage, start), on(&stage, start)];
        assert!(start(&stage));
        for other in others {
            assert!(other.join().expect("no panic"));
        }
        assert_eq!(stage.running(), 1);
    });
}

#[test]
fn nothing_is_left_once_the_library_is_finalised() {
    explore(|| {
        let stage = Stage::new();
        let start = |stage: &Stage| drop(stage.load.start(LONG));
        let starts = [on(&stage, start), on(&stage, start)];
        stage.load.begin_to_close(Duration::ZERO);
        stage.load.close(Instant::now());
        for start in starts {
            start.join().expect("no panic");
        }
        assert!(stage.load.running().is_none());
        assert_eq!(stage.running(), 0);
    });
}

#[test]
fn what_is_given_up_is_found_by_nobody_who_starts_after_the_report() {
    explore(|| {
        let stage = Stage::new();
        let first = stage.load.start(LONG).expect("it loads");
        let starts = on(&stage, |stage| stage.load.start(LONG).is_ok());
        stage.load.give_up(&first, || ());
        assert!(starts.join().expect("no panic"));
        let now = stage.load.start(LONG).expect("it loads");
        assert!(!Arc::ptr_eq(&first, &now));
        assert!(now.is_alive());
        assert_eq!(stage.running(), 1);
    });
}
