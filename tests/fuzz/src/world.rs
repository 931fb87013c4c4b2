use cryptoki_sys::{
    CK_FUNCTION_LIST_3_2, CK_MECHANISM_TYPE, CK_OBJECT_HANDLE, CK_RV, CK_SESSION_HANDLE,
    CK_SLOT_ID, CKR_OK,
};

use crate::choice::Choice;

/// What a sequence of calls knows of the library that it drives.
pub(crate) struct World {
    pub(crate) functions: &'static CK_FUNCTION_LIST_3_2,
    pub(crate) slot: CK_SLOT_ID,
    pub(crate) pin: &'static [u8],
    pub(crate) mechanisms: Vec<CK_MECHANISM_TYPE>,
    /// Sessions that were opened, closed ones among them.
    pub(crate) sessions: Vec<CK_SESSION_HANDLE>,
    /// Objects that were found or made, destroyed ones among them.
    pub(crate) objects: Vec<CK_OBJECT_HANDLE>,
    /// Objects that the sequence has made itself, and may destroy.
    pub(crate) own: Vec<CK_OBJECT_HANDLE>,
    /// Calls that were made, and those of them that succeeded.
    pub(crate) calls: u64,
    pub(crate) successes: u64,
}

impl World {
    /// Counts a call's answer.
    pub(crate) fn answered(&mut self, code: CK_RV) -> CK_RV {
        self.calls += 1;
        self.successes += u64::from(code == CKR_OK);
        code
    }

    /// A session's handle: mostly one that was opened.
    pub(crate) fn session(&self, choice: &mut Choice) -> CK_SESSION_HANDLE {
        handle(choice, &self.sessions)
    }

    /// An object's handle: mostly one that was found or made.
    pub(crate) fn object(&self, choice: &mut Choice) -> CK_OBJECT_HANDLE {
        handle(choice, &self.objects)
    }

    /// An object's handle to do harm to: never one of the token's own.
    pub(crate) fn own_object(&self, choice: &mut Choice) -> CK_OBJECT_HANDLE {
        match choice.of(&self.own) {
            Some(handle) if !choice.one_in(8) => *handle,
            // Handles are counted up from 1; no sequence comes so far.
            _ => u64::MAX - choice.below(3) as u64,
        }
    }

    /// The slot's id, mostly.
    pub(crate) fn slot(&self, choice: &mut Choice) -> CK_SLOT_ID {
        if choice.one_in(16) {
            choice.number()
        } else {
            self.slot
        }
    }
}

fn handle(choice: &mut Choice, known: &[u64]) -> u64 {
    match choice.below(24) {
        0 => 0,
        1 => u64::MAX,
        2 => choice.below(40) as u64,
        3 => choice.number(),
        // The last ones are those that are still good.
        4..14 => known.last().copied().unwrap_or(1),
        _ => choice.of(known).copied().unwrap_or(1),
    }
}
