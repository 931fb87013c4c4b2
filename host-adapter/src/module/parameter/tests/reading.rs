//! What applications give.

use std::ffi::c_void;
use std::ptr;

use cryptoki_sys::*;
use everslot_protocol::{Bytes, Field, List, Mechanism, ObjectHandle, Parameter, Rv};

use crate::module::Scratch;
use crate::module::parameter::{
    CMechanism, crosses_process_border, further_keys_are_token, read_mechanism,
};

const INVALID: Rv = Rv(CKR_MECHANISM_PARAM_INVALID);

/// Reads a mechanism with `parameter` as an application gives it. Its addresses are null or those of what outlives the call.
fn read<P, T>(
    kind: u64,
    parameter: &mut P,
    look: impl FnOnce(Result<Mechanism<'_>, Rv>) -> T,
) -> T {
    read_raw(
        kind,
        ptr::from_mut(parameter).cast(),
        size_of::<P>() as u64,
        look,
    )
}

fn read_raw<T>(
    kind: u64,
    parameter: *mut c_void,
    length: u64,
    look: impl FnOnce(Result<Mechanism<'_>, Rv>) -> T,
) -> T {
    let mechanism = CK_MECHANISM {
        mechanism: kind,
        pParameter: parameter,
        ulParameterLen: length,
    };
    // SAFETY: the tests give addresses that are null or of what outlives the scratch.
    Scratch::with(|scratch| look(unsafe { read_mechanism(&mechanism, scratch) }))
}

fn refused<P>(kind: u64, parameter: &mut P) -> bool {
    read(kind, parameter, |mechanism| mechanism == Err(INVALID))
}

#[test]
fn a_null_mechanism_is_a_bad_argument() {
    // SAFETY: null is allowed.
    let read = Scratch::with(|scratch| unsafe { read_mechanism(ptr::null(), scratch) }.err());
    assert_eq!(read, Some(Rv(CKR_ARGUMENTS_BAD)));
}

#[test]
fn no_parameter_is_none_and_a_null_one_with_a_length_is_invalid() {
    let none = |parameter, length| {
        read_raw(CKM_AES_CBC, parameter, length, |read| {
            read.map(|mechanism| mechanism.parameter == Parameter::None)
        })
    };
    assert_eq!(none(ptr::null_mut(), 0), Ok(true));
    assert_eq!(none(ptr::from_mut(&mut 0_u64).cast(), 0), Ok(true));
    assert_eq!(none(ptr::null_mut(), 16), Err(INVALID));
    assert_eq!(
        none(ptr::from_mut(&mut 0_u64).cast(), u64::MAX),
        Err(INVALID)
    );
}

#[test]
fn gcm_is_read_in_both_of_its_forms() {
    let (mut iv, mut associated) = ([1_u8; 12], [2_u8; 5]);
    let mut gcm = CK_GCM_PARAMS {
        pIv: iv.as_mut_ptr(),
        ulIvLen: 12,
        ulIvBits: 96,
        pAAD: associated.as_mut_ptr(),
        ulAADLen: 5,
        ulTagBits: 128,
    };
    let pointer = |bytes| Field::Pointer(Some(Bytes(bytes)));
    let (first, second) = (pointer(&[1; 12]), pointer(&[2; 5]));
    read(CKM_AES_GCM, &mut gcm, |read| {
        let fields = [first, Field::Integer(96), second, Field::Integer(128)];
        let parameter = Parameter::Fields(List::Items(&fields));
        assert_eq!(
            read,
            Ok(Mechanism {
                kind: CKM_AES_GCM,
                parameter
            })
        );
    });
    let mut before = [gcm.pIv as u64, 12, gcm.pAAD as u64, 5, 128];
    read(CKM_AES_GCM, &mut before, |read| {
        let fields = [first, second, Field::Integer(128)];
        let parameter = Parameter::Fields(List::Items(&fields));
        assert_eq!(
            read,
            Ok(Mechanism {
                kind: CKM_AES_GCM,
                parameter
            })
        );
    });
    gcm.pAAD = ptr::null_mut();
    assert!(
        refused(CKM_AES_GCM, &mut gcm),
        "an address that is null has no length"
    );
    gcm.ulAADLen = 0;
    assert!(!refused(CKM_AES_GCM, &mut gcm));
    gcm.ulIvLen = u64::MAX;
    assert!(refused(CKM_AES_GCM, &mut gcm), "no memory is so long");
}

#[test]
fn a_password_is_read_by_its_length_or_by_the_address_of_its_length() {
    let (mut password, mut length) = (*b"secret", 6_u64);
    let common = CK_PKCS5_PBKD2_PARAMS2 {
        pPassword: password.as_mut_ptr(),
        ..Default::default()
    };
    let mut second = CK_PKCS5_PBKD2_PARAMS2 {
        ulPasswordLen: 6,
        ..common
    };
    let mut first = CK_PKCS5_PBKD2_PARAMS2 {
        ulPasswordLen: ptr::from_mut(&mut length) as u64,
        ..common
    };
    for (parameter, form) in [(&mut second, 0), (&mut first, 1)] {
        read(CKM_PKCS5_PBKD2, parameter, |read| {
            let read = read.expect("readable");
            let Parameter::Fields(fields) = read.parameter else {
                panic!("{read:?}")
            };
            let fields: Vec<Field<'_>> = fields.iter().collect();
            assert_eq!(
                fields[5..],
                [Field::Pointer(Some(Bytes(b"secret"))), Field::Integer(form)]
            );
        });
    }
}

#[test]
fn a_handle_that_is_not_used_may_be_anything() {
    let mut hkdf = CK_HKDF_PARAMS {
        ulSaltType: CKF_HKDF_SALT_NULL,
        hSaltKey: 0xdead,
        ..Default::default()
    };
    let handle = |hkdf: &mut CK_HKDF_PARAMS| {
        read(CKM_HKDF_DERIVE, hkdf, |read| {
            let read = read.expect("readable");
            let Parameter::Fields(fields) = read.parameter else {
                panic!("{read:?}")
            };
            fields
                .iter()
                .nth(5)
                .is_some_and(|field| field == Field::Object(ObjectHandle(0xdead)))
        })
    };
    assert!(!handle(&mut hkdf));
    hkdf.ulSaltType = CKF_HKDF_SALT_KEY;
    assert!(handle(&mut hkdf));
}

#[test]
fn a_key_in_the_data_of_a_derivation_is_an_object() {
    let (mut key, mut data) = (77_u64, *b"label");
    let mut parts = [
        CK_PRF_DATA_PARAM {
            type_: CK_SP800_108_KEY_HANDLE,
            pValue: ptr::from_mut(&mut key).cast(),
            ulValueLen: 8,
        },
        CK_PRF_DATA_PARAM {
            type_: CK_SP800_108_BYTE_ARRAY,
            pValue: data.as_mut_ptr().cast(),
            ulValueLen: 5,
        },
    ];
    let mut kdf = CK_SP800_108_KDF_PARAMS {
        prfType: CKM_SHA256_HMAC,
        ulNumberOfDataParams: 2,
        pDataParams: parts.as_mut_ptr(),
        ..Default::default()
    };
    read(CKM_SP800_108_COUNTER_KDF, &mut kdf, |read| {
        let first = [
            Field::Integer(CK_SP800_108_KEY_HANDLE),
            Field::Object(ObjectHandle(77)),
        ];
        let second = [
            Field::Integer(CK_SP800_108_BYTE_ARRAY),
            Field::Pointer(Some(Bytes(b"label"))),
        ];
        let items = [
            Field::Nested(List::Items(&first)),
            Field::Nested(List::Items(&second)),
        ];
        let fields = [
            Field::Integer(CKM_SHA256_HMAC),
            Field::Nested(List::Items(&items)),
            Field::Pointer(None),
        ];
        assert_eq!(
            read.map(|read| read.parameter == Parameter::Fields(List::Items(&fields))),
            Ok(true)
        );
    });
    kdf.ulNumberOfDataParams = 0x1_0001;
    assert!(
        refused(CKM_SP800_108_COUNTER_KDF, &mut kdf),
        "no array is so long"
    );
    kdf.ulNumberOfDataParams = 2;
    kdf.ulAdditionalDerivedKeys = 1;
    assert!(
        refused(CKM_SP800_108_COUNTER_KDF, &mut kdf),
        "a further key without a template"
    );
}

/// `CKA_TOKEN` of the one further key of a derivation, as it is read: with a template of that many attributes of this type and value.
fn further_key(
    (kind, mut value): (CK_ATTRIBUTE_TYPE, CK_BBOOL),
    count: CK_ULONG,
    place: *mut CK_OBJECT_HANDLE,
) -> Result<Vec<bool>, Rv> {
    let attribute = CK_ATTRIBUTE {
        type_: kind,
        pValue: ptr::from_mut(&mut value).cast(),
        ulValueLen: 1,
    };
    let mut attributes = vec![attribute; count as usize];
    let mut keys = [CK_DERIVED_KEY {
        pTemplate: attributes.as_mut_ptr(),
        ulAttributeCount: count,
        phKey: place,
    }];
    let mut kdf = CK_SP800_108_KDF_PARAMS {
        ulAdditionalDerivedKeys: 1,
        pAdditionalDerivedKeys: keys.as_mut_ptr(),
        ..Default::default()
    };
    read(CKM_SP800_108_COUNTER_KDF, &mut kdf, |read| {
        read.map(|read| further_keys_are_token(&read).collect())
    })
}

#[test]
fn further_keys_have_templates_without_templates_in_them() {
    let (mut handle, token) = (0, (CKA_TOKEN, CK_TRUE));
    assert_eq!(further_key(token, 1, &raw mut handle), Ok(vec![true]));
    let of_session = further_key((CKA_TOKEN, CK_FALSE), 1, &raw mut handle);
    assert_eq!(of_session, Ok(vec![false]));
    let nested = further_key((CKA_DERIVE_TEMPLATE, CK_TRUE), 1, &raw mut handle);
    assert_eq!(nested, Err(INVALID), "addresses within a value");
    let most = further_key(token, 0xffff, &raw mut handle);
    assert_eq!(most, Ok(vec![true]));
    let too_many = further_key(token, 0x1_0000, &raw mut handle);
    assert_eq!(too_many, Err(INVALID), "one more, with the key itself");
    let no_place = further_key(token, 1, ptr::null_mut());
    assert_eq!(no_place, Err(INVALID));
}

#[test]
fn what_has_no_stated_extent_is_refused() {
    let mut signature = [0; 64];
    let mut x3dh = CK_X3DH_INITIATE_PARAMS {
        pPrekey_signature: signature.as_mut_ptr(),
        ..Default::default()
    };
    assert!(refused(CKM_X3DH_INITIALIZE, &mut x3dh));
    x3dh.pPrekey_signature = ptr::null_mut();
    assert!(!refused(CKM_X3DH_INITIALIZE, &mut x3dh));
}

#[test]
fn an_output_has_room_and_an_end() {
    let (mut output, mut length) = ([0; 48], 48);
    let mut prf = CK_TLS_PRF_PARAMS {
        pOutput: output.as_mut_ptr(),
        pulOutputLen: &raw mut length,
        ..Default::default()
    };
    assert!(!refused(CKM_TLS_PRF, &mut prf));
    prf.pOutput = ptr::null_mut();
    assert!(refused(CKM_TLS_PRF, &mut prf), "a length without a place");
    (prf.pOutput, prf.pulOutputLen) = (output.as_mut_ptr(), ptr::null_mut());
    assert!(refused(CKM_TLS_PRF, &mut prf), "a place without a length");
    let mut endless = 0x1_0001;
    prf.pulOutputLen = &raw mut endless;
    assert!(refused(CKM_TLS_PRF, &mut prf), "no output is so long");
}

#[test]
fn a_mechanism_in_a_mechanism_has_a_flat_parameter() {
    let mut numbers = [CKM_SHA256, CKG_MGF1_SHA256, 32];
    let mut inner = CK_MECHANISM {
        mechanism: CKM_RSA_PKCS_PSS,
        pParameter: numbers.as_mut_ptr().cast(),
        ulParameterLen: 24,
    };
    let mut kip = CK_KIP_PARAMS {
        pMechanism: &raw mut inner,
        hKey: 3,
        ..Default::default()
    };
    assert!(!refused(CKM_KIP_MAC, &mut kip));
    inner.mechanism = CKM_RSA_PKCS_OAEP;
    kip.pMechanism = &raw mut inner;
    assert!(refused(CKM_KIP_MAC, &mut kip));
}

#[test]
fn only_what_is_surely_flat_crosses_a_process_border() {
    let mut bytes = [7_u8; 48];
    let mut crosses = |kind, length| {
        read_raw(kind, bytes.as_mut_ptr().cast(), length, |read| {
            let mechanism = read.expect("flat bytes are readable");
            assert_eq!(
                mechanism.parameter,
                Parameter::Flat(Bytes(&[7; 48][..length as usize]))
            );
            crosses_process_border(&mechanism)
        })
    };
    assert!(
        crosses(CKM_AES_CBC, 16)
            && crosses(CKM_RSA_PKCS_PSS, 24)
            && crosses(CKM_DH_PKCS_DERIVE, 48)
    );
    assert!(crosses(CKM_AES_GMAC, 12), "some members take the bare IV");
    assert!(!crosses(CKM_AES_GCM, 12), "not the length of its structure");
    assert!(!crosses(CKM_VENDOR_DEFINED | 1, 16) && !crosses(CKM_ECDSA, 16));
    let none = Mechanism {
        kind: CKM_VENDOR_DEFINED | 1,
        parameter: Parameter::None,
    };
    assert!(crosses_process_border(&none));
}

#[test]
fn a_flat_structure_of_integers_is_aligned_for_the_member() {
    let bytes = [5_u8; 25];
    for start in 0..2 {
        let parameter = Parameter::Flat(Bytes(&bytes[start..start + 24]));
        Scratch::with(|scratch| {
            let mut in_c = CMechanism::new(
                &Mechanism {
                    kind: CKM_RSA_PKCS_PSS,
                    parameter,
                },
                scratch,
            )
            .expect("flat");
            // SAFETY: it lives.
            let in_c = unsafe { *in_c.as_mut_ptr() };
            assert!(in_c.pParameter.cast::<u64>().is_aligned());
            assert_eq!(in_c.ulParameterLen, 24);
        });
    }
}

#[test]
fn a_nonce_is_as_long_as_its_length_says_in_bytes_or_in_bits() {
    let mut nonce = [7_u8; 12];
    for (stated, bytes) in [(12, 12), (96, 12), (8, 8), (64, 8)] {
        let mut parameter = CK_SALSA20_CHACHA20_POLY1305_PARAMS {
            pNonce: nonce.as_mut_ptr(),
            ulNonceLen: stated,
            ..Default::default()
        };
        read(CKM_CHACHA20_POLY1305, &mut parameter, |mechanism| {
            let Ok(Mechanism {
                parameter: Parameter::Fields(fields),
                ..
            }) = mechanism
            else {
                panic!("the parameter is read")
            };
            let expected = [
                Field::Pointer(Some(Bytes(&[7; 12][..bytes]))),
                Field::Integer(stated),
                Field::Pointer(None),
            ];
            assert_eq!(fields, List::Items(&expected));
        });
    }
}

#[test]
fn a_nonce_shorter_than_its_length_says_is_given_to_no_member() {
    for (stated, fits) in [(96, true), (12, true), (192, false), (24, false)] {
        let fields = [
            Field::Pointer(Some(Bytes(&[7; 12]))),
            Field::Integer(stated),
            Field::Pointer(None),
        ];
        let mechanism = Mechanism {
            kind: CKM_CHACHA20_POLY1305,
            parameter: Parameter::Fields(List::Items(&fields)),
        };
        let made = Scratch::with(|scratch| CMechanism::new(&mechanism, scratch).is_ok());
        assert_eq!(made, fits, "{stated}");
    }
}
