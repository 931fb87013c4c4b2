//! `everslot-model`: searches every scenario, and shows what is wrong with the pseudo-code that everslot grew from.

use std::io::{self, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use clap::{Parser, Subcommand};
use everslot_model::exhibit::{
    ATTEMPTS, Core, Finding, INTERVAL, PSEUDO_CODE, Pseudo, Reading, SECONDS_PER_TICK, findings,
};
use everslot_model::scenario::{self, Outcome, Scenario};
use everslot_model::{catalogue, coverage, report};

/// Exhaustive checks of the core that ships.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Search the scenarios; exits with 1 if anything does not hold, and shows the shortest run to it.
    Check {
        /// These scenarios only.
        scenarios: Vec<String>,
        /// Only say which scenarios there are.
        #[arg(long)]
        list: bool,
        /// Count all states once more by full comparison, on a graph of our own: twice the time, and 6 GB.
        #[arg(long)]
        exact: bool,
        /// How many scenarios are searched at a time [default: one for each core].
        #[arg(long)]
        threads: Option<NonZeroUsize>,
    },
    /// Show the shortest runs to the situations that the properties of a scenario are about.
    Witnesses {
        /// The scenario.
        scenario: String,
    },
    /// Write the shortest runs to those situations, and to what is broken, as scripts for the tests that put the real adapter through them.
    Scripts {
        /// The directory, which has a file for each scenario then.
        directory: PathBuf,
        /// These scenarios only.
        scenarios: Vec<String>,
    },
    /// Go from state to state of a scenario in a browser; nobody but this machine can reach the page.
    Explore {
        /// The scenario.
        scenario: String,
        /// Where the page is.
        #[arg(long, default_value_t = 3000)]
        port: u16,
    },
    /// Print which scenario asks which property of the design, as README.md has it.
    Coverage,
    /// Show what the pseudo-code of the seed does wrong, in both readings of it, and that the core does not.
    Exhibit,
}

fn main() -> ExitCode {
    let run = match Arguments::parse().command {
        Command::Check {
            scenarios,
            list,
            exact,
            threads,
        } => chosen(&scenarios).and_then(|chosen| {
            if list {
                list_all(&chosen)
            } else {
                check(&chosen, exact, threads)
            }
        }),
        Command::Witnesses { scenario } => {
            chosen(&[scenario]).and_then(|chosen| witnesses(&chosen))
        }
        Command::Scripts {
            directory,
            scenarios,
        } => scripts(&directory, &scenarios),
        Command::Explore { scenario, port } => {
            chosen(&[scenario]).and_then(|chosen| explore(&chosen, port))
        }
        Command::Coverage => coverage(),
        Command::Exhibit => exhibit(),
    };
    match run {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        // Whoever reads has read enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("everslot-model: {error}");
            ExitCode::FAILURE
        }
    }
}

/// The scenarios of these names, or all.
fn chosen(names: &[String]) -> io::Result<Vec<Box<dyn Scenario>>> {
    let all = catalogue::all();
    if let Some(unknown) = names
        .iter()
        .find(|name| all.iter().all(|known| known.name() != **name))
    {
        return Err(io::Error::other(format!(
            "no scenario is called {unknown}; `everslot-model check --list` names them"
        )));
    }
    let wanted = |name: &str| names.is_empty() || names.iter().any(|chosen| chosen == name);
    Ok(all
        .into_iter()
        .filter(|scenario| wanted(scenario.name()))
        .collect())
}

fn list_all(scenarios: &[Box<dyn Scenario>]) -> io::Result<bool> {
    writeln!(io::stdout(), "{}", report::list(scenarios))?;
    Ok(true)
}

fn check(
    scenarios: &[Box<dyn Scenario>],
    exact: bool,
    threads: Option<NonZeroUsize>,
) -> io::Result<bool> {
    let began = Instant::now();
    let threads = threads.map_or_else(
        || std::thread::available_parallelism().map_or(1, NonZeroUsize::get),
        NonZeroUsize::get,
    );
    let outcomes = report::search(scenarios, threads, exact, |outcome| {
        eprintln!(
            "searched {} in {:.1} s",
            outcome.scenario,
            outcome.took.as_secs_f64()
        );
    });
    let mut out = io::stdout().lock();
    writeln!(out, "{}", report::table(&outcomes))?;
    writeln!(out, "{}", report::effort(&outcomes, began.elapsed()))?;
    for outcome in &outcomes {
        for failure in &outcome.failures {
            writeln!(out, "\n{}: {failure}", outcome.scenario)?;
        }
    }
    Ok(outcomes.iter().all(Outcome::holds))
}

