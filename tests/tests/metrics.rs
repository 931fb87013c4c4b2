//! What Prometheus has of applications.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use everslot_tests::client::{Object, Session};
use everslot_tests::{Artifact, ECDSA, HASH, Lab, PATIENCE, Plan, ec_key, eventually};
use serde_json::Value;

/// An address where nobody listens.
fn free_address() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("there is a free port");
    listener.local_addr().expect("it has an address")
}

/// A lab whose first application serves its metrics at the address.
fn serving_at(address: SocketAddr) -> Lab {
    let lab = Lab::prepare(Plan::default());
    let text = std::fs::read_to_string(lab.config_path()).expect("it is there");
    let text = format!("metrics = \"{address}\"\n{text}");
    std::fs::write(lab.config_path(), text).expect("it is writable");
    lab.enter();
    lab
}

/// The body of what is at a path; none as long as nobody answers.
fn get(address: SocketAddr, path: &str) -> Option<String> {
    let mut stream = TcpStream::connect(address).ok()?;
    let request = format!("GET {path} HTTP/1.0\r\nHost: {address}\r\n\r\n");
    stream.write_all(request.as_bytes()).ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    let (_, body) = answer.split_once("\r\n\r\n")?;
    Some(body.to_owned())
}

/// The value of the sample whose line has all of these in it.
fn sample(text: &str, parts: &[&str]) -> Option<f64> {
    let has_all = |line: &&str| parts.iter().all(|part| line.contains(part));
    let line = text.lines().find(has_all)?;
    line.rsplit(' ').next()?.parse().ok()
}

fn sign(session: Session, key: Object, times: u32) {
    for _ in 0..times {
        session.sign(ECDSA, key, &HASH).expect("a member is left");
    }
}

#[test]
fn calls_are_measured_from_the_first_time_on_that_anybody_asks() {
    let address = free_address();
    let lab = serving_at(address);
    let session = lab.session(lab.module());
    let key = ec_key(session);
    sign(session, key, 9);
    let before = get(address, "/metrics").expect("it is served");
    let sum = |text: &str, name: &str| -> f64 {
        let of_sign = |line: &&str| {
            line.starts_with(name) && (name != TIMES || line.contains("function=\"C_Sign\""))
        };
        let values = text
            .lines()
            .filter(of_sign)
            .filter_map(|line| sample(line, &[]));
        values.sum()
    };
    const TIMES: &str = "everslot_member_call_seconds_count";
    const OK: &str = "everslot_member_answers_total";
    assert_eq!(sum(&before, TIMES), 0.0, "nobody had asked: {before}");
    let counted = sum(&before, OK);
    assert!(counted >= 18.0, "C_SignInit and C_Sign: {before}");
    sign(session, key, 12);
    let after = get(address, "/metrics").expect("it is served");
    assert_eq!(sum(&after, TIMES), 12.0, "{after}");
    assert_eq!(sum(&after, OK), counted + 24.0, "{after}");
    for member in ["member=\"m0\"", "member=\"m1\"", "member=\"m2\""] {
        let serves = sample(&after, &["everslot_member_serves{", member]);
        assert_eq!(serves, Some(1.0), "{after}");
        let last = sample(&after, &["last_ok_timestamp_seconds{", member]);
        assert!(last.is_some_and(|last| last > 1.6e9), "{after}");
    }
    let gathered = lab.everslot(&["metrics"]);
    let gathered = String::from_utf8_lossy(&gathered.stdout).into_owned();
    assert_eq!(sum(&gathered, TIMES), 12.0, "{gathered}");
    let pid = format!("pid=\"{}\"", std::process::id());
    assert!(gathered.contains(&pid), "{gathered}");
    assert!(!gathered.contains(lab.pin()));
}

#[test]
fn those_of_all_applications_are_served_together() {
    let lab = Lab::softhsm();
    let address = free_address();
    let mut server = Command::new(Artifact::Command.path())
        .args(["metrics", "--listen", &address.to_string()])
        .spawn()
        .expect("the everslot program starts");
    eventually("it serves", PATIENCE, || get(address, "/metrics").is_some());
    let text = get(address, "/metrics").expect("it is served");
    assert!(!text.contains("pid="), "nobody is there yet: {text}");
    let module = lab.module();
    let text = get(address, "/metrics").expect("it is served");
    let pid = format!("pid=\"{}\"", std::process::id());
    assert_eq!(
        sample(&text, &["everslot_group_serves{", &pid]),
        Some(1.0),
        "{text}"
    );
    module.finalize().expect("it is initialised");
    server.kill().expect("it runs");
    server.wait().expect("it ends");
    let refused = lab.everslot(&["metrics", "--listen", "0.0.0.0:9464"]);
    assert!(!refused.status.success());
    assert!(String::from_utf8_lossy(&refused.stderr).contains("loopback"));
}

/// The file of that name among the examples.
fn example(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../examples/prometheus")
        .join(name)
}

