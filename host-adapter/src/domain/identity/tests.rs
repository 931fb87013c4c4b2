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
