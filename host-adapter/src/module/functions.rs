//! A loaded module's functions with Rust's types: the only place where a member's function is called.

mod keys;
mod later;
mod messages;
mod objects;
mod operations;

use std::ffi::{c_char, c_void};
use std::ptr::{self, NonNull};

use cryptoki_sys::*;
use everslot_protocol::Rv;

/// The functions of a module that is loaded for ever.
#[derive(Clone, Copy)]
pub struct Functions(&'static CK_FUNCTION_LIST, Later);

/// What a module's interface has beyond 2.40. The list of each version begins with that of the one before.
#[derive(Clone, Copy, Default)]
struct Later {
    /// Of interface 3.0 and whatever follows it.
    v3_0: Option<&'static CK_FUNCTION_LIST_3_0>,
    /// Of interface 3.2 and whatever follows it.
    v3_2: Option<&'static CK_FUNCTION_LIST_3_2>,
}

/// What `C_Initialize` is given: locking by the operating system's means, and the module's init string.
#[repr(C)]
pub(super) struct InitializeArguments {
    arguments: CK_C_INITIALIZE_ARGS,
    /// NSS has its init string where the specification has the reserved pointer, and that pointer behind it, which must be null.
    reserved_in_nss: *mut c_void,
}

impl InitializeArguments {
    pub(super) const fn new(init_string: *const c_char, threads_forbidden: bool) -> Self {
        let forbidden = if threads_forbidden {
            CKF_LIBRARY_CANT_CREATE_OS_THREADS
        } else {
            0
        };
        Self {
            arguments: CK_C_INITIALIZE_ARGS {
                CreateMutex: None,
                DestroyMutex: None,
                LockMutex: None,
                UnlockMutex: None,
                flags: CKF_OS_LOCKING_OK | forbidden,
                pReserved: init_string.cast_mut().cast(),
            },
            reserved_in_nss: ptr::null_mut(),
        }
    }
}

/// What a call gave: its code, and beside it what only some codes make meaningful.
pub(super) type Gave<T> = (Rv, T);

/// Calls a function of the list; one that is not there is not supported.
macro_rules! call {
    ($function:expr, $($argument:expr),* $(,)?) => {
        match $function {
            // SAFETY: the function is of the module's list (`Functions::new`); every argument is a plain value, a null pointer, or
            // points at memory of ours that outlives the call, with its length beside it.
            Some(function) => Rv(unsafe { function($($argument),*) }),
            None => Rv(CKR_FUNCTION_NOT_SUPPORTED),
        }
    };
}
use call;

impl Functions {
    /// # Safety
    /// `list` is the function list of a PKCS#11 module that is never unloaded.
    #[must_use]
    pub const unsafe fn new(list: &'static CK_FUNCTION_LIST) -> Self {
        Self(
            list,
            Later {
                v3_0: None,
                v3_2: None,
            },
        )
    }

    /// The functions of an interface, as many as the version at the start of its list says it has (PKCS#11 v3.2 §5.4.6).
    ///
    /// # Safety
    /// `list` is the function list of an interface `PKCS 11` of a module that is never unloaded.
    #[must_use]
    pub unsafe fn of_interface(list: NonNull<c_void>) -> Self {
        // SAFETY: every list begins with its version, and those from 2.40 on with the functions of 2.40.
        let (version, functions) = unsafe {
            (
                list.cast::<CK_VERSION>().read(),
                list.cast::<CK_FUNCTION_LIST>().as_ref(),
            )
        };
        let (has_3_0, has_3_2) = match (version.major, version.minor) {
            (3, 0 | 1) => (true, false),
            (3, _) => (true, true),
            (_, _) => (false, false),
        };
        // SAFETY: a list of version 3.0 or 3.1 is the former, one of 3.2 the latter, which begins with the former.
        let later = unsafe {
            Later {
                v3_0: has_3_0.then(|| list.cast().as_ref()),
                v3_2: has_3_2.then(|| list.cast().as_ref()),
            }
        };
        Self(functions, later)
    }

    pub(super) fn initialize(self, arguments: &mut InitializeArguments) -> Rv {
        call!(self.0.C_Initialize, (&raw mut *arguments).cast())
    }

    pub(super) fn finalize(self) -> Rv {
        call!(self.0.C_Finalize, ptr::null_mut())
    }

    pub(super) fn info(self) -> Gave<CK_INFO> {
        with_default(|info| call!(self.0.C_GetInfo, info))
    }

    /// The slots' ids, or with no list only their number.
    pub(super) fn slot_list(
        self,
        token_present: bool,
        list: Option<&mut [CK_SLOT_ID]>,
    ) -> Gave<u64> {
        let (list, mut count) = out(list);
        let rv = call!(
            self.0.C_GetSlotList,
            CK_BBOOL::from(token_present),
            list,
            &mut count
        );
        (rv, count)
    }

    pub(super) fn slot_info(self, slot: CK_SLOT_ID) -> Gave<CK_SLOT_INFO> {
        with_default(|info| call!(self.0.C_GetSlotInfo, slot, info))
    }

    /// `C_WaitForSlotEvent` without waiting.
    pub(super) fn slot_event(self) -> Gave<CK_SLOT_ID> {
        let mut slot = 0;
        let rv = call!(
            self.0.C_WaitForSlotEvent,
            CKF_DONT_BLOCK,
            &mut slot,
            ptr::null_mut()
        );
        (rv, slot)
    }

    pub(super) fn token_info(self, slot: CK_SLOT_ID) -> Gave<CK_TOKEN_INFO> {
        with_default(|info| call!(self.0.C_GetTokenInfo, slot, info))
    }

    /// The mechanisms' types, or with no list only their number.
    pub(super) fn mechanism_list(
        self,
        slot: CK_SLOT_ID,
        list: Option<&mut [CK_MECHANISM_TYPE]>,
    ) -> Gave<u64> {
        let (list, mut count) = out(list);
        let rv = call!(self.0.C_GetMechanismList, slot, list, &mut count);
        (rv, count)
    }

    pub(super) fn mechanism_info(
        self,
        slot: CK_SLOT_ID,
        mechanism: CK_MECHANISM_TYPE,
    ) -> Gave<CK_MECHANISM_INFO> {
        with_default(|info| call!(self.0.C_GetMechanismInfo, slot, mechanism, info))
    }

    pub(super) fn init_token(self, slot: CK_SLOT_ID, pin: Option<&[u8]>, label: &[u8; 32]) -> Rv {
        let (pin, pin_length) = optional(pin);
        call!(
            self.0.C_InitToken,
            slot,
            pin,
            pin_length,
            label.as_ptr().cast_mut()
        )
    }

    pub(super) fn open_session(self, slot: CK_SLOT_ID, flags: CK_FLAGS) -> Gave<CK_SESSION_HANDLE> {
        with_default(|session| {
            call!(
                self.0.C_OpenSession,
                slot,
                flags,
                ptr::null_mut(),
                None,
                session
            )
        })
    }

    pub(super) fn close_session(self, session: CK_SESSION_HANDLE) -> Rv {
        call!(self.0.C_CloseSession, session)
    }

    pub(super) fn close_all_sessions(self, slot: CK_SLOT_ID) -> Rv {
        call!(self.0.C_CloseAllSessions, slot)
    }

    pub(super) fn session_info(self, session: CK_SESSION_HANDLE) -> Gave<CK_SESSION_INFO> {
        with_default(|info| call!(self.0.C_GetSessionInfo, session, info))
    }

    pub(super) fn operation_state(
        self,
        session: CK_SESSION_HANDLE,
        output: Option<&mut [u8]>,
    ) -> Gave<u64> {
        let (output, mut length) = out(output);
        let rv = call!(self.0.C_GetOperationState, session, output, &mut length);
        (rv, length)
    }

    pub(super) fn set_operation_state(
        self,
        session: CK_SESSION_HANDLE,
        state: &[u8],
        encryption_key: CK_OBJECT_HANDLE,
        authentication_key: CK_OBJECT_HANDLE,
    ) -> Rv {
        let (state, length) = input(state);
        call!(
            self.0.C_SetOperationState,
            session,
            state,
            length,
            encryption_key,
            authentication_key
        )
    }

    pub(super) fn login(
        self,
        session: CK_SESSION_HANDLE,
        user: CK_USER_TYPE,
        pin: Option<&[u8]>,
    ) -> Rv {
        let (pin, length) = optional(pin);
        call!(self.0.C_Login, session, user, pin, length)
    }

    pub(super) fn logout(self, session: CK_SESSION_HANDLE) -> Rv {
        call!(self.0.C_Logout, session)
    }

    pub(super) fn init_pin(self, session: CK_SESSION_HANDLE, pin: Option<&[u8]>) -> Rv {
        let (pin, length) = optional(pin);
        call!(self.0.C_InitPIN, session, pin, length)
    }

    pub(super) fn set_pin(
        self,
        session: CK_SESSION_HANDLE,
        old: Option<&[u8]>,
        new: Option<&[u8]>,
    ) -> Rv {
        let ((old, old_length), (new, new_length)) = (optional(old), optional(new));
        call!(self.0.C_SetPIN, session, old, old_length, new, new_length)
    }

    pub(super) fn seed_random(self, session: CK_SESSION_HANDLE, seed: &[u8]) -> Rv {
        let (seed, length) = input(seed);
        call!(self.0.C_SeedRandom, session, seed, length)
    }

    pub(super) fn generate_random(self, session: CK_SESSION_HANDLE, output: &mut [u8]) -> Rv {
        let (output, length) = out(Some(output));
        call!(self.0.C_GenerateRandom, session, output, length)
    }
}

fn with_default<T: Default>(call: impl FnOnce(*mut T) -> Rv) -> Gave<T> {
    let mut value = T::default();
    let rv = call(&mut value);
    (rv, value)
}

/// PKCS#11 takes its inputs by pointers to what it does not change.
fn input(data: &[u8]) -> (*mut u8, u64) {
    (data.as_ptr().cast_mut(), data.len() as u64)
}

/// No PIN at all is a null pointer: a protected authentication path (PKCS#11 v3.1 §5.6.8).
fn optional(data: Option<&[u8]>) -> (*mut u8, u64) {
    data.map_or((ptr::null_mut(), 0), input)
}

/// No output at all is a null pointer: the call only tells the length (PKCS#11 v3.1 §5.2).
fn out<T>(output: Option<&mut [T]>) -> (*mut T, u64) {
    output.map_or((ptr::null_mut(), 0), |output| {
        (output.as_mut_ptr(), output.len() as u64)
    })
}
