//! `everslot console`: a script of every entry of the menu on a bare token and on the virtual slot, and the seed's two screens.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use everslot_tests::{Artifact, Lab, PATIENCE, Plan, SOFTHSM, eventually};

/// `secp256r1` (RFC 5480).
const P256: &[u8] = &[6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7];

/// Each entry with its answers; SLOT stands for the token's slot, and paths are in the lab's directory.
const SCRIPT: &str = "\
98|1
10
14|1
11|SLOT
12|SLOT
8|SLOT
9|SLOT|CKM_SHA256
15
13
1|SLOT|1
13
16|SLOT|other
3|0|654321
7|123456|123456
17
4
18|1
3|1|123456
5|123456|123456|123456
20|note|0|1|small
21|.|copy|0
23|copy
24|copy|CKA_VALUE
25|copy|label|renamed
26|renamed
27|renamed
22|renamed
27|renamed
45|2|k|0|1
45|7|e|0|1
42|ECDSA|e|hash|e.sig
43|ECDSA|e|hash|e.sig
43|ECDSA|e|other|e.sig
40|AES_CBC_PAD|00000000000000000000000000000000|k|large|large.enc
41|AES_CBC_PAD|00000000000000000000000000000000|k|large.enc|large.dec
44|SHA256|large
46|SHA256|k
60|0x210A|k|e|e.wrapped
61|0x210A|k|e.wrapped|5|unwrapped|0
42|ECDSA|unwrapped|hash|e2.sig
43|ECDSA|e|hash|e2.sig
62|16
63|ECDH1_DERIVE|e|e|agreed|0|0
64|password|00112233|1000|p|0|0
65
66|0011
67|p256.der|curve|0|0
70|SLOT|123456
45|7|f|1|0
71|SLOT|123456|f
104|SLOT|123456|f
4
50|SLOT
51|SLOT|123456
52|SLOT
19
72
73
74
75
76
77
78
79
86
87
80
81
82
83
84
85
90
94
95
97
101
102
103
105
106
107
108
109
110
2
6|SLOT|anew|654321
0
";

/// What each entry did on SoftHSM and on the virtual slot over it, in the order of the script; functions of Luna's hardware alone, which all give
/// `CKR_FUNCTION_NOT_SUPPORTED`, are not in it.
const DONE: &str = "\
98 CKR_OK                         CKR_OK
10 CKR_OK                         CKR_OK
14 CKR_OK                         CKR_OK
11 CKR_OK                         CKR_OK
12 CKR_OK                         CKR_OK
 8 CKR_OK                         CKR_OK
 9 CKR_OK                         CKR_OK
15 CKR_NO_EVENT                   CKR_NO_EVENT
13 CKR_SESSION_HANDLE_INVALID     CKR_SESSION_HANDLE_INVALID
 1 CKR_OK                         CKR_OK
13 CKR_OK                         CKR_OK
16 CKR_SESSION_EXISTS             CKR_FUNCTION_NOT_SUPPORTED
 3 CKR_OK                         CKR_OK
 7 CKR_OK                         CKR_OK
17 CKR_ARGUMENTS_BAD              CKR_ARGUMENTS_BAD
 4 CKR_OK                         CKR_OK
18 CKR_ARGUMENTS_BAD              CKR_ARGUMENTS_BAD
 3 CKR_OK                         CKR_OK
 5 CKR_OK                         CKR_OK
20 CKR_OK                         CKR_OK
21 CKR_OK                         CKR_OK
23 CKR_OK                         CKR_OK
24 CKR_OK                         CKR_OK
25 CKR_OK                         CKR_OK
26 CKR_OK                         CKR_OK
27 CKR_OK                         CKR_OK
22 CKR_OK                         CKR_OK
27 CKR_OBJECT_HANDLE_INVALID      CKR_OBJECT_HANDLE_INVALID
45 CKR_OK                         CKR_OK
45 CKR_OK                         CKR_OK
42 CKR_OK                         CKR_OK
43 CKR_OK                         CKR_OK
43 CKR_SIGNATURE_INVALID          CKR_SIGNATURE_INVALID
40 CKR_OK                         CKR_OK
41 CKR_OK                         CKR_OK
44 CKR_OK                         CKR_OK
46 CKR_OK                         CKR_OK
60 CKR_OK                         CKR_OK
61 CKR_OK                         CKR_OK
42 CKR_OK                         CKR_OK
43 CKR_OK                         CKR_OK
62 CKR_OK                         CKR_OK
63 CKR_OK                         CKR_OK
64 CKR_MECHANISM_INVALID          CKR_MECHANISM_INVALID
65 CKR_OK                         CKR_OK
66 CKR_OK                         CKR_OK
67 CKR_OK                         CKR_OK
70 CKR_FUNCTION_NOT_SUPPORTED     CKR_OK
45 CKR_OK                         CKR_OK
71 CKR_FUNCTION_NOT_SUPPORTED     CKR_OK
104 CKR_FUNCTION_NOT_SUPPORTED     CKR_OK
 4 CKR_OK                         CKR_OK
