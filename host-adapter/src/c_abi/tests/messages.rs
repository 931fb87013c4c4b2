//! Message-based functions and the other calls that put something into a parameter.

use std::ptr;

use cryptoki_sys::*;
use everslot_core::ckr;

use super::super::double::{SESSION, calls, world};
use super::call;

/// A place for everything that a GCM message has.
struct Gcm {
    iv: [u8; 12],
    tag: [u8; 16],
    parameter: CK_GCM_MESSAGE_PARAMS,
}

impl Gcm {
    fn new(generator: CK_GENERATOR_FUNCTION) -> Box<Self> {
        let mut gcm = Box::new(Self {
            iv: [1; 12],
            tag: [2; 16],
            parameter: CK_GCM_MESSAGE_PARAMS::default(),
        });
        gcm.parameter = CK_GCM_MESSAGE_PARAMS {
            pIv: gcm.iv.as_mut_ptr(),
            ulIvLen: 12,
            ulIvFixedBits: 32,
            ivGenerator: generator,
            pTag: gcm.tag.as_mut_ptr(),
            ulTagBits: 128,
        };
        gcm
    }

    fn argument(&mut self) -> (CK_VOID_PTR, CK_ULONG) {
        let length = size_of::<CK_GCM_MESSAGE_PARAMS>() as CK_ULONG;
        ((&raw mut self.parameter).cast(), length)
    }
}

fn begun(mechanism: CK_MECHANISM_TYPE) {
    world(|world| {
        world.mechanism = Some(mechanism);
        world.output = vec![9; 4];
        world.made = (vec![7; 12], vec![8; 16]);
    });
}

#[test]
fn iv_and_tag_come_back_beside_the_output() {
    begun(CKM_AES_GCM);
    let mut gcm = Gcm::new(CKG_GENERATE_RANDOM);
    let (parameter, size) = gcm.argument();
    let mut data = [5_u8; 4];
    let (mut output, mut length) = ([0; 8], 8);
    let done = call!(C_EncryptMessage(
        SESSION,
        parameter,
        size,
        ptr::null_mut(),
        0,
        data.as_mut_ptr(),
        4,
        output.as_mut_ptr(),
        &raw mut length
    ));
    assert_eq!((done, length, &output[..4]), (ckr::OK, 4, &[9; 4][..]));
    assert_eq!((gcm.iv, gcm.tag), ([7; 12], [8; 16]));
    assert!(
        calls()[0].starts_with("message Encrypt Aead("),
        "the member got the typed parameter"
    );
}

#[test]
fn a_tag_that_lies_behind_the_text_in_one_buffer_is_read_first() {
    begun(CKM_AES_GCM);
    world(|world| {
        world.made = (Vec::new(), Vec::new());
        world.output = vec![9; 20];
    });
    let mut gcm = Gcm::new(CKG_NO_GENERATE);
    let mut memory = [3_u8; 20];
    gcm.parameter.pTag = memory[4..].as_mut_ptr();
    let (parameter, size) = gcm.argument();
    let start = memory.as_mut_ptr();
    let mut length = 20;
    let done = call!(C_DecryptMessage(
        SESSION,
        parameter,
        size,
        start.wrapping_add(2),
        2,
        start,
        4,
        start,
        &raw mut length
    ));
    assert_eq!((done, length, memory), (ckr::OK, 20, [9; 20]));
    let call = calls().remove(0);
    assert!(call.ends_with("[3, 3] [3, 3, 3, 3]"), "{call}");
}

#[test]
fn an_iv_and_a_tag_that_were_not_made_leave_the_parameter_alone() {
    begun(CKM_AES_GCM);
    world(|world| world.made = (Vec::new(), Vec::new()));
    let mut gcm = Gcm::new(CKG_NO_GENERATE);
    let (parameter, size) = gcm.argument();
    let done = call!(C_EncryptMessageBegin(
        SESSION,
        parameter,
        size,
        ptr::null_mut(),
        0
    ));
    assert_eq!((done, gcm.iv, gcm.tag), (ckr::OK, [1; 12], [2; 16]));
}

