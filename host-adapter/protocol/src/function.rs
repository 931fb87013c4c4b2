use serde::{Deserialize, Serialize};

use crate::{MessageCall, MessageOperation, Request, SignatureCall};

/// What a `C_*Init` begins and a final call ends.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
pub enum Operation {
    /// `C_DigestInit` … `C_DigestFinal`
    Digest,
    /// `C_SignInit` … `C_SignFinal`
    Sign,
    /// `C_SignRecoverInit`, `C_SignRecover`
    SignRecover,
    /// `C_VerifyInit` … `C_VerifyFinal`
    Verify,
    /// `C_VerifyRecoverInit`, `C_VerifyRecover`
    VerifyRecover,
    /// `C_EncryptInit` … `C_EncryptFinal`
    Encrypt,
    /// `C_DecryptInit` … `C_DecryptFinal`
    Decrypt,
}

/// The four functions that feed two operations at once (PKCS#11 v3.1 §5.17).
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
pub enum Dual {
    /// `C_DigestEncryptUpdate`
    DigestEncrypt,
    /// `C_DecryptDigestUpdate`
    DecryptDigest,
    /// `C_SignEncryptUpdate`
    SignEncrypt,
    /// `C_DecryptVerifyUpdate`
    DecryptVerify,
}

macro_rules! functions {
    ($($name:ident),* $(,)?) => {
        /// A function of the PKCS#11 3.2 list that can reach a member, for logs, traces and metrics.
        #[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
        #[expect(missing_docs, reason = "each is the C function of that name")]
        pub enum Function { $($name),* }

        impl Function {
            /// How many there are; `as usize` each is less.
            pub const COUNT: usize = Self::ALL.len();

            /// Each at its number.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// The C name, for example `C_SignInit`.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => concat!("C_", stringify!($name))),* }
            }
        }
    };
}

functions! {
    CloseAllSessions, CloseSession, CopyObject, CreateObject, Decrypt, DecryptDigestUpdate, DecryptFinal, DecryptInit,
    DecryptUpdate, DecryptVerifyUpdate, DeriveKey, DestroyObject, Digest, DigestEncryptUpdate, DigestFinal, DigestInit,
    DigestKey, DigestUpdate, Encrypt, EncryptFinal, EncryptInit, EncryptUpdate, FindObjects, FindObjectsFinal,
    FindObjectsInit, GenerateKey, GenerateKeyPair, GenerateRandom, GetAttributeValue, GetInfo, GetMechanismInfo,
    GetMechanismList, GetObjectSize, GetOperationState, GetSessionInfo, GetSlotInfo, GetSlotList, GetTokenInfo, InitPIN,
    InitToken, Login, Logout, OpenSession, SeedRandom, SetAttributeValue, SetOperationState, SetPIN, Sign,
    SignEncryptUpdate, SignFinal, SignInit, SignRecover, SignRecoverInit, SignUpdate, UnwrapKey, Verify, VerifyFinal,
    VerifyInit, VerifyRecover, VerifyRecoverInit, VerifyUpdate, WrapKey, DecapsulateKey, DecryptMessage,
    DecryptMessageBegin, DecryptMessageNext, EncapsulateKey, EncryptMessage, EncryptMessageBegin, EncryptMessageNext,
    GetSessionValidationFlags, LoginUser, MessageDecryptFinal, MessageDecryptInit, MessageEncryptFinal,
    MessageEncryptInit, MessageSignFinal, MessageSignInit, MessageVerifyFinal, MessageVerifyInit, SignMessage,
    SignMessageBegin, SignMessageNext, UnwrapKeyAuthenticated, VerifyMessage, VerifyMessageBegin, VerifyMessageNext,
    VerifySignature, VerifySignatureFinal, VerifySignatureInit, VerifySignatureUpdate, WrapKeyAuthenticated,
}

impl Operation {
    /// The function that begins it.
    #[must_use]
    pub const fn begins_with(self) -> Function {
        match self {
            Self::Digest => Function::DigestInit,
            Self::Sign => Function::SignInit,
            Self::SignRecover => Function::SignRecoverInit,
            Self::Verify => Function::VerifyInit,
            Self::VerifyRecover => Function::VerifyRecoverInit,
            Self::Encrypt => Function::EncryptInit,
            Self::Decrypt => Function::DecryptInit,
        }
    }

