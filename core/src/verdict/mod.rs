//! What a member's `CK_RV` says about the member: the table `verdict`.

mod class;
mod overrides;
mod table;

pub use class::{Class, UnknownClass};
pub use overrides::{Overrides, OverridesFull};

use crate::{QuarantineReason, Rv, ckr};

/// What an answer says about the member that gave it.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Verdict {
    /// The call did what it should.
    Fine,
    /// The answer is the caller's to deal with: every member would say the same.
    CallersFault,
    /// The member is gone.
    MemberLost {
        /// Whether it may have executed the call.
        executed: bool,
    },
    /// The member's real session, or its login, is gone; a fresh one may serve.
    SessionLost {
        /// Whether the call may have been executed.
        executed: bool,
    },
    /// The member has not executed this call and is well; another member may.
    MemberBusy,
    /// The code does not tell whether the call or the member is at fault: a harmless call will.
    Unknown,
    /// The member is to be set aside.
    Quarantine(QuarantineReason),
}

/// What the caller knows about a call and that decides how its answer is read.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Context {
    /// The group is logged in: a member that says it is not has lost its login.
    pub logged_in: bool,
    /// The call is a `C_Login`.
    pub login_call: bool,
    /// The PIN in this `C_Login` is one that another member has accepted: a member that refuses it is
    /// set aside, not tried again (S12).
    pub pin_accepted: bool,
    /// Every object handle in the request was made from a valid virtual one: a member that does not
    /// know it lacks the object, and the application is not at fault.
    pub handles_resolved: bool,
}

/// What `rv` says, read in its context. Complete: a code that PKCS#11 v3.2 does not name is read like
/// `CKR_FUNCTION_FAILED`. `CKR_OK` is fine whatever the overrides say.
#[inline]
#[must_use]
pub fn verdict<const N: usize>(rv: Rv, context: Context, overrides: &Overrides<N>) -> Verdict {
    if rv == ckr::OK {
        Verdict::Fine
    } else {
        of_failure(rv, context, overrides)
    }
}

#[cold]
fn of_failure<const N: usize>(rv: Rv, context: Context, overrides: &Overrides<N>) -> Verdict {
    let listed = table::listed(rv, context).unwrap_or(Verdict::Unknown);
    match overrides.class(rv) {
        None => listed,
        Some(class) => as_class(class, rv, listed),
    }
}

/// The verdict of a class that the settings give to a code. What the code itself proves stays true: only
/// a code that is listed as "not executed" is one.
fn as_class(class: Class, rv: Rv, listed: Verdict) -> Verdict {
    let executed = match listed {
        Verdict::MemberLost { executed } | Verdict::SessionLost { executed } => executed,
        Verdict::MemberBusy => false,
        Verdict::Fine | Verdict::CallersFault | Verdict::Unknown | Verdict::Quarantine(_) => true,
    };
    match class {
        Class::Fine => Verdict::Fine,
        Class::CallersFault => Verdict::CallersFault,
        Class::MemberLost => Verdict::MemberLost { executed },
        Class::SessionLost => Verdict::SessionLost { executed },
        Class::MemberBusy => Verdict::MemberBusy,
        Class::Unknown => Verdict::Unknown,
        Class::Quarantine => match listed {
            Verdict::Quarantine(_) => listed,
            Verdict::Fine
            | Verdict::CallersFault
            | Verdict::MemberLost { .. }
            | Verdict::SessionLost { .. }
            | Verdict::MemberBusy
            | Verdict::Unknown => Verdict::Quarantine(QuarantineReason::Other(rv)),
        },
    }
}

#[cfg(test)]
mod tests;
