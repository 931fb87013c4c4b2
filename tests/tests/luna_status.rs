//! What a program sees that was written for Luna: a C program, compiled here, asks for the group's state while a member is lost and comes back.

use std::io::{BufRead, BufReader, Lines, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use everslot_tests::{Artifact, Lab, PATIENCE, eventually};

/// The program, with the module loaded.
struct Program {
    child: Child,
    questions: Option<ChildStdin>,
    answers: Lines<BufReader<ChildStdout>>,
}

impl Program {
    fn start(lab: &Lab) -> Self {
        let mut child = Command::new(compiled(lab.directory()))
            .arg(Artifact::Module.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let (questions, answers) = (child.stdin.take(), child.stdout.take());
        Self {
            child,
            questions,
            answers: BufReader::new(answers.expect("its output is piped")).lines(),
        }
    }

    /// The lines of one answer, which must be `CKR_OK`.
    fn ask(&mut self, question: &str) -> Vec<String> {
        let questions = self.questions.as_mut().expect("it still runs");
        writeln!(questions, "{question}").expect("it reads");
        let mut lines = Vec::new();
        loop {
            let line = self.answers.next().expect("an answer").expect("text");
            if let Some(code) = line.strip_prefix("Status: ") {
                assert_eq!(code, "0x0");
                return lines;
            }
            lines.push(line);
        }
    }

    /// The members' codes in the order of the configuration.
    fn codes(&mut self, question: &str) -> Vec<String> {
        let lines = self.ask(question);
        let codes = lines.iter().filter_map(|line| line.rsplit_once(" - "));
        codes.map(|(_, code)| code.to_owned()).collect()
    }

    fn end(mut self) {
        drop(self.questions.take());
        assert!(self.child.wait().expect("it ends").success());
    }
}

fn compiled(directory: &Path) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let program = directory.join("ha_state");
    let compiler = Command::new("cc")
        .args(["-std=c99", "-Wall", "-Wextra", "-Werror", "-I"])
        .arg(root.join("../host-adapter/include"))
        .arg(root.join("c/ha_state.c"))
        .arg("-o")
        .arg(&program)
        .arg("-ldl")
        .status()
        .expect("there is a C compiler");
    assert!(compiler.success());
    program
}

#[test]
fn a_program_for_luna_sees_the_seeds_codes() {
    let lab = Lab::softhsm();
    let mut program = Program::start(&lab);
    eventually("every member serves", PATIENCE, || {
        program.codes("state") == ["CKR_OK"; 3]
    });
    let screen = program.ask("state");
    assert!(screen[0].starts_with("HA group ") && screen[0].ends_with(" status:"));
    let serials: Vec<_> = screen[1..]
        .iter()
        .map(|line| line.split_whitespace().nth(1).expect("a serial"))
        .collect();
    assert!(
        serials.iter().all(|serial| serial.len() == 16),
        "{serials:?}"
    );

    lab.take_away(1);
    lab.kill_everywhere(1);
    let mut seen = Vec::new();
    eventually("the loss is seen", PATIENCE, || {
        seen = program.codes("state");
        seen[1] != "CKR_OK"
    });
    assert_eq!(seen, ["CKR_OK", "CKR_DEVICE_ERROR", "CKR_OK"]);
    for question in ["state", "current", "state"] {
        let seen = program.codes(question);
        assert_eq!(seen, ["CKR_OK", "CKR_TOKEN_NOT_PRESENT", "CKR_OK"]);
    }

    lab.bring_back(1);
    eventually("it is back", PATIENCE, || {
        program.codes("current") == ["CKR_OK"; 3]
    });
    program.end();
}

#[test]
fn looking_through_our_own_interface_changes_nothing() {
    let lab = Lab::softhsm();
    let mut program = Program::start(&lab);
    eventually("every member serves", PATIENCE, || {
        program.codes("state") == ["CKR_OK"; 3]
    });
    lab.take_away(2);
    lab.kill_everywhere(2);
    eventually("the loss is seen", PATIENCE, || {
        program.ask("members")[2].contains(" losses 1 ")
    });
    assert_eq!(program.codes("state")[2], "CKR_DEVICE_ERROR");
    lab.bring_back(2);
    eventually("it was told to try again", PATIENCE, || {
        program.ask("members")[2].ends_with("state 0 losses 1 recoveries 1")
    });
    program.end();
}