    /// The function that does it in one part.
    #[must_use]
    pub const fn whole(self) -> Function {
        match self {
            Self::Digest => Function::Digest,
            Self::Sign => Function::Sign,
            Self::SignRecover => Function::SignRecover,
            Self::Verify => Function::Verify,
            Self::VerifyRecover => Function::VerifyRecover,
            Self::Encrypt => Function::Encrypt,
            Self::Decrypt => Function::Decrypt,
        }
    }

    /// The function that gives it a further part; the two with recovery have none but their [`whole`](Self::whole).
    #[must_use]
    pub const fn continues_with(self) -> Function {
        match self {
            Self::Digest => Function::DigestUpdate,
            Self::Sign => Function::SignUpdate,
            Self::Verify => Function::VerifyUpdate,
            Self::Encrypt => Function::EncryptUpdate,
            Self::Decrypt => Function::DecryptUpdate,
            Self::SignRecover | Self::VerifyRecover => self.whole(),
        }
    }

    /// The function that ends it after its parts; the two with recovery have none but their [`whole`](Self::whole).
    #[must_use]
    pub const fn ends_with(self) -> Function {
        match self {
            Self::Digest => Function::DigestFinal,
            Self::Sign => Function::SignFinal,
            Self::Verify => Function::VerifyFinal,
            Self::Encrypt => Function::EncryptFinal,
            Self::Decrypt => Function::DecryptFinal,
            Self::SignRecover | Self::VerifyRecover => self.whole(),
        }
    }
}

impl Dual {
    /// The function of that name.
    #[must_use]
    pub const fn function(self) -> Function {
        match self {
            Self::DigestEncrypt => Function::DigestEncryptUpdate,
            Self::DecryptDigest => Function::DecryptDigestUpdate,
            Self::SignEncrypt => Function::SignEncryptUpdate,
            Self::DecryptVerify => Function::DecryptVerifyUpdate,
        }
    }

    /// The operation whose data goes in or comes out enciphered.
    #[must_use]
    pub const fn cipher(self) -> Operation {
        match self {
            Self::DigestEncrypt | Self::SignEncrypt => Operation::Encrypt,
            Self::DecryptDigest | Self::DecryptVerify => Operation::Decrypt,
        }
    }

    /// The operation that sees the plain data beside the [`cipher`](Self::cipher).
    #[must_use]
    pub const fn witness(self) -> Operation {
        match self {
            Self::DigestEncrypt | Self::DecryptDigest => Operation::Digest,
            Self::SignEncrypt => Operation::Sign,
            Self::DecryptVerify => Operation::Verify,
        }
    }
}

impl MessageOperation {
    /// The function that it is begun with.
    #[must_use]
    pub const fn begins_with(self) -> Function {
        match self {
            Self::Encrypt => Function::MessageEncryptInit,
            Self::Decrypt => Function::MessageDecryptInit,
            Self::Sign => Function::MessageSignInit,
            Self::Verify => Function::MessageVerifyInit,
        }
    }

    const fn whole(self) -> Function {
        match self {
            Self::Encrypt => Function::EncryptMessage,
            Self::Decrypt => Function::DecryptMessage,
            Self::Sign => Function::SignMessage,
            Self::Verify => Function::VerifyMessage,
        }
    }

    const fn begins_message(self) -> Function {
        match self {
            Self::Encrypt => Function::EncryptMessageBegin,
            Self::Decrypt => Function::DecryptMessageBegin,
            Self::Sign => Function::SignMessageBegin,
            Self::Verify => Function::VerifyMessageBegin,
        }
    }

    const fn continues_message(self) -> Function {
        match self {
            Self::Encrypt => Function::EncryptMessageNext,
            Self::Decrypt => Function::DecryptMessageNext,
            Self::Sign => Function::SignMessageNext,
            Self::Verify => Function::VerifyMessageNext,
        }
    }

    const fn ends_with(self) -> Function {
        match self {
            Self::Encrypt => Function::MessageEncryptFinal,
            Self::Decrypt => Function::MessageDecryptFinal,
            Self::Sign => Function::MessageSignFinal,
            Self::Verify => Function::MessageVerifyFinal,
        }
    }
}

