//! Every function of interface 3.2: its name, a call of it, and what it answers to a caller that gives it nothing.

use cryptoki_sys::{CK_MECHANISM, CKF_SERIAL_SESSION};
use everslot_core::{Rv, ckr};

use super::super::double::SLOT;
use super::call;

/// What a function is given.
pub(super) struct Given {
    pub(super) session: u64,
    /// For every array, and for every output.
    pub(super) data: *mut u64,
    /// Of `data`, in items.
    pub(super) length: u64,
    /// For whatever the function puts out, lengths included.
    pub(super) place: *mut u64,
    pub(super) mechanism: *mut CK_MECHANISM,
}

impl Given {
    fn data<T>(&self) -> *mut T {
        self.data.cast()
    }

    fn place<T>(&self) -> *mut T {
        self.place.cast()
    }
}

/// One function.
pub(super) struct Case {
    pub(super) name: &'static str,
    pub(super) call: fn(&Given) -> Rv,
    /// What it answers when every pointer is null and every length 0.
    pub(super) to_nothing: Rv,
    pub(super) kind: Kind,
}

/// What a function has among its arguments.
#[derive(Clone, Copy, Eq, PartialEq)]
pub(super) enum Kind {
    /// Needs no library and looks at no handle.
    Free,
    /// Neither a session nor an array.
    Bare,
    /// A session, no array.
    Session,
    /// A session and a PIN, which may be null whatever its length.
    Pin,
    /// A session and an array that the function reads or fills up.
    Array,
    /// A session and a buffer, with a pointer to its length.
    Output,
}

macro_rules! case {
    ($kind:ident, $to_nothing:ident, $name:ident($given:ident $(, $argument:expr)*)) => {
        Case {
            name: stringify!($name),
            call: |$given| call!($name($($argument),*)),
            to_nothing: ckr::$to_nothing,
            kind: Kind::$kind,
        }
    };
}

