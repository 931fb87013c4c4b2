//! The `everslot` command as people use it, with real SoftHSM tokens.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on says where")]

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::{Arc, Mutex};

use everslot::config::Config;
use everslot::status::{
    GroupStatus, LoginState, MemberStatus, ObjectsStatus, Process, Read, ReturnCode, Role, Server,
    Snapshot, Source, State,
};
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
fn demo_tokens_hold_the_same_keys_for_any_client() {
    let (user, config) = User::with_tokens("2");
    let pin = fs::read_to_string(user.path("everslot-demo/pin")).unwrap();
    let confs = ["a", "b"].map(|name| user.path(&format!("everslot-demo/{name}/softhsm2.conf")));
    for id in ["01", "02"] {
        let [one, other] = confs
            .each_ref()
            .map(|conf| pkcs11_tool(conf, &["--read-object", "--type", "pubkey", "--id", id]));
        assert!(one.len() > 60 && one == other);
    }
    let objects = |conf: &PathBuf| {
        String::from_utf8(pkcs11_tool(
            conf,
            &["--login", "--pin", &pin, "--list-objects"],
        ))
    };
    for conf in &confs {
        let listed = objects(conf).unwrap();
        assert_eq!(listed.matches("Private Key Object").count(), 2, "{listed}");
        assert_eq!(listed.matches("Public Key Object").count(), 2, "{listed}");
        assert_eq!(listed.matches("Secret Key Object").count(), 1, "{listed}");
        assert_eq!(
            listed.matches("never extractable").count(),
            0,
            "they were carried: {listed}"
        );
    }
    // What one token has signed, the other verifies.
    let (message, signature) = (user.path("message"), user.path("signature"));
    fs::write(&message, "a message").unwrap();
    let files = ["--input-file", message.to_str().unwrap()];
    let (input, key) = (&files[..], ["--id", "02", "--mechanism", "SHA256-RSA-PKCS"]);
    let login = ["--login", "--pin", &pin];
    let sign = [
        &["--sign", "--output-file", signature.to_str().unwrap()],
        input,
        &key,
        &login,
    ]
    .concat();
    pkcs11_tool(&confs[0], &sign);
    let verify = [
        &["--verify", "--signature-file", signature.to_str().unwrap()],
        input,
        &key,
    ]
    .concat();
    assert!(
        String::from_utf8(pkcs11_tool(&confs[1], &verify))
            .unwrap()
            .contains("Signature is valid")
    );
    assert_eq!(
        Config::from_file(&config).unwrap().groups[0].members.len(),
        2
    );
}

#[test]
fn demo_tokens_are_the_users_alone_and_are_not_made_twice() {
    let user = User::new();
    let told = succeeds(&user.everslot(&["init", "--demo", "1", "--directory", "d"]));
    assert!(
        told.contains("made 1 SoftHSM tokens in ") && told.contains("export EVERSLOT_CONF="),
        "{told}"
    );
    for name in ["d/pin", "d/so-pin", "d/everslot.toml", "d/a/softhsm2.conf"] {
        assert_eq!(mode(&user.path(name)), 0o600, "{name}");
    }
    assert_eq!(mode(&user.path("d")), 0o700);
    let pin = fs::read_to_string(user.path("d/pin")).unwrap();
    assert!(!told.contains(&pin));
    let line = fails(&user.everslot(&[
        "init",
        "--demo",
        "1",
        "--directory",
        "d",
        "--output",
        "other.toml",
    ]));
    assert!(
        line.ends_with("/d is not empty; remove it, or choose another with --directory"),
        "{line}"
    );
}

