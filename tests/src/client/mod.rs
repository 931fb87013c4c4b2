//! A PKCS#11 client as thin as can be: each method is one C function, and what fails says which and how.
//!
//! It stands in for an application written in C; the `cryptoki` crate and `pkcs11-tool` stand in for others.

pub mod bad;
mod derive;
mod later;
mod mechanism;
mod mutexes;
mod operation;
mod parts;
mod session;
mod template;

use std::ffi::CString;
use std::fmt;
use std::path::Path;

use cryptoki_sys::{
    CK_C_GetInterface, CK_C_INITIALIZE_ARGS, CK_FLAGS, CK_FUNCTION_LIST, CK_FUNCTION_LIST_PTR_PTR,
    CK_MECHANISM_INFO, CK_MECHANISM_TYPE, CK_RV, CK_SLOT_ID, CK_SLOT_INFO, CK_TOKEN_INFO,
    CKF_OS_LOCKING_OK, CKF_RW_SESSION, CKF_SERIAL_SESSION, CKR_OK,
};
use everslot_core::Rv;

pub use derive::KeyMaterial;
pub use later::Gcm;
pub use mechanism::Mechanism;
pub use mutexes::MutexUse;
pub use parts::Dual;
pub use session::{Object, Session};
pub use template::Template;

/// A loaded module. It stays loaded until the process ends, as modules do not bear `dlclose`.
#[derive(Clone, Copy)]
pub struct Module {
    functions: &'static CK_FUNCTION_LIST,
    get_interface: GetInterface,
}

type GetInterface = CK_C_GetInterface;

/// A call that failed.
#[derive(Clone, Copy, Eq, PartialEq)]
pub struct Failure {
    /// The C function.
    pub function: &'static str,
    /// What it returned.
    pub code: Rv,
}

/// One C function of a module.
macro_rules! call {
    ($module:expr, $function:ident ( $($argument:expr),* $(,)? )) => {{
        let function = $module.functions().$function.expect(concat!("the module has ", stringify!($function)));
        // SAFETY: the function is of a PKCS#11 module that stays loaded, and every pointer given to it is null or of a
        // live value or buffer with the length given beside it.
        let code = unsafe { function($($argument),*) };
        $crate::client::checked(stringify!($function), code)
    }};
}
use call;

fn checked(function: &'static str, code: CK_RV) -> Result<(), Failure> {
    if code == CKR_OK {
        Ok(())
    } else {
        Err(Failure {
            function,
            code: Rv(code),
        })
    }
}

impl Module {
    /// Loads a module.
    ///
    /// # Panics
    /// It cannot be loaded or has no function list.
    #[must_use]
    pub fn load(path: &Path) -> Self {
        // SAFETY: a PKCS#11 module's constructors may run in any process.
        let library = unsafe { libloading::Library::new(path) }
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        // SAFETY: PKCS#11 gives the symbol this type.
        let entry = unsafe {
            library.get::<unsafe extern "C" fn(CK_FUNCTION_LIST_PTR_PTR) -> CK_RV>(
                b"C_GetFunctionList\0",
            )
        };
        let entry = *entry.expect("a PKCS#11 module");
        // SAFETY: PKCS#11 gives the symbol this type.
        let get_interface = unsafe { library.get::<GetInterface>(b"C_GetInterface\0") };
        let get_interface = get_interface.ok().and_then(|symbol| *symbol);
        std::mem::forget(library);
        let mut list = std::ptr::null_mut();
        // SAFETY: the pointer is of a live place for the list.
        let code = unsafe { entry(&raw mut list) };
        checked("C_GetFunctionList", code).expect("a module gives its list");
        // SAFETY: the module gave the list, which lives as long as the module, which is never unloaded.
        let functions = unsafe { list.as_ref() }.expect("a module gives its list");
        Self {
            functions,
            get_interface,
        }
    }

    /// The module that is linked to this program and has these functions.
    #[must_use]
    pub const fn linked(functions: &'static CK_FUNCTION_LIST) -> Self {
        Self {
            functions,
            get_interface: None,
        }
    }

    /// The slot's mechanisms, by `C_GetMechanismList`.
    ///
    /// # Errors
    /// As the module says.
    pub fn mechanisms(self, slot: CK_SLOT_ID) -> Result<Vec<CK_MECHANISM_TYPE>, Failure> {
        let mut count = 0;
        call!(
            self,
            C_GetMechanismList(slot, std::ptr::null_mut(), &raw mut count)
        )?;
        let mut mechanisms = vec![0; count as usize];
        call!(
            self,
            C_GetMechanismList(slot, mechanisms.as_mut_ptr(), &raw mut count)
        )?;
        mechanisms.truncate(count as usize);
        Ok(mechanisms)
    }

    /// Takes back every `dlopen` of the module there has been, as an application does that forgets `C_Finalize`.
    ///
    /// # Panics
    /// It is not loaded.
    pub fn unload(path: &Path) {
        use libloading::os::unix::{Library, RTLD_NOW};
        /// Only where it is loaded already (`dlfcn.h`).
        const RTLD_NOLOAD: std::ffi::c_int = 4;
        // SAFETY: nothing is loaded, so that nothing runs.
        let library = unsafe { Library::open(Some(path), RTLD_NOLOAD | RTLD_NOW) };
        let handle = library.expect("the module is loaded").into_raw();
        for _ in 0..2 {
            // SAFETY: `load` has opened it once and never closes it, and it was opened once more above.
            let library = unsafe { Library::from_raw(handle) };
            library.close().expect("it was open");
        }
    }

