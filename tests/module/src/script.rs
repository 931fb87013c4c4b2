//! Faults on request.
//!
//! The control file has one fault per line: a function's C name, optionally `after`, and what happens. It is read anew
//! at each call, so a test changes it while calls go on. The first line that names the function counts; `*` names all.
//!
//! ```text
//! C_Sign return 0x30           the call fails with that code
//! C_GenerateKey after return 0x30    it is executed first, then fails
//! C_Login delay 200            it is executed 200 ms later
//! C_Sign hang                  it never returns
//! C_Sign crash                 the process dies (SIGSEGV); `signal 13` for another signal
//! C_Sign return 0x30 times 2   only the first two calls in this process
//! ```

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::PathBuf;
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

use cryptoki_sys::{CK_RV, CKR_GENERAL_ERROR};

/// Where the faults are read from and the calls are written to.
#[derive(Debug)]
pub(crate) struct Script {
    control: Option<PathBuf>,
    log: Option<File>,
    /// How often each line has been carried out, for `times`.
    carried_out: Mutex<HashMap<String, u32>>,
}

/// The script, if the environment names a control file or a log.
pub(crate) fn current() -> Option<&'static Script> {
    static SCRIPT: OnceLock<Option<Script>> = OnceLock::new();
    SCRIPT.get_or_init(Script::from_environment).as_ref()
}

/// A line of the control file.
#[derive(Clone, Debug, Eq, PartialEq)]
struct Fault {
    after: bool,
    action: Action,
    times: Option<u32>,
}

#[derive(Clone, Debug, Eq, PartialEq)]
enum Action {
    Crash,
    Delay(Duration),
    Hang,
    Return(CK_RV),
    Signal(i32),
}

const SIGSEGV: i32 = 11;

impl Script {
    /// Counts the call, then executes it or lets the fault happen that the control file names for it.
    pub(crate) fn answer(&self, function: &'static str, execute: impl FnOnce() -> CK_RV) -> CK_RV {
        self.count(function);
        match self.fault(function) {
            Ok(None) => execute(),
            Ok(Some(Fault {
                after: true,
                action,
                ..
            })) => {
                let code = execute();
                happen(&action).unwrap_or(code)
            }
            Ok(Some(Fault { action, .. })) => happen(&action).unwrap_or_else(execute),
            // A control file that says something else must not look like a module without faults.
            Err(Unreadable) => CKR_GENERAL_ERROR,
        }
    }

    fn from_environment() -> Option<Self> {
        let control = std::env::var_os("EVERSLOT_TEST_CONTROL").map(PathBuf::from);
        let log = std::env::var_os("EVERSLOT_TEST_LOG")
            .and_then(|path| OpenOptions::new().append(true).create(true).open(path).ok());
        (control.is_some() || log.is_some()).then(|| Self {
            control,
            log,
            carried_out: Mutex::default(),
        })
    }

    /// One write of one line: lines of several processes do not mix (`O_APPEND`).
    fn count(&self, function: &str) {
        if let Some(mut log) = self.log.as_ref() {
            // A log that cannot be written shows as a missing count in the test that reads it.
            let _ = log.write_all(format!("{function}\n").as_bytes());
        }
    }

    fn fault(&self, function: &str) -> Result<Option<Fault>, Unreadable> {
        let Some(text) = self
            .control
            .as_ref()
            .and_then(|path| std::fs::read_to_string(path).ok())
        else {
            return Ok(None);
        };
        for line in text.lines().filter(|line| !line.trim().is_empty()) {
            let (name, rest) = line.trim().split_once(' ').ok_or(Unreadable)?;
            let fault = Fault::parse(rest).ok_or(Unreadable)?;
            if (name == function || name == "*") && self.is_due(line, &fault) {
                return Ok(Some(fault));
            }
        }
        Ok(None)
    }

    fn is_due(&self, line: &str, fault: &Fault) -> bool {
        let Some(times) = fault.times else {
            return true;
        };
        let mut carried_out = self
            .carried_out
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let count = carried_out.entry(line.to_owned()).or_default();
        *count += 1;
        *count <= times
    }
}

struct Unreadable;

impl Fault {
    fn parse(text: &str) -> Option<Self> {
        let mut words = text.split_whitespace().peekable();
        let after = words.next_if_eq(&"after").is_some();
        let action = match words.next()? {
            "crash" => Action::Crash,
            "delay" => Action::Delay(Duration::from_millis(words.next()?.parse().ok()?)),
            "hang" => Action::Hang,
            "return" => Action::Return(code(words.next()?)?),
            "signal" => Action::Signal(words.next()?.parse().ok()?),
            _ => return None,
        };
        let times = match words.next() {
            None => None,
            Some("times") => Some(words.next()?.parse().ok()?),
            Some(_) => return None,
        };
        words.next().is_none().then_some(Self {
            after,
            action,
            times,
        })
    }
}

fn code(text: &str) -> Option<CK_RV> {
    match text.strip_prefix("0x") {
        Some(digits) => CK_RV::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    }
}

/// The code to answer with, or none when the call goes on.
fn happen(action: &Action) -> Option<CK_RV> {
    match action {
        Action::Crash => end_by(SIGSEGV),
        Action::Signal(number) => end_by(*number),
        Action::Hang => loop {
            std::thread::park();
        },
        Action::Delay(duration) => {
            std::thread::sleep(*duration);
            None
        }
        Action::Return(code) => Some(*code),
    }
}

/// The signal, and nothing else if the process ignores it; but a process that handles a crash does not get over it.
fn end_by(signal: i32) -> Option<CK_RV> {
    unsafe extern "C" {
        fn raise(signal: i32) -> i32;
    }
    // SAFETY: `raise` of the C library takes any number and refuses those that are no signal.
    unsafe { raise(signal) };
    if signal == SIGSEGV {
        std::process::abort();
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_what_happens() {
        let fault = |action| {
            Some(Fault {
                after: false,
                action,
                times: None,
            })
        };
        assert_eq!(Fault::parse("return 0x30"), fault(Action::Return(0x30)));
        assert_eq!(
            Fault::parse("delay 200"),
            fault(Action::Delay(Duration::from_millis(200)))
        );
        assert_eq!(
            Fault::parse("after crash times 2"),
            Some(Fault {
                after: true,
                action: Action::Crash,
                times: Some(2)
            })
        );
    }

    #[test]
    fn a_line_that_says_something_else_is_refused() {
        for line in [
            "",
            "return",
            "return x",
            "delay",
            "explode",
            "hang now",
            "hang times",
            "hang times 1 2",
        ] {
            assert_eq!(Fault::parse(line), None, "{line:?}");
        }
    }
}
