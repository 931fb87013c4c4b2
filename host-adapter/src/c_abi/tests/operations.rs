use std::ptr;

use cryptoki_sys::{CK_MECHANISM, CKM_ECDSA};
use everslot_core::ckr;

use super::super::double::{SESSION, calls, world};
use super::call;

const OUTPUT: [u8; 4] = [1, 2, 3, 4];

#[test]
fn a_query_a_small_buffer_and_a_large_one() {
    world(|world| world.output = OUTPUT.to_vec());
    let mut data = [5_u8];
    let data = data.as_mut_ptr();
    let mut buffer = [0; 6];
    let mut length = 77;
    let place = &raw mut length;

    assert_eq!(
        call!(C_Sign(SESSION, data, 1, ptr::null_mut(), place)),
        ckr::OK
    );
    assert_eq!(length, 4);
    length = 3;
    assert_eq!(
        call!(C_Sign(SESSION, data, 1, buffer.as_mut_ptr(), place)),
        ckr::BUFFER_TOO_SMALL
    );
    assert_eq!((length, buffer), (4, [0; 6]));
    length = 6;
    assert_eq!(
        call!(C_Sign(SESSION, data, 1, buffer.as_mut_ptr(), place)),
        ckr::OK
    );
    assert_eq!((length, buffer), (4, [1, 2, 3, 4, 0, 0]));
    assert_eq!(calls(), ["whole Sign [5]"; 3]);
}

#[test]
fn a_buffer_without_room_is_no_query() {
    world(|world| world.output = OUTPUT.to_vec());
    let mut length = 0;
    let mut buffer = [0];
    let small = call!(C_DigestFinal(SESSION, buffer.as_mut_ptr(), &raw mut length));
    assert_eq!((small, length), (ckr::BUFFER_TOO_SMALL, 4));
}

#[test]
fn another_failure_leaves_the_length_alone() {
    world(|world| world.rv = ckr::DATA_LEN_RANGE);
    let mut length = 5;
    let mut buffer = [0; 5];
    let failed = call!(C_SignFinal(SESSION, buffer.as_mut_ptr(), &raw mut length));
    assert_eq!((failed, length), (ckr::DATA_LEN_RANGE, 5));
}

#[test]
fn the_output_may_lie_over_the_input() {
    world(|world| world.output = vec![9; 4]);
    for shift in 0..8 {
        let mut memory = [0, 0, 0, 0, 1, 2, 3, 4, 0, 0, 0, 0, 0];
        let start = memory.as_mut_ptr();
        let (input, output) = (start.wrapping_add(4), start.wrapping_add(shift));
        let mut length = 4;
        let done = call!(C_EncryptUpdate(SESSION, input, 4, output, &raw mut length));
        assert_eq!((done, length), (ckr::OK, 4));
        assert_eq!(calls(), ["update_output Encrypt", "read [1, 2, 3, 4]"]);
        assert_eq!(memory[shift..shift + 4], [9; 4]);
    }
}

#[test]
fn each_function_does_its_own_operation() {
    world(|world| world.output = OUTPUT.to_vec());
    let mut memory = [6_u8; 8];
    let data = memory.as_mut_ptr();
    let mut buffer = [0_u8; 8];
    let out = buffer.as_mut_ptr();
    let mut length = 8;
    let place = &raw mut length;
    let told = |answer: everslot_core::Rv| {
        assert_eq!(answer, ckr::OK);
        calls().remove(0)
    };
    assert_eq!(
        told(call!(C_Encrypt(SESSION, data, 1, out, place))),
        "whole Encrypt [6]"
    );
    assert_eq!(
        told(call!(C_EncryptUpdate(SESSION, data, 1, out, place))),
        "update_output Encrypt"
    );
    assert_eq!(
        told(call!(C_EncryptFinal(SESSION, out, place))),
        "finish Encrypt"
    );
    assert_eq!(
        told(call!(C_Decrypt(SESSION, data, 1, out, place))),
        "whole Decrypt [6]"
    );
    assert_eq!(
        told(call!(C_DecryptUpdate(SESSION, data, 1, out, place))),
        "update_output Decrypt"
    );
    assert_eq!(
        told(call!(C_DecryptFinal(SESSION, out, place))),
        "finish Decrypt"
    );
    assert_eq!(
        told(call!(C_Digest(SESSION, data, 1, out, place))),
        "whole Digest [6]"
    );
    assert_eq!(
        told(call!(C_DigestUpdate(SESSION, data, 1))),
        "update Digest [6]"
    );
    assert_eq!(told(call!(C_DigestKey(SESSION, 3))), "digest_key 3");
    assert_eq!(
        told(call!(C_DigestFinal(SESSION, out, place))),
        "finish Digest"
    );
    assert_eq!(
        told(call!(C_SignUpdate(SESSION, data, 1))),
        "update Sign [6]"
    );
    assert_eq!(told(call!(C_SignFinal(SESSION, out, place))), "finish Sign");
    assert_eq!(
        told(call!(C_SignRecover(SESSION, data, 1, out, place))),
        "whole SignRecover [6]"
    );
    assert_eq!(
        told(call!(C_Verify(SESSION, data, 1, data, 2))),
        "verify [6] [6, 6]"
    );
    assert_eq!(
        told(call!(C_VerifyUpdate(SESSION, data, 1))),
        "update Verify [6]"
    );
    assert_eq!(
        told(call!(C_VerifyFinal(SESSION, data, 1))),
        "verify_finish [6]"
    );
    let recovered = call!(C_VerifyRecover(SESSION, data, 1, out, place));
    assert_eq!(told(recovered), "whole VerifyRecover [6]");
    let both = call!(C_DigestEncryptUpdate(SESSION, data, 1, out, place));
    assert_eq!(told(both), "dual_update DigestEncrypt [6]");
    let both = call!(C_DecryptDigestUpdate(SESSION, data, 1, out, place));
    assert_eq!(told(both), "dual_update DecryptDigest [6]");
    let both = call!(C_SignEncryptUpdate(SESSION, data, 1, out, place));
    assert_eq!(told(both), "dual_update SignEncrypt [6]");
    let both = call!(C_DecryptVerifyUpdate(SESSION, data, 1, out, place));
    assert_eq!(told(both), "dual_update DecryptVerify [6]");
    assert_eq!(
        told(call!(C_GetOperationState(SESSION, out, place))),
        "operation_state"
    );
    let set = call!(C_SetOperationState(SESSION, data, 1, 2, 3));
    assert_eq!(told(set), "set_operation_state [6] 2 3");
    assert_eq!(
        told(call!(C_SeedRandom(SESSION, data, 1))),
        "seed_random [6]"
    );
    assert_eq!(
        told(call!(C_GenerateRandom(SESSION, data, 7))),
        "generate_random 7"
    );
    assert_eq!(memory, [0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 6]);
}

