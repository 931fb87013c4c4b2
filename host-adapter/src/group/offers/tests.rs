use cryptoki_sys as ck;

use super::*;

const SHA256: u64 = ck::CKM_SHA256;
const ECDSA: u64 = ck::CKM_ECDSA;
const GCM: u64 = ck::CKM_AES_GCM;
const SIGN: u64 = ck::CKF_SIGN;
const VERIFY: u64 = ck::CKF_VERIFY;

fn has(mechanism: u64, (min_key_size, max_key_size): Sizes, flags: u64) -> Ability {
    Ability {
        mechanism,
        info: Some(MechanismInfo {
            min_key_size,
            max_key_size,
            flags,
        }),
    }
}

const fn lists(mechanism: u64) -> Ability {
    Ability {
        mechanism,
        info: None,
    }
}

/// The offer of a group of three whose first members were admitted with these abilities.
fn offers(policy: MechanismPolicy, members: &[&[Ability]]) -> Offers {
    (0..)
        .zip(members)
        .fold(Offers::unseen(policy), |offers, (member, abilities)| {
            offers.after_admission(MemberId(member), Arc::from(*abilities))
        })
}

fn common(members: &[&[Ability]]) -> Offers {
    offers(MechanismPolicy::Common, members)
}

fn any(members: &[&[Ability]]) -> Offers {
    offers(MechanismPolicy::Any, members)
}

fn sizes(offers: &Offers, mechanism: u64) -> Sizes {
    let info = offers.info(mechanism).unwrap();
    (info.min_key_size, info.max_key_size)
}

#[test]
fn common_is_what_every_member_has() {
    let offers = common(&[
        &[lists(GCM), lists(SHA256), lists(ECDSA)],
        &[lists(ECDSA), lists(GCM)],
    ]);
    assert_eq!(offers.mechanisms(), [ECDSA, GCM]);
    assert_eq!(offers.eligible(GCM, 0), Ok(EVERY_MEMBER));
    assert_eq!(offers.eligible(SHA256, 0), Err(ckr::MECHANISM_INVALID));
    assert_eq!(offers.info(SHA256), Err(ckr::MECHANISM_INVALID));
}

#[test]
fn any_is_what_some_member_has_and_goes_to_those_that_have_it() {
    let offers = any(&[&[lists(GCM), lists(SHA256)], &[lists(GCM)], &[lists(ECDSA)]]);
    assert_eq!(offers.mechanisms(), [SHA256, ECDSA, GCM]);
    let members = |mechanism| offers.eligible(mechanism, 0).unwrap().bits();
    assert_eq!(
        (members(GCM), members(SHA256), members(ECDSA)),
        (0b011, 0b001, 0b100)
    );
    assert_eq!(offers.eligible(1, 0), Err(ckr::MECHANISM_INVALID));
}

#[test]
fn a_member_that_was_never_seen_has_no_say() {
    let nobody = common(&[]);
    assert!(nobody.mechanisms().is_empty());
    assert_eq!(nobody.eligible(GCM, 0), Ok(EVERY_MEMBER));
    let one = common(&[&[lists(GCM), lists(SHA256)]]);
    assert_eq!(one.mechanisms(), [SHA256, GCM]);
    let two = one.after_admission(MemberId(2), Arc::from([lists(GCM)]));
    assert_eq!(two.mechanisms(), [GCM]);
}

#[test]
fn a_member_that_returns_counts_as_it_is_now() {
    let before = common(&[&[lists(GCM)], &[lists(GCM)]]);
    let after = before.after_admission(MemberId(1), Arc::from([lists(SHA256)]));
    assert!(after.mechanisms().is_empty());
    let again = after.after_admission(MemberId(1), Arc::from([lists(GCM), lists(SHA256)]));
    assert_eq!(again.mechanisms(), [GCM]);
}

#[test]
fn common_key_sizes_are_those_in_all_ranges() {
    let offers = common(&[
        &[has(ECDSA, (160, 384), SIGN | VERIFY), has(GCM, (16, 32), 0)],
        &[has(ECDSA, (256, 521), SIGN), lists(GCM)],
    ]);
    assert_eq!(
        offers.info(ECDSA),
        Ok(MechanismInfo {
            min_key_size: 256,
            max_key_size: 384,
            flags: SIGN
        })
    );
    assert_eq!(sizes(&offers, GCM), (16, 32));
}

