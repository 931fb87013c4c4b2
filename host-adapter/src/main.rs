//! The `everslot` command; see `everslot --help`.

use std::process::ExitCode;

fn main() -> ExitCode {
    everslot::command::run(std::env::args_os())
}
