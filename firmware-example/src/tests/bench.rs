//! A gateway with all that it needs, in one place for a test.

use core::cell::{Cell, RefMut};
use core::convert::Infallible;
use core::marker::PhantomData;
use std::rc::Rc;
use std::string::{String, ToString};
use std::vec::Vec;

use embedded_hal::delay::DelayNs;
use embedded_hal::digital::{ErrorType, OutputPin};
use everslot_core::{Event, Instant, MemberId};

use super::token::{Token, Wire};
use super::{PIN, SETTINGS, members};
use crate::{Board, Clock, Gateway, Settings, Watch};

/// A machine that is made up, with lights of a kind.
pub(super) struct Made<L>(PhantomData<L>);

impl<L: OutputPin> Board for Made<L> {
    type Clock = Time;
    type Delay = Time;
    type Light = L;
    type Line = Wire;
    type Watch = Log;
}

/// A clock that moves only when somebody waits.
#[derive(Clone, Default)]
pub(super) struct Time(Rc<Cell<u64>>);

impl Clock for Time {
    fn now(&self) -> Instant {
        Instant::from_millis(self.0.get() / 1_000_000)
    }
}

impl DelayNs for Time {
    fn delay_ns(&mut self, nanoseconds: u32) {
        self.0.set(self.0.get() + u64::from(nanoseconds));
    }
}

/// What a watch was told.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Happened {
    Event(Event),
    FailedOver(MemberId, MemberId),
}

/// Keeps what it is told.
#[derive(Default)]
pub(super) struct Log(Vec<Happened>);

impl Watch for Log {
    fn event(&mut self, _: Instant, event: &Event) {
        self.0.push(Happened::Event(*event));
    }

    fn failed_over(&mut self, _: Instant, from: MemberId, to: MemberId) {
        self.0.push(Happened::FailedOver(from, to));
    }
}

/// A light that nobody looks at.
pub(super) struct Dark;

impl ErrorType for Dark {
    type Error = Infallible;
}

impl OutputPin for Dark {
    fn set_low(&mut self) -> Result<(), Infallible> {
        Ok(())
    }

    fn set_high(&mut self) -> Result<(), Infallible> {
        Ok(())
    }
}

/// A gateway over three tokens that are made up.
pub(super) struct Bench<L: OutputPin = Dark> {
    pub(super) gateway: Gateway<'static, Made<L>, 3>,
    wires: [Wire; 3],
}

impl<L: OutputPin> Bench<L> {
    /// Nobody is in service yet.
    pub(super) fn with(settings: Settings<'static>, lights: [L; 3]) -> Self {
        let wires = members().map(|member| Wire::new(member.token));
        let time = Time::default();
        let mut members = members().into_iter().zip(wires.clone()).zip(lights);
        let members = [(); 3].map(|()| {
            let ((member, wire), light) = members.next().unwrap();
            (member, wire, light)
        });
        let gateway = Gateway::new(settings, members, time.clone(), time, Log::default());
        Self { gateway, wires }
    }

    pub(super) fn token(&self, member: MemberId) -> RefMut<'_, Token> {
        self.wires[member.index()].0.borrow_mut()
    }

    /// Lets seconds pass, with turns taken all the time.
    pub(super) fn pass(&mut self, seconds: u64) {
        let until = self.gateway.now().as_millis() + seconds * 1000;
        while self.gateway.now().as_millis() < until {
            self.gateway.turn();
            self.gateway.rest();
        }
    }

    /// What has happened since this was asked last.
    pub(super) fn happened(&mut self) -> Vec<Happened> {
        core::mem::take(&mut self.gateway.watch().0)
    }

    /// The same in words: those of the events, and who was passed by.
    pub(super) fn told(&mut self) -> Vec<String> {
        let words = |happened| match happened {
            Happened::Event(event) => event.words().to_string(),
            Happened::FailedOver(from, to) => std::format!("{} to {}", from.0, to.0),
        };
        self.happened().into_iter().map(words).collect()
    }

    /// How many members may be sent calls.
    pub(super) fn serving(&self) -> u32 {
        let serving = self.gateway.view().serving();
        serving.active.union(serving.standby).len()
    }
}

impl Bench {
    /// Nobody is in service yet.
    pub(super) fn new() -> Self {
        Self::with(SETTINGS, [Dark, Dark, Dark])
    }

    /// All serve, nobody is logged in.
    pub(super) fn up() -> Self {
        let mut bench = Self::new();
        bench.pass(1);
        assert_eq!(bench.serving(), 3);
        // Rested from their first attempts: the next ones are due at once.
        bench.pass(5);
        bench.happened();
        bench
    }

    /// All serve, the user is logged in.
    pub(super) fn logged_in() -> Self {
        let mut bench = Self::up();
        bench.gateway.log_in(PIN).expect("it is right");
        bench.pass(1);
        assert_eq!(bench.serving(), 3);
        bench.happened();
        bench
    }
}
