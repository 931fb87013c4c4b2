//! Operations (§5.8 to §5.17) with arguments that cannot be right. What goes wrong in an operation ends it, but for too small a buffer.

use std::ptr::null_mut;

use cryptoki_sys::{CK_MECHANISM, CKM_AES_CBC, CKM_AES_GCM, CKM_ECDSA, CKM_SHA256};

use everslot_core::ckr;

use super::{BadCall, Bare, ENDLESS, Ground, NOTHING, bad, mechanism, rv};

pub(super) fn sign_init(g: &Ground) {
    let mut ecdsa = mechanism(CKM_ECDSA);
    rv!(g, C_SignInit(g.session, &raw mut ecdsa, g.private));
}

pub(super) fn verify_init(g: &Ground) {
    let mut ecdsa = mechanism(CKM_ECDSA);
    rv!(g, C_VerifyInit(g.session, &raw mut ecdsa, g.public));
}

pub(super) fn digest_init(g: &Ground) {
    let mut sha = mechanism(CKM_SHA256);
    rv!(g, C_DigestInit(g.session, &raw mut sha));
}

fn with_iv(g: &Ground, begin: fn(&Ground, *mut CK_MECHANISM)) {
    let mut iv = [0_u8; 16];
    let mut cbc = CK_MECHANISM {
        mechanism: CKM_AES_CBC,
        pParameter: iv.as_mut_ptr().cast(),
        ulParameterLen: 16,
    };
    begin(g, &raw mut cbc);
}

fn encrypt_init(g: &Ground) {
    with_iv(g, |g, cbc| {
        _ = rv!(g, C_EncryptInit(g.session, cbc, g.aes));
    });
}

fn decrypt_init(g: &Ground) {
    with_iv(g, |g, cbc| {
        _ = rv!(g, C_DecryptInit(g.session, cbc, g.aes));
    });
}

/// Each `C_*Init` with a session, a mechanism and a key that are none, a mechanism that no token has, and a parameter of the wrong length.
macro_rules! begins {
    ($function:ident, $key:ident) => {
        [
            bad!("begin in no session", SESSION_HANDLE_INVALID, |g| {
                let mut ecdsa = mechanism(CKM_ECDSA);
                rv!(g, $function(NOTHING, &raw mut ecdsa, g.$key))
            }),
            bad!(
                "begin with no key",
                KEY_HANDLE_INVALID,
                Bare::NotAsked,
                |g| {
                    let mut ecdsa = mechanism(CKM_ECDSA);
                    rv!(g, $function(g.session, &raw mut ecdsa, NOTHING))
                }
            ),
            bad!("begin with an unknown mechanism", MECHANISM_INVALID, |g| {
                let mut unknown = mechanism(NOTHING);
                rv!(g, $function(g.session, &raw mut unknown, g.$key))
            }),
            bad!(
                "begin with an endless parameter",
                MECHANISM_PARAM_INVALID,
                Bare::NotAsked,
                |g| {
                    let mut parameter = 0_u64;
                    let mut gcm = CK_MECHANISM {
                        mechanism: CKM_AES_GCM,
                        pParameter: (&raw mut parameter).cast(),
                        ulParameterLen: ENDLESS,
                    };
                    rv!(g, $function(g.session, &raw mut gcm, g.$key))
                }
            ),
            bad!(
                "begin with a null parameter of some length",
                MECHANISM_PARAM_INVALID,
                Bare::NotAsked,
                |g| {
                    let mut gcm = CK_MECHANISM {
                        ulParameterLen: 40,
                        ..mechanism(CKM_AES_GCM)
                    };
                    rv!(g, $function(g.session, &raw mut gcm, g.$key))
                }
            ),
        ]
    };
}

