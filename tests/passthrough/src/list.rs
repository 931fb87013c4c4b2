//! The function list: each function counts and hands on, whatever its arguments are.

use std::mem::offset_of;
use std::ptr;

use cryptoki_sys::{
    CK_FUNCTION_LIST, CK_FUNCTION_LIST_PTR_PTR, CK_RV, CK_VERSION, CKR_ARGUMENTS_BAD,
    CKR_FUNCTION_NOT_SUPPORTED, CKR_GENERAL_ERROR, CKR_OK,
};

use crate::{fault, real};

/// The list of its functions (PKCS#11 v2.40 §5.4).
///
/// # Safety
/// `list` is null or valid for a write.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn C_GetFunctionList(list: CK_FUNCTION_LIST_PTR_PTR) -> CK_RV {
    // SAFETY: null or valid by this function's contract.
    let Some(place) = (unsafe { list.as_mut() }) else {
        return CKR_ARGUMENTS_BAD;
    };
    let Some(real) = real::list() else {
        return CKR_GENERAL_ERROR;
    };
    let ours = fault::control().map_or(ptr::from_ref(real), |_| &raw const FUNCTIONS);
    *place = ours.cast_mut();
    CKR_OK
}

/// A function of so many arguments: the one at `OFFSET` in the function list.
macro_rules! handing_on {
    ($($name:ident($($argument:ident: $kind:ident),*);)*) => {
        $(
            /// # Safety
            /// As that of PKCS#11, whose types the arguments have.
            unsafe extern "C" fn $name<const OFFSET: usize, $($kind),*>($($argument: $kind),*) -> CK_RV {
                let Some(list) = real::list() else {
                    return CKR_GENERAL_ERROR;
                };
                // SAFETY: `FUNCTIONS` gives the offset of the very field whose type has these arguments.
                let function = unsafe {
                    ptr::from_ref(list)
                        .byte_add(OFFSET)
                        .cast::<Option<unsafe extern "C" fn($($kind),*) -> CK_RV>>()
                        .read()
                };
                let Some(function) = function else {
                    return CKR_FUNCTION_NOT_SUPPORTED;
                };
                // SAFETY: by this function's contract.
                let call = || unsafe { function($($argument),*) };
                match fault::control() {
                    Some(control) => control.around(call),
                    None => call(),
                }
            }
        )*
    };
}

handing_on! {
    one(a: A);
    two(a: A, b: B);
    three(a: A, b: B, c: C);
    four(a: A, b: B, c: C, d: D);
    five(a: A, b: B, c: C, d: D, e: E);
    six(a: A, b: B, c: C, d: D, e: E, f: F);
    eight(a: A, b: B, c: C, d: D, e: E, f: F, g: G, h: H);
}

macro_rules! function {
    ($by:ident $name:ident ($($kind:tt)*)) => {
        Some($by::<{ offset_of!(CK_FUNCTION_LIST, $name) } $(, $kind)*>)
    };
}

macro_rules! functions {
    ($($by:ident $kinds:tt: $($name:ident)*;)*) => {
        CK_FUNCTION_LIST {
            version: CK_VERSION { major: 2, minor: 40 },
            C_GetFunctionList: Some(C_GetFunctionList),
            $($($name: function!($by $name $kinds),)*)*
        }
    };
}

/// The functions of 2.40, by how many arguments they have.
static FUNCTIONS: CK_FUNCTION_LIST = functions! {
    one(_):
        C_Initialize C_Finalize C_GetInfo C_CloseSession C_CloseAllSessions C_Logout C_FindObjectsFinal C_GetFunctionStatus
        C_CancelFunction;
    two(_ _):
        C_GetSlotInfo C_GetTokenInfo C_GetSessionInfo C_DestroyObject C_DigestInit C_DigestKey;
    three(_ _ _):
        C_GetSlotList C_GetMechanismList C_GetMechanismInfo C_InitPIN C_GetOperationState C_GetObjectSize C_FindObjectsInit C_EncryptInit
        C_EncryptFinal C_DecryptInit C_DecryptFinal C_DigestUpdate C_DigestFinal C_SignInit C_SignUpdate C_SignFinal C_SignRecoverInit
        C_VerifyInit C_VerifyUpdate C_VerifyFinal C_VerifyRecoverInit C_SeedRandom C_GenerateRandom C_WaitForSlotEvent;
    four(_ _ _ _):
        C_InitToken C_Login C_CreateObject C_GetAttributeValue C_SetAttributeValue C_FindObjects;
    five(_ _ _ _ _):
        C_SetPIN C_OpenSession C_SetOperationState C_CopyObject C_Encrypt C_EncryptUpdate C_Decrypt C_DecryptUpdate C_Digest C_Sign
        C_SignRecover C_Verify C_VerifyRecover C_DigestEncryptUpdate C_DecryptDigestUpdate C_SignEncryptUpdate C_DecryptVerifyUpdate
        C_GenerateKey;
    six(_ _ _ _ _ _):
        C_WrapKey C_DeriveKey;
    eight(_ _ _ _ _ _ _ _):
        C_GenerateKeyPair C_UnwrapKey;
};
