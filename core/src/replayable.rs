//! Which mechanisms' transcripts may be replayed on another member, and how that is checked: the table `replayable`.

use core::ops::RangeInclusive;

use crate::Effect;

/// Whether an operation that has taken in data can be done again on another member from its transcript.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Replayable {
    /// The same inputs give the same output on every member: what was given is compared, and differs only if something is wrong.
    Alike,
    /// Its output may differ each time: only as long as none was given.
    UntilOutput,
    /// What its beginning made cannot be made again.
    Never,
}

/// What an operation does with its data, as far as that decides whether it can be done again.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Usage {
    /// Digest, sign, verify, MAC: nothing comes out before the end.
    OutputAtTheEnd,
    /// Encrypt.
    Encrypts,
    /// Decrypt.
    Decrypts,
}

/// Who chose the IV or nonce of an operation.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Nonce {
    /// The caller, or there is none.
    Callers,
    /// The member that it was begun on: the caller gave none where the mechanism wants one.
    Members,
}

/// Whether an operation of `mechanism` (`CKM_…`) can be done again from its transcript.
///
/// The default, for mechanisms that are not known (a vendor's own among them): until output was given. A ciphertext always
/// decrypts alike.
#[inline]
#[must_use]
pub fn replayable(usage: Usage, mechanism: u64, nonce: Nonce) -> Replayable {
    match usage {
        // Signatures with fresh randomness (ECDSA, RSA-PSS) are made of all parts at the end, so the parts may go in again.
        Usage::OutputAtTheEnd => Replayable::UntilOutput,
        Usage::Decrypts => Replayable::Alike,
        Usage::Encrypts => encrypts(mechanism, nonce),
    }
}

#[cold]
fn encrypts(mechanism: u64, nonce: Nonce) -> Replayable {
    let listed = |list: &[RangeInclusive<u64>]| list.iter().any(|some| some.contains(&mechanism));
    match nonce {
        Nonce::Members if listed(&AUTHENTICATED) => Replayable::Never,
        Nonce::Callers if listed(&AUTHENTICATED) || listed(&ENCIPHERED_ALIKE) => Replayable::Alike,
        Nonce::Callers | Nonce::Members => Replayable::UntilOutput,
    }
}

/// What the last call of a signature of `mechanism` does to the token: hash-based signatures with state use an index up
/// (PKCS#11 v3.2 §6.65, §6.66), which happens once.
#[inline]
#[must_use]
pub const fn signing(mechanism: u64) -> Effect {
    match mechanism {
        HSS | XMSS | XMSSMT => Effect::ConsumesKey,
        _ => Effect::Computes,
    }
}

const HSS: u64 = 0x4033;
const XMSS: u64 = 0x4036;
const XMSSMT: u64 = 0x4037;

/// Authenticated encryption with a nonce: `CKM_AES_GCM`, `CKM_AES_CCM`, `CKM_CHACHA20_POLY1305`, `CKM_SALSA20_POLY1305`
/// (PKCS#11 v3.2 §6.13, §6.59).
const AUTHENTICATED: [RangeInclusive<u64>; 2] = [0x1087..=0x1088, 0x4021..=0x4022];

/// Ciphers whose output follows from key, parameter and data alone (PKCS#11 v3.2 §6), in the order of their numbers. Not among them:
/// those with random padding (RSA but `CKM_RSA_X_509`), and those whose token makes the IV (Skipjack, Baton, Juniper).
const ENCIPHERED_ALIKE: [RangeInclusive<u64>; 29] = [
    0x0003..=0x0003, // RSA_X_509
    0x0101..=0x0102, // RC2_ECB, _CBC
    0x0105..=0x0105, // RC2_CBC_PAD
    0x0111..=0x0111, // RC4
    0x0121..=0x0122, // DES_ECB, _CBC
    0x0125..=0x0125, // DES_CBC_PAD
    0x0132..=0x0133, // DES3_ECB, _CBC
    0x0136..=0x0136, // DES3_CBC_PAD
    0x0150..=0x0153, // DES_OFB64, _OFB8, _CFB64, _CFB8
    0x0321..=0x0322, // CAST128_ECB, _CBC
    0x0325..=0x0325, // CAST128_CBC_PAD
    0x0341..=0x0342, // IDEA_ECB, _CBC
    0x0345..=0x0345, // IDEA_CBC_PAD
    0x0551..=0x0552, // CAMELLIA_ECB, _CBC
    0x0555..=0x0555, // CAMELLIA_CBC_PAD
    0x0558..=0x0558, // CAMELLIA_CTR
    0x0561..=0x0562, // ARIA_ECB, _CBC
    0x0565..=0x0565, // ARIA_CBC_PAD
    0x0651..=0x0652, // SEED_ECB, _CBC
    0x0655..=0x0655, // SEED_CBC_PAD
    0x1071..=0x1071, // AES_XTS
    0x1081..=0x1082, // AES_ECB, _CBC
    0x1085..=0x1086, // AES_CBC_PAD, _CTR
    0x1089..=0x1089, // AES_CTS
    0x1091..=0x1095, // BLOWFISH_CBC, TWOFISH_CBC and their _PAD
    0x1221..=0x1222, // GOST28147_ECB, GOST28147
    0x1226..=0x1226, // CHACHA20
    0x2104..=0x2108, // AES_OFB, _CFB64, _CFB8, _CFB128, _CFB1
    0x4020..=0x4020, // SALSA20
];

#[cfg(test)]
mod tests;