/// A call from data to output.
macro_rules! bad_transforms {
    ($begin:ident, $function:ident) => {
        [
            bad!("data from nowhere", ARGUMENTS_BAD, Bare::NotAsked, |g| {
                let (mut output, mut length) = ([0; 512], 512);
                $begin(g);
                rv!(
                    g,
                    $function(
                        g.session,
                        null_mut(),
                        32,
                        output.as_mut_ptr(),
                        &raw mut length
                    )
                )
            }),
            bad!("endless data", ARGUMENTS_BAD, Bare::NotAsked, |g| {
                let (mut data, mut output, mut length) = ([0; 32], [0; 512], 512);
                $begin(g);
                rv!(
                    g,
                    $function(
                        g.session,
                        data.as_mut_ptr(),
                        ENDLESS,
                        output.as_mut_ptr(),
                        &raw mut length
                    )
                )
            }),
            bad!(
                "data of half the address space",
                ARGUMENTS_BAD,
                Bare::NotAsked,
                |g| {
                    let (mut data, mut output, mut length) = ([0; 32], [0; 512], 512);
                    $begin(g);
                    rv!(
                        g,
                        $function(
                            g.session,
                            data.as_mut_ptr(),
                            ENDLESS / 2,
                            output.as_mut_ptr(),
                            &raw mut length
                        )
                    )
                }
            ),
            bad!("no length of the output", ARGUMENTS_BAD, |g| {
                let (mut data, mut output) = ([0; 32], [0; 512]);
                $begin(g);
                rv!(
                    g,
                    $function(
                        g.session,
                        data.as_mut_ptr(),
                        32,
                        output.as_mut_ptr(),
                        null_mut()
                    )
                )
            }),
            bad!("output in no session", SESSION_HANDLE_INVALID, |g| {
                let (mut data, mut output, mut length) = ([0; 32], [0; 512], 512);
                rv!(
                    g,
                    $function(
                        NOTHING,
                        data.as_mut_ptr(),
                        32,
                        output.as_mut_ptr(),
                        &raw mut length
                    )
                )
            }),
            bad!(
                "output of nothing that was begun",
                OPERATION_NOT_INITIALIZED,
                |g| {
                    let (mut data, mut output, mut length) = ([0; 32], [0; 512], 512);
                    rv!(
                        g,
                        $function(
                            g.session,
                            data.as_mut_ptr(),
                            32,
                            output.as_mut_ptr(),
                            &raw mut length
                        )
                    )
                }
            ),
        ]
    };
}

/// A call that only takes data in.
macro_rules! bad_updates {
    ($begin:ident, $function:ident) => {
        [
            bad!("update from nowhere", ARGUMENTS_BAD, Bare::NotAsked, |g| {
                $begin(g);
                rv!(g, $function(g.session, null_mut(), 32))
            }),
            bad!("endless update", ARGUMENTS_BAD, Bare::NotAsked, |g| {
                let mut data = [0; 32];
                $begin(g);
                rv!(g, $function(g.session, data.as_mut_ptr(), ENDLESS))
            }),
            bad!("update in no session", SESSION_HANDLE_INVALID, |g| {
                let mut data = [0; 32];
                rv!(g, $function(NOTHING, data.as_mut_ptr(), 32))
            }),
            bad!(
                "update of nothing that was begun",
                OPERATION_NOT_INITIALIZED,
                |g| {
                    let mut data = [0; 32];
                    rv!(g, $function(g.session, data.as_mut_ptr(), 32))
                }
            ),
        ]
    };
}

/// A final call.
macro_rules! bad_finals {
    ($begin:ident, $function:ident) => {
        [
            bad!("end without a length", ARGUMENTS_BAD, Bare::NotAsked, |g| {
                let mut output = [0; 512];
                $begin(g);
                rv!(g, $function(g.session, output.as_mut_ptr(), null_mut()))
            }),
            bad!("end in no session", SESSION_HANDLE_INVALID, |g| {
                let (mut output, mut length) = ([0; 512], 512);
                rv!(g, $function(NOTHING, output.as_mut_ptr(), &raw mut length))
            }),
            bad!(
                "end of nothing that was begun",
                OPERATION_NOT_INITIALIZED,
                |g| {
                    let (mut output, mut length) = ([0; 512], 512);
                    rv!(
                        g,
                        $function(g.session, output.as_mut_ptr(), &raw mut length)
                    )
                }
            ),
        ]
    };
}

