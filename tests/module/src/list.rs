//! The function list. What the module has no use for answers `CKR_FUNCTION_NOT_SUPPORTED`.

use std::ffi::c_void;

use cryptoki_sys::{
    CK_ATTRIBUTE, CK_BYTE, CK_FLAGS, CK_FUNCTION_LIST, CK_FUNCTION_LIST_PTR_PTR, CK_MECHANISM,
    CK_OBJECT_HANDLE, CK_RV, CK_SESSION_HANDLE, CK_SLOT_ID, CK_ULONG, CK_UTF8CHAR, CK_VERSION,
    CKR_ARGUMENTS_BAD, CKR_FUNCTION_NOT_SUPPORTED, CKR_OK,
};

use crate::derive;
use crate::{answer, general, keys, objects, operations, pins, sessions};

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
    *place = (&raw const FUNCTIONS).cast_mut();
    CKR_OK
}

macro_rules! unsupported {
    ($($name:ident ( $($argument:ty),* )),* $(,)?) => {
        $(
            #[allow(non_snake_case, reason = "the name of PKCS#11")]
            unsafe extern "C" fn $name($(_: $argument),*) -> CK_RV {
                answer(stringify!($name), || Err(CKR_FUNCTION_NOT_SUPPORTED))
            }
        )*
    };
}

unsupported! {
    C_InitToken(CK_SLOT_ID, *mut CK_UTF8CHAR, CK_ULONG, *mut CK_UTF8CHAR),
    C_GetOperationState(CK_SESSION_HANDLE, *mut CK_BYTE, *mut CK_ULONG),
    C_SetOperationState(CK_SESSION_HANDLE, *mut CK_BYTE, CK_ULONG, CK_OBJECT_HANDLE, CK_OBJECT_HANDLE),
    C_DigestKey(CK_SESSION_HANDLE, CK_OBJECT_HANDLE),
    C_SignRecoverInit(CK_SESSION_HANDLE, *mut CK_MECHANISM, CK_OBJECT_HANDLE),
    C_SignRecover(CK_SESSION_HANDLE, *mut CK_BYTE, CK_ULONG, *mut CK_BYTE, *mut CK_ULONG),
    C_VerifyRecoverInit(CK_SESSION_HANDLE, *mut CK_MECHANISM, CK_OBJECT_HANDLE),
    C_VerifyRecover(CK_SESSION_HANDLE, *mut CK_BYTE, CK_ULONG, *mut CK_BYTE, *mut CK_ULONG),
    C_WrapKey(CK_SESSION_HANDLE, *mut CK_MECHANISM, CK_OBJECT_HANDLE, CK_OBJECT_HANDLE, *mut CK_BYTE, *mut CK_ULONG),
    C_UnwrapKey(
        CK_SESSION_HANDLE, *mut CK_MECHANISM, CK_OBJECT_HANDLE, *mut CK_BYTE, CK_ULONG, *mut CK_ATTRIBUTE, CK_ULONG,
        *mut CK_OBJECT_HANDLE
    ),
    C_WaitForSlotEvent(CK_FLAGS, *mut CK_SLOT_ID, *mut c_void),
}

/// The functions of 2.40.
pub(crate) static FUNCTIONS: CK_FUNCTION_LIST = CK_FUNCTION_LIST {
    version: CK_VERSION {
        major: 2,
        minor: 40,
    },
    C_Initialize: Some(general::initialize),
    C_Finalize: Some(general::finalize),
    C_GetInfo: Some(general::info),
    C_GetFunctionList: Some(C_GetFunctionList),
    C_GetSlotList: Some(general::slots),
    C_GetSlotInfo: Some(general::slot_info),
    C_GetTokenInfo: Some(general::token_info),
    C_GetMechanismList: Some(general::mechanisms),
    C_GetMechanismInfo: Some(general::mechanism_info),
    C_InitToken: Some(C_InitToken),
    C_InitPIN: Some(pins::init),
    C_SetPIN: Some(pins::set),
    C_OpenSession: Some(sessions::open),
    C_CloseSession: Some(sessions::close),
    C_CloseAllSessions: Some(sessions::close_all),
    C_GetSessionInfo: Some(sessions::session_info),
    C_GetOperationState: Some(C_GetOperationState),
    C_SetOperationState: Some(C_SetOperationState),
    C_Login: Some(sessions::login),
    C_Logout: Some(sessions::logout),
    C_CreateObject: Some(objects::create),
    C_CopyObject: Some(objects::copy),
    C_DestroyObject: Some(objects::destroy),
    C_GetObjectSize: Some(objects::size),
    C_GetAttributeValue: Some(objects::values),
    C_SetAttributeValue: Some(objects::set_values),
    C_FindObjectsInit: Some(objects::find_init),
    C_FindObjects: Some(objects::find),
    C_FindObjectsFinal: Some(objects::find_final),
    C_EncryptInit: Some(operations::encrypt_init),
    C_Encrypt: Some(operations::encrypt),
    C_EncryptUpdate: Some(operations::encrypt_update),
    C_EncryptFinal: Some(operations::encrypt_final),
    C_DecryptInit: Some(operations::decrypt_init),
    C_Decrypt: Some(operations::decrypt),
    C_DecryptUpdate: Some(operations::decrypt_update),
    C_DecryptFinal: Some(operations::decrypt_final),
    C_DigestInit: Some(operations::digest_init),
    C_Digest: Some(operations::digest),
    C_DigestUpdate: Some(operations::digest_update),
    C_DigestKey: Some(C_DigestKey),
    C_DigestFinal: Some(operations::digest_final),
    C_SignInit: Some(operations::sign_init),
    C_Sign: Some(operations::sign),
    C_SignUpdate: Some(operations::sign_update),
    C_SignFinal: Some(operations::sign_final),
    C_SignRecoverInit: Some(C_SignRecoverInit),
    C_SignRecover: Some(C_SignRecover),
    C_VerifyInit: Some(operations::verify_init),
    C_Verify: Some(operations::verify),
    C_VerifyUpdate: Some(operations::verify_update),
    C_VerifyFinal: Some(operations::verify_final),
    C_VerifyRecoverInit: Some(C_VerifyRecoverInit),
    C_VerifyRecover: Some(C_VerifyRecover),
    C_DigestEncryptUpdate: Some(operations::digest_encrypt),
    C_DecryptDigestUpdate: Some(operations::decrypt_digest),
    C_SignEncryptUpdate: Some(operations::sign_encrypt),
    C_DecryptVerifyUpdate: Some(operations::decrypt_verify),
    C_GenerateKey: Some(keys::generate_key),
    C_GenerateKeyPair: Some(keys::generate_key_pair),
    C_WrapKey: Some(C_WrapKey),
    C_UnwrapKey: Some(C_UnwrapKey),
    C_DeriveKey: Some(derive::derive_key),
    C_SeedRandom: Some(operations::seed_random),
    C_GenerateRandom: Some(operations::random),
    C_GetFunctionStatus: Some(general::no_parallel),
    C_CancelFunction: Some(general::no_parallel),
    C_WaitForSlotEvent: Some(C_WaitForSlotEvent),
};
