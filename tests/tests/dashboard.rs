//! `everslot dashboard`: what its page says of members that die, to a program and to a real browser.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use everslot_tests::{Artifact, ECDSA, HASH, HostProcess, Lab, PATIENCE, Plan, ec_key, eventually};
use serde_json::Value;

/// How long it may take until a member that was killed is shown as lost.
const SHOWN: Duration = Duration::from_secs(2);

struct Dashboard {
    process: Child,
    address: SocketAddr,
}

impl Dashboard {
    fn start() -> Self {
        let mut process = Command::new(Artifact::Command.path())
            .args(["dashboard", "--listen", "127.0.0.1:0"])
            .stdout(Stdio::piped())
            .spawn()
            .expect("it was built");
        let told = process.stdout.take().expect("it is piped");
        let mut line = String::new();
        BufReader::new(told)
            .read_line(&mut line)
            .expect("it says where it is");
        let address = line
            .trim()
            .trim_start_matches("http://")
            .trim_end_matches('/');
        let address = address.parse().unwrap_or_else(|_| panic!("{line}"));
        Self { process, address }
    }

    fn url(&self) -> String {
        format!("http://{}/", self.address)
    }

    /// How things are, as the page asks for it.
    fn state(&self) -> Value {
        let mut stream = TcpStream::connect(self.address).expect("it listens");
        let address = self.address;
        let request = format!("GET /state.json?after=0 HTTP/1.0\r\nHost: {address}\r\n\r\n");
        stream.write_all(request.as_bytes()).expect("it listens");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("it answers");
        let (_, body) = answer.split_once("\r\n\r\n").expect("a body");
        serde_json::from_str(body).unwrap_or_else(|error| panic!("{error}: {answer}"))
    }

    fn member(&self, nth: usize) -> Value {
        self.state()["groups"][0]["members"][nth].clone()
    }

    /// What has happened to a member, by name.
    fn marks(&self, member: &str) -> Vec<String> {
        let state = self.state();
        let marks = state["marks"].as_array().expect("marks");
        let of_member = marks.iter().filter(|mark| mark["member"] == member);
        of_member
            .map(|mark| mark["kind"].as_str().expect("a word").to_owned())
            .collect()
    }
}