50 CKR_FUNCTION_NOT_SUPPORTED     CKR_OK
51 CKR_FUNCTION_NOT_SUPPORTED     CKR_OK
52 CKR_FUNCTION_NOT_SUPPORTED     CKR_OK
 2 CKR_OK                         CKR_OK
 6 CKR_OK                         CKR_FUNCTION_NOT_SUPPORTED
";

struct Place<'l> {
    lab: &'l Lab,
    module: Option<&'static str>,
}

impl Place<'_> {
    fn console(&self) -> Command {
        let mut command = Command::new(Artifact::Command.path());
        command.arg("console").current_dir(self.lab.directory());
        // (70) makes a journal there.
        command.env("XDG_STATE_HOME", self.lab.directory());
        match self.module {
            Some(module) => command
                .args(["--module", module])
                .env("SOFTHSM2_CONF", self.lab.members()[0].store().config()),
            None => command.envs(self.lab.environment()),
        };
        command
    }

    fn run(&self, script: &str) -> (String, Option<i32>) {
        let mut child = self
            .console()
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the everslot program starts");
        let mut answers = child.stdin.take().expect("it is piped");
        answers.write_all(script.as_bytes()).expect("it reads");
        drop(answers);
        let output = child.wait_with_output().expect("it ends");
        let text = String::from_utf8(output.stdout).expect("it is text");
        (text, output.status.code())
    }

    fn slot(&self) -> String {
        let (text, code) = self.run("14\n1\n0\n");
        assert_eq!(code, Some(0), "{text}");
        let (_, rest) = text.split_once("slot#").expect("there is a slot");
        rest.split(' ').next().expect("its id").to_owned()
    }

    /// Each entry of the script with the code that it ended with.
    fn codes(&self) -> Vec<(String, String)> {
        files(self.lab.directory());
        let script = SCRIPT.replace("SLOT", &self.slot()).replace('|', "\n");
        let (text, code) = self.run(&script);
        assert_eq!(code, Some(1), "some entries are not supported: {text}");
        assert!(!text.contains("123456"), "a PIN is shown: {text}");
        let entries = text.split("Enter your choice : ").skip(1);
        let codes: Vec<_> = entries
            .filter_map(|entry| {
                let (number, _) = entry.split_once('\n')?;
                let (_, code) = entry.rsplit_once("Status: ")?;
                let (_, code) = code.trim_end().rsplit_once('(')?;
                let code = code.split(')').next()?;
                Some((number.to_owned(), code.to_owned()))
            })
            .collect();
        assert_eq!(codes.len(), SCRIPT.lines().count() - 1, "{text}");
        let directory = self.lab.directory();
        let same = |one, other| {
            let read = |name| std::fs::read(directory.join(name)).expect("it was written");
            read(one) == read(other)
        };
        assert!(same("large", "large.dec") && !same("large", "large.enc"));
        codes
    }
}

fn files(directory: &Path) {
    let large: Vec<u8> = (0..100_000_u32).map(|number| number as u8).collect();
    for (name, content) in [
        ("small", &b"a note"[..]),
        ("hash", &[7; 32]),
        ("other", &[8; 32]),
        ("large", &large),
        ("p256.der", P256),
    ] {
        std::fs::write(directory.join(name), content).expect("the lab's directory is writable");
    }
}

fn two_members() -> Lab {
    Lab::prepare(Plan {
        members: 2,
        ..Plan::default()
    })
}

#[test]
fn every_entry_of_the_menu_on_a_bare_token_and_on_the_virtual_slot() {
    let (bare, group) = (two_members(), two_members());
    let bare = Place {
        lab: &bare,
        module: Some(SOFTHSM),
    };
    let group = Place {
        lab: &group,
        module: None,
    };
    let (bare, group) = (bare.codes(), group.codes());
    let hardware = numbers(book().last().expect("the last row is theirs"));
    let mut table = String::new();
    for ((number, on_bare), (_, on_group)) in bare.iter().zip(&group) {
        if hardware.contains(&number.parse().expect("a number")) {
            for code in [on_bare, on_group] {
                assert_eq!(code, "CKR_FUNCTION_NOT_SUPPORTED", "entry {number}");
            }
        } else {
            table += &format!("{number:>2} {on_bare:<30} {on_group}\n");
        }
    }
    assert_eq!(table, DONE, "what is\n{table}");
}

