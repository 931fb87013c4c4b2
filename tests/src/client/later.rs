//! What PKCS#11 3.0 and 3.2 have beyond 2.40.

use std::ptr;

use cryptoki_sys::{
    CK_FLAGS, CK_FUNCTION_LIST_3_2, CK_GCM_MESSAGE_PARAMS, CK_GENERATOR_FUNCTION, CK_INTERFACE,
    CK_ULONG, CK_USER_TYPE, CK_VERSION, CK_VOID_PTR, CKF_END_OF_MESSAGE, CKM_AES_GCM, CKR_OK,
};

use super::{Failure, Mechanism, Module, Object, Session};

/// Longer than any output of the tests' messages.
const ROOM: usize = 8 * 1024;

/// One C function of the module's interface 3.2.
macro_rules! call {
    ($module:expr, $function:ident ( $($argument:expr),* $(,)? )) => {{
        let function = $module.functions_3_2().$function.expect(concat!("the module has ", stringify!($function)));
        // SAFETY: the function is of a PKCS#11 module that stays loaded, and every pointer given to it is null or of a
        // live value or buffer with the length given beside it.
        let code = unsafe { function($($argument),*) };
        $crate::client::checked(stringify!($function), code)
    }};
}

// They use the macro.
mod keys;
mod signatures;

/// What a GCM message has beside its data.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Gcm {
    /// The IV, of which the first four bytes are fixed.
    pub iv: [u8; 12],
    /// The authentication tag.
    pub tag: [u8; 16],
    /// `CKG_…`: who makes the IV.
    pub generator: CK_GENERATOR_FUNCTION,
}

impl Gcm {
    /// Calls `action` with the parameter as C has it, and takes over what is in it then.
    fn with<T>(&mut self, action: impl FnOnce(CK_VOID_PTR, CK_ULONG) -> T) -> T {
        let mut parameter = CK_GCM_MESSAGE_PARAMS {
            pIv: self.iv.as_mut_ptr(),
            ulIvLen: 12,
            ulIvFixedBits: 32,
            ivGenerator: self.generator,
            pTag: self.tag.as_mut_ptr(),
            ulTagBits: 128,
        };
        let size = size_of::<CK_GCM_MESSAGE_PARAMS>() as CK_ULONG;
        action((&raw mut parameter).cast(), size)
    }
}

/// A direction of messages, with the functions that it has.
macro_rules! cipher {
    ($($init:ident $C_Init:ident, $whole:ident $C_Whole:ident, $begin:ident $C_Begin:ident, $next:ident $C_Next:ident,
       $finish:ident $C_Final:ident;)*) => {
        impl Session {
            $(
                #[doc = concat!("`", stringify!($C_Init), "` for AES-GCM\n\n# Errors\nAs the module says.")]
                pub fn $init(self, key: Object) -> Result<(), Failure> {
                    Mechanism::Plain(CKM_AES_GCM)
                        .with(|mechanism| call!(self.module, $C_Init(self.handle, mechanism, key.0)))
                }

                #[doc = concat!("`", stringify!($C_Whole), "`\n\n# Errors\nAs the module says.")]
                pub fn $whole(self, gcm: &mut Gcm, associated: &[u8], data: &[u8]) -> Result<Vec<u8>, Failure> {
                    let (associated, associated_length) = input(associated);
                    let (data, length) = input(data);
                    gcm.with(|parameter, size| with_room(|output, room| {
                        call!(self.module, $C_Whole(
                            self.handle, parameter, size, associated, associated_length, data, length, output, room
                        ))
                    }))
                }

                #[doc = concat!("`", stringify!($C_Begin), "`\n\n# Errors\nAs the module says.")]
                pub fn $begin(self, gcm: &mut Gcm, associated: &[u8]) -> Result<(), Failure> {
                    let (associated, length) = input(associated);
                    gcm.with(|parameter, size| {
                        call!(self.module, $C_Begin(self.handle, parameter, size, associated, length))
                    })
                }

                #[doc = concat!("`", stringify!($C_Next), "`\n\n# Errors\nAs the module says.")]
                pub fn $next(self, gcm: &mut Gcm, data: &[u8], last: bool) -> Result<Vec<u8>, Failure> {
                    let (data, length) = input(data);
                    let flags = if last { CKF_END_OF_MESSAGE } else { 0 };
                    gcm.with(|parameter, size| with_room(|output, room| {
                        call!(self.module, $C_Next(
                            self.handle, parameter, size, data, length, output, room, flags
                        ))
                    }))
                }

                #[doc = concat!("`", stringify!($C_Final), "`\n\n# Errors\nAs the module says.")]
                pub fn $finish(self) -> Result<(), Failure> {
                    call!(self.module, $C_Final(self.handle))
                }
            )*
        }
    };
}

