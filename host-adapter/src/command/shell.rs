//! What a package installs beside the program: completions for shells, and man pages.

use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Command, CommandFactory};

use super::{CommandLine, Outcome};

const COMPLETIONS: &str = "\
Examples:
  everslot completions bash > ~/.local/share/bash-completion/completions/everslot
  everslot completions fish > ~/.config/fish/completions/everslot.fish";

/// Print what a shell needs to complete everslot's commands and options.
#[derive(Debug, clap::Args)]
#[command(after_help = COMPLETIONS)]
pub(super) struct Completions {
    /// The shell.
    shell: clap_complete::Shell,
}

const MAN: &str = "\
Examples:
  everslot man /usr/share/man/man1";

/// Write a man page for each command.
#[derive(Debug, clap::Args)]
#[command(after_help = MAN)]
pub(super) struct Man {
    /// Where they go; the directory is made if it is not there.
    directory: PathBuf,
}

pub(super) fn completions(arguments: &Completions) -> Outcome {
    let mut command = CommandLine::command();
    clap_complete::generate(
        arguments.shell,
        &mut command,
        "everslot",
        &mut io::stdout().lock(),
    );
    Ok(ExitCode::SUCCESS)
}

pub(super) fn man(arguments: &Man) -> Outcome {
    let directory = &arguments.directory;
    let unwritable = |error| format!("{}: {error}", directory.display());
    std::fs::create_dir_all(directory).map_err(unwritable)?;
    let mut command = CommandLine::command().disable_help_subcommand(true);
    command.build();
    pages(&command, "everslot", directory).map_err(unwritable)?;
    Ok(ExitCode::SUCCESS)
}

/// The page of a command, and those of its subcommands.
fn pages(command: &Command, name: &str, directory: &Path) -> io::Result<()> {
    let named = command.clone().display_name(name.to_owned());
    clap_mangen::Man::new(named).generate_to(directory)?;
    for sub in command.get_subcommands().filter(|sub| !sub.is_hide_set()) {
        pages(sub, &format!("{name}-{}", sub.get_name()), directory)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_command_has_a_page_that_tells_its_options_and_example() {
        let directory = tempfile::tempdir().expect("a directory");
        let arguments = Man {
            directory: directory.path().join("man1"),
        };
        man(&arguments).expect("they can be written");
        let page = |name: &str| {
            let path = arguments.directory.join(name).with_extension("1");
            let page = std::fs::read_to_string(&path);
            let page = page.unwrap_or_else(|error| panic!("{name}: {error}"));
            // roff's own escapes.
            page.replace('\\', "")
        };
        for command in CommandLine::command().get_subcommands() {
            let told = page(&format!("everslot-{}", command.get_name()));
            assert!(
                told.contains(&format!("everslot {}", command.get_name())),
                "{told}"
            );
        }
        assert!(page("everslot").contains("EXTRA"));
        assert!(page("everslot-status").contains("--json"));
        assert!(page("everslot-member-park").contains("NAME"));
    }

    #[test]
    fn a_directory_that_cannot_be_made_is_one_line() {
        let error = man(&Man {
            directory: "/proc/nowhere".into(),
        });
        let error = error.expect_err("nobody may write there").to_string();
        assert!(error.starts_with("/proc/nowhere: ") && !error.contains('\n'));
    }
}
