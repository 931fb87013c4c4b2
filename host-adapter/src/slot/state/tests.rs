use everslot_protocol::{Bytes, Field, List, Mechanism, ObjectHandle, Parameter};
use sha2::{Digest, Sha256};

use super::{MARK, Saved, SavedOperation, opened, stands_alone};

fn state() -> Vec<u8> {
    let saved = Saved {
        serial: "1",
        operations: vec![SavedOperation {
            begun: &[1, 2],
            key: Some([3; 32]),
            parts: vec![b"one", b"two"],
            output: (4, [5; 32]),
        }],
    };
    let body = postcard::to_stdvec(&saved).expect("it is written");
    [&MARK, &Sha256::digest(&body)[..], &body].concat()
}

#[test]
fn a_state_is_read_as_it_was_written() {
    let state = state();
    let saved = opened(&state).expect("it is whole");
    assert_eq!((saved.serial, saved.operations.len()), ("1", 1));
    let operation = &saved.operations[0];
    assert_eq!(operation.parts, [b"one", b"two"]);
    assert_eq!(operation.output, (4, [5; 32]));
}

#[test]
fn a_state_that_is_not_whole_is_refused() {
    let state = state();
    for at in 0..state.len() {
        let mut changed = state.clone();
        changed[at] ^= 1;
        assert!(opened(&changed).is_none(), "byte {at}");
        assert!(opened(&state[..at]).is_none(), "{at} bytes");
    }
    assert!(opened(&[state.as_slice(), b"x"].concat()).is_none());
}

#[test]
fn what_means_nothing_elsewhere_is_not_saved() {
    let of = |kind, parameter| stands_alone(&Mechanism { kind, parameter });
    let fields = [Field::Object(ObjectHandle(1))];
    assert!(of(
        cryptoki_sys::CKM_AES_CBC,
        Parameter::Flat(Bytes(&[1; 16]))
    ));
    assert!(!of(0x8000_0001, Parameter::Flat(Bytes(&[1; 16]))));
    assert!(!of(
        cryptoki_sys::CKM_CONCATENATE_BASE_AND_KEY,
        Parameter::Fields(List::Items(&fields))
    ));
}