#[test]
fn a_parameter_that_cannot_be_is_refused() {
    begun(CKM_AES_GCM);
    let begin = |change: &dyn Fn(&mut CK_GCM_MESSAGE_PARAMS), size: CK_ULONG| {
        let mut gcm = Gcm::new(CKG_GENERATE);
        change(&mut gcm.parameter);
        let parameter = (&raw mut gcm.parameter).cast();
        call!(C_EncryptMessageBegin(
            SESSION,
            parameter,
            size,
            ptr::null_mut(),
            0
        ))
    };
    let size = size_of::<CK_GCM_MESSAGE_PARAMS>() as CK_ULONG;
    assert_eq!(begin(&|_| {}, size), ckr::OK);
    assert_eq!(begin(&|_| {}, size - 1), ckr::MECHANISM_PARAM_INVALID);
    let bad: [&dyn Fn(&mut CK_GCM_MESSAGE_PARAMS); 5] = [
        &|parameter| parameter.pIv = ptr::null_mut(),
        &|parameter| parameter.ulIvLen = CK_ULONG::MAX,
        &|parameter| parameter.ulIvLen = 33,
        &|parameter| parameter.ulTagBits = 129,
        &|parameter| parameter.ulTagBits = CK_ULONG::MAX,
    ];
    for change in bad {
        assert_eq!(begin(change, size), ckr::MECHANISM_PARAM_INVALID);
    }
    let absurd = call!(C_EncryptMessageBegin(
        SESSION,
        ptr::null_mut(),
        CK_ULONG::MAX,
        ptr::null_mut(),
        0
    ));
    assert_eq!(absurd, ckr::ARGUMENTS_BAD);
    assert_eq!(calls().len(), 1, "only the good one reached the session");
}

#[test]
fn ccm_and_poly1305_have_structures_of_their_own() {
    let (mut iv, mut tag) = ([1_u8; 12], [2_u8; 16]);
    begun(CKM_AES_CCM);
    let mut ccm = CK_CCM_MESSAGE_PARAMS {
        ulDataLen: 4,
        pNonce: iv.as_mut_ptr(),
        ulNonceLen: 12,
        ulNonceFixedBits: 0,
        nonceGenerator: CKG_GENERATE_COUNTER,
        pMAC: tag.as_mut_ptr(),
        ulMACLen: 16,
    };
    let size = size_of_val(&ccm) as CK_ULONG;
    let done = call!(C_EncryptMessageBegin(
        SESSION,
        (&raw mut ccm).cast(),
        size,
        ptr::null_mut(),
        0
    ));
    assert_eq!((done, iv, tag), (ckr::OK, [7; 12], [8; 16]));

    begun(CKM_CHACHA20_POLY1305);
    world(|world| world.made.0.clear());
    tag = [0; 16];
    for length in [12, 96] {
        let mut poly = CK_SALSA20_CHACHA20_POLY1305_MSG_PARAMS {
            pNonce: iv.as_mut_ptr(),
            ulNonceLen: length,
            pTag: tag.as_mut_ptr(),
        };
        let size = size_of_val(&poly) as CK_ULONG;
        let parameter = (&raw mut poly).cast();
        let done = call!(C_EncryptMessageBegin(
            SESSION,
            parameter,
            size,
            ptr::null_mut(),
            0
        ));
        assert_eq!((done, tag), (ckr::OK, [8; 16]));
    }
    let call = calls().pop().unwrap_or_default();
    assert!(call.contains("iv: <12 bytes>, iv_length: 96"), "{call}");
}