#[test]
fn nothing_is_left_of_demo_tokens_that_cannot_be_made() {
    let user = User::new();
    let line = fails(&user.everslot(&["init"]));
    assert!(line.starts_with("which tokens? give --member "), "{line}");
    let line = fails(&user.everslot(&["init", "--demo", "1", "--softhsm", "/dev/null"]));
    assert!(line.contains("SoftHSM's module is not there"), "{line}");
    fs::write(user.path("no-module.so"), "not a library").unwrap();
    let line = fails(&user.everslot(&["init", "--demo", "1", "--softhsm", "no-module.so"]));
    assert!(
        line.starts_with("token a cannot be made: the module cannot be loaded"),
        "{line}"
    );
    assert!(!user.path("everslot-demo").exists());
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
fn a_configuration_is_written_for_tokens_that_are_there() {
    let (user, _) = User::with_tokens("2");
    let (a, b) = (
        user.member("a", "token=everslot-demo"),
        user.member("b", "token=everslot-demo,role=standby,name=spare"),
    );
    let told =
        succeeds(&user.everslot(&["init", "--member", &a, "--member", &b, "--label", "mine"]));
    assert!(
        told.contains("member a: token \"everslot-demo\", serial "),
        "{told}"
    );
    let path = user.path(".config/everslot/everslot.toml");
    assert_eq!(mode(&path), 0o600);
    let config = Config::from_file(&path).unwrap();
    let names: Vec<_> = config.groups[0]
        .members
        .iter()
        .map(|member| member.name.as_str())
        .collect();
    assert_eq!(
        (config.groups[0].label.as_str(), names),
        ("mine", vec!["a", "spare"])
    );
    assert_eq!(config.groups[0].serial.len(), 16);

    let again = user.everslot(&["init", "--member", &a]);
    let line = format!(
        "{} is there already; give --force to write over it, or --output",
        path.display()
    );
    assert_eq!(fails(&again), line);
    succeeds(&user.everslot(&["init", "--member", &a, "--force"]));
    assert_eq!(Config::from_file(&path).unwrap().groups[0].members.len(), 1);
    assert!(succeeds(&user.everslot(&["status"])).contains("CKR_OK"));
}

#[test]
fn a_configuration_is_not_written_for_tokens_that_are_not_there() {
    let (user, config) = User::with_tokens("1");
    let missing = user.everslot(&[
        "init",
        "--output",
        "x.toml",
        "--member",
        &user.member("a", "token=gone"),
    ]);
    let line = format!(
        "member \"a\": module {SOFTHSM} has no token \"gone\" (it has \"everslot-demo\"); correct the configuration or bring the token back"
    );
    assert_eq!(fails(&missing), line);

    let serial = fs::read_to_string(config).unwrap();
    assert!(serial.contains("token = \"everslot-demo\""));
    let (_, report) = user.probed(&user.path("everslot-demo/everslot.toml"));
    assert_eq!(codes(&report), ["CKR_OK"]);
    let listed = pkcs11_tool(
        &user.path("everslot-demo/a/softhsm2.conf"),
        &["--list-token-slots"],
    );
    let listed = String::from_utf8(listed).unwrap();
    let serial = listed
        .lines()
        .find_map(|line| line.trim().strip_prefix("serial num         : "))
        .unwrap();
    let by_label = user.member("a", "token=everslot-demo");
    let by_serial = user.member("a", &format!("serial={}", serial.trim()));
    let double = user.everslot(&[
        "init", "--output", "x.toml", "--member", &by_label, "--member", &by_serial,
    ]);
    let line =
        "members \"a\" and \"b\" are the same token; remove one of them from the configuration";
    assert_eq!(fails(&double), line);
    assert!(!user.path("x.toml").exists());
}

#[test]
fn copies_of_one_token_are_pointed_out_and_taken() {
    let (user, _) = User::with_tokens("2");
    fs::remove_dir_all(user.path("everslot-demo/b/tokens")).unwrap();
    let mut copy = Command::new("cp");
    copy.args(["-r", "a/tokens", "b/tokens"])
        .current_dir(user.path("everslot-demo"));
    assert!(copy.status().unwrap().success());
    let (a, b) = (
        user.member("a", "token=everslot-demo"),
        user.member("b", "token=everslot-demo"),
    );
    let output = user.everslot(&["init", "--member", &a, "--member", &b]);
    succeeds(&output);
    let line = "everslot: members \"a\" and \"b\" have the same serial; remove one of them, unless they are copies of one token\n";
    assert_eq!(stderr(&output), line);
    let output = user.everslot(&["status"]);
    assert_eq!(
        (output.status.code(), stderr(&output)),
        (Some(0), String::new())
    );
}

#[test]
fn a_watch_goes_on() {
    let user = User::new();
    let (_library, _server) = running(&user);
    let mut command = user.command(&["status", "--watch", "--json", "--every", "10ms"]);
    let mut watch = command.stdout(Stdio::piped()).spawn().unwrap();
    let lines = BufReader::new(watch.stdout.take().unwrap()).lines().take(3);
    let reports: Vec<serde_json::Value> = lines
        .map(|line| serde_json::from_str(&line.unwrap()).unwrap())
        .collect();
    watch.kill().unwrap();
    watch.wait().unwrap();
    assert_eq!(reports.len(), 3);
    assert!(
        reports
            .iter()
            .all(|report| report["processes"][0]["groups"][0]["label"] == "signing")
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

/// A library with a lost member, which remembers what it was asked.
#[derive(Default)]
struct Library {
    asked: Mutex<Vec<String>>,
}

impl Source for Library {
    fn snapshot(&self, read: Read) -> Snapshot {
        self.asked.lock().unwrap().push(format!("{read:?}"));
        let member = MemberStatus {
            name: "a".to_owned(),
            serial: None,
            role: Role::Active,
            state: State::Lost,
            incarnation: 3,
            code: ReturnCode {
                name: "CKR_DEVICE_ERROR".to_owned(),
                number: 0x30,
            },
            evidence: Some("its member host has ended".to_owned()),
            attempts: 1,
            attempts_allowed: Some(4),
            next_attempt_ms: Some(30_000),
            in_flight: 0,
            calls: 12,
            failures: 1,
            losses: 1,
            recoveries: 0,
        };
        let group = GroupStatus {
            label: "signing".to_owned(),
            serial: "e1a0".to_owned(),
            login: LoginState::User,
            objects: ObjectsStatus::default(),
            members: vec![member],
        };
        Snapshot {
            process: Process::this(),
            groups: vec![group],
        }
    }

    fn recover(&self, group: &str, member: Option<&str>) -> Result<(), String> {
        self.asked
            .lock()
            .unwrap()
            .push(format!("{group} {member:?}"));
        if member == Some("x") {
            Err("group signing has no member x".to_owned())
        } else {
            Ok(())
        }
    }
}

fn running(user: &User) -> (Arc<Library>, Server) {
    let library = Arc::new(Library::default());
    let server = Server::start_in(&user.path("everslot"), library.clone()).unwrap();
    (library, server)
}

#[test]
fn running_applications_are_asked_first() {
    let user = User::new();
    let (library, _server) = running(&user);
    let output = user.everslot(&["status"]);
    assert_eq!(output.status.code(), Some(2));
    let table = String::from_utf8(output.stdout).unwrap();
    assert!(table.starts_with("signing in command-"), "{table}");
    assert!(
        table.contains("CKR_DEVICE_ERROR") && table.contains("1 of 4") && table.contains("in 30 s"),
        "{table}"
    );
    assert!(table.ends_with("a: its member host has ended\n"), "{table}");
    assert_eq!(*library.asked.lock().unwrap(), ["Status"]);
}

#[test]
fn recovery_is_asked_of_the_applications_that_have_the_member() {
    let user = User::new();
    assert!(fails(&user.everslot(&["recover"])).starts_with("no running application of this user"));
    let (library, _server) = running(&user);
    assert!(succeeds(&user.everslot(&["recover", "a"])).ends_with(": recovering a of signing\n"));
    assert!(
        succeeds(&user.everslot(&["recover"]))
            .ends_with(": recovering all that do not serve of signing\n")
    );
    assert_eq!(
        fails(&user.everslot(&["recover", "--group", "signing", "x"])),
        "group signing has no member x"
    );
    let line = "no running application has a group \"other\"; see `everslot status`";
    assert_eq!(
        fails(&user.everslot(&["recover", "--group", "other"])),
        line
    );
    let line = "no running application has a member \"y\"; see `everslot status`";
    assert_eq!(fails(&user.everslot(&["recover", "y"])), line);
    let asked = library.asked.lock().unwrap();
    assert_eq!(asked[..2], ["Peek", "e1a0 Some(\"a\")"]);
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

/// The demo's configuration with a journal of its own, and with what `extra` gives each member.
fn with_journal(config: &Path, extra: &str) {
    let text = fs::read_to_string(config).unwrap();
    let text = text
        .replacen(
            "[[group]]\n",
            "[[group]]\njournal = \"state/journal.sqlite\"\n",
            1,
        )
        .replace("\npin = ", &format!("\n{extra}\npin = "));
    fs::write(config, text).unwrap();
}

#[test]
fn domain_init_gives_all_members_one_key_that_stays() {
    let (user, config) = User::with_tokens("2");
    with_journal(&config, "");
    let config = config.to_str().unwrap();
    let shown = user.everslot(&["domain", "show", "--config", config]);
    assert_eq!(shown.status.code(), Some(2), "{}", stderr(&shown));
    assert!(
        stderr(&shown).contains("none on a, b"),
        "{}",
        stderr(&shown)
    );
    let first = succeeds(&user.everslot(&["domain", "init", "--config", config]));
    assert!(first.contains("0x210a"), "{first}");
    assert_eq!(
        first.matches("AES, generic secret, EC, RSA, data").count(),
        2,
        "{first}"
    );
    let again = succeeds(&user.everslot(&["domain", "init", "--config", config]));
    assert_eq!(first, again);
    let shown = succeeds(&user.everslot(&["domain", "show", "--config", config]));
    let value = shown
        .split_whitespace()
        .find(|word| word.len() == 6 && word.chars().all(|c| c.is_ascii_hexdigit()))
        .unwrap()
        .to_owned();
    assert_eq!(shown.matches(&value).count(), 2, "{shown}");
    let new = succeeds(&user.everslot(&["domain", "init", "--new", "--config", config]));
    assert!(!new.contains(&value), "{new}");
    let shown = succeeds(&user.everslot(&["domain", "show", "--config", config]));
    assert_eq!(shown.matches("not trusted").count(), 2, "{shown}");
    let journal = user.path("everslot-demo/state/journal.sqlite");
    assert_eq!(mode(&journal), 0o600);
}

#[test]
fn the_officer_has_the_domain_key_trusted() {
    let (user, config) = User::with_tokens("2");
    with_journal(&config, "so_pin = { file = \"so-pin\" }");
    let run = |arguments: &[&str]| {
        let mut command = user.command(arguments);
        command.arg("--config").arg(&config).output().unwrap()
    };
    let init = run(&["domain", "init"]);
    let text = succeeds(&init);
    assert_eq!(stderr(&init), "");
    assert_eq!(text.matches(" trusted").count(), 2, "{text}");
    assert!(!text.contains("not trusted"), "{text}");
    assert!(succeeds(&run(&["domain", "show"])).contains(" trusted"));
}
