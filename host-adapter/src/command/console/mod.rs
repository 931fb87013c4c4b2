//! `everslot console`: the menu of Luna's CKDemo, with the same numbers, on any PKCS#11 module.

mod data;
mod domain;
mod failure;
mod ha;
mod input;
mod keys;
mod mechanism;
mod menu;
mod names;
mod objects;
mod sessions;
mod slots;

use std::collections::BTreeMap;
use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use everslot_core::{Rv, ckr};
use everslot_protocol::wire::{INFO_SIZE_MAX, Info, decode_info};
use everslot_protocol::{Body, ObjectHandle, Request, SessionHandle, SlotId};

use self::failure::{Done, Failure, status_line};
use self::input::Input;
use self::menu::{Entry, MENU};
use super::{Outcome, output};
use crate::command::library::library;
use crate::domain::{Deadlines, Token};
use crate::module::{InProcess, Instance, Isolation, Link, ModuleSettings};

/// `C_Finalize` waits so long for calls that are under way; there are none.
const GRACE: Duration = Duration::from_secs(2);
/// The module is loaded in this process, where no deadline can be kept.
const NO_DEADLINE: Duration = Duration::MAX;
const EXAMPLES: &str = "\
Examples:
  everslot console                                              the virtual slot
  everslot console --module /usr/lib/softhsm/libsofthsm2.so     any PKCS#11 module
  printf '52\\n0\\n0\\n' | everslot console                        HA Status of the slot with the id 0

An object is named by its handle, by its label, or by a full stop: the one that was last made or found. Standard input that is no
terminal is a script of the same answers, one a line; at the choice of an entry, lines that begin with # are passed over. The command
then ends with 1 if an entry ended with anything but CKR_OK.";

/// Try a PKCS#11 module by hand or by a script, with the menu of Luna's CKDemo
#[derive(clap::Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// The module; without it libeverslot.so
    #[arg(long, value_name = "FILE")]
    module: Option<PathBuf>,
}

pub(super) fn run(arguments: &Arguments) -> Outcome {
    let path = match &arguments.module {
        Some(path) => path.clone(),
        None => own_module()?,
    };
    let module = InProcess::load(&ModuleSettings {
        path,
        environment: BTreeMap::new(),
        init_string: None,
        isolation: Isolation::None,
    })?;
    let mut console = Console::new(module, Input::new()?)?;
    let ended = console.run();
    console.module.stop(GRACE);
    ended
}

fn own_module() -> Result<PathBuf, Box<dyn Error>> {
    let found = library();
    if found.is_file() {
        return Ok(found);
    }
    let program = std::env::current_exe()?;
    Err(format!(
        "there is no libeverslot.so beside {}; give --module",
        program.display()
    )
    .into())
}

/// A module, the sessions that are open with it, and who chooses.
struct Console {
    module: InProcess,
    link: Box<dyn Link>,
    input: Input,
    /// The current one is the last.
    sessions: Vec<OpenSession>,
    /// What was made or found last, the latest at the end.
    last: Vec<ObjectHandle>,
    shows_menu: bool,
    /// Whether an entry has failed.
    has_failed: bool,
}

#[derive(Clone, Copy)]
struct OpenSession {
    slot: SlotId,
    handle: SessionHandle,
    read_write: bool,
}

impl Console {
    fn new(module: InProcess, input: Input) -> Result<Self, Box<dyn Error>> {
        let link = module.link().map_err(|_| "the module has ended")?;
        Ok(Self {
            module,
            link,
            input,
            sessions: Vec::new(),
            last: Vec::new(),
            shows_menu: true,
            has_failed: false,
        })
    }

    fn run(&mut self) -> Outcome {
        self.say(MENU)?;
        while let Some(entry) = self.choose()? {
            let code = match (entry.run)(self) {
                Ok(()) => ckr::OK,
                Err(Failure::Code(rv)) => rv,
                Err(Failure::Said(what)) => {
                    self.say(&format!("{what}\n"))?;
                    ckr::ARGUMENTS_BAD
                }
                Err(Failure::Cancelled) => ckr::CANCEL,
                Err(Failure::Ended) => break,
            };
            self.has_failed |= code != ckr::OK;
            self.say(&status_line(code))?;
            if self.shows_menu {
                self.say(MENU)?;
            }
        }
        Ok(if self.has_failed && self.input.is_script() {
            ExitCode::FAILURE
        } else {
            ExitCode::SUCCESS
        })
    }

    /// The next entry; none at the end.
    fn choose(&mut self) -> Result<Option<&'static Entry>, std::io::Error> {
        loop {
            match self.input.choice("Enter your choice : ") {
                Ok(Some(entry)) if entry.number == 0 => return Ok(None),
                Ok(Some(entry)) => return Ok(Some(entry)),
                Ok(None) => {
                    self.has_failed = true;
                    self.say("There is no such entry.\n")?;
                }
                Err(Failure::Cancelled) => {}
                Err(_) => return Ok(None),
            }
        }
    }

    fn say(&self, text: &str) -> std::io::Result<()> {
        output::print(text)
    }

    /// One line of an answer.
    fn line(&self, text: &str) -> Done {
        Ok(self.say(&format!("{text}\n"))?)
    }

    /// Makes one call.
    fn ask(&mut self, request: &Request<'_>, output: &mut [u8]) -> Result<Body, Failure> {
        match self.link.call(request, output, None) {
            Ok(reply) if reply.rv == everslot_protocol::Rv::OK => Ok(reply.body),
            Ok(reply) => Err(Failure::Code(Rv(reply.rv.0))),
            Err(_) => Err(Failure::Code(ckr::DEVICE_ERROR)),
        }
    }

    /// A call whose output is a description.
    fn description<T: Info>(&mut self, request: &Request<'_>) -> Result<T, Failure> {
        let mut output = [0; INFO_SIZE_MAX];
        let body = self.ask(request, &mut output)?;
        decode_info(body.output(&output)).map_err(|_| garbled())
    }

    /// A call whose output is a list of numbers.
    fn numbers(&mut self, request: &Request<'_>) -> Result<Vec<u64>, Failure> {
        let mut output = vec![0; 64 * 1024];
        let written = written(self.ask(request, &mut output)?).min(output.len());
        let (numbers, _) = output[..written].as_chunks();
        Ok(numbers.iter().copied().map(u64::from_ne_bytes).collect())
    }

    fn session(&self) -> Result<OpenSession, Failure> {
        let none = Failure::Code(ckr::SESSION_HANDLE_INVALID);
        self.sessions.last().copied().ok_or(none)
    }

    /// The token of the current session.
    fn token(&mut self) -> Result<Token<'_>, Failure> {
        let session = self.session()?.handle;
        let deadlines = Deadlines {
            call: NO_DEADLINE,
            generation: NO_DEADLINE,
        };
        Ok(Token::new(&mut *self.link, session, deadlines))
    }

    /// (98) Options
    fn options(&mut self) -> Done {
        self.line("[1] Show the menu after each entry  [2] Choose the current session")?;
        match self.input.number("Option: ")? {
            1 => {
                self.shows_menu = !self.shows_menu;
                let shown = if self.shows_menu {
                    "shown"
                } else {
                    "not shown"
                };
                self.line(&format!("The menu is {shown}."))
            }
            2 => self.choose_session(),
            _ => Err(Failure::said("there is no such option")),
        }
    }
}

fn written(body: Body) -> usize {
    match body {
        Body::Written(bytes) => usize::try_from(bytes).unwrap_or(usize::MAX),
        _ => 0,
    }
}

fn garbled() -> Failure {
    Failure::Code(ckr::DEVICE_ERROR)
}