#[rustfmt::skip]
pub(super) const CASES: [Case; 104] = [
    case!(Free, OK, C_Initialize(g, g.data())),
    case!(Bare, OK, C_Finalize(g, g.data())),
    case!(Bare, ARGUMENTS_BAD, C_GetInfo(g, g.place())),
    case!(Free, ARGUMENTS_BAD, C_GetFunctionList(g, g.place())),
    case!(Bare, ARGUMENTS_BAD, C_GetSlotList(g, 1, g.data(), g.place())),
    case!(Bare, ARGUMENTS_BAD, C_GetSlotInfo(g, SLOT, g.place())),
    case!(Bare, ARGUMENTS_BAD, C_GetTokenInfo(g, SLOT, g.place())),
    case!(Bare, ARGUMENTS_BAD, C_GetMechanismList(g, SLOT, g.data(), g.place())),
    case!(Bare, ARGUMENTS_BAD, C_GetMechanismInfo(g, SLOT, 1, g.place())),
    case!(Bare, ARGUMENTS_BAD, C_InitToken(g, SLOT, g.data(), g.length, g.place())),
    case!(Pin, OK, C_InitPIN(g, g.session, g.data(), g.length)),
    case!(Pin, OK, C_SetPIN(g, g.session, g.data(), g.length, g.data(), g.length)),
    case!(Bare, ARGUMENTS_BAD, C_OpenSession(g, SLOT, CKF_SERIAL_SESSION, g.data(), None, g.place())),
    case!(Session, OK, C_CloseSession(g, g.session)),
    case!(Bare, OK, C_CloseAllSessions(_g, SLOT)),
    case!(Session, ARGUMENTS_BAD, C_GetSessionInfo(g, g.session, g.place())),
    case!(Output, ARGUMENTS_BAD, C_GetOperationState(g, g.session, g.data(), g.place())),
    case!(Array, OK, C_SetOperationState(g, g.session, g.data(), g.length, 0, 0)),
    case!(Pin, OK, C_Login(g, g.session, 1, g.data(), g.length)),
    case!(Session, OK, C_Logout(g, g.session)),
    case!(Array, ARGUMENTS_BAD, C_CreateObject(g, g.session, g.data(), g.length, g.place())),
    case!(Array, ARGUMENTS_BAD, C_CopyObject(g, g.session, 1, g.data(), g.length, g.place())),
    case!(Session, OK, C_DestroyObject(g, g.session, 1)),
    case!(Session, ARGUMENTS_BAD, C_GetObjectSize(g, g.session, 1, g.place())),
    case!(Array, OK, C_GetAttributeValue(g, g.session, 1, g.data(), g.length)),
    case!(Array, OK, C_SetAttributeValue(g, g.session, 1, g.data(), g.length)),
    case!(Array, OK, C_FindObjectsInit(g, g.session, g.data(), g.length)),
    case!(Array, ARGUMENTS_BAD, C_FindObjects(g, g.session, g.data(), g.length, g.place())),
    case!(Session, OK, C_FindObjectsFinal(g, g.session)),
    case!(Session, OK, C_EncryptInit(g, g.session, g.mechanism, 1)),
    case!(Array, ARGUMENTS_BAD, C_Encrypt(g, g.session, g.data(), g.length, g.data(), g.place())),
    case!(Array, ARGUMENTS_BAD, C_EncryptUpdate(g, g.session, g.data(), g.length, g.data(), g.place())),
    case!(Output, ARGUMENTS_BAD, C_EncryptFinal(g, g.session, g.data(), g.place())),
    case!(Session, OK, C_DecryptInit(g, g.session, g.mechanism, 1)),
    case!(Array, ARGUMENTS_BAD, C_Decrypt(g, g.session, g.data(), g.length, g.data(), g.place())),
    case!(Array, ARGUMENTS_BAD, C_DecryptUpdate(g, g.session, g.data(), g.length, g.data(), g.place())),
    case!(Output, ARGUMENTS_BAD, C_DecryptFinal(g, g.session, g.data(), g.place())),
    case!(Session, OK, C_DigestInit(g, g.session, g.mechanism)),
    case!(Array, ARGUMENTS_BAD, C_Digest(g, g.session, g.data(), g.length, g.data(), g.place())),
    case!(Array, OK, C_DigestUpdate(g, g.session, g.data(), g.length)),
    case!(Session, OK, C_DigestKey(g, g.session, 1)),
    case!(Output, ARGUMENTS_BAD, C_DigestFinal(g, g.session, g.data(), g.place())),
    case!(Session, OK, C_SignInit(g, g.session, g.mechanism, 1)),
    case!(Array, ARGUMENTS_BAD, C_Sign(g, g.session, g.data(), g.length, g.data(), g.place())),
    case!(Array, OK, C_SignUpdate(g, g.session, g.data(), g.length)),
    case!(Output, ARGUMENTS_BAD, C_SignFinal(g, g.session, g.data(), g.place())),
    case!(Session, OK, C_SignRecoverInit(g, g.session, g.mechanism, 1)),
    case!(Array, ARGUMENTS_BAD, C_SignRecover(g, g.session, g.data(), g.length, g.data(), g.place())),
    case!(Session, OK, C_VerifyInit(g, g.session, g.mechanism, 1)),
    case!(Array, OK, C_Verify(g, g.session, g.data(), g.length, g.data(), g.length)),
    case!(Array, OK, C_VerifyUpdate(g, g.session, g.data(), g.length)),
    case!(Array, OK, C_VerifyFinal(g, g.session, g.data(), g.length)),
    case!(Session, OK, C_VerifyRecoverInit(g, g.session, g.mechanism, 1)),
    case!(Array, ARGUMENTS_BAD, C_VerifyRecover(g, g.session, g.data(), g.length, g.data(), g.place())),
    case!(Array, ARGUMENTS_BAD, C_DigestEncryptUpdate(g, g.session, g.data(), g.length, g.data(), g.place())),
    case!(Array, ARGUMENTS_BAD, C_DecryptDigestUpdate(g, g.session, g.data(), g.length, g.data(), g.place())),
    case!(Array, ARGUMENTS_BAD, C_SignEncryptUpdate(g, g.session, g.data(), g.length, g.data(), g.place())),
    case!(Array, ARGUMENTS_BAD, C_DecryptVerifyUpdate(g, g.session, g.data(), g.length, g.data(), g.place())),
    case!(Array, ARGUMENTS_BAD, C_GenerateKey(g, g.session, g.mechanism, g.data(), g.length, g.place())),
    case!(Array, ARGUMENTS_BAD, C_GenerateKeyPair(g, g.session, g.mechanism, g.data(), g.length, g.data(), g.length, g.place(), g.place())),
    case!(Output, ARGUMENTS_BAD, C_WrapKey(g, g.session, g.mechanism, 1, 2, g.data(), g.place())),
    case!(Array, ARGUMENTS_BAD, C_UnwrapKey(g, g.session, g.mechanism, 1, g.data(), g.length, g.data(), g.length, g.place())),
    case!(Array, ARGUMENTS_BAD, C_DeriveKey(g, g.session, g.mechanism, 1, g.data(), g.length, g.place())),
    case!(Array, OK, C_SeedRandom(g, g.session, g.data(), g.length)),
    case!(Array, OK, C_GenerateRandom(g, g.session, g.data(), g.length)),
    case!(Free, FUNCTION_NOT_PARALLEL, C_GetFunctionStatus(g, g.session)),
    case!(Free, FUNCTION_NOT_PARALLEL, C_CancelFunction(g, g.session)),
    case!(Bare, ARGUMENTS_BAD, C_WaitForSlotEvent(g, 1, g.place(), g.data())),
    case!(Free, ARGUMENTS_BAD, C_GetInterfaceList(g, g.data(), g.place())),
    case!(Free, ARGUMENTS_BAD, C_GetInterface(g, g.data(), g.data(), g.place(), 0)),
    case!(Pin, OK, C_LoginUser(g, g.session, 1, g.data(), g.length, std::ptr::null_mut(), 0)),
    case!(Session, OK, C_SessionCancel(g, g.session, 0)),
    case!(Session, OK, C_MessageEncryptInit(g, g.session, g.mechanism, 1)),
    case!(Array, ARGUMENTS_BAD, C_EncryptMessage(g, g.session, g.data(), g.length, g.data(), g.length, g.data(), g.length, g.data(), g.place())),
    case!(Array, OPERATION_NOT_INITIALIZED, C_EncryptMessageBegin(g, g.session, g.data(), g.length, g.data(), g.length)),
    case!(Array, ARGUMENTS_BAD, C_EncryptMessageNext(g, g.session, g.data(), g.length, g.data(), g.length, g.data(), g.place(), 1)),
    case!(Session, OK, C_MessageEncryptFinal(g, g.session)),
    case!(Session, OK, C_MessageDecryptInit(g, g.session, g.mechanism, 1)),
    case!(Array, ARGUMENTS_BAD, C_DecryptMessage(g, g.session, g.data(), g.length, g.data(), g.length, g.data(), g.length, g.data(), g.place())),
    case!(Array, OPERATION_NOT_INITIALIZED, C_DecryptMessageBegin(g, g.session, g.data(), g.length, g.data(), g.length)),
    case!(Array, ARGUMENTS_BAD, C_DecryptMessageNext(g, g.session, g.data(), g.length, g.data(), g.length, g.data(), g.place(), 1)),
    case!(Session, OK, C_MessageDecryptFinal(g, g.session)),
    case!(Session, OK, C_MessageSignInit(g, g.session, g.mechanism, 1)),
    case!(Array, ARGUMENTS_BAD, C_SignMessage(g, g.session, g.data(), g.length, g.data(), g.length, g.data(), g.place())),
    case!(Session, OPERATION_NOT_INITIALIZED, C_SignMessageBegin(g, g.session, g.data(), g.length)),
    case!(Array, OPERATION_NOT_INITIALIZED, C_SignMessageNext(g, g.session, g.data(), g.length, g.data(), g.length, g.data(), g.place())),
    case!(Session, OK, C_MessageSignFinal(g, g.session)),
    case!(Session, OK, C_MessageVerifyInit(g, g.session, g.mechanism, 1)),
    case!(Array, OPERATION_NOT_INITIALIZED, C_VerifyMessage(g, g.session, g.data(), g.length, g.data(), g.length, g.data(), g.length)),
    case!(Session, OPERATION_NOT_INITIALIZED, C_VerifyMessageBegin(g, g.session, g.data(), g.length)),
    case!(Array, OPERATION_NOT_INITIALIZED, C_VerifyMessageNext(g, g.session, g.data(), g.length, g.data(), g.length, g.data(), g.length)),
    case!(Session, OK, C_MessageVerifyFinal(g, g.session)),
    case!(Array, ARGUMENTS_BAD, C_EncapsulateKey(g, g.session, g.mechanism, 1, g.data(), g.length, g.data(), g.place(), g.place())),
    case!(Array, ARGUMENTS_BAD, C_DecapsulateKey(g, g.session, g.mechanism, 1, g.data(), g.length, g.data(), g.length, g.place())),
    case!(Array, OK, C_VerifySignatureInit(g, g.session, g.mechanism, 1, g.data(), g.length)),
    case!(Array, OK, C_VerifySignature(g, g.session, g.data(), g.length)),
    case!(Array, OK, C_VerifySignatureUpdate(g, g.session, g.data(), g.length)),
    case!(Session, OK, C_VerifySignatureFinal(g, g.session)),
    case!(Session, ARGUMENTS_BAD, C_GetSessionValidationFlags(g, g.session, 1, g.place())),
    case!(Session, FUNCTION_NOT_SUPPORTED, C_AsyncComplete(g, g.session, g.data(), g.place())),
    case!(Session, FUNCTION_NOT_SUPPORTED, C_AsyncGetID(g, g.session, g.data(), g.place())),
    case!(Session, FUNCTION_NOT_SUPPORTED, C_AsyncJoin(g, g.session, g.data(), 0, g.data(), g.length)),
    case!(Array, ARGUMENTS_BAD, C_WrapKeyAuthenticated(g, g.session, g.mechanism, 1, 2, g.data(), g.length, g.data(), g.place())),
    case!(Array, ARGUMENTS_BAD, C_UnwrapKeyAuthenticated(g, g.session, g.mechanism, 1, g.data(), g.length, g.data(), g.length, g.data(), g.length, g.place())),
];
