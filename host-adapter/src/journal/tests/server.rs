//! A PostgreSQL server of a test's own, from Debian's package; root starts it as the user that the package makes.

#![allow(unreachable_pub, reason = "the tests that cross crates have it too")]

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A server that runs until it is dropped.
#[derive(Debug)]
pub struct Server {
    /// Where it is, as a journal's place.
    pub url: String,
    programs: PathBuf,
    directory: tempfile::TempDir,
}

impl Server {
    /// None, with a line that says so, where PostgreSQL is not installed.
    ///
    /// # Panics
    /// It is there and does not start.
    #[must_use]
    pub fn start() -> Option<Self> {
        let Some(programs) = programs() else {
            eprintln!(
                "skipped: no PostgreSQL in /usr/lib/postgresql; install the package postgresql"
            );
            return None;
        };
        let directory = tempfile::tempdir().expect("there is room");
        let server = Self {
            url: format!(
                "postgresql://everslot@localhost/postgres?host={}",
                directory.path().display()
            ),
            programs,
            directory,
        };
        if rustix::process::geteuid().is_root() {
            let given = Command::new("chown")
                .arg("postgres")
                .arg(server.directory.path())
                .status();
            assert!(given.is_ok_and(|status| status.success()));
        }
        server.run("initdb", &["-U", "everslot", "-A", "trust", "--no-sync"]);
        server.resume();
        Some(server)
    }

    /// Stops it as a crash does.
    ///
    /// # Panics
    /// It does not run.
    pub fn stop(&self) {
        self.run("pg_ctl", &["-w", "-m", "immediate", "stop"]);
    }

    /// Starts it again.
    ///
    /// # Panics
    /// It does not start.
    pub fn resume(&self) {
        let options = format!(
            "-c listen_addresses= -c unix_socket_directories={} -c fsync=off",
            self.directory.path().display()
        );
        self.run(
            "pg_ctl",
            &["-w", "-l", "/dev/null", "-o", &options, "start"],
        );
    }

    fn run(&self, program: &str, arguments: &[&str]) {
        let status = self.command(program).args(arguments).status();
        assert!(status.is_ok_and(|status| status.success()), "{program}");
    }

    fn command(&self, program: &str) -> Command {
        let program = self.programs.join(program);
        let mut command = if rustix::process::geteuid().is_root() {
            let mut command = Command::new("setpriv");
            command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups"]);
            command.arg(program);
            command
        } else {
            Command::new(program)
        };
        let data = self.directory.path().join("data");
        command.env("PGDATA", data).current_dir("/");
        command.stdout(Stdio::null()).stdin(Stdio::null());
        command
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let stop = ["-m", "immediate", "stop"];
        // A test that fails has said why.
        let _ = self.command("pg_ctl").args(stop).status();
    }
}

fn programs() -> Option<PathBuf> {
    let versions = Path::new("/usr/lib/postgresql").read_dir().ok()?;
    versions
        .filter_map(|version| Some(version.ok()?.path().join("bin")))
        .find(|programs| programs.join("initdb").is_file())
}
