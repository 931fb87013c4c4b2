//! What can be wrong with a journal, each as one line that says what to do.

use std::path::PathBuf;

/// The journal does not do what it is asked. Whatever it is, use of what there is goes on without it; nothing is made, changed or destroyed.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// No room is left.
    #[error(
        "journal {place}: no room is left; make some, until then no object is made or destroyed"
    )]
    Full {
        /// Path, or host and database.
        place: String,
    },
    /// It is damaged, or no journal.
    #[error(
        "journal {place}: {reason}; put back a copy, or move it away for a new one: then objects that a member missed the end of return"
    )]
    Corrupt {
        /// Path, or host and database.
        place: String,
        /// What was found.
        reason: String,
    },
    /// Others have kept it from us for too long.
    #[error("journal {place}: other processes keep it busy; look for one that is stuck")]
    Busy {
        /// Path, or host and database.
        place: String,
    },
    /// It cannot be reached, read or written.
    #[error("journal {place}: {reason}; check that it is there and may be written")]
    Unusable {
        /// Path, or host and database.
        place: String,
        /// Why.
        reason: String,
    },
    /// The server was lost while it was asked to commit: it may have done so.
    #[error("journal {place}: lost while it was written ({reason}); check the server")]
    Lost {
        /// Host and database.
        place: String,
        /// Why.
        reason: String,
    },
    /// A later everslot has written it.
    #[error("journal {place}: its version {version} is newer than this everslot; update everslot")]
    Newer {
        /// Path, or host and database.
        place: String,
        /// Of its schema.
        version: i64,
    },
    /// Others than its owner may read or write it.
    #[error("journal {} is open to others (mode {mode:04o}): chmod 600 {}", path.display(), path.display())]
    OpenToOthers {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// What it is to be is not understood.
    #[error(
        "journal {0:?} is neither a path nor a postgresql:// URL that can be read; correct the configuration"
    )]
    NoPlace(String),
}

impl JournalError {
    /// Whether what was to be written may be written all the same: it is to be found out, not repeated.
    #[must_use]
    pub const fn may_be_done(&self) -> bool {
        matches!(self, Self::Lost { .. })
    }
}