impl MessageCall<'_> {
    const fn function(&self, operation: MessageOperation) -> Function {
        match self {
            Self::Init { .. } => operation.begins_with(),
            Self::Whole { .. } | Self::Verify { .. } => operation.whole(),
            Self::Begin { .. } => operation.begins_message(),
            Self::Next { .. } | Self::VerifyNext { .. } => operation.continues_message(),
            Self::Final => operation.ends_with(),
        }
    }
}

impl SignatureCall<'_> {
    const fn function(&self) -> Function {
        match self {
            Self::Init { .. } => Function::VerifySignatureInit,
            Self::Whole { .. } => Function::VerifySignature,
            Self::Update { .. } => Function::VerifySignatureUpdate,
            Self::Final => Function::VerifySignatureFinal,
        }
    }
}

impl Request<'_> {
    /// The C function that it is; the one that stands for all of a fused call.
    #[must_use]
    pub const fn function(&self) -> Function {
        match self {
            Self::ModuleInfo => Function::GetInfo,
            Self::Slots { .. } => Function::GetSlotList,
            Self::SlotInfo { .. } => Function::GetSlotInfo,
            Self::TokenInfo { .. } => Function::GetTokenInfo,
            Self::Mechanisms { .. } => Function::GetMechanismList,
            Self::MechanismInfo { .. } => Function::GetMechanismInfo,
            Self::InitToken { .. } => Function::InitToken,
            Self::OpenSession { .. } => Function::OpenSession,
            Self::CloseSession { .. } => Function::CloseSession,
            Self::CloseAllSessions { .. } => Function::CloseAllSessions,
            Self::SessionInfo { .. } => Function::GetSessionInfo,
            Self::OperationState { .. } => Function::GetOperationState,
            Self::SetOperationState { .. } => Function::SetOperationState,
            Self::Login { .. } => Function::Login,
            Self::Logout { .. } => Function::Logout,
            Self::InitPin { .. } => Function::InitPIN,
            Self::SetPin { .. } => Function::SetPIN,
            Self::CreateObject { .. } => Function::CreateObject,
            Self::CopyObject { .. } => Function::CopyObject,
            Self::DestroyObject { .. } => Function::DestroyObject,
            Self::ObjectSize { .. } => Function::GetObjectSize,
            Self::AttributeValues { .. } => Function::GetAttributeValue,
            Self::SetAttributes { .. } => Function::SetAttributeValue,
            Self::FindObjects { .. } => Function::FindObjects,
            Self::Begin { operation, .. } => operation.begins_with(),
            Self::Whole { operation, .. } => operation.whole(),
            Self::Verify { .. } => Function::Verify,
            Self::Update { operation, .. } => operation.continues_with(),
            Self::DigestKey { .. } => Function::DigestKey,
            Self::Finish { operation, .. } => operation.ends_with(),
            Self::VerifyFinish { .. } => Function::VerifyFinal,
            Self::DualUpdate { dual, .. } => dual.function(),
            Self::GenerateKey { .. } => Function::GenerateKey,
            Self::GenerateKeyPair { .. } => Function::GenerateKeyPair,
            Self::WrapKey { .. } => Function::WrapKey,
            Self::UnwrapKey { .. } => Function::UnwrapKey,
            Self::DeriveKey { .. } => Function::DeriveKey,
            Self::SeedRandom { .. } => Function::SeedRandom,
            Self::GenerateRandom { .. } => Function::GenerateRandom,
            Self::LoginUser { .. } => Function::LoginUser,
            Self::Message {
                operation, call, ..
            } => call.function(*operation),
            Self::VerifySignature { call, .. } => call.function(),
            Self::EncapsulateKey { .. } => Function::EncapsulateKey,
            Self::DecapsulateKey { .. } => Function::DecapsulateKey,
            Self::WrapKeyAuthenticated { .. } => Function::WrapKeyAuthenticated,
            Self::UnwrapKeyAuthenticated { .. } => Function::UnwrapKeyAuthenticated,
            Self::ValidationFlags { .. } => Function::GetSessionValidationFlags,
        }
    }
}
