//! What must hold in every state, and what shows that it is not for want of occasion.

use everslot_core::{Deed, MemberSet, ReconcileNext};
use stateright::Property;

use super::actions::{BEGINS, RETURNS, STEPS};
use super::{Answered, Plan, Start, State, Wish};
use crate::scenario::Liveness;

impl Plan {
    /// What must not be put off for ever.
    #[must_use]
    pub fn reconciles_end(&self) -> Vec<Liveness<Self>> {
        let ends = (0..self.wishes.len()).map(|process| Liveness {
            name: format!("L3 a reconcile ends (process {process})"),
            assumed: STEPS,
            waiting: Box::new(move |_: &Self, state: &State| {
                state.processes[process].recovery.is_some()
            }),
        });
        let settles = Liveness {
            name: "L3 some day everybody is back and has the same".to_owned(),
            assumed: STEPS.union(RETURNS).union(BEGINS),
            waiting: Box::new(|_: &Self, state: &State| !state.is_settled()),
        };
        ends.chain([settles]).collect()
    }

    fn wishes_for(&self, fits: impl Fn(&Wish) -> bool) -> bool {
        self.wishes.iter().flatten().any(fits)
    }
}

impl State {
    /// Whether as many members as are asked for hold one object of the base, the same one, or none does.
    fn is_equal(&self, plan: &Plan, base: u8) -> bool {
        let mut found = self.holding(base);
        let Some((_, first)) = found.next() else {
            return true;
        };
        let alike = |object: super::Object| {
            (object.attempt, object.revision) == (first.attempt, first.revision)
        };
        let members: MemberSet = self.holding(base).map(|(member, _)| member).collect();
        let enough = members == plan.all() || plan.copies.has_enough(members);
        found.all(|(_, object)| alike(object)) && enough && !self.has_twins(base)
    }

    fn has_twins(&self, base: u8) -> bool {
        let members: MemberSet = self.holding(base).map(|(member, _)| member).collect();
        self.holding(base).count() > members.len() as usize
    }

    fn is_held(&self, base: u8) -> bool {
        self.holding(base).next().is_some()
    }

    /// S8: what the application was told is made, and has not asked to destroy, some token holds; once all is settled, all do.
    fn keeps_what_was_made(&self, plan: &Plan) -> bool {
        let mut kept = self.ledger.iter().filter(|(_, told)| {
            told.made == Answered::Yes && told.destroyed == Answered::No && !told.was_lost
        });
        kept.all(|(base, _)| {
            self.is_held(*base) && (!self.is_settled() || self.is_equal(plan, *base))
        })
    }

    /// S9: what the application was told is destroyed, nobody holds once all is settled; before that, of the members that serve
    /// in all processes only one that is being reconciled may: it may have been brought what was destroyed while it was read, and loses it in a later pass.
    fn keeps_out_what_was_destroyed(&self) -> bool {
        let mut gone = self
            .ledger
            .iter()
            .filter(|(_, told)| told.destroyed == Answered::Yes);
        gone.all(|(base, _)| {
            let told_to_all = self.processes.len() == 1;
            let serve = self.processes.iter().map(|process| process.serving);
            let serve = serve.fold(MemberSet::EMPTY, MemberSet::union);
            let is_in_step = |member| serve.contains(member) && !self.is_claimed(member);
            let served = self.holding(*base).any(|(member, _)| is_in_step(member));
            !(told_to_all && served || self.is_settled() && self.is_held(*base))
        })
    }

    /// S4: the group has one object for one wish, at any time; once all is settled each member has it once, and of what failed nothing
    /// is left.
    fn makes_once(&self, plan: &Plan) -> bool {
        self.ledger.iter().all(|(base, told)| {
            let one = self.journal.live_keys(*base).count() <= 1;
            let failed = told.made == Answered::No && self.is_held(*base);
            let settled = self.is_equal(plan, *base) && !failed;
            one && (!self.is_settled() || settled)
        })
    }

    fn is_doing(&self, fits: impl Fn(Deed, u8) -> bool) -> bool {
        self.processes.iter().any(|process| {
            match process.recovery.as_ref().map(|recovering| recovering.next) {
                Some(ReconcileNext::Do { key, deed }) => fits(deed, key.0[0]),
                Some(
                    ReconcileNext::Clean
                    | ReconcileNext::BeginPass
                    | ReconcileNext::ReadGroup { .. }
                    | ReconcileNext::ReadMember { .. }
                    | ReconcileNext::LookUp { .. }
                    | ReconcileNext::CloseGate
                    | ReconcileNext::Over(_),
                )
                | None => false,
            }
        })
    }
}

pub(super) fn of(plan: &Plan) -> Vec<Property<Plan>> {
    let mut properties = vec![
        Property::always(
            "C1 no machine breaks an invariant or takes an outcome for void",
            |_, state: &State| !state.fault,
        ),
        Property::sometimes("C1 seen: two things under way", |_, state: &State| {
            let changes = state
                .processes
                .iter()
                .filter(|process| process.change.is_some());
            let reconciles = state
                .processes
                .iter()
                .filter(|process| process.recovery.is_some());
            changes.count() + reconciles.count() > 1
        }),
        Property::always(
            "S8 what is acknowledged is held, and by all in the end",
            |plan: &Plan, state: &State| state.keeps_what_was_made(plan),
        ),
        Property::sometimes(
            "S8 seen: a reconcile copies what was acknowledged",
            |_, state: &State| {
                let told = |base| {
                    state
                        .ledger
                        .get(&base)
                        .is_some_and(|told| told.made == Answered::Yes)
                };
                state.is_doing(|deed, base| matches!(deed, Deed::Copy { .. }) && told(base))
            },
        ),
        Property::always(
            "S4 what is made is there once, and nothing is left of what failed",
            |plan: &Plan, state: &State| state.makes_once(plan),
        ),
    ];
    if plan.wishes_for(|wish| matches!(wish, Wish::Create(_))) {
        properties.push(Property::sometimes(
            "S4 seen: made anew while the first may be there",
            |_, state: &State| {
                let attempts = |base| state.holding(base).map(|(_, object)| object.attempt);
                let twice = |base: &u8| attempts(*base).min() < attempts(*base).max();
                state.ledger.keys().any(twice)
            },
        ));
    } else {
        properties.push(Property::sometimes(
            "S4 seen: members that differ",
            |plan: &Plan, state: &State| {
                state.ledger.keys().any(|base| !state.is_equal(plan, *base))
            },
        ));
    }
    let destroys =
        plan.start == Start::Behind || plan.wishes_for(|wish| matches!(wish, Wish::Destroy(_)));
    if destroys {
        properties.push(Property::always(
            "S9 what is destroyed does not come back",
            |_, state: &State| state.keeps_out_what_was_destroyed(),
        ));
        properties.push(Property::sometimes(
            "S9 seen: a reconcile destroys what was destroyed",
            |_, state: &State| state.is_doing(|deed, _| deed == Deed::Destroy),
        ));
    }
    properties.push(Property::sometimes(
        "L3 seen: all is settled after a loss",
        |plan: &Plan, state: &State| {
            state.is_settled()
                && (state.deaths_left < plan.deaths || state.crashes_left < plan.crashes)
        },
    ));
    properties
}
