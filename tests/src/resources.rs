//! What this process holds of the system, counted.

use std::fs;
use std::path::Path;

/// How much this process has of what can leak.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Resources {
    /// Open descriptors.
    pub descriptors: usize,
    /// Threads.
    pub threads: usize,
    /// Child processes, those included that have ended and have not been waited for.
    pub children: usize,
    /// Memory maps that are shared with others: the channels of member hosts are.
    pub shared_maps: usize,
}

impl Resources {
    /// As it is now.
    ///
    /// # Panics
    /// `/proc` is not mounted.
    #[must_use]
    pub fn now() -> Self {
        let maps = fs::read_to_string("/proc/self/maps").expect("/proc is mounted");
        let is_shared = |line: &&str| {
            line.split(' ')
                .nth(1)
                .is_some_and(|mode| mode.ends_with('s'))
        };
        Self {
            descriptors: entries("/proc/self/fd").len(),
            threads: entries("/proc/self/task").len(),
            children: children(),
            shared_maps: maps.lines().filter(is_shared).count(),
        }
    }
}

/// A thread's name and the signals that it blocks, a bit each from 1 on.
///
/// # Panics
/// `/proc` is not mounted.
#[must_use]
pub fn threads() -> Vec<(String, u64)> {
    let of_task = |task: String| {
        let task = format!("/proc/self/task/{task}");
        // It may have ended meanwhile.
        let name = fs::read_to_string(format!("{task}/comm")).ok()?;
        let mask = status_field(Path::new(&task), "SigBlk")?;
        Some((name.trim().to_owned(), mask))
    };
    entries("/proc/self/task")
        .into_iter()
        .filter_map(of_task)
        .collect()
}

/// A signal set that the status of a process or thread shows, `process` being its directory in `/proc`.
#[must_use]
pub fn status_field(process: &Path, name: &str) -> Option<u64> {
    let status = fs::read_to_string(process.join("status")).ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
    u64::from_str_radix(line.trim(), 16).ok()
}

fn children() -> usize {
    let of_task = |task: String| {
        let path = format!("/proc/self/task/{task}/children");
        let children = fs::read_to_string(path).unwrap_or_default();
        children.split_whitespace().count()
    };
    entries("/proc/self/task").into_iter().map(of_task).sum()
}

fn entries(directory: &str) -> Vec<String> {
    let entries = fs::read_dir(directory).expect("/proc is mounted");
    entries
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .collect()
}
