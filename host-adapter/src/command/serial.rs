//! `everslot member-host --serial`

use std::path::PathBuf;

use super::{Outcome, output};
use crate::serial::{self, Place};

const EXAMPLES: &str = "\
Examples:
  everslot member-host --serial unix:/run/user/1000/hsm /usr/lib/softhsm/libsofthsm2.so
  everslot member-host --serial tcp:127.0.0.1:9100 /opt/hsm/libhsm.so
  everslot member-host --serial pty /opt/hsm/libhsm.so   says which

The module has this process's environment. Without --serial the command is started by libeverslot.so alone.";

/// Serve a module's tokens to firmware over a line of bytes
#[derive(clap::Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// The line: `pty`, `unix:PATH` or `tcp:127.0.0.1:PORT`; whoever can open it can ask the tokens
    #[arg(long, value_name = "LINE")]
    serial: Place,
    /// The PKCS#11 module
    module: PathBuf,
}

pub(super) fn run(arguments: &Arguments) -> Outcome {
    let Arguments { serial, module } = arguments;
    let never = serial::serve(module.clone(), serial.clone(), |line| {
        // Whoever started it need not listen.
        let _ = output::print(&format!("{} is served on {line}\n", module.display()));
    })?;
    match never {}
}
