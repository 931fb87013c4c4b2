//! How many instructions an operation takes: callgrind counts them, so neither the machine's speed nor what else it does matters.

use std::fmt;
use std::process::{Command, Stdio};

use super::Workload;
use super::path::{Member, Path, Way};

/// What is counted, in process over the member that answers at once, and the most that it may be; the member's own instructions are among
/// them. A ceiling is a little above what was counted when it was set: lower it when the way of a call gets shorter.
const COUNTED: [Counted; 2] = [
    Counted {
        workload: Workload::Sign,
        functions: ["C_SignInit", "C_Sign"],
        ceiling: 3_150,
    },
    Counted {
        workload: Workload::Encrypt,
        functions: ["C_EncryptInit", "C_Encrypt"],
        ceiling: 6_050,
    },
];

/// Repetitions of the two runs, whose difference leaves out what only the first operations of a process cost.
const RUNS: [u32; 2] = [100, 300];

/// An operation that is counted.
#[derive(Clone, Copy, Debug)]
struct Counted {
    workload: Workload,
    /// Its C functions, as everslot exports them. Those of the test module are called by their addresses and have other names.
    functions: [&'static str; 2],
    ceiling: u64,
}

/// What came of counting one operation.
#[derive(Clone, Copy, Debug)]
pub(super) struct Instructions {
    counted: Counted,
    /// None where there is no valgrind.
    number: Option<u64>,
}

impl Instructions {
    /// Counts those of every operation that has a ceiling.
    ///
    /// # Panics
    /// valgrind is there and does not work; the benchmark ends with the message.
    pub(super) fn of_all() -> [Self; COUNTED.len()] {
        let valgrind = Command::new("valgrind")
            .arg("--version")
            .stdout(Stdio::null())
            .status();
        let path = valgrind
            .is_ok()
            .then(|| Path::lay(Member::TestModule, Way::InProcess));
        COUNTED.map(|counted| Self {
            counted,
            number: path.as_ref().map(|path| counted.count(path)),
        })
    }

    /// Whether there are not more than there may be. Where they cannot be counted, nothing is held against them.
    pub(super) fn is_met(&self) -> bool {
        self.number
            .is_none_or(|number| number <= self.counted.ceiling)
    }
}

impl Counted {
    /// The instructions of one operation.
    fn count(&self, path: &Path) -> u64 {
        let [few, many] = RUNS.map(|repetitions| self.count_all(path, repetitions));
        (many - few) / u64::from(RUNS[1] - RUNS[0])
    }

    /// The instructions of so many operations.
    fn count_all(&self, path: &Path, repetitions: u32) -> u64 {
        let counts = path.directory().join("callgrind");
        let mut valgrind = Command::new("valgrind");
        valgrind
            .args(["--tool=callgrind", "--quiet"])
            .arg(format!("--callgrind-out-file={}", counts.display()));
        for function in self.functions {
            valgrind.arg(format!("--toggle-collect={function}"));
        }
        let ran = path
            .repeat(valgrind, self.workload, repetitions)
            .status()
            .expect("valgrind was found");
        assert!(ran.success(), "valgrind: {ran}");
        let counts =
            std::fs::read_to_string(&counts).expect("callgrind writes what it has counted");
        let summary = counts
            .lines()
            .find_map(|line| line.strip_prefix("summary: "))
            .expect("callgrind sums up");
        summary.trim().parse().expect("a number")
    }
}

impl fmt::Display for Instructions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Counted {
            workload, ceiling, ..
        } = self.counted;
        let title = workload.title();
        let verdict = if self.is_met() { "met" } else { "MISSED" };
        match self.number {
            Some(number) => write!(
                f,
                "  {verdict:6} everslot, in process test module {title:45} {number} instructions, with the module's own, at most {ceiling}"
            ),
            None => write!(
                f,
                "  not counted: instructions of {title}, since valgrind is not installed (Debian: valgrind)"
            ),
        }
    }
}
