//! What a member puts into a mechanism's parameter reaches the application's.

use std::ptr;

use cryptoki_sys::*;
use everslot_protocol::Rv;

use crate::module::Scratch;
use crate::module::parameter::{CMechanism, Returned, read_mechanism, write_returned};

fn mechanism<P>(kind: u64, parameter: &mut P) -> CK_MECHANISM {
    CK_MECHANISM {
        mechanism: kind,
        pParameter: ptr::from_mut(parameter).cast(),
        ulParameterLen: size_of::<P>() as u64,
    }
}

/// Reads the application's mechanism, has `member` fill a member's own form of it, and gives what came back.
fn filled<P>(kind: u64, parameter: &mut P, member: impl FnOnce(&mut P)) -> (Returned, Vec<u8>) {
    let given = mechanism(kind, parameter);
    Scratch::with(|scratch| {
        // SAFETY: the tests' parameters lead to memory of theirs.
        let read = unsafe { read_mechanism(&raw const given, scratch) }.expect("it is readable");
        let room = Returned::of(&read).expect("something is given back");
        let mut members = CMechanism::new(&read, scratch).expect("the fields are its own");
        // SAFETY: it is the C form of the same structure, in the scratch.
        member(unsafe { &mut *(*members.as_mut_ptr()).pParameter.cast::<P>() });
        let mut returned = vec![0xEE; room.size()];
        assert_eq!(members.returned_size(), room.size());
        members.copy_returned(&mut returned);
        (room, returned)
    })
}

#[test]
fn a_version_and_an_iv_come_back() {
    let mut version = CK_VERSION { major: 9, minor: 9 };
    let mut master = CK_TLS12_MASTER_KEY_DERIVE_PARAMS {
        pVersion: &raw mut version,
        prfHashMechanism: CKM_SHA256,
        ..Default::default()
    };
    let kind = CKM_TLS12_MASTER_KEY_DERIVE;
    let (room, returned) = filled(kind, &mut master, |members| {
        // SAFETY: the writer has made room for a version.
        unsafe { members.pVersion.write(CK_VERSION { major: 3, minor: 4 }) }
    });
    assert_eq!(
        (room, &returned[..]),
        (Returned { keys: 0, bytes: 2 }, &[3, 4][..])
    );
    assert_eq!(
        (version.major, version.minor),
        (9, 9),
        "nothing is written before the call is over"
    );
    let given = mechanism(kind, &mut master);
    // SAFETY: the parameter leads to memory of this test.
    unsafe { write_returned(&raw const given, &returned) }.expect("it is the same");
    assert_eq!((version.major, version.minor), (3, 4));

    let mut iv = [0; 8];
    let mut pbe = CK_PBE_PARAMS {
        pInitVector: iv.as_mut_ptr(),
        ..Default::default()
    };
    let kind = CKM_PBE_SHA1_DES3_EDE_CBC;
    let (_, returned) = filled(kind, &mut pbe, |members| {
        // SAFETY: the writer has made room for eight bytes.
        unsafe { members.pInitVector.cast::<[u8; 8]>().write([7; 8]) }
    });
    let given = mechanism(kind, &mut pbe);
    // SAFETY: as above.
    unsafe { write_returned(&raw const given, &returned) }.expect("it is the same");
    assert_eq!(iv, [7; 8]);
}

#[test]
fn keys_and_ivs_come_back() {
    let (mut client, mut server) = ([0; 16], [0; 16]);
    let mut out = CK_SSL3_KEY_MAT_OUT {
        pIVClient: client.as_mut_ptr(),
        pIVServer: server.as_mut_ptr(),
        ..Default::default()
    };
    let mut material = CK_TLS12_KEY_MAT_PARAMS {
        ulIVSizeInBits: 128,
        pReturnedKeyMaterial: &raw mut out,
        ..Default::default()
    };
    let kind = CKM_TLS12_KEY_AND_MAC_DERIVE;
    let (room, returned) = filled(kind, &mut material, |members| {
        // SAFETY: the writer has made the structure and room for its IVs.
        unsafe {
            let out = &mut *members.pReturnedKeyMaterial;
            (out.hClientMacSecret, out.hServerMacSecret) = (1, 2);
            (out.hClientKey, out.hServerKey) = (3, 4);
            out.pIVClient.cast::<[u8; 16]>().write([5; 16]);
            out.pIVServer.cast::<[u8; 16]>().write([6; 16]);
        }
    });
    assert_eq!(room, Returned { keys: 4, bytes: 32 });
    let given = mechanism(kind, &mut material);
    // SAFETY: the parameter leads to memory of this test.
    unsafe { write_returned(&raw const given, &returned) }.expect("it is the same");
    let keys = [
        out.hClientMacSecret,
        out.hServerMacSecret,
        out.hClientKey,
        out.hServerKey,
    ];
    assert_eq!((keys, client, server), ([1, 2, 3, 4], [5; 16], [6; 16]));

    material.ulIVSizeInBits = 256;
    let given = mechanism(kind, &mut material);
    // SAFETY: as above; what is asked of it is that it writes nothing.
    let changed = unsafe { write_returned(&raw const given, &returned) };
    assert_eq!(changed, Err(Rv(CKR_MECHANISM_PARAM_INVALID)));
}

