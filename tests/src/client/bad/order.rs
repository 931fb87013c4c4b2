//! Calls in a wrong order (§5.6 to §5.17).

use std::ptr::null_mut;

use cryptoki_sys::{
    CKA_CLASS, CKF_RW_SESSION, CKF_SERIAL_SESSION, CKM_ECDSA, CKM_SHA256, CKO_DATA,
};

use super::{BadCall, Bare, Ground, attribute, bad, mechanism, rv};

/// A session object of `session`.
fn data(g: &Ground, session: u64) -> u64 {
    let (mut class, mut object) = (CKO_DATA, 0);
    let mut template = [attribute(CKA_CLASS, &mut class)];
    rv!(
        g,
        C_CreateObject(session, template.as_mut_ptr(), 1, &raw mut object)
    );
    object
}

pub(super) const CALLS: &[BadCall] = &[
    bad!("C_SignInit twice", OPERATION_ACTIVE, |g| {
        let mut ecdsa = mechanism(CKM_ECDSA);
        rv!(g, C_SignInit(g.session, &raw mut ecdsa, g.private));
        rv!(g, C_SignInit(g.session, &raw mut ecdsa, g.private))
    }),
    bad!("C_DigestInit twice", OPERATION_ACTIVE, |g| {
        let mut sha = mechanism(CKM_SHA256);
        rv!(g, C_DigestInit(g.session, &raw mut sha));
        rv!(g, C_DigestInit(g.session, &raw mut sha))
    }),
    bad!("C_DigestFinal twice", OPERATION_NOT_INITIALIZED, |g| {
        let (mut sha, mut output, mut length) = (mechanism(CKM_SHA256), [0; 64], 64);
        rv!(g, C_DigestInit(g.session, &raw mut sha));
        rv!(
            g,
            C_DigestFinal(g.session, output.as_mut_ptr(), &raw mut length)
        );
        rv!(
            g,
            C_DigestFinal(g.session, output.as_mut_ptr(), &raw mut length)
        )
    }),
    bad!("C_Sign after C_Sign", OPERATION_NOT_INITIALIZED, |g| {
        let (mut ecdsa, mut data) = (mechanism(CKM_ECDSA), [0; 32]);
        let (mut output, mut length) = ([0; 64], 64);
        rv!(g, C_SignInit(g.session, &raw mut ecdsa, g.private));
        rv!(
            g,
            C_Sign(
                g.session,
                data.as_mut_ptr(),
                32,
                output.as_mut_ptr(),
                &raw mut length
            )
        );
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
    bad!("C_FindObjectsInit twice", OPERATION_ACTIVE, |g| {
        rv!(g, C_FindObjectsInit(g.session, null_mut(), 0));
        rv!(g, C_FindObjectsInit(g.session, null_mut(), 0))
    }),
    bad!("C_DestroyObject twice", OBJECT_HANDLE_INVALID, |g| {
        let object = data(g, g.session);
        rv!(g, C_DestroyObject(g.session, object));
        rv!(g, C_DestroyObject(g.session, object))
    }),
    bad!(
        "C_GetObjectSize of an object whose session was closed",
        OBJECT_HANDLE_INVALID,
        |g| {
            let (mut other, mut size) = (0, 0);
            rv!(
                g,
                C_OpenSession(
                    g.slot,
                    CKF_SERIAL_SESSION | CKF_RW_SESSION,
                    null_mut(),
                    None,
                    &raw mut other
                )
            );
            let object = data(g, other);
            rv!(g, C_CloseSession(other));
            rv!(g, C_GetObjectSize(g.session, object, &raw mut size))
        }
    ),
    bad!(
        "C_FindObjects of no search",
        OPERATION_NOT_INITIALIZED,
        |g| {
            let (mut object, mut count) = (0, 0);
            rv!(
                g,
                C_FindObjects(g.session, &raw mut object, 1, &raw mut count)
            )
        }
    ),
    bad!(
        "C_FindObjectsFinal of no search",
        OPERATION_NOT_INITIALIZED,
        |g| rv!(g, C_FindObjectsFinal(g.session))
    ),
    bad!(
        "C_GetOperationState of no operation",
        OPERATION_NOT_INITIALIZED,
        Bare::NotAsked,
        |g| {
            let mut length = 0;
            rv!(
                g,
                C_GetOperationState(g.session, null_mut(), &raw mut length)
            )
        }
    ),
    bad!(
        "C_DigestKey of no digest",
        OPERATION_NOT_INITIALIZED,
        |g| rv!(g, C_DigestKey(g.session, g.aes))
    ),
];
