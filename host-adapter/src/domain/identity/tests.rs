use super::*;

fn names() -> Attributes {
    Attributes::new()
        .number(ck::CKA_CLASS, ck::CKO_SECRET_KEY)
        .number(ck::CKA_KEY_TYPE, ck::CKK_AES)
}

#[test]
fn an_attribute_that_is_empty_is_as_one_that_is_not_there() {
    let of = |names: &Attributes| Fingerprint::of_names(names, Some(b"kcv"));
    for kind in [ck::CKA_ID, ck::CKA_LABEL] {
        assert_eq!(of(&names()), of(&names().bytes(kind, b"")));
        assert_ne!(of(&names()), of(&names().bytes(kind, b"x")));
    }
}

#[test]
fn what_one_attribute_says_is_not_what_another_says() {
    let of = |kind| Fingerprint::of_names(&names().bytes(kind, b"x"), None);
    assert_ne!(of(ck::CKA_ID), of(ck::CKA_LABEL));
}

fn private(label: &[u8]) -> Attributes {
    Attributes::new()
        .number(ck::CKA_CLASS, ck::CKO_PRIVATE_KEY)
        .number(ck::CKA_KEY_TYPE, ck::CKK_EC)
        .bytes(ck::CKA_ID, b"1")
        .bytes(ck::CKA_LABEL, label)
}

/// A private key with these public keys beside it, each a label and a value.
fn shown(beside: &[(&[u8], &[u8])]) -> Shown {
    let owned = |(label, value): &(&[u8], &[u8])| (label.to_vec(), value.to_vec());
    let beside: Vec<_> = beside.iter().map(owned).collect();
    Shown::with(&private(b"key"), None, &beside)
}

fn with(value: &[u8]) -> Fingerprint {
    Fingerprint::of_names(&private(b"key"), Some(value))
}

fn live(fingerprint: Fingerprint) -> Candidate {
    Candidate {
        fingerprint,
        gone: false,
        is_held: false,
    }
}

fn held(candidate: Candidate) -> Candidate {
    Candidate {
        is_held: true,
        ..candidate
    }
}

fn gone(candidate: Candidate) -> Candidate {
    Candidate {
        gone: true,
        ..candidate
    }
}

#[test]
fn what_shows_its_own_value_is_known_by_that_whatever_is_on_record() {
    let shown = Shown::with(&private(b"key"), Some(b"own"), &[]);
    assert_eq!(shown.known_as(&[held(live(with(b"other")))]), with(b"own"));
    assert_eq!(shown.open_name(), None);
}

#[test]
fn a_private_key_that_is_not_on_record_is_known_by_the_one_public_key_beside_it() {
    let bare = Fingerprint::of_names(&private(b"key"), None);
    assert_eq!(shown(&[]).fingerprint(), bare);
    assert_eq!(shown(&[]).bare(), Some(bare));
    assert_eq!(shown(&[(b"any", b"P")]).fingerprint(), with(b"P"));
    let several = shown(&[(b"any", b"P"), (b"other", b"Q")]);
    assert_eq!(several.fingerprint(), bare);
    let one_is_called_so = shown(&[(b"key", b"P"), (b"other", b"Q")]);
    assert_eq!(one_is_called_so.fingerprint(), with(b"P"));
}

#[test]
fn a_private_key_stays_what_it_was_when_its_public_key_goes_or_comes() {
    let recorded = live(with(b"P"));
    assert_eq!(shown(&[]).known_as(&[recorded]), with(b"P"));
    assert_eq!(shown(&[]).known_as(&[gone(recorded)]), with(b"P"));
    let without = live(shown(&[]).fingerprint());
    for label in [b"key", b"any"] {
        let shown = shown(&[(label, b"P")]);
        assert_eq!(shown.known_as(&[without]), without.fingerprint);
    }
}

#[test]
fn a_private_key_of_another_value_is_another_key() {
    let shown = shown(&[(b"key", b"Q")]);
    assert_eq!(shown.known_as(&[live(with(b"P"))]), with(b"Q"));
    assert_eq!(shown.known_as(&[gone(live(with(b"P")))]), with(b"Q"));
}

#[test]
fn a_public_key_of_another_name_that_does_not_agree_tells_nothing() {
    let shown = shown(&[(b"newer", b"Q")]);
    assert_eq!(shown.known_as(&[held(live(with(b"P")))]), with(b"P"));
}

#[test]
fn of_two_on_record_under_one_name_it_is_the_one_that_agrees_or_the_member_holds_or_lives() {
    let (old, new) = (gone(live(with(b"P"))), live(with(b"Q")));
    assert_eq!(shown(&[(b"key", b"P")]).known_as(&[old, new]), with(b"P"));
    assert_eq!(shown(&[(b"key", b"Q")]).known_as(&[old, new]), with(b"Q"));
    assert_eq!(shown(&[]).known_as(&[held(old), new]), with(b"P"));
    assert_eq!(shown(&[]).known_as(&[old, new]), with(b"Q"));
    let twins = [new, live(with(b"P"))];
    assert_eq!(shown(&[]).known_as(&twins), shown(&[]).fingerprint());
}