#[test]
fn key_sizes_of_any_reach_from_the_smallest_to_the_largest() {
    let offers = any(&[
        &[has(ECDSA, (160, 384), VERIFY)],
        &[has(ECDSA, (256, 521), SIGN)],
    ]);
    assert_eq!(
        offers.info(ECDSA),
        Ok(MechanismInfo {
            min_key_size: 160,
            max_key_size: 521,
            flags: SIGN | VERIFY
        })
    );
}

#[test]
fn ranges_that_tell_nothing_restrict_nothing() {
    let (bits, bytes, none) = ((128, 256), (16, 32), (0, 0));
    assert_eq!(
        sizes(&common(&[&[has(GCM, bits, 0)], &[has(GCM, bytes, 0)]]), GCM),
        (16, 256)
    );
    assert_eq!(
        sizes(&common(&[&[has(GCM, none, 0)], &[has(GCM, bytes, 0)]]), GCM),
        (16, 32)
    );
    assert_eq!(
        sizes(&common(&[&[has(GCM, none, 0)], &[has(GCM, none, 0)]]), GCM),
        (0, 0)
    );
    assert_eq!(
        common(&[&[lists(GCM)]]).info(GCM),
        Err(ckr::MECHANISM_INVALID)
    );
}

#[test]
fn a_use_that_only_some_have_is_not_common() {
    let offers = common(&[
        &[has(ECDSA, (0, 0), SIGN | VERIFY)],
        &[has(ECDSA, (0, 0), SIGN)],
    ]);
    assert_eq!(offers.eligible(ECDSA, SIGN), Ok(EVERY_MEMBER));
    assert_eq!(offers.eligible(ECDSA, VERIFY), Err(ckr::MECHANISM_INVALID));
    // Nobody says so: the member that is asked tells.
    assert_eq!(offers.eligible(ECDSA, ck::CKF_DERIVE), Ok(EVERY_MEMBER));
}

#[test]
fn with_any_a_call_goes_to_those_that_have_its_use() {
    let offers = any(&[
        &[has(ECDSA, (0, 0), SIGN | VERIFY)],
        &[has(ECDSA, (0, 0), SIGN)],
    ]);
    let members = |usage| offers.eligible(ECDSA, usage).unwrap().bits();
    assert_eq!((members(SIGN), members(VERIFY)), (0b11, 0b01));
    assert_eq!(members(ck::CKF_DERIVE), 0b11);
}

#[test]
fn a_mechanism_that_is_listed_twice_is_had_once() {
    let offers = common(&[&[lists(GCM), lists(GCM)], &[lists(SHA256)]]);
    assert!(offers.mechanisms().is_empty());
}

#[test]
fn a_later_function_goes_to_those_that_have_it_for_the_mechanism() {
    let (encrypt, message) = (ck::CKF_ENCRYPT, ck::CKF_MESSAGE_ENCRYPT);
    let offers = common(&[
        &[has(GCM, (16, 32), encrypt), lists(SHA256)],
        &[has(GCM, (16, 32), encrypt | message)],
    ]);
    let members = |mechanism| offers.eligible_later(mechanism, message);
    assert_eq!(members(GCM).map(MemberSet::bits), Ok(0b10));
    assert_eq!(members(SHA256), Err(ckr::MECHANISM_INVALID));
    assert_eq!(members(ECDSA), Ok(EVERY_MEMBER));
}

#[test]
fn each_admission_makes_other_offers_of_them() {
    let offering = Offering::new(Offers::unseen(MechanismPolicy::Common));
    let mut versions = vec![offering.version()];
    for member in 0..3 {
        let abilities = Arc::from([lists(GCM)]);
        let offers = offering
            .current
            .load()
            .after_admission(MemberId(member), abilities);
        offering.replace(offers);
        assert!(!versions.contains(&offering.version()), "{versions:?}");
        versions.push(offering.version());
    }
}
