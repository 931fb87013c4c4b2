//! Operations with one thing wrong of its own: a key or a parameter of the wrong kind, a wrong signature, too little room.

use std::ptr::null_mut;

use cryptoki_sys::{CK_MECHANISM, CKM_AES_CBC, CKM_RSA_PKCS_PSS, CKM_RSA_X_509, CKM_SHA256};

use super::cryptography::{digest_init, sign_init, verify_init};
use super::{BadCall, Bare, NOTHING, bad, mechanism, rv};

pub(super) const CALLS: &[BadCall] = &[
    bad!("C_Sign of a number above the modulus", GENERAL_ERROR, |g| {
        let (mut data, mut output, mut length) = ([0xff; 256], [0; 256], 256);
        let mut plain = mechanism(CKM_RSA_X_509);
        rv!(g, C_SignInit(g.session, &raw mut plain, g.rsa));
        rv!(
            g,
            C_Sign(
                g.session,
                data.as_mut_ptr(),
                256,
                output.as_mut_ptr(),
                &raw mut length
            )
        )
    }),
    bad!("C_DigestInit of nothing", SESSION_HANDLE_INVALID, |g| {
        let mut sha = mechanism(CKM_SHA256);
        rv!(g, C_DigestInit(NOTHING, &raw mut sha))
    }),
    bad!(
        "C_DigestInit with an unknown mechanism",
        MECHANISM_INVALID,
        |g| {
            let mut unknown = mechanism(NOTHING);
            rv!(g, C_DigestInit(g.session, &raw mut unknown))
        }
    ),
    bad!("C_DigestKey of nothing", KEY_HANDLE_INVALID, |g| {
        digest_init(g);
        rv!(g, C_DigestKey(g.session, NOTHING))
    }),
    bad!("C_SignInit for a key of another kind", ARGUMENTS_BAD, |g| {
        let mut ecdsa = mechanism(CKM_RSA_PKCS_PSS);
        rv!(g, C_SignInit(g.session, &raw mut ecdsa, g.private))
    }),
    bad!(
        "C_EncryptInit with an IV of the wrong length",
        MECHANISM_INVALID,
        |g| {
            let mut iv = [0_u8; 7];
            let mut cbc = CK_MECHANISM {
                mechanism: CKM_AES_CBC,
                pParameter: iv.as_mut_ptr().cast(),
                ulParameterLen: 7,
            };
            rv!(g, C_EncryptInit(g.session, &raw mut cbc, g.aes))
        }
    ),
    bad!("C_Sign with too little room", BUFFER_TOO_SMALL, |g| {
        let (mut data, mut output, mut length) = ([0; 32], [0; 1], 1);
        sign_init(g);
        rv!(
            g,
            C_Sign(
                g.session,
                data.as_mut_ptr(),
                32,
                output.as_mut_ptr(),
                &raw mut length
            )
        )
    }),
    bad!("C_Verify of a signature from nowhere", ARGUMENTS_BAD, |g| {
        let mut data = [0; 32];
        verify_init(g);
        rv!(
            g,
            C_Verify(g.session, data.as_mut_ptr(), 32, null_mut(), 64)
        )
    }),
    bad!("C_Verify of a wrong signature", SIGNATURE_INVALID, |g| {
        let (mut data, mut signature) = ([0; 32], [1; 64]);
        verify_init(g);
        rv!(
            g,
            C_Verify(g.session, data.as_mut_ptr(), 32, signature.as_mut_ptr(), 64)
        )
    }),
    bad!(
        "C_Verify of a signature of the wrong length",
        SIGNATURE_LEN_RANGE,
        |g| {
            let (mut data, mut signature) = ([0; 32], [1; 64]);
            verify_init(g);
            rv!(
                g,
                C_Verify(g.session, data.as_mut_ptr(), 32, signature.as_mut_ptr(), 5)
            )
        }
    ),
    bad!(
        "C_VerifyFinal of nothing that was begun",
        OPERATION_NOT_INITIALIZED,
        |g| {
            let mut signature = [1; 64];
            rv!(g, C_VerifyFinal(g.session, signature.as_mut_ptr(), 64))
        }
    ),
    bad!(
        "C_SignRecover of nothing that was begun",
        OPERATION_NOT_INITIALIZED,
        Bare::NotAsked,
        |g| {
            let (mut data, mut output, mut length) = ([0; 32], [0; 512], 512);
            rv!(
                g,
                C_SignRecover(
                    g.session,
                    data.as_mut_ptr(),
                    32,
                    output.as_mut_ptr(),
                    &raw mut length
                )
            )
        }
    ),
    bad!(
        "C_VerifyRecover of nothing that was begun",
        OPERATION_NOT_INITIALIZED,
        Bare::NotAsked,
        |g| {
            let (mut data, mut output, mut length) = ([0; 32], [0; 512], 512);
            rv!(
                g,
                C_VerifyRecover(
                    g.session,
                    data.as_mut_ptr(),
                    32,
                    output.as_mut_ptr(),
                    &raw mut length
                )
            )
        }
    ),
];
