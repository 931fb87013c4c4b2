//! General-purpose functions and what is left of parallel function management (PKCS#11 v3.1 §5.4, §5.20).

use cryptoki_sys::{
    CK_C_INITIALIZE_ARGS, CK_INFO, CK_RV, CK_SESSION_HANDLE, CK_VERSION, CK_VOID_PTR,
    CKF_LIBRARY_CANT_CREATE_OS_THREADS,
};
use everslot_core::{Rv, ckr};
use everslot_protocol::Version;

use super::application_mutex::{self, Locking};
use super::entry::entry;
use super::{InitialiseArguments, Library};

/// `C_Initialize` (PKCS#11 v3.1 §5.4.1)
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_Initialize(arguments: CK_VOID_PTR) -> CK_RV {
    entry("C_Initialize", |caller| {
        let (arguments, locking) = match caller.structure(arguments.cast::<CK_C_INITIALIZE_ARGS>())
        {
            None => (InitialiseArguments::default(), Locking::System),
            Some(arguments) => checked(&arguments)?,
        };
        let mutex = locking.make()?;
        Library::initialise(arguments)?;
        application_mutex::replace(mutex);
        Ok(())
    })
}

/// `C_Finalize` (PKCS#11 v3.1 §5.4.2)
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_Finalize(reserved: CK_VOID_PTR) -> CK_RV {
    entry("C_Finalize", |_| {
        if !reserved.is_null() {
            return Err(ckr::ARGUMENTS_BAD);
        }
        Library::finalise()?;
        // This call still holds it.
        application_mutex::replace(None);
        Ok(())
    })
}

/// `C_GetInfo` (PKCS#11 v3.1 §5.4.3) for who finds it by its name.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_GetInfo(info: *mut CK_INFO) -> CK_RV {
    // SAFETY: the pointer is handed on as it came.
    unsafe { info_of::<2, 40>(info) }
}

/// `C_GetInfo` of one interface: the version that it gives is that interface's own.
pub(super) unsafe extern "C" fn info_of<const MAJOR: u8, const MINOR: u8>(
    info: *mut CK_INFO,
) -> CK_RV {
    entry("C_GetInfo", |caller| {
        let library = Library::current()?;
        let place = caller.place(info)?;
        let info = library.info(Version {
            major: MAJOR,
            minor: MINOR,
        });
        place.set(CK_INFO {
            cryptokiVersion: version(info.cryptoki),
            manufacturerID: info.manufacturer,
            flags: info.flags,
            libraryDescription: info.description,
            libraryVersion: version(info.library),
        });
        Ok(())
    })
}

/// `C_GetFunctionStatus`, a legacy function (PKCS#11 v3.1 §5.20.1)
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_GetFunctionStatus(_session: CK_SESSION_HANDLE) -> CK_RV {
    entry("C_GetFunctionStatus", |_| Err(ckr::FUNCTION_NOT_PARALLEL))
}

/// `C_CancelFunction`, a legacy function (PKCS#11 v3.1 §5.20.2)
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_CancelFunction(_session: CK_SESSION_HANDLE) -> CK_RV {
    entry("C_CancelFunction", |_| Err(ckr::FUNCTION_NOT_PARALLEL))
}

/// A version in its C form.
pub(super) const fn version(version: Version) -> CK_VERSION {
    CK_VERSION {
        major: version.major,
        minor: version.minor,
    }
}

/// # Errors
/// `CKR_ARGUMENTS_BAD`: what is reserved is not null, or the mutex functions are neither all there nor all missing (PKCS#11 v3.1 §5.4.1).
fn checked(arguments: &CK_C_INITIALIZE_ARGS) -> Result<(InitialiseArguments, Locking), Rv> {
    if !arguments.pReserved.is_null() {
        return Err(ckr::ARGUMENTS_BAD);
    }
    let locking = Locking::of(arguments)?;
    let threads_forbidden = arguments.flags & CKF_LIBRARY_CANT_CREATE_OS_THREADS != 0;
    Ok((InitialiseArguments { threads_forbidden }, locking))
}
