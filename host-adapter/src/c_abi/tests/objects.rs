use std::ptr;

use cryptoki_sys::{
    CK_ATTRIBUTE, CK_MECHANISM, CK_SSL3_KEY_MAT_OUT, CK_TLS12_KEY_MAT_PARAMS,
    CK_TLS12_MASTER_KEY_DERIVE_PARAMS, CK_UNAVAILABLE_INFORMATION, CK_VERSION, CKA_ID, CKA_LABEL,
    CKA_UNWRAP_TEMPLATE, CKA_VALUE, CKM_ECDSA, CKM_TLS12_KEY_AND_MAC_DERIVE,
    CKM_TLS12_MASTER_KEY_DERIVE,
};
use everslot_core::ckr;
use everslot_protocol::{AttributeValue, Bytes, List, NestedValue};

use super::super::double::{SESSION, calls, world};
use super::call;

#[test]
fn objects_come_with_their_template_and_go_into_their_place() {
    let mut label = *b"key";
    let mut template = [CK_ATTRIBUTE {
        type_: CKA_LABEL,
        pValue: label.as_mut_ptr().cast(),
        ulValueLen: 3,
    }];
    let template = template.as_mut_ptr();
    let mut mechanism = CK_MECHANISM {
        mechanism: CKM_ECDSA,
        pParameter: ptr::null_mut(),
        ulParameterLen: 0,
    };
    let mechanism = &raw mut mechanism;
    let mut object = 0;
    let place = &raw mut object;
    let told = |answer: everslot_core::Rv| {
        assert_eq!(answer, ckr::OK);
        calls().remove(0)
    };
    assert_eq!(
        told(call!(C_CreateObject(SESSION, template, 1, place))),
        "create_object 1"
    );
    assert_eq!(std::mem::take(&mut object), 42);
    let place = &raw mut object;
    assert_eq!(
        told(call!(C_CopyObject(SESSION, 5, template, 1, place))),
        "copy_object 5 1"
    );
    assert_eq!(std::mem::take(&mut object), 42);
    let place = &raw mut object;
    assert_eq!(
        told(call!(C_GetObjectSize(SESSION, 5, place))),
        "object_size 5"
    );
    assert_eq!(std::mem::take(&mut object), 42);
    let place = &raw mut object;
    let generated = call!(C_GenerateKey(SESSION, mechanism, template, 1, place));
    assert_eq!(told(generated), format!("generate_key {CKM_ECDSA} 1"));
    assert_eq!(std::mem::take(&mut object), 42);
    let place = &raw mut object;
    let derived = call!(C_DeriveKey(SESSION, mechanism, 6, template, 1, place));
    assert_eq!(told(derived), format!("derive_key {CKM_ECDSA} 6 1"));
    assert_eq!(std::mem::take(&mut object), 42);
    let place = &raw mut object;
    let wrapped = label.as_mut_ptr();
    let unwrapped = call!(C_UnwrapKey(
        SESSION, mechanism, 6, wrapped, 1, template, 1, place
    ));
    assert_eq!(told(unwrapped), format!("unwrap_key {CKM_ECDSA} 6 [107] 1"));
    assert_eq!(object, 42);

    assert_eq!(told(call!(C_DestroyObject(SESSION, 5))), "destroy_object 5");
    let set = call!(C_SetAttributeValue(SESSION, 5, template, 1));
    assert_eq!(told(set), "set_attributes 5 1");
    assert_eq!(
        told(call!(C_FindObjectsInit(SESSION, template, 1))),
        "find_begin 1"
    );
    assert_eq!(
        told(call!(C_FindObjectsInit(SESSION, ptr::null_mut(), 0))),
        "find_begin 0"
    );
    assert_eq!(told(call!(C_FindObjectsFinal(SESSION))), "find_end");
}

