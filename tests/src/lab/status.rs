//! What `everslot status` says of a lab's applications, and waiting for it.

use std::process::Command;

use serde_json::Value;

use super::Lab;
use crate::wait::until;
use crate::{Artifact, PATIENCE, eventually};

impl Lab {
    /// The members as `everslot status --json` has them, for this process; none before `C_Initialize`.
    ///
    /// # Panics
    /// The command does not answer in JSON.
    #[must_use]
    #[track_caller]
    pub fn status(&self) -> Vec<Value> {
        let own = std::process::id();
        self.members_as_seen_by(|process| process["process"]["pid"] == own)
    }

    /// The members of the processes that `chosen` takes, as `everslot status --json` has them.
    #[track_caller]
    fn members_as_seen_by(&self, chosen: impl Fn(&Value) -> bool) -> Vec<Value> {
        let processes = self.processes();
        processes
            .iter()
            .filter(|process| chosen(process))
            .flat_map(|process| process["groups"].as_array().into_iter().flatten())
            .flat_map(|group| group["members"].as_array().into_iter().flatten().cloned())
            .collect()
    }

    /// The processes as `everslot status --json` has them.
    #[track_caller]
    fn processes(&self) -> Vec<Value> {
        let mut command = Command::new(Artifact::Command.path());
        command.args(["status", "--json"]).envs(self.environment());
        let output = command.output().expect("the everslot program starts");
        let report: Value = serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)));
        report["processes"].as_array().cloned().unwrap_or_default()
    }

    /// The members of each process that has the lab's configuration, as `everslot status --json` has them.
    ///
    /// # Panics
    /// The command does not answer in JSON.
    #[must_use]
    #[track_caller]
    pub fn members_by_process(&self) -> Vec<Vec<Value>> {
        let processes = self.processes();
        let members = |process: &Value| {
            let groups = process["groups"].as_array().into_iter().flatten();
            let members = groups.flat_map(|group| group["members"].as_array().cloned());
            members.flatten().collect()
        };
        processes.iter().map(members).collect()
    }

    /// Waits until every member serves in every process that has the lab's configuration, which at least one does.
    ///
    /// # Panics
    /// One does not within a generous time.
    #[track_caller]
    pub fn wait_until_all_serve_everywhere(&self) {
        let mut processes = Vec::new();
        let all_serve = until(PATIENCE, || {
            processes = self.members_by_process();
            let mut members = processes.iter().flatten().peekable();
            members.peek().is_some() && members.all(|member| member["code"]["name"] == "CKR_OK")
        });
        assert!(all_serve, "members by process: {processes:#?}");
    }

    /// The code that the status shows for each member, in their order.
    #[must_use]
    pub fn codes(&self) -> Vec<String> {
        let code = |member: &Value| {
            member["code"]["name"]
                .as_str()
                .unwrap_or_default()
                .to_owned()
        };
        self.status().iter().map(code).collect()
    }

    /// The code that the status shows for one member.
    #[must_use]
    pub fn code(&self, member: usize) -> String {
        self.codes().swap_remove(member)
    }

    /// Waits until the status shows this code for a member.
    ///
    /// # Panics
    /// It does not within a generous time.
    #[track_caller]
    pub fn wait_for_code(&self, member: usize, code: &str) {
        eventually(code, PATIENCE, || self.code(member) == code);
    }

    /// Waits until every member serves.
    ///
    /// # Panics
    /// One does not within a generous time.
    #[track_caller]
    pub fn wait_until_all_serve(&self) {
        eventually("every member serves", PATIENCE, || {
            let codes = self.codes();
            codes.len() == self.members.len() && codes.iter().all(|code| code == "CKR_OK")
        });
    }
}