#[test]
fn operations_begin_with_a_mechanism_and_end_without() {
    let mut ecdsa = CK_MECHANISM {
        mechanism: CKM_ECDSA,
        pParameter: ptr::null_mut(),
        ulParameterLen: 0,
    };
    for (mechanism, kind) in [(&raw mut ecdsa, Some(CKM_ECDSA)), (ptr::null_mut(), None)] {
        assert_eq!(call!(C_EncryptInit(SESSION, mechanism, 2)), ckr::OK);
        assert_eq!(call!(C_DecryptInit(SESSION, mechanism, 2)), ckr::OK);
        assert_eq!(call!(C_DigestInit(SESSION, mechanism)), ckr::OK);
        assert_eq!(call!(C_SignInit(SESSION, mechanism, 2)), ckr::OK);
        assert_eq!(call!(C_SignRecoverInit(SESSION, mechanism, 2)), ckr::OK);
        assert_eq!(call!(C_VerifyInit(SESSION, mechanism, 2)), ckr::OK);
        assert_eq!(call!(C_VerifyRecoverInit(SESSION, mechanism, 2)), ckr::OK);
        let expected = [
            format!("begin Encrypt {kind:?} Some(2)"),
            format!("begin Decrypt {kind:?} Some(2)"),
            format!("begin Digest {kind:?} None"),
            format!("begin Sign {kind:?} Some(2)"),
            format!("begin SignRecover {kind:?} Some(2)"),
            format!("begin Verify {kind:?} Some(2)"),
            format!("begin VerifyRecover {kind:?} Some(2)"),
        ];
        assert_eq!(calls(), expected);
    }
}

#[test]
fn a_bad_argument_ends_the_operation() {
    let mut length = 8;
    let place = &raw mut length;
    let no: *mut u8 = ptr::null_mut();
    let ended = |answer: everslot_core::Rv| {
        assert_eq!(answer, ckr::ARGUMENTS_BAD);
        calls().join(" ")
    };
    assert_eq!(
        ended(call!(C_Sign(SESSION, no, 1, no, place))),
        "abandon Sign"
    );
    assert_eq!(
        ended(call!(C_Sign(SESSION, no, 0, no, ptr::null_mut()))),
        "abandon Sign"
    );
    assert_eq!(ended(call!(C_SignUpdate(SESSION, no, 1))), "abandon Sign");
    assert_eq!(
        ended(call!(C_SignFinal(SESSION, no, ptr::null_mut()))),
        "abandon Sign"
    );
    assert_eq!(
        ended(call!(C_Verify(SESSION, no, 1, no, 0))),
        "abandon Verify"
    );
    assert_eq!(
        ended(call!(C_Verify(SESSION, no, 0, no, 1))),
        "abandon Verify"
    );
    assert_eq!(
        ended(call!(C_VerifyFinal(SESSION, no, 1))),
        "abandon Verify"
    );
    assert_eq!(
        ended(call!(C_DecryptUpdate(SESSION, no, 1, no, place))),
        "abandon Decrypt"
    );
    let both = ended(call!(C_DigestEncryptUpdate(SESSION, no, 1, no, place)));
    assert_eq!(both, "abandon Digest abandon Encrypt");
    let both = ended(call!(C_DecryptDigestUpdate(SESSION, no, 1, no, place)));
    assert_eq!(both, "abandon Decrypt abandon Digest");
    let both = ended(call!(C_SignEncryptUpdate(
        SESSION,
        no,
        0,
        no,
        ptr::null_mut()
    )));
    assert_eq!(both, "abandon Sign abandon Encrypt");
    let both = ended(call!(C_DecryptVerifyUpdate(SESSION, no, 1, no, place)));
    assert_eq!(both, "abandon Decrypt abandon Verify");
}
