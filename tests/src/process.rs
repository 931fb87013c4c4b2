//! What a test does to its own process. With the [`client`](crate::client), the only unsafe code of the tests.

use std::ffi::OsStr;

/// Sets an environment variable of this process, for modules that it loads later.
///
/// Call it before a module is loaded, while the test is the only thread that looks at the environment.
pub fn set_variable(name: &str, value: impl AsRef<OsStr>) {
    // SAFETY: each test has a process of its own, in which no module, thus no other thread that reads or writes the
    // environment, is there yet; the test harness's own thread only waits for the test.
    unsafe { std::env::set_var(name, value) };
}

/// Runs `child` in a fork of this process and returns what it returns; 101 if it panics, 128 + signal if it dies.
///
/// The child has this thread only, so `child` must not wait for others; it shares nothing with the parent.
pub fn in_fork(child: impl FnOnce() -> u8 + std::panic::UnwindSafe) -> i32 {
    unsafe extern "C" {
        fn fork() -> i32;
        fn _exit(status: i32) -> !;
    }
    // SAFETY: the child goes on in this thread alone and ends in `_exit`, so no destructor or exit handler of the
    // parent's runs twice.
    match unsafe { fork() } {
        0 => {
            let status = std::panic::catch_unwind(child).map_or(101, i32::from);
            // SAFETY: takes any status and ends the process.
            unsafe { _exit(status) }
        }
        pid => wait_for(pid),
    }
}

fn wait_for(pid: i32) -> i32 {
    let pid = rustix::process::Pid::from_raw(pid).expect("fork gave a child");
    let (_, status) = rustix::process::waitpid(Some(pid), rustix::process::WaitOptions::empty())
        .expect("the child is ours")
        .expect("waited until it ended");
    status
        .exit_status()
        .unwrap_or_else(|| 128 + status.terminating_signal().unwrap_or(0))
}
