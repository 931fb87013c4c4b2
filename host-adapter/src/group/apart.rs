//! A member that returns while nobody is logged in is brought in step by the configuration's PINs, where it has them.
//!
//! The application's sessions must not be logged in by that (S7). So it is done apart from them: in member hosts of its own, which log in, end
//! when it is done, and are all that reads these PINs.

use std::path::Path;
use std::sync::Arc;

use everslot_core::Evidence;
use secrecy::SecretString;

use super::GroupDriver;
use super::member::Member;
use super::recovery::Obstacle;
use super::synchronise::{Judged, Side};
use crate::domain::CallError;
use crate::objects::{NotOpened, Opened, Profiles, Tries};

impl GroupDriver {
    /// Brings a member in step with the group's objects though nobody is logged in. Whether nothing is left to be done; what is left is done
    /// when the group's login reaches the member.
    ///
    /// A PIN that is refused is tried no more in this process, and none is tried on a token of which somebody has tried a wrong one, so that
    /// what the configuration says locks no token.
    pub(super) fn bring_in_step_apart(
        &self,
        member: &Arc<Member>,
        profiles: &Profiles,
    ) -> Result<bool, Obstacle> {
        let Some(mut own) = self.open_apart(member) else {
            return Ok(false);
        };
        let (_claim, mut journal) = self.claim(member)?;
        let others = self.serving().without(member.id);
        let mut all_are_there = true;
        let mut sources = Vec::new();
        for other in others.iter().filter_map(|id| self.member(id)) {
            match self.open_apart(other) {
                Some(opened) => sources.push((other.id, opened)),
                None => all_are_there = false,
            }
        }
        let sources = sources.iter_mut().map(|(id, opened)| Side {
            member: *id,
            token: opened.token(),
        });
        let sources = sources.collect();
        let lost = |_: CallError| Obstacle::Evidence(Evidence::NotReached);
        let done = self.reconcile_over(member, own.token(), sources, profiles, &mut journal);
        let judged = self.judge(member, done.map_err(lost)??, lost)?;
        Ok(all_are_there && judged == Judged::Whole)
    }

    /// The member in a host of its own; none where the configuration has no PIN for it, or where it does not do.
    fn open_apart(&self, member: &Arc<Member>) -> Option<Opened> {
        let source = member.config.pin.as_ref()?;
        let program = member.load.host_program()?;
        if self.synchronised.distrusts_pin_of(member.id) {
            return None;
        }
        let opened = source
            .read()
            .map_err(|error| error.to_string())
            .and_then(|pin| self.try_pin(member, program, &pin));
        opened
            .inspect_err(|why| {
                let (group, name) = (self.config.label.as_str(), member.config.name.as_str());
                tracing::warn!(
                    group,
                    member = name,
                    why,
                    "its objects cannot be brought in step before the application logs in"
                );
            })
            .ok()
    }

    fn try_pin(
        &self,
        member: &Arc<Member>,
        program: &Path,
        pin: &SecretString,
    ) -> Result<Opened, String> {
        Opened::open(&member.config, program, pin, Tries::FirstOnly).map_err(|error: NotOpened| {
            if error.is_wrong_pin() {
                self.synchronised.distrust_pin_of(member.id);
            }
            error.to_string()
        })
    }
}
