//! How an application finds the functions (PKCS#11 v3.1 §5.4.4 to §5.4.6).

#[cfg(test)]
mod tests;

use std::ffi::CStr;
use std::ptr;

use cryptoki_sys::{
    CK_FLAGS, CK_FUNCTION_LIST, CK_INTERFACE, CK_RV, CK_ULONG, CK_UTF8CHAR, CK_VERSION,
};
use everslot_core::ckr;

use super::entry::entry;
use super::{
    decryption, digest, dual, encryption, general, keys, object, random, session, signing,
    slot_token, verifying,
};

/// The name of the standard's own interface.
const NAME: &CStr = c"PKCS 11";

/// `C_GetFunctionList` (PKCS#11 v3.1 §5.4.4)
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_GetFunctionList(list: *mut *mut CK_FUNCTION_LIST) -> CK_RV {
    entry("C_GetFunctionList", |caller| {
        caller.place(list)?.set((&raw const FUNCTIONS).cast_mut());
        Ok(())
    })
}

/// `C_GetInterfaceList` (PKCS#11 v3.1 §5.4.5)
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_GetInterfaceList(
    list: *mut CK_INTERFACE,
    count: *mut CK_ULONG,
) -> CK_RV {
    entry("C_GetInterfaceList", |caller| {
        caller.answer_list(list, count, || {
            Ok(INTERFACES
                .iter()
                .map(|interface| interface.offered)
                .collect())
        })
    })
}

/// `C_GetInterface` (PKCS#11 v3.1 §5.4.6). The specification leaves open what is answered when nothing matches; as most modules do,
/// it is `CKR_ARGUMENTS_BAD`.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_GetInterface(
    name: *mut CK_UTF8CHAR,
    version: *mut CK_VERSION,
    interface: *mut *mut CK_INTERFACE,
    flags: CK_FLAGS,
) -> CK_RV {
    entry("C_GetInterface", |caller| {
        let place = caller.place(interface)?;
        place.set(ptr::null_mut());
        let version = caller.structure(version);
        let found = INTERFACES
            .iter()
            .filter(|_| name.is_null() || caller.text_is(name, NAME))
            .find(|interface| interface.matches(version, flags))
            .ok_or(ckr::ARGUMENTS_BAD)?;
        place.set((&raw const found.offered).cast_mut());
        Ok(())
    })
}

/// The interfaces on offer, the default first, all under the same name. None survives a fork, so none has `CKF_INTERFACE_FORK_SAFE`.
static INTERFACES: [Interface; 1] = [Interface {
    offered: CK_INTERFACE {
        pInterfaceName: NAME.as_ptr().cast_mut().cast(),
        pFunctionList: (&raw const FUNCTIONS).cast_mut().cast(),
        flags: 0,
    },
    version: FUNCTIONS.version,
}];

struct Interface {
    offered: CK_INTERFACE,
    version: CK_VERSION,
}

// SAFETY: nobody writes to it here, the specification forbids applications to do so, and what its pointers lead to is as constant.
unsafe impl Sync for Interface {}

impl Interface {
    fn matches(&self, version: Option<CK_VERSION>, flags: CK_FLAGS) -> bool {
        let version_matches = version.is_none_or(|wanted| {
            (wanted.major, wanted.minor) == (self.version.major, self.version.minor)
        });
        version_matches && self.offered.flags & flags == flags
    }
}

static FUNCTIONS: CK_FUNCTION_LIST = CK_FUNCTION_LIST {
    version: CK_VERSION {
        major: 2,
        minor: 40,
    },
    C_Initialize: Some(general::C_Initialize),
    C_Finalize: Some(general::C_Finalize),
    C_GetInfo: Some(general::C_GetInfo),
    C_GetFunctionList: Some(C_GetFunctionList),
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
};
