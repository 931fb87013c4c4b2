use super::{AUTHENTICATED, ENCIPHERED_ALIKE, Nonce, Replayable, Usage, replayable, signing};
use crate::Effect;

const RSA_PKCS: u64 = 0x0001;
const AES_CBC: u64 = 0x1082;
const AES_GCM: u64 = 0x1087;
const SKIPJACK_CBC64: u64 = 0x1002;
const ECDSA_SHA256: u64 = 0x1044;
const VENDORS: u64 = 0x8000_0001;

#[test]
fn what_puts_nothing_out_before_its_end_may_be_replayed_whatever_it_is() {
    for mechanism in [ECDSA_SHA256, AES_CBC, VENDORS, u64::MAX] {
        assert_eq!(
            replayable(Usage::OutputAtTheEnd, mechanism, Nonce::Callers),
            Replayable::UntilOutput
        );
    }
}

#[test]
fn a_ciphertext_decrypts_alike() {
    for mechanism in [AES_GCM, RSA_PKCS, VENDORS] {
        assert_eq!(
            replayable(Usage::Decrypts, mechanism, Nonce::Callers),
            Replayable::Alike
        );
    }
}

#[test]
fn a_cipher_is_replayed_only_if_its_output_follows_from_its_inputs() {
    let of = |mechanism, nonce| replayable(Usage::Encrypts, mechanism, nonce);
    for mechanism in [AES_CBC, AES_GCM, 0x0003, 0x4020, 0x1086] {
        assert_eq!(of(mechanism, Nonce::Callers), Replayable::Alike);
    }
    for mechanism in [RSA_PKCS, 0x0009, SKIPJACK_CBC64, VENDORS] {
        assert_eq!(of(mechanism, Nonce::Callers), Replayable::UntilOutput);
    }
}

#[test]
fn a_nonce_that_a_member_made_is_made_by_no_other() {
    for mechanism in AUTHENTICATED.into_iter().flatten() {
        assert_eq!(
            replayable(Usage::Encrypts, mechanism, Nonce::Members),
            Replayable::Never
        );
    }
    assert_eq!(
        replayable(Usage::Encrypts, AES_CBC, Nonce::Members),
        Replayable::UntilOutput
    );
}

#[test]
fn a_hash_based_signature_with_state_uses_its_key_up() {
    for mechanism in [0x4033, 0x4036, 0x4037] {
        assert_eq!(signing(mechanism), Effect::ConsumesKey);
    }
    for mechanism in [ECDSA_SHA256, VENDORS] {
        assert_eq!(signing(mechanism), Effect::Computes);
    }
}

#[test]
fn the_list_is_in_order_and_names_nothing_twice() {
    let ends = ENCIPHERED_ALIKE.windows(2);
    for pair in ends {
        assert!(pair[0].end() < pair[1].start(), "{pair:?}");
    }
}