#[test]
fn a_part_without_a_place_for_the_signature_is_not_the_last() {
    begun(CKM_ECDSA);
    let mut data = [5_u8; 2];
    let data = data.as_mut_ptr();
    let (mut signature, mut length) = ([0_u8; 8], 8);
    let signature = signature.as_mut_ptr();
    let none = ptr::null_mut;
    let next = |signature, length| {
        call!(C_SignMessageNext(
            SESSION,
            none(),
            0,
            data,
            2,
            signature,
            length
        ))
    };
    assert_eq!(next(ptr::null_mut(), ptr::null_mut()), ckr::OK);
    assert_eq!(next(ptr::null_mut(), &raw mut length), ckr::OK);
    assert_eq!(next(signature, &raw mut length), ckr::OK);
    assert_eq!(next(signature, ptr::null_mut()), ckr::ARGUMENTS_BAD);
    let expected = [
        "message_next Sign None [5, 5] false",
        "message_next Sign None [5, 5] true",
        "message_next Sign None [5, 5] true",
    ];
    assert_eq!(calls(), expected);
    let verify = |signature, length| {
        call!(C_VerifyMessageNext(
            SESSION,
            none(),
            0,
            data,
            2,
            signature,
            length
        ))
    };
    assert_eq!(verify(ptr::null_mut(), 0), ckr::OK);
    assert_eq!(verify(signature, 1), ckr::OK);
    assert_eq!(verify(ptr::null_mut(), 1), ckr::ARGUMENTS_BAD);
    let expected = [
        "verify_message_next None [5, 5] None",
        "verify_message_next None [5, 5] Some([9])",
    ];
    assert_eq!(calls(), expected);
}

#[test]
fn a_query_for_a_ciphertext_makes_no_key() {
    world(|world| world.output = vec![9; 4]);
    let mut mechanism = CK_MECHANISM {
        mechanism: CKM_ML_KEM,
        pParameter: ptr::null_mut(),
        ulParameterLen: 0,
    };
    let mechanism = &raw mut mechanism;
    let (mut key, mut length, mut output) = (0, 4, [0_u8; 4]);
    let (place, count) = (&raw mut key, &raw mut length);
    let query = call!(C_EncapsulateKey(
        SESSION,
        mechanism,
        1,
        ptr::null_mut(),
        0,
        ptr::null_mut(),
        count,
        place
    ));
    assert_eq!((query, length, key), (ckr::OK, 4, 0));
    let output = output.as_mut_ptr();
    let count = &raw mut length;
    let made = call!(C_EncapsulateKey(
        SESSION,
        mechanism,
        1,
        ptr::null_mut(),
        0,
        output,
        count,
        place
    ));
    assert_eq!((made, length, key), (ckr::OK, 4, 42));
}

#[test]
fn a_wrapping_iv_that_the_member_makes_comes_back() {
    world(|world| {
        world.output = vec![9; 4];
        world.made = (vec![7; 12], Vec::new());
    });
    for (generator, after) in [(CKG_GENERATE, [7; 12]), (CKG_NO_GENERATE, [1; 12])] {
        let mut iv = [1_u8; 12];
        let mut parameter = CK_GCM_WRAP_PARAMS {
            pIv: iv.as_mut_ptr(),
            ulIvLen: 12,
            ivGenerator: generator,
            ulTagBits: 128,
            ..Default::default()
        };
        let mut mechanism = CK_MECHANISM {
            mechanism: CKM_AES_GCM,
            pParameter: (&raw mut parameter).cast(),
            ulParameterLen: size_of::<CK_GCM_WRAP_PARAMS>() as CK_ULONG,
        };
        let (mut wrapped, mut length) = ([0_u8; 4], 4);
        let done = call!(C_WrapKeyAuthenticated(
            SESSION,
            &raw mut mechanism,
            1,
            2,
            ptr::null_mut(),
            0,
            wrapped.as_mut_ptr(),
            &raw mut length
        ));
        assert_eq!((done, iv), (ckr::OK, after));
    }
}

#[test]
fn asynchronous_sessions_are_refused() {
    let mut handle = 0;
    let flags = CKF_SERIAL_SESSION | CKF_ASYNC_SESSION;
    let slot = super::super::double::SLOT;
    let refused = call!(C_OpenSession(
        slot,
        flags,
        ptr::null_mut(),
        None,
        &raw mut handle
    ));
    assert_eq!((refused, handle), (ckr::SESSION_ASYNC_NOT_SUPPORTED, 0));
}