    /// `C_Initialize`, allowing threads and locks of the operating system.
    ///
    /// # Errors
    /// As the module says.
    pub fn initialize(self) -> Result<(), Failure> {
        self.initialize_with(CKF_OS_LOCKING_OK)
    }

    /// `C_Initialize` with these flags.
    ///
    /// # Errors
    /// As the module says.
    pub fn initialize_with(self, flags: CK_FLAGS) -> Result<(), Failure> {
        let mut arguments = CK_C_INITIALIZE_ARGS {
            flags,
            ..Default::default()
        };
        call!(self, C_Initialize((&raw mut arguments).cast()))
    }

    /// `C_Initialize` with this string where NSS looks for one: in the place of `pReserved`.
    ///
    /// # Errors
    /// As the module says.
    pub fn initialize_with_string(self, string: &str) -> Result<(), Failure> {
        let string = CString::new(string).expect("a string without a zero");
        let mut arguments = CK_C_INITIALIZE_ARGS {
            flags: CKF_OS_LOCKING_OK,
            pReserved: string.as_ptr().cast_mut().cast(),
            ..Default::default()
        };
        call!(self, C_Initialize((&raw mut arguments).cast()))
    }

    /// `C_Finalize`
    ///
    /// # Errors
    /// As the module says.
    pub fn finalize(self) -> Result<(), Failure> {
        call!(self, C_Finalize(std::ptr::null_mut()))
    }

    /// The slots that have a token, by `C_GetSlotList`.
    ///
    /// # Errors
    /// As the module says.
    pub fn slots(self) -> Result<Vec<CK_SLOT_ID>, Failure> {
        let mut count = 0;
        call!(self, C_GetSlotList(1, std::ptr::null_mut(), &raw mut count))?;
        let mut slots = vec![0; count as usize];
        call!(self, C_GetSlotList(1, slots.as_mut_ptr(), &raw mut count))?;
        slots.truncate(count as usize);
        Ok(slots)
    }

    /// `C_GetTokenInfo`
    ///
    /// # Errors
    /// As the module says.
    pub fn token_info(self, slot: CK_SLOT_ID) -> Result<CK_TOKEN_INFO, Failure> {
        let mut info = CK_TOKEN_INFO::default();
        call!(self, C_GetTokenInfo(slot, &raw mut info))?;
        Ok(info)
    }

    /// `C_GetSlotInfo`
    ///
    /// # Errors
    /// As the module says.
    pub fn slot_info(self, slot: CK_SLOT_ID) -> Result<CK_SLOT_INFO, Failure> {
        let mut info = CK_SLOT_INFO::default();
        call!(self, C_GetSlotInfo(slot, &raw mut info))?;
        Ok(info)
    }

    /// `C_GetMechanismInfo`
    ///
    /// # Errors
    /// As the module says.
    pub fn mechanism_info(
        self,
        slot: CK_SLOT_ID,
        mechanism: CK_MECHANISM_TYPE,
    ) -> Result<CK_MECHANISM_INFO, Failure> {
        let mut info = CK_MECHANISM_INFO::default();
        call!(self, C_GetMechanismInfo(slot, mechanism, &raw mut info))?;
        Ok(info)
    }

    /// `C_WaitForSlotEvent` with these flags; the slot.
    ///
    /// # Errors
    /// As the module says.
    pub fn wait_for_slot_event(self, flags: CK_FLAGS) -> Result<CK_SLOT_ID, Failure> {
        let mut slot = CK_SLOT_ID::MAX;
        call!(
            self,
            C_WaitForSlotEvent(flags, &raw mut slot, std::ptr::null_mut())
        )?;
        Ok(slot)
    }

    /// The slot with the token of this label.
    ///
    /// # Panics
    /// There is none.
    #[must_use]
    pub fn slot_of(self, label: &str) -> CK_SLOT_ID {
        let slots = self.slots().expect("the module lists its slots");
        let has_label = |&slot: &CK_SLOT_ID| {
            self.token_info(slot)
                .is_ok_and(|info| info.label.trim_ascii_end() == label.as_bytes())
        };
        slots
            .into_iter()
            .find(has_label)
            .unwrap_or_else(|| panic!("there is no token {label:?}"))
    }

    /// `C_OpenSession`, read-write.
    ///
    /// # Errors
    /// As the module says.
    pub fn open(self, slot: CK_SLOT_ID) -> Result<Session, Failure> {
        self.open_with(slot, CKF_RW_SESSION)
    }

    /// `C_OpenSession`, read-only.
    ///
    /// # Errors
    /// As the module says.
    pub fn open_read_only(self, slot: CK_SLOT_ID) -> Result<Session, Failure> {
        self.open_with(slot, 0)
    }

    /// `C_CloseAllSessions`
    ///
    /// # Errors
    /// As the module says.
    pub fn close_all_sessions(self, slot: CK_SLOT_ID) -> Result<(), Failure> {
        call!(self, C_CloseAllSessions(slot))
    }

    /// The module's function list, for calls that have no method here.
    #[must_use]
    pub const fn functions(self) -> &'static CK_FUNCTION_LIST {
        self.functions
    }

    fn open_with(self, slot: CK_SLOT_ID, flags: CK_FLAGS) -> Result<Session, Failure> {
        let mut handle = 0;
        call!(
            self,
            C_OpenSession(
                slot,
                CKF_SERIAL_SESSION | flags,
                std::ptr::null_mut(),
                None,
                &raw mut handle
            )
        )?;
        Ok(Session::new(self, handle))
    }
}

impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.function, self.code)
    }
}

impl fmt::Debug for Module {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Module").finish_non_exhaustive()
    }
}
