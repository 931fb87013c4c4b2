//! `make soak-replay`: long operations of many parts, a member killed at a random part of each, many times.

use std::process::ExitCode;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use clap::{Parser, ValueEnum};
use everslot_tests::replay::{Bed, Load, Tally, Work};
use everslot_tests::{Lab, PATIENCE, Plan};

/// Kills members during long operations of many parts; exits with 1 if any of these ends wrongly.
#[derive(Parser)]
struct Arguments {
    /// Only this kind of operation; may be given more than once.
    #[arg(long)]
    work: Vec<Work>,
    /// Operations of each kind.
    #[arg(long, default_value_t = 200)]
    runs: usize,
    /// MiB of each operation.
    #[arg(long, default_value_t = 100)]
    mib: usize,
    /// The group's transcript.
    #[arg(long, default_value = "1MiB")]
    transcript: String,
    /// Where the random parts start from; told at the beginning, to run it again.
    #[arg(long)]
    seed: Option<u64>,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH);
    let by_clock = since_epoch.map_or(1, |since| since.as_secs());
    let mut random = Random(arguments.seed.unwrap_or(by_clock));
    println!(
        "{} x {} MiB, transcript {}, --seed {}",
        arguments.runs, arguments.mib, arguments.transcript, random.0
    );
    let lab = Lab::new(Plan {
        transcript: Some(arguments.transcript.leak()),
        interval: Duration::from_millis(50),
        // Nothing hangs here: whoever does not answer in time is slow, and not to be lost for it.
        deadline: PATIENCE,
        ..Plan::default()
    });
    let load = Load {
        bytes: arguments.mib << 20,
        part: 4096,
    };
    let bed = Bed::new(&lab, lab.module(), load);
    let mut wrong = 0;
    let works = if arguments.work.is_empty() {
        Work::value_variants()
    } else {
        &arguments.work
    };
    for &work in works {
        let expected = bed.undisturbed(work);
        let mut tally = Tally::default();
        for _ in 0..arguments.runs {
            tally.count(bed.disturbed(work, &expected, random.next()));
        }
        let Tally {
            runs,
            right,
            refused,
            wrong: bad,
        } = tally;
        println!("{work:?}: runs {runs}, right {right}, clean refusals {refused}, wrong {bad}");
        wrong += bad;
    }
    if wrong == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// SplitMix64
struct Random(u64);

impl Random {
    fn next(&mut self) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) as usize
    }
}
