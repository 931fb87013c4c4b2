//! What an operator orders.

use everslot_core::Input;

use super::World;
use super::act::Order;
use super::plan::{Plan, policy};

impl World {
    pub(super) fn obey(&mut self, plan: &Plan, order: Order) {
        self.left.orders -= 1;
        let input = match order {
            Order::Add(member) => Input::Add {
                member,
                role: plan.roles[member.index()],
            },
            Order::Remove(member) => Input::Remove { member },
            Order::Park(member) => Input::Park { member },
            Order::Unpark(member) => Input::Unpark { member },
            Order::Recover(member) => Input::Recover { member },
            Order::SetRole(member, role) => Input::SetRole { member, role },
            Order::SetPolicy => {
                let other = policy(plan.other_policy);
                let is_other = self.group.policy() == other;
                Input::SetPolicy(if is_other { policy(plan.policy) } else { other })
            }
        };
        let _ = self.feed(input);
    }
}