#[test]
fn a_key_pair_has_two_places() {
    let mut mechanism = CK_MECHANISM {
        mechanism: CKM_ECDSA,
        pParameter: ptr::null_mut(),
        ulParameterLen: 0,
    };
    let mut keys = [0; 2];
    let (public, private) = (keys.as_mut_ptr(), keys.as_mut_ptr().wrapping_add(1));
    let no = ptr::null_mut();
    let mut pair = |public, private| {
        call!(C_GenerateKeyPair(
            SESSION,
            &raw mut mechanism,
            no,
            0,
            no,
            0,
            public,
            private
        ))
    };
    assert_eq!(pair(public, ptr::null_mut()), ckr::ARGUMENTS_BAD);
    assert_eq!(pair(ptr::null_mut(), private), ckr::ARGUMENTS_BAD);
    assert!(calls().is_empty(), "no key without a place for it");
    assert_eq!(pair(public, private), ckr::OK);
    assert_eq!(keys, [8, 9]);
}

#[test]
fn a_wrapped_key_is_fetched_in_two_calls() {
    world(|world| world.output = vec![1, 2]);
    let mut mechanism = CK_MECHANISM {
        mechanism: CKM_ECDSA,
        pParameter: ptr::null_mut(),
        ulParameterLen: 0,
    };
    let mut buffer = [0; 3];
    let mut length = 0;
    let mut wrap = |buffer, length: &mut u64| {
        call!(C_WrapKey(SESSION, &raw mut mechanism, 1, 2, buffer, length))
    };
    assert_eq!(wrap(ptr::null_mut(), &mut length), ckr::OK);
    assert_eq!(length, 2);
    length = 3;
    assert_eq!(wrap(buffer.as_mut_ptr(), &mut length), ckr::OK);
    assert_eq!((length, buffer), (2, [1, 2, 0]));
}

#[test]
fn found_objects_fill_the_array_no_further_than_it_goes() {
    world(|world| world.list = vec![4, 5, 6]);
    let mut objects = [0; 4];
    let mut count = 99;
    let found = call!(C_FindObjects(
        SESSION,
        objects.as_mut_ptr(),
        2,
        &raw mut count
    ));
    assert_eq!((found, count, objects), (ckr::OK, 2, [4, 5, 0, 0]));
    let found = call!(C_FindObjects(
        SESSION,
        objects.as_mut_ptr(),
        4,
        &raw mut count
    ));
    assert_eq!((found, count, objects), (ckr::OK, 3, [4, 5, 6, 0]));
}

#[test]
fn attributes_come_back_in_the_template() {
    world(|world| {
        world.rv = ckr::ATTRIBUTE_SENSITIVE;
        world.values = vec![
            AttributeValue::Bytes(Bytes(b"key")),
            AttributeValue::Length(5),
            AttributeValue::Unavailable,
            AttributeValue::Bytes(Bytes(b"too long")),
        ];
    });
    let mut values = [[0_u8; 4]; 2];
    let [first, last] = &mut values;
    let mut template = [
        attribute(CKA_LABEL, first),
        asking(CKA_ID),
        asking(CKA_VALUE),
        attribute(CKA_ID, &mut last[..2]),
    ];
    let answer = call!(C_GetAttributeValue(SESSION, 5, template.as_mut_ptr(), 4));
    assert_eq!(answer, ckr::ATTRIBUTE_SENSITIVE);
    let lengths = template.map(|attribute| attribute.ulValueLen);
    assert_eq!(
        lengths,
        [3, 5, CK_UNAVAILABLE_INFORMATION, CK_UNAVAILABLE_INFORMATION]
    );
    assert_eq!(values, [*b"key\0", [0; 4]]);
    assert!(calls().remove(0).starts_with("attribute_values 5 "));
}

#[test]
fn a_nested_template_is_answered_inside() {
    const INNER: &[NestedValue<'static>] = &[
        NestedValue {
            kind: CKA_LABEL,
            value: AttributeValue::Bytes(Bytes(b"l")),
        },
        NestedValue {
            kind: CKA_ID,
            value: AttributeValue::Length(9),
        },
    ];
    world(|world| world.values = vec![AttributeValue::Nested(List::Items(INNER))]);
    let mut value = *b"xx";
    let mut inner = [attribute(0, &mut value), asking(0), asking(0)];
    let mut template = [CK_ATTRIBUTE {
        type_: CKA_UNWRAP_TEMPLATE,
        pValue: inner.as_mut_ptr().cast(),
        ulValueLen: size_of_val(&inner) as u64,
    }];
    assert_eq!(
        call!(C_GetAttributeValue(SESSION, 5, template.as_mut_ptr(), 1)),
        ckr::OK
    );
    assert_eq!(template[0].ulValueLen, 48);
    assert_eq!(
        inner.map(|attribute| attribute.type_),
        [CKA_LABEL, CKA_ID, 0]
    );
    assert_eq!(inner.map(|attribute| attribute.ulValueLen), [1, 9, 0]);
    assert_eq!(&value, b"lx");
}

