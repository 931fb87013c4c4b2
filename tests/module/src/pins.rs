//! PINs and their change (PKCS#11 v2.40 §5.5). All tokens of a process have the same.

use std::sync::atomic::Ordering::SeqCst;
use std::sync::{Mutex, MutexGuard, PoisonError};

use cryptoki_sys::{
    CK_RV, CK_SESSION_HANDLE, CK_ULONG, CK_UTF8CHAR, CKR_DEVICE_ERROR, CKR_PIN_INCORRECT,
    CKR_PIN_INVALID, CKR_PIN_LEN_RANGE, CKR_SESSION_READ_ONLY, CKR_USER_NOT_LOGGED_IN, CKU_SO,
};

use crate::settings::settings;
use crate::{answer, memory, state};

/// The PINs of all tokens.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Pins {
    pub(crate) so: String,
    pub(crate) user: String,
}

static PINS: Mutex<Option<Pins>> = Mutex::new(None);

/// `CK_USER_TYPE` plus one, as the token's login has it.
const OFFICER: u8 = CKU_SO as u8 + 1;

/// The PINs as they are now.
pub(crate) fn current() -> Pins {
    lock().clone().unwrap_or_else(kept)
}

pub(crate) unsafe extern "C" fn init(
    session: CK_SESSION_HANDLE,
    pin: *mut CK_UTF8CHAR,
    length: CK_ULONG,
) -> CK_RV {
    answer("C_InitPIN", || {
        let session = state::session(session)?;
        if session.token().login.load(SeqCst) != OFFICER {
            return Err(CKR_USER_NOT_LOGGED_IN);
        }
        // SAFETY: the application's pointer is null or valid for the stated length, by PKCS#11.
        let user = unsafe { new_pin(pin, length) }?;
        keep(Pins { user, ..current() })
    })
}

pub(crate) unsafe extern "C" fn set(
    session: CK_SESSION_HANDLE,
    old: *mut CK_UTF8CHAR,
    old_length: CK_ULONG,
    new: *mut CK_UTF8CHAR,
    new_length: CK_ULONG,
) -> CK_RV {
    answer("C_SetPIN", || {
        let session = state::session(session)?;
        if !session.is_read_write() {
            return Err(CKR_SESSION_READ_ONLY);
        }
        let officer = session.token().login.load(SeqCst) == OFFICER;
        let mut pins = current();
        let place = if officer {
            &mut pins.so
        } else {
            &mut pins.user
        };
        // SAFETY: the application's pointers are null or valid for the stated lengths, by PKCS#11.
        let (old, new) = unsafe { (memory::bytes(old, old_length)?, new_pin(new, new_length)?) };
        if old != place.as_bytes() {
            return Err(CKR_PIN_INCORRECT);
        }
        *place = new;
        keep(pins)
    })
}

/// # Safety
/// `pin` is null or valid for reads of `length` bytes.
unsafe fn new_pin(pin: *const CK_UTF8CHAR, length: CK_ULONG) -> Result<String, CK_RV> {
    // SAFETY: by this function's contract.
    let pin = unsafe { memory::bytes(pin, length) }?;
    if !(4..=255).contains(&pin.len()) {
        return Err(CKR_PIN_LEN_RANGE);
    }
    String::from_utf8(pin.to_vec()).map_err(|_| CKR_PIN_INVALID)
}

/// The first PINs, or those that an earlier process has left.
fn kept() -> Pins {
    let settings = settings();
    let file = settings.pin_file.as_ref();
    let text = file.and_then(|file| std::fs::read_to_string(file).ok());
    let changed = text.as_deref().and_then(|text| text.split_once('\n'));
    let (so, user) = changed.unwrap_or((&settings.so_pin, &settings.pin));
    Pins {
        so: so.to_owned(),
        user: user.to_owned(),
    }
}

fn keep(pins: Pins) -> Result<(), CK_RV> {
    if let Some(file) = &settings().pin_file {
        let text = format!("{}\n{}", pins.so, pins.user);
        std::fs::write(file, text).map_err(|_| CKR_DEVICE_ERROR)?;
    }
    *lock() = Some(pins);
    Ok(())
}

fn lock() -> MutexGuard<'static, Option<Pins>> {
    PINS.lock().unwrap_or_else(PoisonError::into_inner)
}
