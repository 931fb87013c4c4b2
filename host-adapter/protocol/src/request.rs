use serde::{Deserialize, Serialize};

use crate::{
    Bytes, Dual, List, Mechanism, MessageCall, MessageOperation, Operation, SignatureCall,
    Template, Wanted,
};

/// A slot of a member's module (`CK_SLOT_ID`).
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
pub struct SlotId(pub u64);

/// A session of a member (`CK_SESSION_HANDLE`); valid on that member, in that incarnation, only.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
pub struct SessionHandle(pub u64);

/// An object of a member (`CK_OBJECT_HANDLE`); valid on that member, in that incarnation, only.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
pub struct ObjectHandle(pub u64);

/// The room for a call's output: `None` asks for the length only (a null buffer, PKCS#11 v3.1 §5.2), else bytes.
pub type Room = Option<u64>;

/// How long the answer may take from the moment the call is sent; `None` waits for ever.
pub type Deadline = Option<core::time::Duration>;

/// One PKCS#11 call, as it reaches a member. All handles are the member's own.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
#[serde(bound(deserialize = "'de: 'a"))]
#[expect(missing_docs, reason = "a field is the C argument of that name")]
pub enum Request<'a> {
    /// `C_GetInfo`; output: a [`ModuleInfo`](crate::ModuleInfo) in its [wire form](crate::wire::decode_info).
    ModuleInfo,
    /// `C_GetSlotList` with a null list first, so that the module looks afresh (v3.1 §5.5.1); output: slot ids, 8 bytes each.
    Slots {
        /// Only slots with a token in them.
        token_present: bool,
    },
    /// `C_GetSlotInfo`; output: a [`SlotInfo`](crate::SlotInfo) in its [wire form](crate::wire::decode_info).
    SlotInfo { slot: SlotId },
    /// `C_GetTokenInfo`; output: a [`TokenInfo`](crate::TokenInfo) in its [wire form](crate::wire::decode_info).
    TokenInfo { slot: SlotId },
    /// `C_GetMechanismList`; output: mechanism types, 8 bytes each.
    Mechanisms { slot: SlotId },
    /// `C_GetMechanismInfo`; answered with [`Body::Mechanism`](crate::Body::Mechanism).
    MechanismInfo { slot: SlotId, mechanism: u64 },
    /// `C_InitToken`; `label` has 32 bytes, padded with blanks.
    InitToken {
        slot: SlotId,
        pin: Option<Bytes<'a>>,
        label: Bytes<'a>,
    },
    /// `C_OpenSession`; answered with [`Body::Session`](crate::Body::Session). `CKF_SERIAL_SESSION` is added.
    OpenSession { slot: SlotId, read_write: bool },
    /// `C_CloseSession`
    CloseSession { session: SessionHandle },
    /// `C_CloseAllSessions`
    CloseAllSessions { slot: SlotId },
    /// `C_GetSessionInfo`; answered with [`Body::SessionInfo`](crate::Body::SessionInfo).
    SessionInfo { session: SessionHandle },
    /// `C_GetOperationState`
    OperationState { session: SessionHandle, room: Room },
    /// `C_SetOperationState`; a handle of 0 stands for no key.
    SetOperationState {
        session: SessionHandle,
        state: Bytes<'a>,
        encryption_key: ObjectHandle,
        authentication_key: ObjectHandle,
    },
    /// `C_Login`; `user` is a `CK_USER_TYPE`, no PIN means a protected authentication path.
    Login {
        session: SessionHandle,
        user: u64,
        pin: Option<Bytes<'a>>,
    },
    /// `C_Logout`
    Logout { session: SessionHandle },
    /// `C_InitPIN`
    InitPin {
        session: SessionHandle,
        pin: Option<Bytes<'a>>,
    },
    /// `C_SetPIN`
    SetPin {
        session: SessionHandle,
        old: Option<Bytes<'a>>,
        new: Option<Bytes<'a>>,
    },
    /// `C_CreateObject`; answered with [`Body::Object`](crate::Body::Object).
    CreateObject {
        session: SessionHandle,
        template: Template<'a>,
    },
    /// `C_CopyObject`; answered with [`Body::Object`](crate::Body::Object).
    CopyObject {
        session: SessionHandle,
        object: ObjectHandle,
        template: Template<'a>,
    },
    /// `C_DestroyObject`
    DestroyObject {
        session: SessionHandle,
        object: ObjectHandle,
    },
    /// `C_GetObjectSize`; answered with [`Body::Length`](crate::Body::Length).
    ObjectSize {
        session: SessionHandle,
        object: ObjectHandle,
    },
    /// `C_GetAttributeValue`; output: a [`List`] of [`AttributeValue`](crate::AttributeValue), one for each wanted attribute in
    /// its order, also when the reply's code is `CKR_ATTRIBUTE_SENSITIVE`, `CKR_ATTRIBUTE_TYPE_INVALID` or `CKR_BUFFER_TOO_SMALL`.
    /// An output that does not hold the list: `CKR_BUFFER_TOO_SMALL` with the bytes that suffice in
    /// [`Body::Length`](crate::Body::Length) instead of [`Body::Written`](crate::Body::Written).
    AttributeValues {
        session: SessionHandle,
        object: ObjectHandle,
        wanted: List<'a, Wanted<'a>>,
    },
    /// `C_SetAttributeValue`
    SetAttributes {
        session: SessionHandle,
        object: ObjectHandle,
        template: Template<'a>,
    },
    /// `C_FindObjectsInit`, `C_FindObjects` until it gives none, and `C_FindObjectsFinal`, in one; output: object handles, 8 bytes
    /// each. More than the buffer holds: `CKR_BUFFER_TOO_SMALL` with the needed bytes in [`Body::Length`](crate::Body::Length).
    FindObjects {
        session: SessionHandle,
        template: Template<'a>,
    },
    /// `C_SignInit` and its kin; a digest has no key.
    Begin {
        session: SessionHandle,
        operation: Operation,
        mechanism: Mechanism<'a>,
        key: Option<ObjectHandle>,
    },
    /// The single-part call: `C_Sign`, `C_Encrypt`, `C_Digest`, `C_SignRecover`, `C_VerifyRecover`, …, but not `C_Verify`.
    Whole {
        session: SessionHandle,
        operation: Operation,
        data: Bytes<'a>,
        room: Room,
    },
    /// `C_Verify`
    Verify {
        session: SessionHandle,
        data: Bytes<'a>,
        signature: Bytes<'a>,
    },
    /// `C_SignUpdate` and its kin; only encryption and decryption have an output, the others' `room` is `None`.
    Update {
        session: SessionHandle,
        operation: Operation,
        data: Bytes<'a>,
        room: Room,
    },
    /// `C_DigestKey`
    DigestKey {
        session: SessionHandle,
        key: ObjectHandle,
    },
    /// `C_SignFinal` and its kin, but not `C_VerifyFinal`.
    Finish {
        session: SessionHandle,
        operation: Operation,
        room: Room,
    },
    /// `C_VerifyFinal`
    VerifyFinish {
        session: SessionHandle,
        signature: Bytes<'a>,
    },
    /// `C_DigestEncryptUpdate` and its kin.
    DualUpdate {
        session: SessionHandle,
        dual: Dual,
        data: Bytes<'a>,
        room: Room,
    },
    /// `C_GenerateKey`; answered with [`Body::Object`](crate::Body::Object), or as [`DeriveKey`](Self::DeriveKey).
    GenerateKey {
        session: SessionHandle,
        mechanism: Mechanism<'a>,
        template: Template<'a>,
    },
    /// `C_GenerateKeyPair`; answered with [`Body::KeyPair`](crate::Body::KeyPair).
    GenerateKeyPair {
        session: SessionHandle,
        mechanism: Mechanism<'a>,
        public: Template<'a>,
        private: Template<'a>,
    },
    /// `C_WrapKey`
    WrapKey {
        session: SessionHandle,
        mechanism: Mechanism<'a>,
        wrapping_key: ObjectHandle,
        key: ObjectHandle,
        room: Room,
    },
    /// `C_UnwrapKey`; answered with [`Body::Object`](crate::Body::Object).
    UnwrapKey {
        session: SessionHandle,
        mechanism: Mechanism<'a>,
        unwrapping_key: ObjectHandle,
        wrapped: Bytes<'a>,
        template: Template<'a>,
    },
    /// `C_DeriveKey`; answered with [`Body::Object`](crate::Body::Object) or, if the member writes to the mechanism's parameter, with
    /// [`Body::KeyAndMaterial`](crate::Body::KeyAndMaterial); output: what it writes there.
    DeriveKey {
        session: SessionHandle,
        mechanism: Mechanism<'a>,
        base_key: ObjectHandle,
        template: Template<'a>,
    },
    /// `C_SeedRandom`
    SeedRandom {
        session: SessionHandle,
        seed: Bytes<'a>,
    },
    /// `C_GenerateRandom`; fills `length` bytes of the output buffer.
    GenerateRandom { session: SessionHandle, length: u64 },
    /// `C_LoginUser`; as [`Login`](Self::Login) with a user name.
    LoginUser {
        session: SessionHandle,
        user: u64,
        pin: Option<Bytes<'a>>,
        name: Bytes<'a>,
    },
    /// `C_MessageEncryptInit` and all that follows it; with an [`Aead`](crate::Aead) in the call, what has an output or makes an IV is
    /// answered with [`Body::Sealed`](crate::Body::Sealed).
    Message {
        session: SessionHandle,
        operation: MessageOperation,
        call: MessageCall<'a>,
    },
    /// `C_VerifySignatureInit` and all that follows it.
    VerifySignature {
        session: SessionHandle,
        call: SignatureCall<'a>,
    },
    /// `C_EncapsulateKey`; output: the ciphertext; answered with [`Body::Encapsulated`](crate::Body::Encapsulated).
    EncapsulateKey {
        session: SessionHandle,
        mechanism: Mechanism<'a>,
        public_key: ObjectHandle,
        template: Template<'a>,
        room: Room,
    },
    /// `C_DecapsulateKey`; answered with [`Body::Object`](crate::Body::Object).
    DecapsulateKey {
        session: SessionHandle,
        mechanism: Mechanism<'a>,
        private_key: ObjectHandle,
        template: Template<'a>,
        ciphertext: Bytes<'a>,
    },
    /// `C_WrapKeyAuthenticated`; answered with [`Body::Sealed`](crate::Body::Sealed) where the member makes the IV.
    WrapKeyAuthenticated {
        session: SessionHandle,
        mechanism: Mechanism<'a>,
        wrapping_key: ObjectHandle,
        key: ObjectHandle,
        associated: Bytes<'a>,
        room: Room,
    },
    /// `C_UnwrapKeyAuthenticated`; answered with [`Body::Object`](crate::Body::Object).
    UnwrapKeyAuthenticated {
        session: SessionHandle,
        mechanism: Mechanism<'a>,
        unwrapping_key: ObjectHandle,
        wrapped: Bytes<'a>,
        template: Template<'a>,
        associated: Bytes<'a>,
    },
    /// `C_GetSessionValidationFlags`; answered with [`Body::Flags`](crate::Body::Flags).
    ValidationFlags { session: SessionHandle, kind: u64 },
}

