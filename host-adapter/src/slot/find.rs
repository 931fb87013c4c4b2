use std::collections::HashSet;

use everslot_core::{MemberSet, Repeat, Rv, ckr};
use everslot_protocol::{Body, Request, Template};

use super::recognise::Answered;
use super::{Session, VirtualSlot, handles};
use crate::group::{Errand, Lease, Member};

/// Bytes for the handles of a search at first; a search that finds more is sent again with as much as it needs.
const ROOM: usize = 64 * 1024;

/// A search that is under way: all that it found, and how much of it the application has had.
///
/// The members are asked when the search begins, so that it goes on whatever becomes of them.
pub(super) struct Search {
    found: Vec<u64>,
    given: usize,
}

impl Session {
    /// `C_FindObjectsInit`
    ///
    /// # Errors
    /// `CKR_OPERATION_ACTIVE`, what a member says of the template, `CKR_DEVICE_ERROR` when no member answers.
    pub fn find_begin(&self, template: Template<'_>) -> Result<(), Rv> {
        let mut state = self.state()?;
        if state.search.is_some() {
            return Err(ckr::OPERATION_ACTIVE);
        }
        let found = self.slot.search(template)?;
        state.search = Some(Search { found, given: 0 });
        Ok(())
    }

    /// `C_FindObjects`; how many handles were put at the start of `found`.
    ///
    /// # Errors
    /// `CKR_OPERATION_NOT_INITIALIZED`
    pub fn find_next(&self, found: &mut [u64]) -> Result<usize, Rv> {
        let mut state = self.state()?;
        let search = state
            .search
            .as_mut()
            .ok_or(ckr::OPERATION_NOT_INITIALIZED)?;
        let left = search.found.get(search.given..).unwrap_or_default();
        let count = left.len().min(found.len());
        for (place, handle) in found.iter_mut().zip(left) {
            *place = *handle;
        }
        search.given += count;
        Ok(count)
    }

    /// `C_FindObjectsFinal`
    ///
    /// # Errors
    /// `CKR_OPERATION_NOT_INITIALIZED`
    pub fn find_end(&self) -> Result<(), Rv> {
        self.state()?
            .search
            .take()
            .map(drop)
            .ok_or(ckr::OPERATION_NOT_INITIALIZED)
    }
}

/// Virtual handles, each once, in the order in which they were found.
#[derive(Default)]
struct Found {
    handles: Vec<u64>,
    seen: HashSet<u64>,
}

impl Found {
    fn add(&mut self, handle: u64) {
        if self.seen.insert(handle) {
            self.handles.push(handle);
        }
    }
}

impl VirtualSlot {
    /// The virtual handles of all objects that match, of every member that serves: an object lives on the member that made it.
    fn search(&self, template: Template<'_>) -> Result<Vec<u64>, Rv> {
        self.driver.recover_in_call();
        self.make_lost_again();
        // One that cannot be read leaves what was read of it before.
        let is_on_record = self.driver.keeper.catch_up().unwrap_or(true);
        let answered = Answered::of(template);
        if !is_on_record || answered.is_empty() {
            return self.search_members(template);
        }
        let mut found = Found::default();
        for handle in answered.ask_members(|rest| self.search_members(rest))? {
            if self
                .on_record(handle)
                .is_some_and(|known| answered.fit(&known))
            {
                found.add(handle);
            }
        }
        for handle in self.search_members(template)? {
            let known = self.on_record(handle);
            if known.is_none_or(|known| !answered.are_all_of(&known)) {
                found.add(handle);
            }
        }
        Ok(found.handles)
    }

    /// What the members say, whatever the group has on record.
    pub(super) fn search_members(&self, template: Template<'_>) -> Result<Vec<u64>, Rv> {
        let mut found = Found::default();
        let mut answered = false;
        let mut refused = None;
        let serving = self.driver.settled();
        for member in self.driver.members() {
            if !serving.contains(member.id) {
                continue;
            }
            match self.search_on(member, template, &mut found) {
                Ok(()) => answered = true,
                Err(ckr::DEVICE_ERROR) => {}
                Err(rv) => refused = Some(rv),
            }
        }
        match (answered, refused) {
            (true, _) => Ok(found.handles),
            (false, Some(rv)) => Err(rv),
            (false, None) => Err(ckr::DEVICE_ERROR),
        }
    }

    fn search_on(
        &self,
        member: &Member,
        template: Template<'_>,
        found: &mut Found,
    ) -> Result<(), Rv> {
        let mut errand = Errand::anywhere(Repeat::Safe);
        errand.eligible = MemberSet::of(member.id);
        let mut output = vec![0; ROOM];
        let mut objects = Vec::new();
        let mut send = |lease: &mut Lease| {
            let request = Request::FindObjects {
                session: lease.handle(),
                template,
            };
            let mut reply = lease.call(&request, &mut output)?;
            if let Body::Length(needed) = reply.body {
                // Some may have been added since they were counted.
                output.resize(usize::try_from(needed).unwrap_or(0).saturating_add(ROOM), 0);
                reply = lease.call(&request, &mut output)?;
            }
            objects.clear();
            for handle in handles(reply, &output) {
                objects.extend(self.recognise(lease, handle)?);
            }
            Ok(reply)
        };
        let done = self.driver.perform(errand, &mut send)?;
        match Rv(done.reply.rv.0) {
            ckr::OK => {
                objects.into_iter().for_each(|object| found.add(object));
                Ok(())
            }
            rv => Err(rv),
        }
    }
}
