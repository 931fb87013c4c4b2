//! How many instructions a signature takes: callgrind counts them, so neither the machine's speed nor what else it does matters.

use std::fmt;
use std::process::{Command, Stdio};

use super::Workload;
use super::path::{Member, Path, Way};

/// The most instructions for one signature, `C_SignInit` and `C_Sign` together, in process over the member that answers at once; its own
/// are among them. A little above what was counted when it was set: lower it when the way of a call gets shorter.
const CEILING: u64 = 9999;

/// The C functions of a signature. Those of the test module are called by addresses and have other names.
const COUNTED: [&str; 2] = ["C_SignInit", "C_Sign"];

/// Repetitions of the two runs, whose difference leaves out what only the first signatures of a process cost.
const RUNS: [u32; 2] = [100, 300];

/// What was counted.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Instructions {
    /// So many for one signature.
    Counted(u64),
    /// There is no valgrind.
    NoValgrind,
}

impl Instructions {
    /// Counts those of one signature.
    ///
    /// # Panics
    /// valgrind is there and does not work; the benchmark ends with the message.
    pub(super) fn of_a_signature() -> Self {
        let found = Command::new("valgrind")
            .arg("--version")
            .stdout(Stdio::null())
            .status();
        if found.is_err() {
            return Self::NoValgrind;
        }
        let path = Path::lay(Member::TestModule, Way::InProcess);
        let [few, many] = RUNS.map(|repetitions| count(&path, repetitions));
        Self::Counted((many - few) / u64::from(RUNS[1] - RUNS[0]))
    }

    /// Whether there are not more than there may be. Where they cannot be counted, nothing is held against them.
    pub(super) const fn is_met(self) -> bool {
        match self {
            Self::Counted(number) => number <= CEILING,
            Self::NoValgrind => true,
        }
    }
}

/// The instructions of so many signatures, and of those that come before the first.
fn count(path: &Path, repetitions: u32) -> u64 {
    let counts = path.directory().join("callgrind");
    let mut valgrind = Command::new("valgrind");
    valgrind
        .args(["--tool=callgrind", "--quiet"])
        .arg(format!("--callgrind-out-file={}", counts.display()));
    for function in COUNTED {
        valgrind.arg(format!("--toggle-collect={function}"));
    }
    let ran = path
        .repeat(valgrind, Workload::Sign, repetitions)
        .status()
        .expect("valgrind was found");
    assert!(ran.success(), "valgrind: {ran}");
    let counts = std::fs::read_to_string(&counts).expect("callgrind writes what it has counted");
    let summary = counts
        .lines()
        .find_map(|line| line.strip_prefix("summary: "))
        .expect("callgrind sums up");
    summary.trim().parse().expect("a number")
}

impl fmt::Display for Instructions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verdict = if self.is_met() { "met" } else { "MISSED" };
        match self {
            Self::Counted(number) => write!(
                f,
                "  {verdict:6} {number} instructions for one C_SignInit and C_Sign, in process over the test module and with its own, at \
                 most {CEILING}"
            ),
            Self::NoValgrind => f.write_str(
                "  not counted: the instructions of one signature, since valgrind is not installed (Debian: valgrind)",
            ),
        }
    }
}