impl Request<'_> {
    /// The session that it is asked of; `None` for what is asked of the module or of a slot.
    #[must_use]
    pub const fn session(&self) -> Option<SessionHandle> {
        match *self {
            Self::ModuleInfo
            | Self::Slots { .. }
            | Self::SlotInfo { .. }
            | Self::TokenInfo { .. }
            | Self::Mechanisms { .. }
            | Self::MechanismInfo { .. }
            | Self::InitToken { .. }
            | Self::OpenSession { .. }
            | Self::CloseAllSessions { .. } => None,
            Self::CloseSession { session }
            | Self::SessionInfo { session }
            | Self::OperationState { session, .. }
            | Self::SetOperationState { session, .. }
            | Self::Login { session, .. }
            | Self::Logout { session }
            | Self::InitPin { session, .. }
            | Self::SetPin { session, .. }
            | Self::CreateObject { session, .. }
            | Self::CopyObject { session, .. }
            | Self::DestroyObject { session, .. }
            | Self::ObjectSize { session, .. }
            | Self::AttributeValues { session, .. }
            | Self::SetAttributes { session, .. }
            | Self::FindObjects { session, .. }
            | Self::Begin { session, .. }
            | Self::Whole { session, .. }
            | Self::Verify { session, .. }
            | Self::Update { session, .. }
            | Self::DigestKey { session, .. }
            | Self::Finish { session, .. }
            | Self::VerifyFinish { session, .. }
            | Self::DualUpdate { session, .. }
            | Self::GenerateKey { session, .. }
            | Self::GenerateKeyPair { session, .. }
            | Self::WrapKey { session, .. }
            | Self::UnwrapKey { session, .. }
            | Self::DeriveKey { session, .. }
            | Self::SeedRandom { session, .. }
            | Self::GenerateRandom { session, .. }
            | Self::LoginUser { session, .. }
            | Self::Message { session, .. }
            | Self::VerifySignature { session, .. }
            | Self::EncapsulateKey { session, .. }
            | Self::DecapsulateKey { session, .. }
            | Self::WrapKeyAuthenticated { session, .. }
            | Self::UnwrapKeyAuthenticated { session, .. }
            | Self::ValidationFlags { session, .. } => Some(session),
        }
    }

    /// The mechanism that it names, if any.
    #[must_use]
    pub const fn mechanism(&self) -> Option<&Mechanism<'_>> {
        match self {
            Self::Begin { mechanism, .. }
            | Self::GenerateKey { mechanism, .. }
            | Self::GenerateKeyPair { mechanism, .. }
            | Self::WrapKey { mechanism, .. }
            | Self::UnwrapKey { mechanism, .. }
            | Self::DeriveKey { mechanism, .. }
            | Self::EncapsulateKey { mechanism, .. }
            | Self::DecapsulateKey { mechanism, .. }
            | Self::WrapKeyAuthenticated { mechanism, .. }
            | Self::UnwrapKeyAuthenticated { mechanism, .. }
            | Self::Message {
                call: MessageCall::Init { mechanism, .. },
                ..
            }
            | Self::VerifySignature {
                call: SignatureCall::Init { mechanism, .. },
                ..
            } => Some(mechanism),
            Self::ModuleInfo
            | Self::Slots { .. }
            | Self::SlotInfo { .. }
            | Self::TokenInfo { .. }
            | Self::Mechanisms { .. }
            | Self::MechanismInfo { .. }
            | Self::InitToken { .. }
            | Self::OpenSession { .. }
            | Self::CloseSession { .. }
            | Self::CloseAllSessions { .. }
            | Self::SessionInfo { .. }
            | Self::OperationState { .. }
            | Self::SetOperationState { .. }
            | Self::Login { .. }
            | Self::Logout { .. }
            | Self::InitPin { .. }
            | Self::SetPin { .. }
            | Self::CreateObject { .. }
            | Self::CopyObject { .. }
            | Self::DestroyObject { .. }
            | Self::ObjectSize { .. }
            | Self::AttributeValues { .. }
            | Self::SetAttributes { .. }
            | Self::FindObjects { .. }
            | Self::Whole { .. }
            | Self::Verify { .. }
            | Self::Update { .. }
            | Self::DigestKey { .. }
            | Self::Finish { .. }
            | Self::VerifyFinish { .. }
            | Self::DualUpdate { .. }
            | Self::SeedRandom { .. }
            | Self::GenerateRandom { .. }
            | Self::LoginUser { .. }
            | Self::Message { .. }
            | Self::VerifySignature { .. }
            | Self::ValidationFlags { .. } => None,
        }
    }
}