cipher! {
    message_encrypt_init C_MessageEncryptInit, encrypt_message C_EncryptMessage,
    encrypt_message_begin C_EncryptMessageBegin, encrypt_message_next C_EncryptMessageNext,
    message_encrypt_final C_MessageEncryptFinal;
    message_decrypt_init C_MessageDecryptInit, decrypt_message C_DecryptMessage,
    decrypt_message_begin C_DecryptMessageBegin, decrypt_message_next C_DecryptMessageNext,
    message_decrypt_final C_MessageDecryptFinal;
}

impl Module {
    /// The versions of the interfaces that the module offers, in its order.
    ///
    /// # Panics
    /// It does not list them.
    #[must_use]
    pub fn interfaces(self) -> Vec<(u8, u8)> {
        let mut count = 0;
        let list = |list, count| call!(self, C_GetInterfaceList(list, count));
        list(ptr::null_mut(), &raw mut count).expect("the interfaces are counted");
        let mut interfaces = vec![CK_INTERFACE::default(); count as usize];
        list(interfaces.as_mut_ptr(), &raw mut count).expect("the interfaces are listed");
        let version = |interface: &CK_INTERFACE| {
            // SAFETY: an interface has a function list, which begins with its version.
            let version = unsafe { *interface.pFunctionList.cast::<CK_VERSION>() };
            (version.major, version.minor)
        };
        interfaces.iter().map(version).collect()
    }

    /// The function list of interface 3.2.
    ///
    /// # Panics
    /// The module has none.
    #[must_use]
    pub fn functions_3_2(self) -> &'static CK_FUNCTION_LIST_3_2 {
        let get = self.get_interface.expect("the module has C_GetInterface");
        let mut version = CK_VERSION { major: 3, minor: 2 };
        let mut interface = ptr::null_mut();
        // SAFETY: the pointers are of live values; an interface stays as long as its module, which is never unloaded, and the list of
        // an interface of that version is of that type.
        unsafe {
            let code = get(ptr::null_mut(), &raw mut version, &raw mut interface, 0);
            assert_eq!(code, CKR_OK, "the module has interface 3.2");
            let list = (*interface).pFunctionList;
            list.cast::<CK_FUNCTION_LIST_3_2>()
                .as_ref()
                .expect("a function list")
        }
    }
}

impl Session {
    /// `C_LoginUser`
    ///
    /// # Errors
    /// As the module says.
    pub fn login_user(self, user: CK_USER_TYPE, pin: &str, name: &str) -> Result<(), Failure> {
        let ((pin, pin_length), (name, name_length)) =
            (input(pin.as_bytes()), input(name.as_bytes()));
        call!(
            self.module,
            C_LoginUser(self.handle, user, pin, pin_length, name, name_length)
        )
    }

    /// `C_SessionCancel`
    ///
    /// # Errors
    /// As the module says.
    pub fn cancel(self, flags: CK_FLAGS) -> Result<(), Failure> {
        call!(self.module, C_SessionCancel(self.handle, flags))
    }

    /// `C_GetSessionValidationFlags`
    ///
    /// # Errors
    /// As the module says.
    pub fn validation_flags(self, kind: CK_ULONG) -> Result<CK_FLAGS, Failure> {
        let mut flags = 0;
        call!(
            self.module,
            C_GetSessionValidationFlags(self.handle, kind, &raw mut flags)
        )?;
        Ok(flags)
    }
}

const fn input(data: &[u8]) -> (*mut u8, CK_ULONG) {
    (data.as_ptr().cast_mut(), data.len() as CK_ULONG)
}

fn with_room(
    action: impl FnOnce(*mut u8, *mut CK_ULONG) -> Result<(), Failure>,
) -> Result<Vec<u8>, Failure> {
    let mut output = vec![0; ROOM];
    let mut length = ROOM as CK_ULONG;
    action(output.as_mut_ptr(), &raw mut length)?;
    output.truncate(length as usize);
    Ok(output)
}
