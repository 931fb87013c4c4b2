//! `everslot dashboard`

mod history;
mod site;
mod view;

use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::{Outcome, output};
use crate::config::{LOOPBACK, loopback};
use crate::status::{Application, Client, ClientError, Http, Measured};
use history::History;

/// How often the applications are asked; with [`TIMEOUT`] a loss is shown within two seconds, however many do not answer.
const EVERY: Duration = Duration::from_millis(500);

/// How long an application may take to answer.
const TIMEOUT: Duration = Duration::from_secs(1);

const EXAMPLES: &str = "\
Examples:
  everslot dashboard                            a page at http://127.0.0.1:9465/ for a browser on this machine
  everslot dashboard --listen 127.0.0.1:8080    the same elsewhere
  ssh -L 9465:127.0.0.1:9465 HOST everslot dashboard       of another machine, in a browser on this one

The page remembers the last five minutes, from the command's start on. It only shows: nothing can be changed there.
Every user of this machine can look at it while it is served. Without a browser: everslot status --watch";

/// A page with the members as this user's running applications see them
#[derive(clap::Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// Serve it at this loopback address, until interrupted; with port 0 at a free one
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:9465", value_parser = address)]
    listen: SocketAddr,
}

fn address(text: &str) -> Result<SocketAddr, String> {
    loopback(text).ok_or_else(|| format!("it must be {LOOPBACK}"))
}

pub(super) fn run(arguments: &Arguments) -> Outcome {
    let address = arguments.listen;
    let http = Http::bind(address).map_err(|error| {
        format!("nobody can be answered at {address} ({error}); give another one with --listen")
    })?;
    let history = Mutex::new(History::new());
    // The first picture is there before the first browser.
    look(&history);
    output::print(&format!("http://{}/\n", http.address()))?;
    thread::scope(|scope| {
        thread::Builder::new().spawn_scoped(scope, || {
            loop {
                thread::sleep(EVERY);
                look(&history);
            }
        })?;
        http.serve_pages(&|asked| site::page(asked, &history))
    })?;
    Ok(ExitCode::SUCCESS)
}

/// Adds to the history how things are.
fn look(history: &Mutex<History>) {
    let (measured, problems) = gathered();
    locked(history).add(Instant::now(), &measured, problems);
}

fn locked(history: &Mutex<History>) -> MutexGuard<'_, History> {
    // What is added is added whole or not at all but for a panic, after which it is still the best there is.
    history.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What the applications have measured, all asked at once, and a line for each one that could not be asked.
fn gathered() -> (Vec<Measured>, Vec<String>) {
    let applications = Client::of_this_user().applications();
    let ask = |application: &Application| application.measured(TIMEOUT);
    let answers: Vec<_> = thread::scope(|scope| {
        let asked: Vec<_> = applications
            .iter()
            .map(|application| scope.spawn(move || ask(application)))
            .collect();
        let answers = asked.into_iter().filter_map(|thread| thread.join().ok());
        answers.collect()
    });
    let (mut measured, mut problems) = (Vec::new(), Vec::new());
    for answer in answers {
        match answer {
            Ok(answer) => measured.push(answer),
            Err(ClientError::Ended(_)) => {}
            Err(error) => problems.push(error.to_string()),
        }
    }
    (measured, problems)
}
