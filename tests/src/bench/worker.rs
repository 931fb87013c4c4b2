//! The process that measures one way: it is told over its standard input what to do for how long, and answers with a figure.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use everslot_core::Rv;

use super::Workload;
use super::workload::Bench;
use crate::client::{Failure, Module};

/// A batch is short, so that the median passes over what disturbs some of them.
const BATCH: Duration = Duration::from_micros(500);

/// What a turn came to: the time for one repetition, or why there is none.
pub(super) type Figure = Result<Duration, Rv>;

/// A worker, seen from the process that measures.
#[derive(Debug)]
pub(super) struct Worker {
    process: Child,
    orders: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Worker {
    /// Starts a worker.
    pub(super) fn start(mut command: Command) -> Self {
        let mut process = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the benchmark starts itself");
        let orders = process.stdin.take().expect("piped");
        let answers = BufReader::new(process.stdout.take().expect("piped"));
        Self {
            process,
            orders,
            answers,
        }
    }

    /// Has it take a turn.
    ///
    /// # Panics
    /// It ended, or a call failed that is not simply unsupported by this way.
    pub(super) fn measure(&mut self, workload: Workload, turn: Duration) -> Figure {
        writeln!(self.orders, "{workload} {}", turn.as_millis()).expect("the worker listens");
        let mut answer = String::new();
        self.answers
            .read_line(&mut answer)
            .expect("the worker answers");
        match answer.trim().split_once(' ') {
            Some(("took", nanoseconds)) => {
                Ok(Duration::from_nanos(nanoseconds.parse().expect("a number")))
            }
            Some(("failed", code)) => Err(Rv(code.parse().expect("a number"))),
            other => panic!("the worker for {workload} ended: {other:?}"),
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // It is done for either way: a worker has nothing to lose.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The worker itself: takes turns until its standard input ends.
///
/// # Panics
/// The token cannot be opened; the benchmark ends with the message.
pub fn serve(module: &Path, label: &str, pin: &str) {
    let bench = open(module, label, pin);
    for order in std::io::stdin().lines() {
        let order = order.expect("orders are text");
        let (workload, turn) = order.split_once(' ').expect("a workload and a time");
        let turn = Duration::from_millis(turn.parse().expect("milliseconds"));
        match take_turn(&bench, workload.parse().expect("a workload"), turn) {
            Ok(time) => println!("took {}", time.as_nanos()),
            Err(failure) => println!("failed {}", failure.code.0),
        }
    }
}

/// Goes a way so many times, for what counts instead of timing it.
///
/// # Panics
/// The token cannot be opened, or a call fails; the benchmark ends with the message.
pub fn repeat((module, label, pin): (&Path, &str, &str), workload: Workload, times: u32) {
    let bench = open(module, label, pin);
    for _ in 0..times {
        bench.once(workload).expect("the way has the workload");
    }
}

fn open(module: &Path, label: &str, pin: &str) -> Bench {
    // Every way is measured as an application with threads has it. In a process without any, the C library leaves out its
    // locks, which makes a module that allocates much several µs faster; everslot's own threads would then seem to cost that.
    std::thread::spawn(|| {
        loop {
            std::thread::park();
        }
    });
    let module = Module::load(module);
    module.initialize().expect("the module begins");
    let session = module.open(module.slot_of(label)).expect("the token opens");
    Bench::new(session, pin).expect("the token lets the benchmark in")
}

/// The median time of one repetition, over batches of equal size.
fn take_turn(bench: &Bench, workload: Workload, turn: Duration) -> Result<Duration, Failure> {
    let size = batch_size(bench, workload)?;
    let mut batches = Vec::new();
    let start = Instant::now();
    while start.elapsed() < turn {
        batches.push(batch(bench, workload, size)?);
    }
    batches.sort_unstable();
    Ok(batches[batches.len() / 2] / size)
}

/// How many repetitions make a batch.
fn batch_size(bench: &Bench, workload: Workload) -> Result<u32, Failure> {
    let mut size = 1;
    while batch(bench, workload, size)? < BATCH {
        size *= 2;
    }
    Ok(size)
}

fn batch(bench: &Bench, workload: Workload, size: u32) -> Result<Duration, Failure> {
    let start = Instant::now();
    for _ in 0..size {
        bench.once(workload)?;
    }
    Ok(start.elapsed())
}