/// The first column of the book's table of entries.
fn book() -> Vec<String> {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/coming-from-luna.md");
    let page = std::fs::read_to_string(page).expect("the book is there");
    let (_, table) = page
        .split_once("| entries | what they do |\n|---|---|\n")
        .expect("it has the table");
    let rows = table.lines().map_while(|line| line.strip_prefix("| "));
    rows.map(|row| row.split(" |").next().expect("a column").to_owned())
        .collect()
}

/// `1 to 3, 7` as numbers.
fn numbers(column: &str) -> Vec<u16> {
    let number = |text: &str| text.parse().unwrap_or_else(|_| panic!("{column}"));
    let range = |part: &str| match part.split_once(" to ") {
        Some((first, last)) => number(first)..=number(last),
        None => number(part)..=number(part),
    };
    column.split(", ").flat_map(range).collect()
}

#[test]
fn every_entry_of_the_menu_is_in_one_row_of_the_books_table() {
    let lab = two_members();
    let place = Place {
        lab: &lab,
        module: Some(SOFTHSM),
    };
    let (menu, _) = place.run("0\n");
    let entries = menu.split('(').skip(1);
    let entries = entries.filter_map(|entry| entry.split_once(')')?.0.trim().parse().ok());
    let mut entries: Vec<u16> = entries.filter(|number| *number != 0).collect();
    entries.sort_unstable();
    assert!(entries.len() > 70, "{menu}");
    let rows: Vec<_> = book().iter().flat_map(|column| numbers(column)).collect();
    let listed = |number: &u16| rows.iter().filter(|row| *row == number).count();
    for entry in entries {
        assert_eq!(listed(&entry), 1, "entry {entry}");
    }
}

/// A console that is asked again and again.
struct Asked {
    child: Child,
    answers: ChildStdin,
    shown: BufReader<ChildStdout>,
}

impl Asked {
    /// What is shown from this choice to the end of the menu that follows its status line.
    fn screen(&mut self, choice: &str) -> String {
        self.answers.write_all(choice.as_bytes()).expect("it reads");
        self.until("(0) Quit demo\n")
    }

    fn until(&mut self, end: &str) -> String {
        let mut screen = String::new();
        while !screen.ends_with(end) {
            let read = self.shown.read_line(&mut screen).expect("it is text");
            assert_ne!(read, 0, "{screen}");
        }
        screen
    }

    fn end(mut self) {
        self.answers.write_all(b"0\n").expect("it reads");
        assert!(self.child.wait().expect("it ends").success());
    }
}

#[test]
fn the_seeds_two_status_screens() {
    let lab = two_members();
    let place = Place {
        lab: &lab,
        module: None,
    };
    let mut child = place
        .console()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the everslot program starts");
    let mut console = Asked {
        answers: child.stdin.take().expect("it is piped"),
        shown: BufReader::new(child.stdout.take().expect("it is piped")),
        child,
    };
    let menu = console.until("(0) Quit demo\n");
    let mut healthy = String::new();
    eventually("both members serve", PATIENCE, || {
        healthy = console.screen("52\n0\n");
        healthy.matches(" - CKR_OK\n").count() == 2
    });
    let head = "Enter your choice : 52\nSlots available:\n  slot#0 - everslot group lab\nSelect a slot: 0\nHA group 1 status:\n";
    let serials: Vec<_> = healthy
        .strip_prefix(head)
        .expect("the seed's head")
        .lines()
        .map_while(|line| line.strip_prefix("   HSM "))
        .map(|line| line.split(' ').next().expect("a serial"))
        .collect();
    let expected = |first: &str| {
        let status = "Status: Doing great, no errors (CKR_OK)\n";
        format!(
            "{head}   HSM {:<17}- {first}\n   HSM {:<17}- CKR_OK\n{status}{menu}",
            serials[0], serials[1]
        )
    };
    assert_eq!(healthy, expected("CKR_OK"));
    lab.take_away(0);
    lab.kill_everywhere(0);
    let mut first = String::new();
    eventually("the loss is seen", PATIENCE, || {
        first = console.screen("52\n0\n");
        first != healthy
    });
    assert_eq!(first, expected("CKR_DEVICE_ERROR"));
    assert_eq!(console.screen("52\n0\n"), expected("CKR_TOKEN_NOT_PRESENT"));
    console.end();
}