#[test]
fn an_output_comes_back_with_its_length() {
    let (mut output, mut length) = ([9_u8; 8], 8);
    let mut prf = CK_TLS_PRF_PARAMS {
        pOutput: output.as_mut_ptr(),
        pulOutputLen: &raw mut length,
        ..Default::default()
    };
    let (room, returned) = filled(CKM_TLS_PRF, &mut prf, |members| {
        // SAFETY: the writer has made room for as many bytes as it says, and for the number.
        unsafe {
            assert_eq!(members.pulOutputLen.read(), 8);
            members.pOutput.cast::<[u8; 6]>().write([7; 6]);
            members.pulOutputLen.write(6);
        }
    });
    assert_eq!(room, Returned { keys: 0, bytes: 16 });
    assert_eq!(output, [9; 8], "nothing is written before the call is over");
    let given = mechanism(CKM_TLS_PRF, &mut prf);
    // SAFETY: the parameter leads to memory of this test.
    unsafe { write_returned(&raw const given, &returned) }.expect("it is the same");
    assert_eq!((output, length), ([7, 7, 7, 7, 7, 7, 9, 9], 6));

    // SAFETY: as above; what is asked of it is that it writes nothing.
    let changed = unsafe { write_returned(&raw const given, &returned) };
    assert_eq!(changed, Err(Rv(CKR_MECHANISM_PARAM_INVALID)), "less room");
    let mut more_than_room = returned;
    (more_than_room[0], length) = (9, 8);
    // SAFETY: as above.
    let beyond = unsafe { write_returned(&raw const given, &more_than_room) };
    assert_eq!(beyond, Err(Rv(CKR_MECHANISM_PARAM_INVALID)));
    assert_eq!(length, 8);
}

#[test]
fn the_handles_of_further_keys_come_back() {
    let mut handles = [0; 2];
    let [first, second] = &mut handles;
    let mut keys = [first, second].map(|handle| CK_DERIVED_KEY {
        phKey: ptr::from_mut(handle),
        ..Default::default()
    });
    let mut kdf = CK_SP800_108_FEEDBACK_KDF_PARAMS {
        ulAdditionalDerivedKeys: 2,
        pAdditionalDerivedKeys: keys.as_mut_ptr(),
        ..Default::default()
    };
    let kind = CKM_SP800_108_FEEDBACK_KDF;
    let (room, returned) = filled(kind, &mut kdf, |members| {
        // SAFETY: the writer has made as many structures as it says, each with a place for a handle.
        unsafe {
            for (key, handle) in [(0, 31), (1, 32)] {
                let key = members.pAdditionalDerivedKeys.add(key).read();
                key.phKey.write(handle);
            }
        }
    });
    assert_eq!(room, Returned { keys: 2, bytes: 0 });
    let given = mechanism(kind, &mut kdf);
    // SAFETY: the parameter leads to memory of this test.
    unsafe { write_returned(&raw const given, &returned) }.expect("it is the same");
    assert_eq!(handles, [31, 32]);

    kdf.ulAdditionalDerivedKeys = 0;
    let given = mechanism(kind, &mut kdf);
    // SAFETY: as above.
    let fewer = unsafe { write_returned(&raw const given, &returned) };
    assert_eq!(fewer, Err(Rv(CKR_MECHANISM_PARAM_INVALID)));
}

#[test]
fn an_iv_without_a_place_or_an_end_is_refused() {
    let mut iv = [0; 16];
    let mut out = CK_SSL3_KEY_MAT_OUT {
        pIVClient: iv.as_mut_ptr(),
        ..Default::default()
    };
    let mut read = |bits| {
        let mut material = CK_SSL3_KEY_MAT_PARAMS {
            ulIVSizeInBits: bits,
            pReturnedKeyMaterial: &raw mut out,
            ..Default::default()
        };
        let given = mechanism(CKM_SSL3_KEY_AND_MAC_DERIVE, &mut material);
        Scratch::with(|scratch| {
            // SAFETY: the parameter leads to memory of this test, and an IV is not read.
            unsafe { read_mechanism(&raw const given, scratch) }.map(|read| Returned::of(&read))
        })
    };
    let invalid = Err(Rv(CKR_MECHANISM_PARAM_INVALID));
    assert_eq!(read(128), invalid, "the server's is null");
    assert_eq!(read(u64::MAX), invalid);
    assert_eq!(read(0), Ok(Some(Returned { keys: 4, bytes: 0 })));
}
