//! `everslot metrics`

use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Duration;

use super::{Outcome, output};
use crate::config::{LOOPBACK, loopback};
use crate::status::{Client, ClientError, Http, text};

const TIMEOUT: Duration = Duration::from_secs(2);

const EXAMPLES: &str = "\
Examples:
  everslot metrics                              those of all running applications, once
  everslot metrics --listen 127.0.0.1:9464      for Prometheus, at http://127.0.0.1:9464/metrics
  curl --unix-socket /run/user/$UID/everslot/PID.sock http://localhost/metrics      one application's own

How long calls take is measured from the first time on that anybody asks. Alert rules and a dashboard: examples/prometheus.";

/// What this user's running applications have measured of their members, for Prometheus
#[derive(clap::Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// Serve them at this loopback address, until interrupted
    #[arg(long, value_name = "ADDRESS:PORT", value_parser = address)]
    listen: Option<SocketAddr>,
}

fn address(text: &str) -> Result<SocketAddr, String> {
    loopback(text).ok_or_else(|| format!("it must be {LOOPBACK}"))
}

pub(super) fn run(arguments: &Arguments) -> Outcome {
    let Some(address) = arguments.listen else {
        output::print(&gathered())?;
        return Ok(ExitCode::SUCCESS);
    };
    let http = Http::bind(address).map_err(|error| {
        format!("nobody can be answered at {address} ({error}); give another one")
    })?;
    http.serve(&gathered)?;
    Ok(ExitCode::SUCCESS)
}

/// Of all applications that answer.
fn gathered() -> String {
    let applications = Client::of_this_user().applications();
    let measured =
        applications
            .iter()
            .filter_map(|application| match application.measured(TIMEOUT) {
                Ok(measured) => Some(measured),
                Err(ClientError::Ended(_)) => None,
                Err(error) => {
                    output::warn(&error.to_string());
                    None
                }
            });
    text(measured.collect())
}
