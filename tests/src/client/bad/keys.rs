//! Key management (§5.18).

use std::ptr::null_mut;

use cryptoki_sys::{
    CK_ATTRIBUTE, CKA_VALUE_LEN, CKM_AES_KEY_GEN, CKM_AES_KEY_WRAP, CKM_EC_KEY_PAIR_GEN,
    CKM_ECDH1_DERIVE,
};

use super::{BadCall, Bare, ENDLESS, NOTHING, attribute, bad, mechanism, rv};

pub(super) const CALLS: &[BadCall] = &[
    bad!("C_GenerateKey with no mechanism", ARGUMENTS_BAD, |g| {
        let mut key = 0;
        rv!(
            g,
            C_GenerateKey(g.session, null_mut(), null_mut(), 0, &raw mut key)
        )
    }),
    bad!("C_GenerateKey to nowhere", ARGUMENTS_BAD, |g| {
        let mut kind = mechanism(CKM_AES_KEY_GEN);
        rv!(
            g,
            C_GenerateKey(g.session, &raw mut kind, null_mut(), 0, null_mut())
        )
    }),
    bad!(
        "C_GenerateKey by an unknown mechanism",
        MECHANISM_INVALID,
        |g| {
            let (mut kind, mut key) = (mechanism(NOTHING), 0);
            let (mut length, mut template) = (32_u64, [CK_ATTRIBUTE::default()]);
            template[0] = attribute(CKA_VALUE_LEN, &mut length);
            rv!(
                g,
                C_GenerateKey(
                    g.session,
                    &raw mut kind,
                    template.as_mut_ptr(),
                    1,
                    &raw mut key
                )
            )
        }
    ),
    bad!(
        "C_GenerateKey with endless attributes",
        ARGUMENTS_BAD,
        Bare::NotAsked,
        |g| {
            let (mut kind, mut key) = (mechanism(CKM_AES_KEY_GEN), 0);
            let mut template = [CK_ATTRIBUTE::default()];
            rv!(
                g,
                C_GenerateKey(
                    g.session,
                    &raw mut kind,
                    template.as_mut_ptr(),
                    ENDLESS,
                    &raw mut key
                )
            )
        }
    ),
    bad!("C_GenerateKey in no session", SESSION_HANDLE_INVALID, |g| {
        let (mut kind, mut key) = (mechanism(CKM_AES_KEY_GEN), 0);
        rv!(
            g,
            C_GenerateKey(NOTHING, &raw mut kind, null_mut(), 0, &raw mut key)
        )
    }),
    bad!("C_GenerateKeyPair with one place", ARGUMENTS_BAD, |g| {
        let (mut kind, mut key) = (mechanism(CKM_EC_KEY_PAIR_GEN), 0);
        rv!(
            g,
            C_GenerateKeyPair(
                g.session,
                &raw mut kind,
                null_mut(),
                0,
                null_mut(),
                0,
                &raw mut key,
                null_mut()
            )
        )
    }),
    bad!("C_GenerateKeyPair with no mechanism", ARGUMENTS_BAD, |g| {
        let (mut public, mut private) = (0, 0);
        rv!(
            g,
            C_GenerateKeyPair(
                g.session,
                null_mut(),
                null_mut(),
                0,
                null_mut(),
                0,
                &raw mut public,
                &raw mut private
            )
        )
    }),
    bad!(
        "C_GenerateKeyPair in no session",
        SESSION_HANDLE_INVALID,
        |g| {
            let (mut kind, mut public, mut private) = (mechanism(CKM_EC_KEY_PAIR_GEN), 0, 0);
            rv!(
                g,
                C_GenerateKeyPair(
                    NOTHING,
                    &raw mut kind,
                    null_mut(),
                    0,
                    null_mut(),
                    0,
                    &raw mut public,
                    &raw mut private
                )
            )
        }
    ),
    bad!("C_WrapKey with no mechanism", ARGUMENTS_BAD, |g| {
        let mut length = 0;
        rv!(
            g,
            C_WrapKey(
                g.session,
                null_mut(),
                g.aes,
                g.aes,
                null_mut(),
                &raw mut length
            )
        )
    }),
    bad!("C_WrapKey without a length", ARGUMENTS_BAD, |g| {
        let mut kind = mechanism(CKM_AES_KEY_WRAP);
        rv!(
            g,
            C_WrapKey(
                g.session,
                &raw mut kind,
                g.aes,
                g.aes,
                null_mut(),
                null_mut()
            )
        )
    }),
    bad!(
        "C_WrapKey under nothing",
        WRAPPING_KEY_HANDLE_INVALID,
        |g| {
            let (mut kind, mut length) = (mechanism(CKM_AES_KEY_WRAP), 0);
            rv!(
                g,
                C_WrapKey(
                    g.session,
                    &raw mut kind,
                    NOTHING,
                    g.aes,
                    null_mut(),
                    &raw mut length
                )
            )
        }
    ),
    bad!(
        "C_WrapKey of nothing",
        KEY_HANDLE_INVALID,
        Bare::NotAsked,
        |g| {
            let (mut kind, mut length) = (mechanism(CKM_AES_KEY_WRAP), 0);
            rv!(
                g,
                C_WrapKey(
                    g.session,
                    &raw mut kind,
                    g.aes,
                    NOTHING,
                    null_mut(),
                    &raw mut length
                )
            )
        }
    ),
    bad!("C_WrapKey in no session", SESSION_HANDLE_INVALID, |g| {
        let (mut kind, mut length) = (mechanism(CKM_AES_KEY_WRAP), 0);
        rv!(
            g,
            C_WrapKey(
                NOTHING,
                &raw mut kind,
                g.aes,
                g.aes,
                null_mut(),
                &raw mut length
            )
        )
    }),
    bad!("C_UnwrapKey with no mechanism", ARGUMENTS_BAD, |g| {
        let (mut wrapped, mut key) = ([0; 40], 0);
        rv!(
            g,
            C_UnwrapKey(
                g.session,
                null_mut(),
                g.aes,
                wrapped.as_mut_ptr(),
                40,
                null_mut(),
                0,
                &raw mut key
            )
        )
    }),
    bad!("C_UnwrapKey from nowhere", ARGUMENTS_BAD, |g| {
        let (mut kind, mut key) = (mechanism(CKM_AES_KEY_WRAP), 0);
        rv!(
            g,
            C_UnwrapKey(
                g.session,
                &raw mut kind,
                g.aes,
                null_mut(),
                40,
                null_mut(),
                0,
                &raw mut key
            )
        )
    }),
    bad!(
        "C_UnwrapKey of an endless key",
        ARGUMENTS_BAD,
        Bare::NotAsked,
        |g| {
            let (mut kind, mut wrapped, mut key) = (mechanism(CKM_AES_KEY_WRAP), [0; 40], 0);
            rv!(
                g,
                C_UnwrapKey(
                    g.session,
                    &raw mut kind,
                    g.aes,
                    wrapped.as_mut_ptr(),
                    ENDLESS,
                    null_mut(),
                    0,
                    &raw mut key
                )
            )
        }
    ),
    bad!(
        "C_UnwrapKey under nothing",
        UNWRAPPING_KEY_HANDLE_INVALID,
        Bare::NotAsked,
        |g| {
            let (mut kind, mut wrapped, mut key) = (mechanism(CKM_AES_KEY_WRAP), [0; 40], 0);
            rv!(
                g,
                C_UnwrapKey(
                    g.session,
                    &raw mut kind,
                    NOTHING,
                    wrapped.as_mut_ptr(),
                    40,
                    null_mut(),
                    0,
                    &raw mut key
                )
            )
        }
    ),
    bad!("C_UnwrapKey to nowhere", ARGUMENTS_BAD, |g| {
        let (mut kind, mut wrapped) = (mechanism(CKM_AES_KEY_WRAP), [0; 40]);
        rv!(
            g,
            C_UnwrapKey(
                g.session,
                &raw mut kind,
                g.aes,
                wrapped.as_mut_ptr(),
                40,
                null_mut(),
                0,
                null_mut()
            )
        )
    }),
    bad!("C_DeriveKey with no mechanism", ARGUMENTS_BAD, |g| {
        let mut key = 0;
        rv!(
            g,
            C_DeriveKey(
                g.session,
                null_mut(),
                g.private,
                null_mut(),
                0,
                &raw mut key
            )
        )
    }),
    bad!(
        "C_DeriveKey to nowhere",
        ARGUMENTS_BAD,
        Bare::NotAsked,
        |g| {
            let mut kind = mechanism(CKM_ECDH1_DERIVE);
            rv!(
                g,
                C_DeriveKey(
                    g.session,
                    &raw mut kind,
                    g.private,
                    null_mut(),
                    0,
                    null_mut()
                )
            )
        }
    ),
    bad!(
        "C_DeriveKey from nothing",
        KEY_HANDLE_INVALID,
        Bare::NotAsked,
        |g| {
            let (mut kind, mut key) = (mechanism(CKM_ECDH1_DERIVE), 0);
            rv!(
                g,
                C_DeriveKey(
                    g.session,
                    &raw mut kind,
                    NOTHING,
                    null_mut(),
                    0,
                    &raw mut key
                )
            )
        }
    ),
    bad!(
        "C_DeriveKey in no session",
        SESSION_HANDLE_INVALID,
        Bare::Other(
            everslot_core::ckr::ARGUMENTS_BAD,
            "the session handle is complained of first (§5.1.7)"
        ),
        |g| {
            let (mut kind, mut key) = (mechanism(CKM_ECDH1_DERIVE), 0);
            rv!(
                g,
                C_DeriveKey(
                    NOTHING,
                    &raw mut kind,
                    g.private,
                    null_mut(),
                    0,
                    &raw mut key
                )
            )
        }
    ),
];
