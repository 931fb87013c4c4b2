//! What happens to the members, and when.

use std::error::Error;
use std::time::Duration;

use rustix::process::Signal;

use super::host::HostProcess;
use super::stage::{Actor, Stage};

/// Things to do, each at its part of the demo's time.
#[derive(Debug)]
pub(super) struct Script(Vec<(f64, Deed)>);

/// One thing to do.
#[derive(Clone, Debug)]
pub(super) enum Deed {
    BringBack(Actor),
    Freeze(Actor),
    Kill(Actor),
    KillAll(Vec<Actor>),
    TakeAway(Actor),
    Thaw(Actor),
}

/// Member hosts that have been frozen and may go on when thawed.
pub(super) type Frozen = Vec<(String, HostProcess)>;

impl Script {
    /// Kills one member, freezes another and takes the third one's token away; each comes back.
    pub(super) fn of_faults(stage: &Stage) -> Self {
        let [killed, frozen, taken] =
            [0, 1, 2].map(|index| stage.members()[index % stage.members().len()].clone());
        Self(vec![
            (0.10, Deed::Kill(killed)),
            (0.30, Deed::Freeze(frozen.clone())),
            (0.45, Deed::Thaw(frozen)),
            (0.55, Deed::TakeAway(taken.clone())),
            (0.80, Deed::BringBack(taken)),
        ])
    }

    /// Loses every member at once, then brings all back.
    pub(super) fn of_disaster(stage: &Stage) -> Self {
        let back = stage
            .members()
            .iter()
            .map(|member| (0.60, Deed::BringBack(member.clone())));
        Self(
            std::iter::once((0.30, Deed::KillAll(stage.members().to_vec())))
                .chain(back)
                .collect(),
        )
    }

    /// Takes what is due after `part` of the time off the script.
    pub(super) fn due(&mut self, part: f64) -> Vec<Deed> {
        let count = self.0.iter().take_while(|(when, _)| *when <= part).count();
        self.0.drain(..count).map(|(_, deed)| deed).collect()
    }

    pub(super) fn is_over(&self) -> bool {
        self.0.is_empty()
    }
}

impl Deed {
    /// Does it; a line that says what was done.
    pub(super) fn perform(&self, frozen: &mut Frozen) -> Result<String, Box<dyn Error>> {
        Ok(match self {
            Self::BringBack(member) => {
                member.bring_back()?;
                format!("brought the token of {} back", member.name())
            }
            Self::Freeze(member) => {
                let host = host_of(member)?;
                host.send(Signal::STOP);
                frozen.push((member.name().to_owned(), host));
                format!(
                    "froze {} (SIGSTOP to its process {})",
                    member.name(),
                    host.id()
                )
            }
            Self::Kill(member) => {
                let host = host_of(member)?;
                host.send(Signal::KILL);
                format!(
                    "killed {} (SIGKILL to its process {})",
                    member.name(),
                    host.id()
                )
            }
            Self::KillAll(members) => lose_all(members)?,
            Self::TakeAway(member) => {
                let host = host_of(member)?;
                pull_out(&[(member, host)])?;
                format!(
                    "took the token of {} away and killed its process {}",
                    member.name(),
                    host.id()
                )
            }
            Self::Thaw(member) => {
                frozen
                    .iter()
                    .filter(|(name, _)| name == member.name())
                    .for_each(|(_, host)| host.send(Signal::CONT));
                format!(
                    "let the frozen process of {} go on (SIGCONT), if everslot has not replaced it",
                    member.name()
                )
            }
        })
    }
}

/// How long a member host that has just been replaced may take to show up.
const PATIENCE: Duration = Duration::from_secs(5);

fn lose_all(members: &[Actor]) -> Result<String, Box<dyn Error>> {
    let hosts: Vec<_> = members
        .iter()
        .map(|member| Ok((member, host_of(member)?)))
        .collect::<Result<_, Box<dyn Error>>>()?;
    pull_out(&hosts)?;
    let names: Vec<_> = members.iter().map(Actor::name).collect();
    Ok(format!(
        "killed every member at once: {}; no call can be answered until one is back",
        names.join(", ")
    ))
}

/// Takes tokens away. Their processes see nothing of it: SoftHSM would answer that it has no such object, as no token does that was
/// pulled out. And none of them is back before the last one is gone.
fn pull_out(members: &[(&Actor, HostProcess)]) -> Result<(), Box<dyn Error>> {
    members.iter().for_each(|(_, host)| host.send(Signal::STOP));
    let taken = members
        .iter()
        .try_for_each(|(member, _)| member.take_away());
    members.iter().for_each(|(_, host)| host.send(Signal::KILL));
    Ok(taken?)
}

fn host_of(member: &Actor) -> Result<HostProcess, Box<dyn Error>> {
    let start = std::time::Instant::now();
    loop {
        match member.host() {
            Some(host) => return Ok(host),
            None if start.elapsed() > PATIENCE => {
                return Err(
                    format!("member {} has no process to do anything to", member.name()).into(),
                );
            }
            None => std::thread::sleep(Duration::from_millis(20)),
        }
    }
}
