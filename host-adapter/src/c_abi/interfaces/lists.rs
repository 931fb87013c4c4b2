//! The function lists. Each begins with the one before it, but for `C_GetInfo`, which tells the version of its own.

use cryptoki_sys::{CK_FUNCTION_LIST, CK_FUNCTION_LIST_3_0, CK_FUNCTION_LIST_3_2, CK_VERSION};

use super::super::{
    decryption, digest, dual, encryption, general, interfaces as own, keys, later_keys,
    later_session, message_decryption, message_encryption, message_signing, message_verifying,
    object, random, session, signing, slot_token, verify_signature, verifying,
};

/// A list of the functions of 2.40 and whatever further ones there are.
macro_rules! functions_2_40 {
    ($list:ident $major:literal . $minor:literal { $($name:ident: $module:ident,)* }) => {
        $list {
            version: CK_VERSION { major: $major, minor: $minor },
            C_GetFunctionList: Some(own::C_GetFunctionList),
            C_Initialize: Some(general::C_Initialize),
            C_Finalize: Some(general::C_Finalize),
            C_GetInfo: Some(general::info_of::<$major, $minor>),
            C_GetSlotList: Some(slot_token::C_GetSlotList),
            C_GetSlotInfo: Some(slot_token::C_GetSlotInfo),
            C_GetTokenInfo: Some(slot_token::C_GetTokenInfo),
            C_GetMechanismList: Some(slot_token::C_GetMechanismList),
            C_GetMechanismInfo: Some(slot_token::C_GetMechanismInfo),
            C_InitToken: Some(slot_token::C_InitToken),
            C_InitPIN: Some(slot_token::C_InitPIN),
            C_SetPIN: Some(slot_token::C_SetPIN),
            C_OpenSession: Some(session::C_OpenSession),
            C_CloseSession: Some(session::C_CloseSession),
            C_CloseAllSessions: Some(session::C_CloseAllSessions),
            C_GetSessionInfo: Some(session::C_GetSessionInfo),
            C_GetOperationState: Some(session::C_GetOperationState),
            C_SetOperationState: Some(session::C_SetOperationState),
            C_Login: Some(session::C_Login),
            C_Logout: Some(session::C_Logout),
            C_CreateObject: Some(object::C_CreateObject),
            C_CopyObject: Some(object::C_CopyObject),
            C_DestroyObject: Some(object::C_DestroyObject),
            C_GetObjectSize: Some(object::C_GetObjectSize),
            C_GetAttributeValue: Some(object::C_GetAttributeValue),
            C_SetAttributeValue: Some(object::C_SetAttributeValue),
            C_FindObjectsInit: Some(object::C_FindObjectsInit),
            C_FindObjects: Some(object::C_FindObjects),
            C_FindObjectsFinal: Some(object::C_FindObjectsFinal),
            C_EncryptInit: Some(encryption::C_EncryptInit),
            C_Encrypt: Some(encryption::C_Encrypt),
            C_EncryptUpdate: Some(encryption::C_EncryptUpdate),
            C_EncryptFinal: Some(encryption::C_EncryptFinal),
            C_DecryptInit: Some(decryption::C_DecryptInit),
            C_Decrypt: Some(decryption::C_Decrypt),
            C_DecryptUpdate: Some(decryption::C_DecryptUpdate),
            C_DecryptFinal: Some(decryption::C_DecryptFinal),
            C_DigestInit: Some(digest::C_DigestInit),
            C_Digest: Some(digest::C_Digest),
            C_DigestUpdate: Some(digest::C_DigestUpdate),
            C_DigestKey: Some(digest::C_DigestKey),
            C_DigestFinal: Some(digest::C_DigestFinal),
            C_SignInit: Some(signing::C_SignInit),
            C_Sign: Some(signing::C_Sign),
            C_SignUpdate: Some(signing::C_SignUpdate),
            C_SignFinal: Some(signing::C_SignFinal),
            C_SignRecoverInit: Some(signing::C_SignRecoverInit),
            C_SignRecover: Some(signing::C_SignRecover),
            C_VerifyInit: Some(verifying::C_VerifyInit),
            C_Verify: Some(verifying::C_Verify),
            C_VerifyUpdate: Some(verifying::C_VerifyUpdate),
            C_VerifyFinal: Some(verifying::C_VerifyFinal),
            C_VerifyRecoverInit: Some(verifying::C_VerifyRecoverInit),
            C_VerifyRecover: Some(verifying::C_VerifyRecover),
            C_DigestEncryptUpdate: Some(dual::C_DigestEncryptUpdate),
            C_DecryptDigestUpdate: Some(dual::C_DecryptDigestUpdate),
            C_SignEncryptUpdate: Some(dual::C_SignEncryptUpdate),
            C_DecryptVerifyUpdate: Some(dual::C_DecryptVerifyUpdate),
            C_GenerateKey: Some(keys::C_GenerateKey),
            C_GenerateKeyPair: Some(keys::C_GenerateKeyPair),
            C_WrapKey: Some(keys::C_WrapKey),
            C_UnwrapKey: Some(keys::C_UnwrapKey),
            C_DeriveKey: Some(keys::C_DeriveKey),
            C_SeedRandom: Some(random::C_SeedRandom),
            C_GenerateRandom: Some(random::C_GenerateRandom),
            C_GetFunctionStatus: Some(general::C_GetFunctionStatus),
            C_CancelFunction: Some(general::C_CancelFunction),
            C_WaitForSlotEvent: Some(slot_token::C_WaitForSlotEvent),
            $($name: Some($module::$name),)*
        }
    };
}

