//! What a person sees: a live table on a terminal, else a line for each change; a summary at the end.

use std::error::Error;
use std::fmt::Write as _;
use std::io::{IsTerminal, stdout};
use std::time::{Duration, Instant};

use super::fault::{Frozen, Script};
use super::output;
use super::signing::{Signers, Tally};
use crate::status::{Client, MemberStatus, Read};

/// How often the members are looked at; one that is back at once has been gone for no longer than this.
const LOOK: Duration = Duration::from_millis(50);
/// How often a look counts as a status read: seldom enough for people to see that the first one after a loss says something else.
const STATUS_READ: Duration = Duration::from_secs(1);
/// How often the table is drawn when nothing but its numbers has changed.
const DRAW: Duration = Duration::from_millis(250);
const TIMEOUT: Duration = Duration::from_secs(2);
/// How long the members may take to serve at first, and to be back at the end.
const PATIENCE: Duration = Duration::from_secs(30);

/// The picture of the demo as it goes on.
pub(super) struct Show {
    start: Instant,
    /// As the members were when all of them served for the first time.
    first: Vec<MemberStatus>,
    last: Vec<MemberStatus>,
    last_read: Instant,
    last_drawn: Instant,
    /// Lines of the table that stands on the terminal.
    lines: usize,
    on_terminal: bool,
}

impl Show {
    /// Waits until every member serves.
    pub(super) fn begin() -> Result<Self, Box<dyn Error>> {
        let start = Instant::now();
        loop {
            let members = look(Read::Peek)?;
            if all_serve(&members) {
                let on_terminal = stdout().is_terminal();
                return Ok(Self {
                    start: Instant::now(),
                    first: members,
                    last: Vec::new(),
                    last_read: start,
                    last_drawn: start,
                    lines: 0,
                    on_terminal,
                });
            }
            if start.elapsed() > PATIENCE {
                return Err(
                    "not every member serves; remove the demo's directory to begin afresh".into(),
                );
            }
            std::thread::sleep(LOOK);
        }
    }

    /// Shows the members for `length`, and longer until every one is back, while the script's deeds are done at their times.
    pub(super) fn run(
        &mut self,
        signers: &Signers,
        mut script: Script,
        length: Duration,
    ) -> Result<(), Box<dyn Error>> {
        let mut frozen = Frozen::new();
        while self.start.elapsed() < length + PATIENCE {
            let part = self.start.elapsed().as_secs_f64() / length.as_secs_f64();
            for deed in script.due(part) {
                let line = deed.perform(&mut frozen)?;
                self.tell(&line)?;
            }
            let members = self.look()?;
            self.picture(members, &signers.tally())?;
            if part >= 1.0 && script.is_over() && all_serve(&self.last) {
                return Ok(());
            }
            std::thread::sleep(LOOK);
        }
        Err("a member did not come back".into())
    }

    /// The line that says how it went.
    pub(super) fn summary(&self, tally: &Tally) -> String {
        let since = |count: fn(&MemberStatus) -> u64| {
            let sum = |members: &[MemberStatus]| members.iter().map(count).sum::<u64>();
            sum(&self.last).saturating_sub(sum(&self.first))
        };
        let failure = tally
            .first_failure
            .iter()
            .map(|failure| format!("The first failure: {failure}\n"));
        let line = format!(
            "signatures {}  failed {}  failovers {}  recoveries {}  longest stall {} ms\n",
            tally.signatures,
            tally.failed,
            since(|member| member.losses),
            since(|member| member.recoveries),
            tally.longest_stall.as_millis(),
        );
        failure.chain([line]).collect()
    }

    /// A line that stays.
    fn tell(&mut self, line: &str) -> Result<(), Box<dyn Error>> {
        let text = format!(
            "{}{:5.1} s  {line}\n",
            self.over_the_table(),
            self.start.elapsed().as_secs_f64()
        );
        self.lines = 0;
        Ok(output::print(&text)?)
    }

    /// The members, by a status read when it is time for one.
    fn look(&mut self) -> Result<Vec<MemberStatus>, Box<dyn Error>> {
        if self.last_read.elapsed() < STATUS_READ {
            return look(Read::Peek);
        }
        self.last_read = Instant::now();
        look(Read::Status)
    }

    fn picture(&mut self, members: Vec<MemberStatus>, tally: &Tally) -> Result<(), Box<dyn Error>> {
        let changed = codes(&members) != codes(&self.last);
        let text = match (self.on_terminal, changed) {
            (true, true) => self.redrawn(&members, tally),
            (true, false) if self.last_drawn.elapsed() >= DRAW => self.redrawn(&members, tally),
            (false, true) => {
                let seconds = self.start.elapsed().as_secs_f64();
                format!(
                    "{seconds:5.1} s  {}  {}\n",
                    codes(&members),
                    progress(tally)
                )
            }
            (true | false, false) => String::new(),
        };
        self.last = members;
        Ok(output::print(&text)?)
    }

    fn redrawn(&mut self, members: &[MemberStatus], tally: &Tally) -> String {
        let table = table(members, tally);
        let text = self.over_the_table() + &table;
        self.lines = table.lines().count();
        self.last_drawn = Instant::now();
        text
    }

    /// Moves to where the table begins and clears it.
    fn over_the_table(&self) -> String {
        if self.lines == 0 {
            String::new()
        } else {
            format!("\x1b[{}A\x1b[J", self.lines)
        }
    }
}

/// The members as this very process's library sees them, through its status socket.
fn look(read: Read) -> Result<Vec<MemberStatus>, Box<dyn Error>> {
    let applications = Client::of_this_user().applications();
    let own = applications
        .iter()
        .find(|application| application.pid == std::process::id());
    let own = own.ok_or("libeverslot.so in this process answers no status reads")?;
    let snapshot = own.snapshot(read, TIMEOUT)?;
    Ok(snapshot
        .groups
        .into_iter()
        .flat_map(|group| group.members)
        .collect())
}

fn all_serve(members: &[MemberStatus]) -> bool {
    !members.is_empty() && members.iter().all(|member| member.state.serves())
}

fn codes(members: &[MemberStatus]) -> String {
    let code = |member: &MemberStatus| format!("{} {:21}", member.name, member.code.name);
    members.iter().map(code).collect::<Vec<_>>().join("  ")
}

fn progress(tally: &Tally) -> String {
    format!(
        "signatures {}  failed {}  longest stall {} ms",
        tally.signatures,
        tally.failed,
        tally.longest_stall.as_millis()
    )
}

fn table(members: &[MemberStatus], tally: &Tally) -> String {
    let mut table = comfy_table::Table::new();
    table.load_style(comfy_table::presets::UTF8_HORIZONTAL_ONLY);
    table.set_header([
        "member", "state", "CK_RV", "answered", "lost", "back", "why",
    ]);
    for member in members {
        table.add_row([
            member.name.clone(),
            member.state.word().to_owned(),
            member.code.name.clone(),
            member.calls.to_string(),
            member.losses.to_string(),
            member.recoveries.to_string(),
            member.evidence.clone().unwrap_or_default(),
        ]);
    }
    let mut text = table.to_string();
    // Writing to a string does not fail.
    let _ = writeln!(text, "\n{}", progress(tally));
    text
}
