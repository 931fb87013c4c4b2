//! `make bench-sync`: how fast an empty member gets a group's objects, and in how much memory.

use std::process::{Child, Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use clap::Parser;
use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};
use cryptoki::mechanism::Mechanism;
use cryptoki::object::Attribute;
use cryptoki::session::{Session, UserType};
use cryptoki::types::AuthPin;
use everslot_tests::{Artifact, Lab, PIN, Plan, SOFTHSM, process};

/// Wrapped and unwrapped to see what the member itself can do.
const SAMPLES: u32 = 300;
/// A peak may be this much above that of fewer objects, KiB: pages come and go.
const SLACK: u64 = 4096;

/// Measures how fast an empty member gets a group's objects, and in how much memory.
#[derive(Parser)]
struct Arguments {
    /// How many objects there are, once for each number.
    #[arg(default_values_t = [1_000, 10_000])]
    objects: Vec<usize>,
}

/// What one run has shown.
struct Run {
    copied: Duration,
    /// The most memory that the command had, KiB.
    peak: u64,
}

fn main() -> ExitCode {
    let mut peaks = Vec::new();
    for objects in Arguments::parse().objects {
        let lab = Lab::prepare(Plan {
            members: 2,
            domain: true,
            empty: true,
            deadline: Duration::from_secs(60),
            ..Plan::default()
        });
        process::set_variable("SOFTHSM2_CONF", lab.members()[0].store().config());
        let bare = fill(&lab, objects);
        let run = sync(&lab);
        let rate = objects as f64 / run.copied.as_secs_f64();
        println!(
            "{objects} objects: {rate:.0}/s ({:.1} s); the member's own wrap and unwrap: {bare:.0}/s; peak memory {} KiB",
            run.copied.as_secs_f64(),
            run.peak
        );
        peaks.push(run.peak);
    }
    let grows = peaks.windows(2).any(|pair| pair[1] > pair[0] + SLACK);
    if grows {
        println!("memory grows with the number of objects");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

/// Makes so many AES keys on the first member; how often a second it wraps and unwraps one.
fn fill(lab: &Lab, objects: usize) -> f64 {
    let module = Pkcs11::new(SOFTHSM).expect("SoftHSM loads");
    module
        .initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK))
        .expect("SoftHSM starts");
    let label = lab.members()[0].token_label();
    let slots = module.get_slots_with_token().expect("it has slots");
    let is_ours = |slot: &cryptoki::slot::Slot| {
        let info = module.get_token_info(*slot);
        info.is_ok_and(|info| info.label() == label)
    };
    let slot = slots.into_iter().find(is_ours).expect("the token is there");
    let session = module.open_rw_session(slot).expect("a session");
    session
        .login(UserType::User, Some(&AuthPin::from(PIN)))
        .expect("the PIN is right");
    let bare = bare(&session);
    for number in 0..objects {
        let template = [
            Attribute::Token(true),
            Attribute::Private(true),
            Attribute::Sensitive(true),
            Attribute::Extractable(true),
            Attribute::Encrypt(true),
            Attribute::ValueLen(32.into()),
            Attribute::Label(format!("key {number}").into_bytes()),
            Attribute::Id(number.to_be_bytes().to_vec()),
        ];
        session
            .generate_key(&Mechanism::AesKeyGen, &template)
            .expect("there is room");
    }
    drop(session);
    module.finalize().expect("it is initialised");
    bare
}

fn bare(session: &Session) -> f64 {
    let template = |wraps| {
        [
            Attribute::Token(false),
            Attribute::Extractable(true),
            Attribute::Wrap(wraps),
            Attribute::Unwrap(wraps),
            Attribute::ValueLen(32.into()),
        ]
    };
    let make = |wraps| {
        session
            .generate_key(&Mechanism::AesKeyGen, &template(wraps))
            .expect("it makes keys")
    };
    let (wrapping, key) = (make(true), make(false));
    // As a copy is made: on the token.
    let copy = [
        Attribute::Class(cryptoki::object::ObjectClass::SECRET_KEY),
        Attribute::KeyType(cryptoki::object::KeyType::AES),
        Attribute::Token(true),
        Attribute::Private(true),
    ];
    let begin = Instant::now();
    for _ in 0..SAMPLES {
        let wrapped = session
            .wrap_key(&Mechanism::AesKeyWrapPad, wrapping, key)
            .expect("it wraps");
        let made = session
            .unwrap_key(&Mechanism::AesKeyWrapPad, wrapping, &wrapped, &copy)
            .expect("it unwraps");
        session.destroy_object(made).expect("it may be destroyed");
    }
    f64::from(SAMPLES) / begin.elapsed().as_secs_f64()
}

fn sync(lab: &Lab) -> Run {
    let begin = Instant::now();
    let mut child = Command::new(Artifact::Command.path())
        .arg("sync")
        .envs(lab.environment())
        .stdout(Stdio::null())
        .spawn()
        .expect("the everslot program starts");
    let mut peak = 0;
    let status = loop {
        peak = peak.max(peak_of(&child));
        if let Some(status) = child.try_wait().expect("it is ours") {
            break status;
        }
        std::thread::sleep(Duration::from_millis(20));
    };
    assert!(status.success(), "everslot sync: {status}");
    Run {
        copied: begin.elapsed(),
        peak,
    }
}

/// `VmHWM`, KiB: the most that it had so far.
fn peak_of(child: &Child) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id()));
    let status = status.unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.split_whitespace().next())
        .and_then(|number| number.parse().ok())
        .unwrap_or(0)
}
