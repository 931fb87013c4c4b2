//! What is done to the members meanwhile.

use std::thread::JoinHandle;
use std::time::Duration;

use fastrand::Rng;

use crate::softhsm::Description;
use crate::{HostProcess, Lab, PATIENCE, Store, eventually};

/// The longest that a killer waits: longer than most calls take, so that a member dies anywhere in one.
const DELAY: Duration = Duration::from_millis(60);

/// The members, and who is about to kill one.
pub(super) struct Faults<'l> {
    lab: &'l Lab,
    away: Vec<bool>,
    /// What SoftHSM has written of each member's token itself.
    described: Vec<Description>,
    killers: Vec<JoinHandle<()>>,
}

impl<'l> Faults<'l> {
    pub(super) fn new(lab: &'l Lab) -> Self {
        let stores = lab.members().iter().map(|member| member.store());
        Self {
            lab,
            away: vec![false; lab.members().len()],
            described: stores.map(Store::description).collect(),
            killers: Vec::new(),
        }
    }

    /// Has a member's processes killed while the application goes on. Which one's.
    pub(super) fn kill_one(&mut self, random: &mut Rng) -> usize {
        let member = random.usize(..self.away.len());
        let module = self.lab.members()[member].module().to_owned();
        let delay = DELAY.mul_f64(random.f64());
        self.killers.push(std::thread::spawn(move || {
            std::thread::sleep(delay);
            let hosts = HostProcess::all_of_module(&module);
            hosts.iter().for_each(|host| host.kill());
        }));
        member
    }

    /// Takes a member's token away, unless it is the last that is there. Which one's.
    pub(super) fn take_one_away(&mut self, random: &mut Rng) -> Option<usize> {
        let there = self.those(false);
        let member = *random.choice(&there).filter(|_| there.len() > 1)?;
        // Who has the token open would see an empty one if it were moved; so nobody new finds it, and then nobody has it.
        self.lab.members()[member].store().hide();
        self.lab.kill_everywhere(member);
        self.away[member] = true;
        Some(member)
    }

    /// Brings one back; now and then nothing goes on before it serves. Which one.
    pub(super) fn bring_one_back(&mut self, random: &mut Rng) -> Option<usize> {
        let member = *random.choice(&self.those(true))?;
        self.lab.members()[member].store().show();
        self.away[member] = false;
        if random.bool() {
            self.wait_until_they_serve();
        }
        Some(member)
    }

    /// Brings all back; nobody is killed any more.
    pub(super) fn end(&mut self) {
        self.let_killers_end();
        for member in self.those(true) {
            self.lab.members()[member].store().show();
            self.away[member] = false;
        }
        self.wait_until_they_serve();
    }

    /// Waits for kills that are still to come.
    pub(super) fn let_killers_end(&mut self) {
        for killer in self.killers.drain(..) {
            killer.join().expect("it only kills");
        }
    }

    /// Waits until those serve that are there.
    fn wait_until_they_serve(&self) {
        eventually("those that are there serve", PATIENCE, || {
            self.mend();
            let codes = self.lab.codes();
            let serves = |(code, away): (&String, &bool)| *away || code == "CKR_OK";
            codes.len() == self.away.len() && codes.iter().zip(&self.away).all(serves)
        });
    }

    /// Gives each member's token back that SoftHSM has lost itself.
    pub(super) fn mend(&self) {
        for (member, described) in self.lab.members().iter().zip(&self.described) {
            member.store().mend(described);
        }
    }

    fn those(&self, away: bool) -> Vec<usize> {
        let members = self.away.iter().enumerate();
        let such = members.filter(|(_, is_away)| **is_away == away);
        such.map(|(member, _)| member).collect()
    }
}
