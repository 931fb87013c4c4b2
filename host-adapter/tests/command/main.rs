//! The `everslot` command as people use it, with real SoftHSM tokens.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on says where")]

mod applications;
mod demo;
mod domain;
mod init;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

const SOFTHSM: &str = "/usr/lib/softhsm/libsofthsm2.so";

/// A user with an empty home.
struct User {
    home: TempDir,
}

impl User {
    fn new() -> Self {
        Self {
            home: tempfile::tempdir().unwrap(),
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    fn everslot(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_everslot"));
        command
            .args(arguments)
            .current_dir(self.home.path())
            .env("HOME", self.home.path());
        command.env("XDG_RUNTIME_DIR", self.home.path());
        command
            .env_remove("XDG_CONFIG_HOME")
            .env_remove("EVERSLOT_CONF")
            .env_remove("SOFTHSM2_CONF");
        command
    }

    /// Demo tokens in `everslot-demo`; their configuration.
    #[track_caller]
    fn with_tokens(count: &str) -> (Self, PathBuf) {
        let user = Self::new();
        succeeds(&user.everslot(&["init", "--demo", count]));
        let config = user.path("everslot-demo/everslot.toml");
        (user, config)
    }

    #[track_caller]
    fn probed(&self, config: &Path) -> (Option<i32>, serde_json::Value) {
        let output = self.everslot(&[
            "status",
            "--probe",
            "--json",
            "--config",
            config.to_str().unwrap(),
        ]);
        let json = serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|_| panic!("{}", stderr(&output)));
        (output.status.code(), json)
    }

    fn member(&self, name: &str, rest: &str) -> String {
        let conf = self.path(&format!("everslot-demo/{name}/softhsm2.conf"));
        format!(
            "module={SOFTHSM},environment.SOFTHSM2_CONF={},{rest}",
            conf.display()
        )
    }
}

#[track_caller]
fn succeeds(output: &Output) -> String {
    assert!(output.status.success(), "{}", stderr(output));
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// The one line that the command complains with.
#[track_caller]
fn fails(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(1), "{}", stderr(output));
    let text = stderr(output);
    let line = text
        .strip_suffix('\n')
        .unwrap()
        .strip_prefix("everslot: ")
        .unwrap();
    assert!(!line.contains('\n'), "{text}");
    line.to_owned()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

fn codes(report: &serde_json::Value) -> Vec<&str> {
    let members = report["processes"][0]["groups"][0]["members"]
        .as_array()
        .unwrap();
    members
        .iter()
        .map(|member| member["code"]["name"].as_str().unwrap())
        .collect()
}

/// What `pkcs11-tool` says of a demo token without everslot.
fn pkcs11_tool(conf: &Path, arguments: &[&str]) -> Vec<u8> {
    let mut tool = Command::new("pkcs11-tool");
    tool.env("SOFTHSM2_CONF", conf)
        .args(["--module", SOFTHSM, "--token-label", "everslot-demo"])
        .args(arguments);
    let output = tool
        .output()
        .expect("pkcs11-tool is installed (apt install opensc)");
    assert!(output.status.success(), "{}", stderr(&output));
    output.stdout
}

#[test]
fn a_probe_tells_which_tokens_are_there() {
    let (user, config) = User::with_tokens("2");
    let (code, report) = user.probed(&config);
    assert_eq!((code, codes(&report)), (Some(0), vec!["CKR_OK", "CKR_OK"]));
    assert_eq!(report["source"], "probe");
    fs::rename(user.path("everslot-demo/b/tokens"), user.path("away")).unwrap();
    fs::create_dir(user.path("everslot-demo/b/tokens")).unwrap();
    let (code, report) = user.probed(&config);
    assert_eq!(
        (code, codes(&report)),
        (Some(0), vec!["CKR_OK", "CKR_TOKEN_NOT_PRESENT"])
    );
    fs::remove_dir_all(user.path("everslot-demo/a/tokens")).unwrap();
    fs::create_dir(user.path("everslot-demo/a/tokens")).unwrap();
    assert_eq!(user.probed(&config).0, Some(2));
    let table = String::from_utf8(
        user.everslot(&["status", "--config", config.to_str().unwrap()])
            .stdout,
    )
    .unwrap();
    assert!(table.starts_with("own probe"), "{table}");
    assert!(
        table.contains("has no token \"everslot-demo\", nor any other token"),
        "{table}"
    );
}

#[test]
fn without_a_configuration_the_way_to_one_is_told() {
    let user = User::new();
    let output = user
        .command(&["status"])
        .env("EVERSLOT_CONF", "/no/such.toml")
        .output()
        .unwrap();
    assert_eq!(
        fails(&output),
        "no configuration: there is no /no/such.toml; write one with `everslot init`"
    );
}

#[test]
fn a_member_host_is_not_for_people() {
    let output = User::new().everslot(&["member-host"]);
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn every_command_explains_itself() {
    for command in ["init", "status", "recover"] {
        let help = succeeds(&User::new().everslot(&[command, "--help"]));
        assert!(help.contains("Examples:\n"), "{help}");
    }
}
