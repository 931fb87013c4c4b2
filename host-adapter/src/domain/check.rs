//! Check values: what tells whether two members have the same secret key, without showing it.

use cryptoki_sys as ck;
use everslot_protocol::ObjectHandle;

use super::call::CallError;
use super::token::Token;

/// The first three bytes of what a key makes of a fixed input (PKCS#11 v3.1 §4.10.2).
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct CheckValue(pub [u8; 3]);

impl CheckValue {
    /// Of a secret key: `CKA_CHECK_VALUE`, or what it would be where the token has none; none where that cannot be told.
    ///
    /// # Errors
    /// The token gives no answer, or the key is not there.
    pub fn of(
        token: &mut Token<'_>,
        key: ObjectHandle,
        key_type: u64,
    ) -> Result<Option<Self>, CallError> {
        if let Some(value) = token.attribute(key, ck::CKA_CHECK_VALUE)?
            && let Some(value) = Self::first_of(&value)
        {
            return Ok(Some(value));
        }
        let computed = match key_type {
            ck::CKK_AES => token.encrypt(ck::CKM_AES_ECB, key, &[0; 16]),
            ck::CKK_DES3 => token.encrypt(ck::CKM_DES3_ECB, key, &[0; 8]),
            _ => token.digest_key(ck::CKM_SHA_1, key),
        };
        match computed {
            Ok(bytes) => Ok(Self::first_of(&bytes)),
            Err(error) if error.is_refusal() => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn first_of(bytes: &[u8]) -> Option<Self> {
        bytes.first_chunk().copied().map(Self)
    }
}

impl std::fmt::Display for CheckValue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let [a, b, c] = self.0;
        write!(f, "{a:02x}{b:02x}{c:02x}")
    }
}
