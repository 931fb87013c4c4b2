//! What C sees: the header, and the functions as C calls them.
#![expect(unsafe_code, reason = "the functions take pointers")]

mod calls;
mod groups;
mod header;

use core::mem::MaybeUninit;

use crate::*;

const NOW: u64 = 1000;
const DEVICE_ERROR: u64 = everslot_core::ckr::DEVICE_ERROR.0;

/// A group of C's, with attempts without end a minute apart.
struct Gateway {
    group: Group,
    output: Output,
}

impl Gateway {
    fn new() -> Self {
        let policy = Policy {
            interval: 60_000,
            attempts: UNLIMITED,
        };
        let mut group = MaybeUninit::<Group>::zeroed();
        // SAFETY: both are valid; a group's memory is any numbers.
        let group = unsafe {
            assert!(everslot_group_new(group.as_mut_ptr(), &raw const policy));
            group.assume_init()
        };
        Self {
            group,
            output: Output::default(),
        }
    }

    /// A and B active, C standby, all in service.
    fn of_three() -> Self {
        let mut gateway = Self::new();
        for (member, role) in [(0, Role::Active), (1, Role::Active), (2, Role::Standby)] {
            gateway.feed(Input {
                member,
                role: role as u8,
                ..input(InputKind::Add)
            });
            gateway.bring_up();
        }
        gateway
    }

    fn handle(&mut self, input: &Input) -> bool {
        // SAFETY: all three are valid and none overlaps another.
        unsafe { everslot_group_handle(&raw mut self.group, input, NOW, &raw mut self.output) }
    }

    #[track_caller]
    fn feed(&mut self, input: Input) {
        assert!(self.handle(&input), "{input:?}");
    }

    /// Begins the attempt that is due, and finishes it.
    #[track_caller]
    fn bring_up(&mut self) {
        self.feed(input(InputKind::Timer));
        self.finish();
    }

    /// Does each step of the attempt that has begun.
    #[track_caller]
    fn finish(&mut self) {
        while let [action] = self.actions() {
            assert_eq!(action.kind, ActionKind::Perform as u8);
            let done = Input {
                member: action.member,
                serial: action.serial,
                step: action.step,
                generation: action.generation,
                outcome: Outcome::Done as u8,
                ..input(InputKind::Step)
            };
            self.feed(done);
        }
    }

    fn actions(&self) -> &[Action] {
        &self.output.actions[..usize::from(self.output.actions_length)]
    }

    fn events(&self) -> &[Event] {
        &self.output.events[..usize::from(self.output.events_length)]
    }

    fn event_kinds(&self) -> Vec<u8> {
        self.events().iter().map(|event| event.kind).collect()
    }

    fn serving(&self) -> Serving {
        let mut serving = Serving::default();
        // SAFETY: both are valid.
        assert!(unsafe { everslot_group_serving(&raw const self.group, &raw mut serving) });
        serving
    }

    fn member(&self, member: u8) -> Option<MemberStatus> {
        let mut status = MemberStatus::default();
        // SAFETY: both are valid.
        let found =
            unsafe { everslot_group_member(&raw const self.group, member, &raw mut status) };
        found.then_some(status)
    }

    fn poll_timeout(&self) -> Option<(u64, u8)> {
        let (mut at, mut member) = (0, NOBODY);
        // SAFETY: all are valid.
        let wanted = unsafe {
            everslot_group_poll_timeout(&raw const self.group, &raw mut at, &raw mut member)
        };
        wanted.then_some((at, member))
    }
}

fn input(kind: InputKind) -> Input {
    Input {
        kind: kind as u8,
        ..Input::default()
    }
}