/// The calls of each function, by its name.
pub(super) fn calls() -> Vec<(&'static str, Vec<BadCall>)> {
    let mut calls = dual();
    calls.extend([
        ("C_SignInit", begins!(C_SignInit, private).into()),
        ("C_VerifyInit", begins!(C_VerifyInit, public).into()),
        ("C_EncryptInit", begins!(C_EncryptInit, aes).into()),
        ("C_DecryptInit", begins!(C_DecryptInit, aes).into()),
        ("C_Sign", bad_transforms!(sign_init, C_Sign).into()),
        ("C_Encrypt", bad_transforms!(encrypt_init, C_Encrypt).into()),
        ("C_Decrypt", bad_transforms!(decrypt_init, C_Decrypt).into()),
        ("C_Digest", bad_transforms!(digest_init, C_Digest).into()),
        (
            "C_EncryptUpdate",
            bad_transforms!(encrypt_init, C_EncryptUpdate).into(),
        ),
        (
            "C_DecryptUpdate",
            bad_transforms!(decrypt_init, C_DecryptUpdate).into(),
        ),
        ("C_SignUpdate", bad_updates!(sign_init, C_SignUpdate).into()),
        (
            "C_VerifyUpdate",
            bad_updates!(verify_init, C_VerifyUpdate).into(),
        ),
        (
            "C_DigestUpdate",
            bad_updates!(digest_init, C_DigestUpdate).into(),
        ),
        ("C_SignFinal", bad_finals!(sign_init, C_SignFinal).into()),
        (
            "C_EncryptFinal",
            bad_finals!(encrypt_init, C_EncryptFinal).into(),
        ),
        (
            "C_DecryptFinal",
            bad_finals!(decrypt_init, C_DecryptFinal).into(),
        ),
        (
            "C_DigestFinal",
            bad_finals!(digest_init, C_DigestFinal).into(),
        ),
    ]);
    calls
}

/// A dual function; what its two operations make of data is their own functions' affair.
macro_rules! bad_dual {
    ($function:ident) => {
        [
            bad!("in no session", SESSION_HANDLE_INVALID, |g| {
                let (mut data, mut output, mut length) = ([0; 32], [0; 512], 512);
                rv!(
                    g,
                    $function(
                        NOTHING,
                        data.as_mut_ptr(),
                        32,
                        output.as_mut_ptr(),
                        &raw mut length
                    )
                )
            }),
            bad!(
                "of nothing that was begun",
                OPERATION_NOT_INITIALIZED,
                NO_DUAL,
                |g| {
                    let (mut data, mut output, mut length) = ([0; 32], [0; 512], 512);
                    rv!(
                        g,
                        $function(
                            g.session,
                            data.as_mut_ptr(),
                            32,
                            output.as_mut_ptr(),
                            &raw mut length
                        )
                    )
                }
            ),
            bad!("of endless data", ARGUMENTS_BAD, NO_DUAL, |g| {
                let (mut data, mut output, mut length) = ([0; 32], [0; 512], 512);
                rv!(
                    g,
                    $function(
                        g.session,
                        data.as_mut_ptr(),
                        ENDLESS,
                        output.as_mut_ptr(),
                        &raw mut length
                    )
                )
            }),
            bad!("to nowhere", ARGUMENTS_BAD, NO_DUAL, |g| {
                let (mut data, mut output) = ([0; 32], [0; 512]);
                rv!(
                    g,
                    $function(
                        g.session,
                        data.as_mut_ptr(),
                        32,
                        output.as_mut_ptr(),
                        null_mut()
                    )
                )
            }),
        ]
    };
}

const NO_DUAL: Bare = Bare::Other(ckr::FUNCTION_NOT_SUPPORTED, "another member may have it");

fn dual() -> Vec<(&'static str, Vec<BadCall>)> {
    vec![
        (
            "C_DigestEncryptUpdate",
            bad_dual!(C_DigestEncryptUpdate).into(),
        ),
        (
            "C_DecryptDigestUpdate",
            bad_dual!(C_DecryptDigestUpdate).into(),
        ),
        ("C_SignEncryptUpdate", bad_dual!(C_SignEncryptUpdate).into()),
        (
            "C_DecryptVerifyUpdate",
            bad_dual!(C_DecryptVerifyUpdate).into(),
        ),
    ]
}