impl Drop for Dashboard {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
fn a_member_that_is_killed_is_shown_within_two_seconds() {
    let lab = Lab::softhsm();
    let session = lab.session(lab.module());
    let key = ec_key(session);
    let dashboard = Dashboard::start();
    eventually("it shows all members", PATIENCE, || {
        (0..3).all(|nth| dashboard.member(nth)["state"] == "active")
    });

    let host = HostProcess::of_module(lab.members()[0].module()).expect("it is hosted");
    let killed = Instant::now();
    lab.take_away(0);
    host.kill();
    eventually("it is shown", PATIENCE, || {
        session.sign(ECDSA, key, &HASH).expect("two are left");
        dashboard.member(0)["state"] != "active"
    });
    assert!(killed.elapsed() < SHOWN, "{:?}", killed.elapsed());
    assert_eq!(dashboard.member(1)["state"], "active");

    lab.bring_back(0);
    eventually("it is back", PATIENCE, || {
        dashboard.member(0)["state"] == "active"
    });
    let marks = dashboard.marks("m0");
    assert_eq!(marks.len(), 2, "a loss and a return: {marks:?}");
}

#[test]
fn a_members_states_and_calls_over_time_are_told_with_its_role() {
    let lab = Lab::new(Plan {
        standby: 1,
        ..Plan::default()
    });
    let session = lab.session(lab.module());
    let key = ec_key(session);
    let dashboard = Dashboard::start();
    let work = || drop(session.sign(ECDSA, key, &HASH).expect("others are left"));
    // The moments that are told, in their order, each state once. A moment may fall into an attempt to recover.
    let states = |nth| {
        let member = dashboard.member(nth);
        let points = member["points"].as_array().expect("points").clone();
        let mut states: Vec<_> = points.iter().map(|point| point["state"].clone()).collect();
        states.retain(|state| !state.is_null() && state != "recovering");
        states.dedup();
        states
    };
    let told = |nth, expected: &[&str]| {
        eventually("its states are told", PATIENCE, || {
            work();
            states(nth) == expected
        });
    };
    told(0, &["active"]);
    told(2, &["standby"]);
    lab.take_away(0);
    told(0, &["active", "lost"]);
    lab.bring_back(0);
    eventually("it is back", PATIENCE, || {
        work();
        states(0).last().is_some_and(|state| state == "active")
    });
    let roles: Vec<_> = (0..3)
        .map(|nth| dashboard.member(nth)["seen"][0]["status"]["role"].clone())
        .collect();
    assert_eq!(roles, ["active", "active", "standby"]);

    let member = dashboard.member(1);
    let points = member["points"].as_array().expect("points");
    let moments: Vec<_> = points.iter().map(|point| point["at_ms"].as_u64()).collect();
    assert!(moments.is_sorted(), "{moments:?}");
    let called = |point: &&Value| point["calls_per_second"].as_f64() > Some(0.0);
    let called: Vec<_> = points.iter().filter(called).collect();
    assert!(!called.is_empty(), "{points:?}");
    assert!(called.iter().all(|point| point["p99_ms"].is_number()));
}

/// Debian's Chromium, without a window.
fn browser(url: &str, arguments: &[&str]) -> Option<String> {
    let profile = tempfile::tempdir().expect("a directory");
    let output = Command::new("chromium")
        .args([
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--hide-scrollbars",
        ])
        .arg(format!("--user-data-dir={}", profile.path().display()))
        // The page asks twice a second; pictures are taken once it has.
        .arg("--virtual-time-budget=5000")
        .args(arguments)
        .arg(url)
        .stderr(Stdio::null())
        .output();
    let output = output.ok()?;
    assert!(output.status.success(), "chromium: {}", output.status);
    Some(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Where pictures of the page are kept: beside what was built, and so outside of the sources.
fn pictures() -> PathBuf {
    let command = Artifact::Command.path();
    let built = command
        .parent()
        .and_then(Path::parent)
        .expect("a target directory");
    built.join("screenshots")
}

const THEMES: [(&str, &str); 2] = [
    ("light", "--blink-settings=preferredColorScheme=1"),
    ("dark", "--blink-settings=preferredColorScheme=0"),
];
const SIZES: [(&str, &str); 2] = [
    ("desk", "--window-size=1280,900"),
    ("phone", "--window-size=390,844"),
];

#[test]
fn a_browser_shows_each_member_in_both_themes_and_on_a_phone() {
    // No attempt to recover falls into what the browser is shown: who is lost stays so.
    let lab = Lab::new(Plan {
        interval: Duration::from_secs(3600),
        ..Plan::default()
    });
    let session = lab.session(lab.module());
    let key = ec_key(session);
    let dashboard = Dashboard::start();
    lab.take_away(1);
    eventually("it is lost", PATIENCE, || {
        session.sign(ECDSA, key, &HASH).expect("two are left");
        dashboard.member(1)["state"] == "lost"
    });
    let Some(shown) = browser(&dashboard.url(), &["--dump-dom"]) else {
        eprintln!("there is no chromium: `make browser` installs it");
        return;
    };
    for text in ["m0", "m1", "m2", "What happened"] {
        assert!(shown.contains(text), "{text}: {shown}");
    }
    for (member, state) in [("m0", "active"), ("m1", "lost"), ("m2", "active")] {
        let card = format!("<article data-member=\"{member}\" data-state=\"{state}\">");
        let (_, card) = shown
            .split_once(&card)
            .unwrap_or_else(|| panic!("{card}: {shown}"));
        let (card, _) = card.split_once("</article>").expect("it ends");
        let strip = format!("class=\"is-{state}\"");
        let line = format!("aria-label=\"{member}: states, calls a second and p99");
        for text in [&*strip, &line, "class=\"calls\"", "class=\"p99\""] {
            assert!(card.contains(text), "{text}: {card}");
        }
    }

    std::fs::create_dir_all(pictures()).expect("it can be made");
    let mut all = Vec::new();
    for (theme, light) in THEMES {
        for (size, window) in SIZES {
            let picture = pictures().join(format!("dashboard-{theme}-{size}.png"));
            let _ = std::fs::remove_file(&picture);
            let taken = format!("--screenshot={}", picture.display());
            browser(&dashboard.url(), &[light, window, &taken]).expect("it is there");
            let bytes = std::fs::read(&picture).expect("it was taken");
            assert!(bytes.starts_with(b"\x89PNG"), "{}", picture.display());
            all.push(bytes);
        }
    }
    all.sort();
    all.dedup();
    assert_eq!(all.len(), 4, "each looks different");
}