#[test]
fn promtool_takes_the_rules_and_their_tests() {
    for arguments in [
        ["check", "config", "prometheus.yml"],
        ["test", "rules", "alerts-test.yml"],
    ] {
        let output = Command::new("promtool")
            .args(arguments)
            .current_dir(example(""))
            .output()
            .expect("promtool is there: tests/prerequisites test");
        assert!(output.status.success(), "{output:?}");
    }
}

/// A Prometheus that scrapes every second by the examples' configuration, whose alerts wait two seconds rather than minutes.
struct Prometheus {
    address: SocketAddr,
    process: Child,
}

impl Prometheus {
    fn start(directory: &Path, scraped: SocketAddr) -> Self {
        let read = |name: &str| std::fs::read_to_string(example(name)).expect("it is there");
        let write = |name: &str, text: String| {
            std::fs::write(directory.join(name), text).expect("it is writable");
        };
        let config = read("prometheus.yml").replace("15s", "1s");
        assert!(config.contains("127.0.0.1:9464"));
        write(
            "prometheus.yml",
            config.replace("127.0.0.1:9464", &scraped.to_string()),
        );
        write(
            "alerts.yml",
            read("alerts.yml").replace("for: 1m", "for: 2s"),
        );
        let address = free_address();
        let process = Command::new("prometheus")
            .arg("--config.file=prometheus.yml")
            .arg("--storage.tsdb.path=prometheus")
            .arg("--log.level=error")
            .arg(format!("--web.listen-address={address}"))
            .current_dir(directory)
            .stderr(Stdio::piped())
            .spawn()
            .expect("prometheus is there: tests/prerequisites test");
        Self { address, process }
    }

    fn api(&self, path: &str) -> Value {
        let answer = get(self.address, &format!("/api/v1/{path}")).unwrap_or_default();
        serde_json::from_str(&answer).unwrap_or_default()
    }

    fn query(&self, expression: &str) -> Value {
        let mut path = "query?query=".to_owned();
        for byte in expression.bytes() {
            // Writing to a String cannot fail.
            let _ = write!(path, "%{byte:02X}");
        }
        self.api(&path)
    }

    /// The alerts that fire, each as its name and its member.
    fn firing(&self) -> Vec<(String, String)> {
        let answer = self.api("alerts");
        let alerts = answer["data"]["alerts"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        let firing = alerts.iter().filter(|alert| alert["state"] == "firing");
        let label = |alert: &Value, name: &str| {
            alert["labels"][name]
                .as_str()
                .unwrap_or_default()
                .to_owned()
        };
        firing
            .map(|alert| (label(alert, "alertname"), label(alert, "member")))
            .collect()
    }

    fn complaints(&mut self) -> Vec<String> {
        self.process.kill().expect("it runs");
        let errors = self.process.stderr.take().expect("it is a pipe");
        BufReader::new(errors)
            .lines()
            .map_while(Result::ok)
            .collect()
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
fn a_real_prometheus_alerts_of_a_lost_member_and_clears() {
    let scraped = free_address();
    let lab = serving_at(scraped);
    let session = lab.session(lab.module());
    let key = ec_key(session);
    let mut prometheus = Prometheus::start(lab.directory(), scraped);
    let has = |expression: &str, number: usize| {
        let answer = prometheus.query(expression);
        answer["data"]["result"].as_array().map(Vec::len) == Some(number)
    };
    eventually("it scrapes", PATIENCE, || {
        has("everslot_member_serves == 1", 3)
    });
    let lost = ("EverslotMemberLost".to_owned(), "m0".to_owned());
    assert_eq!(prometheus.firing(), []);
    lab.take_away(0);
    eventually("the alert fires", PATIENCE, || {
        sign(session, key, 3);
        prometheus.firing().contains(&lost)
    });
    assert!(has("everslot_group_serves == 1", 1));
    lab.bring_back(0);
    eventually("the alert clears", PATIENCE, || {
        sign(session, key, 3);
        prometheus.firing().is_empty()
    });
    assert!(has("everslot_member_losses_total == 1", 1));
    every_panel_finds_something(&prometheus);
    assert_eq!(prometheus.complaints(), Vec::<String>::new());
}

/// Each query of the dashboard is understood, and those that are not about failures have a result.
fn every_panel_finds_something(prometheus: &Prometheus) {
    let dashboard = std::fs::read_to_string(example("dashboard.json")).expect("it is there");
    let dashboard: Value = serde_json::from_str(&dashboard).expect("it is JSON");
    let panels = dashboard["panels"].as_array().expect("there are some");
    for panel in panels {
        let title = panel["title"].as_str().expect("it has one");
        for target in panel["targets"].as_array().expect("it has some") {
            let expression = target["expr"].as_str().expect("it is text");
            let expression = expression
                .replace("$group", ".*")
                .replace("$__rate_interval", "1m");
            let answer = prometheus.query(&expression);
            assert_eq!(answer["status"], "success", "{title}: {answer}");
            let found = answer["data"]["result"].as_array().map_or(0, Vec::len);
            let may_be_none = [
                "Objects short of copies",
                "Attempts in this outage",
                "Answers other than CKR_OK",
            ];
            assert!(
                found > 0 || may_be_none.contains(&title),
                "{title}: {expression}"
            );
        }
    }
}