/// A list of the functions of 3.0 and whatever further ones there are.
macro_rules! functions_3_0 {
    ($list:ident $major:literal . $minor:literal { $($name:ident: $module:ident,)* }) => {
        functions_2_40!($list $major . $minor {
            C_GetInterfaceList: own,
            C_GetInterface: own,
            C_LoginUser: later_session,
            C_SessionCancel: later_session,
            C_MessageEncryptInit: message_encryption,
            C_EncryptMessage: message_encryption,
            C_EncryptMessageBegin: message_encryption,
            C_EncryptMessageNext: message_encryption,
            C_MessageEncryptFinal: message_encryption,
            C_MessageDecryptInit: message_decryption,
            C_DecryptMessage: message_decryption,
            C_DecryptMessageBegin: message_decryption,
            C_DecryptMessageNext: message_decryption,
            C_MessageDecryptFinal: message_decryption,
            C_MessageSignInit: message_signing,
            C_SignMessage: message_signing,
            C_SignMessageBegin: message_signing,
            C_SignMessageNext: message_signing,
            C_MessageSignFinal: message_signing,
            C_MessageVerifyInit: message_verifying,
            C_VerifyMessage: message_verifying,
            C_VerifyMessageBegin: message_verifying,
            C_VerifyMessageNext: message_verifying,
            C_MessageVerifyFinal: message_verifying,
            $($name: $module,)*
        })
    };
}

/// Interface 2.40.
pub(super) static FUNCTIONS: CK_FUNCTION_LIST = functions_2_40!(CK_FUNCTION_LIST 2 . 40 {});

/// Interface 3.0.
pub(super) static FUNCTIONS_3_0: CK_FUNCTION_LIST_3_0 =
    functions_3_0!(CK_FUNCTION_LIST_3_0 3 . 0 {});

/// Interface 3.1, which has the functions of 3.0.
pub(super) static FUNCTIONS_3_1: CK_FUNCTION_LIST_3_0 =
    functions_3_0!(CK_FUNCTION_LIST_3_0 3 . 1 {});

/// Interface 3.2.
pub(super) static FUNCTIONS_3_2: CK_FUNCTION_LIST_3_2 = functions_3_0!(CK_FUNCTION_LIST_3_2 3 . 2 {
    C_EncapsulateKey: later_keys,
    C_DecapsulateKey: later_keys,
    C_VerifySignatureInit: verify_signature,
    C_VerifySignature: verify_signature,
    C_VerifySignatureUpdate: verify_signature,
    C_VerifySignatureFinal: verify_signature,
    C_GetSessionValidationFlags: later_session,
    C_AsyncComplete: later_session,
    C_AsyncGetID: later_session,
    C_AsyncJoin: later_session,
    C_WrapKeyAuthenticated: later_keys,
    C_UnwrapKeyAuthenticated: later_keys,
});
