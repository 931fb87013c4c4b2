//! The classes that a member's settings may give to a code.

use core::fmt;
use core::str::FromStr;

/// What a code says about a member, as settings write it: a [`Verdict`](crate::Verdict) without its details.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Class {
    /// `fine`: a success.
    Fine,
    /// `callers-fault`: answered to the application as it is.
    CallersFault,
    /// `member-lost`: the member is lost.
    MemberLost,
    /// `session-lost`: the member's session is made anew, once.
    SessionLost,
    /// `member-busy`: another member is tried, and nothing is held against this one.
    MemberBusy,
    /// `unknown`: the member is probed.
    Unknown,
    /// `quarantine`: the member is set aside until an operator recovers it.
    Quarantine,
}

impl Class {
    /// All classes.
    pub const ALL: [Self; 7] = [
        Self::Fine,
        Self::CallersFault,
        Self::MemberLost,
        Self::SessionLost,
        Self::MemberBusy,
        Self::Unknown,
        Self::Quarantine,
    ];

    /// The name in settings.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Fine => "fine",
            Self::CallersFault => "callers-fault",
            Self::MemberLost => "member-lost",
            Self::SessionLost => "session-lost",
            Self::MemberBusy => "member-busy",
            Self::Unknown => "unknown",
            Self::Quarantine => "quarantine",
        }
    }
}

impl FromStr for Class {
    type Err = UnknownClass;

    /// The class of this name.
    ///
    /// # Errors
    /// No class has this name.
    fn from_str(name: &str) -> Result<Self, UnknownClass> {
        Self::ALL
            .into_iter()
            .find(|class| class.name() == name)
            .ok_or(UnknownClass)
    }
}

/// No class has this name.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct UnknownClass;

impl fmt::Display for UnknownClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a class of verdict; use one of ")?;
        for (position, class) in Class::ALL.into_iter().enumerate() {
            let separator = if position == 0 { "" } else { ", " };
            write!(f, "{separator}{}", class.name())?;
        }
        Ok(())
    }
}

impl core::error::Error for UnknownClass {}