fn witnesses(scenarios: &[Box<dyn Scenario>]) -> io::Result<bool> {
    let mut out = io::stdout().lock();
    for scenario in scenarios {
        for (property, run) in scenario.witnesses() {
            writeln!(out, "{property}\n\n{run}")?;
        }
    }
    Ok(true)
}

fn scripts(directory: &Path, names: &[String]) -> io::Result<bool> {
    let (worlds, of_objects) = (catalogue::worlds(), catalogue::of_objects());
    let worlds_known = worlds.iter().map(|case| case.name);
    let known: Vec<_> = worlds_known
        .chain(of_objects.iter().map(|case| case.name))
        .collect();
    if let Some(unknown) = names.iter().find(|name| !known.contains(&name.as_str())) {
        return Err(io::Error::other(format!(
            "there are no scripts of {unknown}"
        )));
    }
    let is_wanted = |name: &str| names.is_empty() || names.iter().any(|wanted| wanted == name);
    for case in worlds.iter().filter(|case| is_wanted(case.name)) {
        write_script(directory, case.name, &scenario::scripts(case, true))?;
    }
    let directory = directory.join("objects");
    std::fs::create_dir_all(&directory)?;
    for case in of_objects.iter().filter(|case| is_wanted(case.name)) {
        write_script(&directory, case.name, &scenario::scripts(case, true))?;
    }
    Ok(true)
}

fn write_script<L: serde::Serialize>(directory: &Path, name: &str, lines: &[L]) -> io::Result<()> {
    let mut text = String::new();
    for line in lines {
        text += &serde_json::to_string(line)?;
        text.push('\n');
    }
    std::fs::write(directory.join(name).with_extension("jsonl"), text)
}

/// Ends with the process, unless the port is taken.
fn explore(scenarios: &[Box<dyn Scenario>], port: u16) -> io::Result<bool> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    // stateright would panic.
    drop(TcpListener::bind(address).map_err(|error| {
        io::Error::other(format!(
            "{address} cannot be listened on: {error}; say another --port"
        ))
    })?);
    for scenario in scenarios {
        writeln!(io::stdout(), "{}: http://{address}", scenario.name())?;
        scenario.explore(address);
    }
    Ok(true)
}

fn coverage() -> io::Result<bool> {
    write!(io::stdout(), "{}", coverage::coverage(&catalogue::all()))?;
    Ok(true)
}

/// Holds if the core keeps every promise; what the pseudo-code does is shown, whatever it is.
fn exhibit() -> io::Result<bool> {
    let mut out = io::stdout().lock();
    writeln!(out, "{PSEUDO_CODE}\n")?;
    writeln!(
        out,
        "Two members, N = {ATTEMPTS}, X = {} s; members die and return, the application calls, time passes. Each promise of the \
         text is asked of every state that can be reached; what is broken is shown by the shortest run to it.\n",
        u64::from(INTERVAL) * SECONDS_PER_TICK
    )?;
    show(
        &mut out,
        "The pseudo-code as it stands",
        &findings(Pseudo::new(Reading::Literal)),
    )?;
    let with_else = findings(Pseudo::new(Reading::WithElse));
    show(
        &mut out,
        "The pseudo-code with the `else` that was probably meant",
        &with_else,
    )?;
    let core = findings(Core::new());
    show(&mut out, "The core of everslot", &core)?;
    Ok(core.iter().all(|finding| finding.broken.is_none()))
}

fn show(out: &mut impl Write, title: &str, findings: &[Finding]) -> io::Result<()> {
    writeln!(out, "{title}\n{}\n", "=".repeat(title.chars().count()))?;
    for finding in findings {
        let verdict = if finding.broken.is_some() {
            "BROKEN"
        } else {
            "holds"
        };
        writeln!(out, "{verdict:<7} {}", finding.promise)?;
    }
    for finding in findings {
        if let Some(run) = &finding.broken {
            writeln!(out, "\n{}:\n\n{run}", finding.promise)?;
        }
    }
    writeln!(out)
}
