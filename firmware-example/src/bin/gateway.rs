//! The gateway on the board: three members on the UARTs, the third a standby one. It signs, verifies, draws random numbers and reads the
//! status, round after round, until what its argument names has happened, and ends with success if every call got what it should.
//!
//! `lost=N`: members are lost N times, every one comes back, and no call fails. `down`: all are lost, calls fail cleanly, and are served again once
//! one has come back.
#![no_std]
#![no_main]

#[path = "../lm3s6965evb.rs"]
mod lm3s6965evb;

use core::time::Duration;

use cortex_m_rt::entry;
use everslot_core::{Attempts, Event, Instant, MemberId, Policy};
use everslot_firmware::{Board, Failure, Gateway, MemberSettings, Settings, Watch};
use lm3s6965evb::{Light, Machine, Millis, Sleep, Uart};
use semihosting::process::exit;

/// The example's: a product has it from its operator.
const PIN: &str = "123456";

const SETTINGS: Settings<'static> = Settings {
    policy: Policy {
        interval: Duration::from_secs(2),
        attempts: Attempts::Unlimited,
    },
    deadline: Duration::from_secs(2),
    look: Duration::from_millis(1),
    key: "ec",
};

const MEMBERS: [MemberSettings<'static>; 3] = [
    MemberSettings::active("alpha"),
    MemberSettings::active("beta"),
    MemberSettings::standby("gamma"),
];

/// Rounds to be served once everything is well again.
const LAST_ROUNDS: u32 = 10;

/// Not more than one of these machines.
struct Stellaris;

impl Board for Stellaris {
    type Clock = Millis;
    type Delay = Sleep;
    type Light = Light;
    type Line = Uart;
    type Watch = Log;
}

/// Writes each event to the log, and counts.
#[derive(Default)]
struct Log {
    losses: u32,
    went_down: bool,
}

impl Watch for Log {
    fn event(&mut self, _: Instant, event: &Event) {
        match event {
            Event::Lost { .. } => self.losses += 1,
            Event::GroupDown => self.went_down = true,
            _ => {}
        }
        defmt::info!("{=str}: {}", event.words(), event);
    }

    fn failed_over(&mut self, _: Instant, from: MemberId, to: MemberId) {
        defmt::info!("a call fails over: from {} to {}", from, to);
    }
}

type Group = Gateway<'static, Stellaris, 3>;

/// What is to happen.
#[derive(Clone, Copy, defmt::Format)]
enum Mission {
    Lost(u32),
    Down,
}

#[entry]
fn main() -> ! {
    let Some(mission) = mission() else {
        defmt::error!("the argument is lost=N or down");
        exit(2)
    };
    let Some(machine) = Machine::take() else {
        exit(2)
    };
    let [a, b, c] = MEMBERS;
    let ([line_a, line_b, line_c], [light_a, light_b, light_c]) = (machine.lines, machine.lights);
    let members = [
        (a, line_a, light_a),
        (b, line_b, light_b),
        (c, line_c, light_c),
    ];
    let mut group = Group::new(
        SETTINGS,
        members,
        machine.clock,
        machine.delay,
        Log::default(),
    );
    until(&mut group, is_whole);
    if let Err(failure) = group.log_in(PIN) {
        fail("the login failed", failure);
    }
    until(&mut group, is_whole);
    defmt::info!("the gateway serves");
    let failed = match mission {
        Mission::Lost(losses) => outlive(&mut group, losses),
        Mission::Down => go_down_and_return(&mut group),
    };
    defmt::info!("done: {=u32} calls failed", failed);
    exit(0)
}

fn mission() -> Option<Mission> {
    let arguments = semihosting::experimental::env::args::<64>().ok()?;
    let argument = (&arguments).last()?.ok()?;
    match argument.split_once('=') {
        Some(("lost", count)) => count.parse().ok().map(Mission::Lost),
        None if argument == "down" => Some(Mission::Down),
        _ => None,
    }
}

fn is_whole(group: &mut Group) -> bool {
    group.view().serving().active.len() == 2 && group.view().serving().standby.len() == 1
}

fn until(group: &mut Group, condition: fn(&mut Group) -> bool) {
    while !condition(group) {
        group.turn();
        group.rest();
    }
}

/// Serves until so many members were lost, all are back, and some rounds more: no call may fail.
fn outlive(group: &mut Group, losses: u32) -> u32 {
    let mut last = 0;
    while last < LAST_ROUNDS {
        if let Err(failure) = round(group) {
            fail("a call failed", failure);
        }
        let is_over = group.watch().losses >= losses && is_whole(group);
        last = if is_over { last + 1 } else { 0 };
        group.turn();
        group.rest();
    }
    0
}

/// Serves until no member is left and one has come back: calls may fail only in between, as unavailable.
fn go_down_and_return(group: &mut Group) -> u32 {
    let (mut failed, mut last) = (0, 0);
    while last < LAST_ROUNDS {
        match round(group) {
            Ok(()) if group.watch().went_down => last += 1,
            Ok(()) => {}
            Err(Failure::Unavailable) if group.watch().went_down => {
                if failed == 0 {
                    defmt::warn!("a call is answered CKR_DEVICE_ERROR");
                }
                failed += 1;
                last = 0;
            }
            Err(failure) => fail("a call failed", failure),
        }
        group.turn();
        group.rest();
    }
    if failed > 0 { 1 } else { 0 }
}

/// A random hash is signed, the signature verified by whoever's turn it is, the status read.
fn round(group: &mut Group) -> Result<(), Failure> {
    let (mut hash, mut signature) = ([0; 32], [0; 64]);
    group.random(&mut hash)?;
    group.sign(&hash, &mut signature)?;
    group.verify(&hash, &signature)?;
    let _codes = group.status();
    Ok(())
}

fn fail(what: &str, failure: Failure) -> ! {
    defmt::error!("{=str}: {}", what, defmt::Debug2Format(&failure));
    exit(1)
}
