//! What the module remembers: fixed tables of atomics, so that a call costs next to nothing and takes no lock.

use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64, Ordering::SeqCst};
use std::sync::{Mutex, MutexGuard, PoisonError};

use cryptoki_sys::{
    CK_OBJECT_HANDLE, CK_SESSION_HANDLE, CK_SLOT_ID, CKR_CRYPTOKI_NOT_INITIALIZED,
    CKR_SESSION_COUNT, CKR_SESSION_HANDLE_INVALID, CKR_SLOT_ID_INVALID,
};

use crate::Outcome;
use crate::settings::settings;

/// Sessions of all slots together.
pub(crate) const SESSIONS: usize = 4096;
/// Most slots that the module can have.
pub(crate) const SLOTS: usize = 8;

static INITIALIZED: AtomicBool = AtomicBool::new(false);
static TABLE: [Session; SESSIONS] = [const { Session::new() }; SESSIONS];
static TOKENS: [Token; SLOTS] = [const { Token::new() }; SLOTS];

/// A session; its handle is its place in the table plus one.
#[derive(Debug)]
pub(crate) struct Session {
    /// 0 when closed, else the slot plus one, and [`READ_WRITE`].
    open: AtomicU32,
    /// A bit for each operation that is under way.
    pub(crate) operations: AtomicU32,
    /// The checksum of each operation's input so far.
    pub(crate) sums: [AtomicU64; 12],
    /// Of the IVs that messages were given.
    pub(crate) counter: AtomicU64,
    signature: Mutex<Vec<u8>>,
    found: Mutex<Vec<CK_OBJECT_HANDLE>>,
}

const READ_WRITE: u32 = 1 << 16;

/// A token; its slot's id is its place in the table.
#[derive(Debug)]
pub(crate) struct Token {
    /// 0 when nobody is logged in, else the `CK_USER_TYPE` plus one.
    pub(crate) login: AtomicU8,
    pub(crate) sessions: AtomicU32,
}

/// Begins; false if it had begun already.
pub(crate) fn initialize() -> bool {
    !INITIALIZED.swap(true, SeqCst)
}

/// Ends, closing every session; false if it had not begun.
pub(crate) fn finalize() -> bool {
    let was = INITIALIZED.swap(false, SeqCst);
    for slot in 0..SLOTS {
        close_all(slot);
    }
    was
}

/// Fails when `C_Initialize` has not been called.
pub(crate) fn initialized() -> Outcome {
    if INITIALIZED.load(SeqCst) {
        Ok(())
    } else {
        Err(CKR_CRYPTOKI_NOT_INITIALIZED)
    }
}

/// The token in a slot.
pub(crate) fn token(slot: CK_SLOT_ID) -> Result<(usize, &'static Token), u64> {
    initialized()?;
    let index = usize::try_from(slot)
        .ok()
        .filter(|&index| index < settings().tokens)
        .ok_or(CKR_SLOT_ID_INVALID)?;
    Ok((index, &TOKENS[index]))
}

/// An open session.
pub(crate) fn session(handle: CK_SESSION_HANDLE) -> Result<&'static Session, u64> {
    initialized()?;
    let index = usize::try_from(handle)
        .ok()
        .and_then(|handle| handle.checked_sub(1))
        .filter(|&index| index < SESSIONS);
    let session = &TABLE[index.ok_or(CKR_SESSION_HANDLE_INVALID)?];
    if session.is_open() {
        Ok(session)
    } else {
        Err(CKR_SESSION_HANDLE_INVALID)
    }
}

/// Opens a session.
pub(crate) fn open(slot: CK_SLOT_ID, read_write: bool) -> Result<CK_SESSION_HANDLE, u64> {
    let (slot, token) = token(slot)?;
    if token.sessions.fetch_add(1, SeqCst) as usize >= settings().session_limit {
        token.sessions.fetch_sub(1, SeqCst);
        return Err(CKR_SESSION_COUNT);
    }
    let open = slot as u32 + 1 + if read_write { READ_WRITE } else { 0 };
    let place = TABLE.iter().position(|session| {
        session
            .open
            .compare_exchange(0, open, SeqCst, SeqCst)
            .is_ok()
    });
    match place {
        Some(index) => {
            TABLE[index].operations.store(0, SeqCst);
            Ok(index as CK_SESSION_HANDLE + 1)
        }
        None => {
            token.sessions.fetch_sub(1, SeqCst);
            Err(CKR_SESSION_COUNT)
        }
    }
}

/// Closes every session of a slot.
pub(crate) fn close_all(slot: usize) {
    for session in TABLE.iter().filter(|session| session.slot() == Some(slot)) {
        session.close();
    }
}

impl Session {
    /// Closes it; closing a token's last session logs out (PKCS#11 v2.40 §5.6).
    pub(crate) fn close(&self) {
        let Some(slot) = self.slot() else { return };
        self.found().clear();
        if self.open.swap(0, SeqCst) != 0 && TOKENS[slot].sessions.fetch_sub(1, SeqCst) == 1 {
            TOKENS[slot].login.store(0, SeqCst);
        }
    }

    /// The place of its slot; none when it is closed.
    pub(crate) fn slot(&self) -> Option<usize> {
        (self.open.load(SeqCst) & !READ_WRITE)
            .checked_sub(1)
            .map(|slot| slot as usize)
    }

    /// Its token.
    pub(crate) fn token(&self) -> &'static Token {
        // A session that another thread has just closed is answered as one of the first slot.
        &TOKENS[self.slot().unwrap_or(0)]
    }

    pub(crate) fn is_read_write(&self) -> bool {
        self.open.load(SeqCst) & READ_WRITE != 0
    }

    /// Handles that `C_FindObjects` has yet to give.
    pub(crate) fn found(&self) -> MutexGuard<'_, Vec<CK_OBJECT_HANDLE>> {
        self.found.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The signature that is to be verified.
    pub(crate) fn signature(&self) -> MutexGuard<'_, Vec<u8>> {
        self.signature
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn is_open(&self) -> bool {
        self.open.load(SeqCst) != 0
    }

    const fn new() -> Self {
        Self {
            open: AtomicU32::new(0),
            operations: AtomicU32::new(0),
            sums: [const { AtomicU64::new(0) }; 12],
            counter: AtomicU64::new(0),
            signature: Mutex::new(Vec::new()),
            found: Mutex::new(Vec::new()),
        }
    }
}

impl Token {
    const fn new() -> Self {
        Self {
            login: AtomicU8::new(0),
            sessions: AtomicU32::new(0),
        }
    }
}
