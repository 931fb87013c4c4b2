use cryptoki_sys as ck;
use everslot_core::Replayable;
use everslot_protocol::{Bytes, Field, List, Mechanism, Operation, Parameter};
use zeroize::Zeroizing;

use super::{Begun, KEPT_BYTES, may_be_replayed};

const PLAIN: Mechanism<'_> = Mechanism {
    kind: ck::CKM_ECDSA,
    parameter: Parameter::None,
};

const fn flat(bytes: &[u8]) -> Mechanism<'_> {
    Mechanism {
        kind: ck::CKM_AES_CBC,
        parameter: Parameter::Flat(Bytes(bytes)),
    }
}

#[test]
fn a_mechanism_without_parameter_needs_no_buffer() {
    let mut spare = Zeroizing::default();
    let begun = Begun::new(Operation::Sign, PLAIN, Some(3), &mut spare);
    assert!(matches!(begun, Begun::Plain { .. }));
    assert_eq!(begun.parts(), Some((Operation::Sign, PLAIN, Some(3))));
}

#[test]
fn a_parameter_is_kept_and_its_buffer_used_again() {
    let mut spare = Zeroizing::new(Vec::with_capacity(KEPT_BYTES));
    let place = spare.as_ptr();
    for iv in [[1; 16], [2; 16]] {
        let mut begun = Begun::new(Operation::Encrypt, flat(&iv), Some(3), &mut spare);
        assert_eq!(
            begun.parts(),
            Some((Operation::Encrypt, flat(&iv), Some(3)))
        );
        begun.give_back(&mut spare);
        assert_eq!((spare.as_ptr(), spare.len()), (place, 0));
    }
    let long = vec![1; 2 * KEPT_BYTES];
    let mut begun = Begun::new(Operation::Encrypt, flat(&long), None, &mut spare);
    begun.give_back(&mut spare);
    assert!(spare.capacity() <= KEPT_BYTES, "a long one is not kept");
}

#[test]
fn a_nonce_that_is_not_given_is_the_members() {
    let gcm = |nonce| {
        let fields = [
            Field::Pointer(nonce),
            Field::Integer(96),
            Field::Pointer(None),
            Field::Integer(128),
        ];
        may_be_replayed(
            Operation::Encrypt,
            &Mechanism {
                kind: ck::CKM_AES_GCM,
                parameter: Parameter::Fields(List::Items(&fields)),
            },
        )
    };
    assert_eq!(gcm(Some(Bytes(&[1; 12]))), Replayable::Alike);
    assert_eq!(gcm(Some(Bytes(&[]))), Replayable::Never);
    assert_eq!(gcm(None), Replayable::Never);
}

#[test]
fn what_a_hidden_address_may_point_at_is_not_read_later() {
    let vendors = Mechanism {
        kind: 0x8000_0001,
        ..flat(&[1; 16])
    };
    assert_eq!(
        may_be_replayed(Operation::Sign, &vendors),
        Replayable::Never
    );
    assert_eq!(
        may_be_replayed(Operation::Sign, &PLAIN),
        Replayable::UntilOutput
    );
}
