//! V1: what does not fit the state is void, whenever it comes.

use everslot_core::{
    AttemptSerial, Evidence, Incarnation, Input, Login, LoginGeneration, LoginOutcome, LoginSync,
    Member, MemberId, MemberState, QuarantineReason, Step, StepOutcome,
};

use super::World;

impl World {
    /// Whether reports that come late or twice, orders that make no sense here and an early timer change nothing.
    pub(super) fn voids_are_void(&self) -> bool {
        let mut group = self.group.clone();
        let silent = self.voids().into_iter().all(|input| {
            let output = group.handle(input, self.now());
            output.actions.is_empty() && output.events.is_empty()
        });
        silent && group == self.group
    }

    fn voids(&self) -> Vec<Input> {
        let mut voids = vec![Input::SetPolicy(self.group.policy())];
        if !self.timer_is_due() {
            voids.push(Input::Timer);
        }
        match self.group.login() {
            Login::Out => voids.push(Input::LogOut),
            Login::In(user) => voids.push(Input::LoginAccepted {
                member: MemberId(0),
                incarnation: Incarnation(0),
                user,
            }),
        }
        for id in super::places() {
            match self.group.member(id) {
                Some(member) => self.voids_of(id, &member, &mut voids),
                None => voids_of_nobody(id, &mut voids),
            }
        }
        voids
    }

    fn voids_of(&self, id: MemberId, member: &Member, voids: &mut Vec<Input>) {
        let older = Incarnation(member.incarnation.0.wrapping_sub(1));
        reports(id, older, voids);
        if !member.state.serves() {
            reports(id, member.incarnation, voids);
        }
        voids.push(Input::Add {
            member: id,
            role: member.role,
        });
        voids.push(Input::SetRole {
            member: id,
            role: member.role,
        });
        voids.push(match member.state {
            MemberState::Parked => Input::Park { member: id },
            MemberState::Active
            | MemberState::Standby
            | MemberState::Lost { .. }
            | MemberState::Recovering { .. }
            | MemberState::GivenUp { .. }
            | MemberState::Quarantined { .. } => Input::Unpark { member: id },
        });
        match member.state {
            MemberState::Recovering { step, serial, .. } => late_steps(id, serial, step, voids),
            MemberState::Active | MemberState::Standby | MemberState::Parked => {
                voids.push(Input::Recover { member: id });
                late_steps(id, AttemptSerial(1), Step::Synchronise, voids);
            }
            MemberState::Lost { .. }
            | MemberState::GivenUp { .. }
            | MemberState::Quarantined { .. } => {}
        }
        let late = LoginGeneration(self.group.generation().0.wrapping_sub(1));
        let mut changed = |incarnation, generation, outcome| {
            voids.push(Input::LoginChanged {
                member: id,
                incarnation,
                generation,
                outcome,
            });
        };
        changed(older, self.group.generation(), LoginOutcome::Done);
        let refused = LoginOutcome::Refused(QuarantineReason::PinRefused);
        changed(member.incarnation, late, refused);
        if member.login != LoginSync::Changing {
            changed(
                member.incarnation,
                self.group.generation(),
                LoginOutcome::Done,
            );
        }
    }
}

fn reports(member: MemberId, incarnation: Incarnation, voids: &mut Vec<Input>) {
    voids.push(Input::Lost {
        member,
        incarnation,
        evidence: Evidence::NotReached,
    });
    voids.push(Input::Quarantine {
        member,
        incarnation,
        why: QuarantineReason::TokenChanged,
    });
}

/// An outcome of the attempt before, and one of another step.
fn late_steps(member: MemberId, serial: AttemptSerial, step: Step, voids: &mut Vec<Input>) {
    let other = match step {
        Step::Connect => Step::Open,
        Step::Open | Step::LogIn | Step::Synchronise => Step::Connect,
    };
    let before = AttemptSerial(serial.0.wrapping_sub(1));
    for (serial, step) in [(before, step), (serial, other)] {
        for outcome in [
            StepOutcome::Done {
                login: LoginGeneration(0),
            },
            StepOutcome::Failed(Evidence::NotReached),
            StepOutcome::Refused(QuarantineReason::TokenChanged),
        ] {
            voids.push(Input::Step {
                member,
                serial,
                step,
                outcome,
            });
        }
    }
}

fn voids_of_nobody(member: MemberId, voids: &mut Vec<Input>) {
    voids.extend([
        Input::Remove { member },
        Input::Park { member },
        Input::Unpark { member },
        Input::Recover { member },
    ]);
    reports(member, Incarnation(1), voids);
}
