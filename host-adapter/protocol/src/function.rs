use serde::{Deserialize, Serialize};

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

/// The four functions that feed two operations at once (PKCS#11 v3.1 §5.16).
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
        /// A function of the PKCS#11 2.40 list that can reach a member, for logs, traces and metrics.
        #[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
        #[allow(missing_docs, reason = "each is the C function of that name")]
        pub enum Function { $($name),* }

        impl Function {
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
    VerifyInit, VerifyRecover, VerifyRecoverInit, VerifyUpdate, WrapKey,
}