#[test]
fn an_answer_for_another_template_is_a_general_error() {
    let mut template = [asking(CKA_ID)];
    let answer = call!(C_GetAttributeValue(SESSION, 5, template.as_mut_ptr(), 1));
    assert_eq!(answer, ckr::GENERAL_ERROR);
}

fn attribute(kind: u64, value: &mut [u8]) -> CK_ATTRIBUTE {
    CK_ATTRIBUTE {
        type_: kind,
        pValue: value.as_mut_ptr().cast(),
        ulValueLen: value.len() as u64,
    }
}

fn asking(kind: u64) -> CK_ATTRIBUTE {
    CK_ATTRIBUTE {
        type_: kind,
        pValue: ptr::null_mut(),
        ulValueLen: 0,
    }
}

#[test]
fn what_comes_in_a_parameter_goes_into_it() {
    let (mut client, mut server) = ([0; 4], [0; 4]);
    let mut out = CK_SSL3_KEY_MAT_OUT {
        pIVClient: client.as_mut_ptr(),
        pIVServer: server.as_mut_ptr(),
        ..Default::default()
    };
    let mut material = CK_TLS12_KEY_MAT_PARAMS {
        ulIVSizeInBits: 32,
        pReturnedKeyMaterial: &raw mut out,
        ..Default::default()
    };
    let mut mechanism = CK_MECHANISM {
        mechanism: CKM_TLS12_KEY_AND_MAC_DERIVE,
        pParameter: (&raw mut material).cast(),
        ulParameterLen: size_of_val(&material) as u64,
    };
    let (mechanism, template) = (&raw mut mechanism, ptr::null_mut());
    let mut untouched = 3;
    for place in [ptr::null_mut(), &raw mut untouched] {
        let derived = call!(C_DeriveKey(SESSION, mechanism, 6, template, 0, place));
        assert_eq!(derived, ckr::OK, "no key of its own is made");
        assert_eq!(
            calls(),
            [format!(
                "make_with_material Key(6) {CKM_TLS12_KEY_AND_MAC_DERIVE} 0"
            )]
        );
    }
    let words =
        |first: u64| u64::from_ne_bytes(std::array::from_fn(|at| (first + at as u64) as u8));
    assert_eq!(
        [
            out.hClientMacSecret,
            out.hServerMacSecret,
            out.hClientKey,
            out.hServerKey
        ],
        [1, 9, 17, 25].map(words)
    );
    assert_eq!((client, server), ([33, 34, 35, 36], [37, 38, 39, 40]));
    assert_eq!(untouched, 3);

    let mut version = CK_VERSION::default();
    let mut master = CK_TLS12_MASTER_KEY_DERIVE_PARAMS {
        pVersion: &raw mut version,
        ..Default::default()
    };
    let mut mechanism = CK_MECHANISM {
        mechanism: CKM_TLS12_MASTER_KEY_DERIVE,
        pParameter: (&raw mut master).cast(),
        ulParameterLen: size_of_val(&master) as u64,
    };
    let mechanism = &raw mut mechanism;
    let nowhere = call!(C_DeriveKey(
        SESSION,
        mechanism,
        6,
        template,
        0,
        ptr::null_mut()
    ));
    assert_eq!(nowhere, ckr::ARGUMENTS_BAD, "this one makes a key");
    let place = &raw mut untouched;
    assert_eq!(
        call!(C_DeriveKey(SESSION, mechanism, 6, template, 0, place)),
        ckr::OK
    );
    assert_eq!((untouched, version.major, version.minor), (42, 1, 2));
}
