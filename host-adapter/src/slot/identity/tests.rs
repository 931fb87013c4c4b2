use super::*;

pub(in crate::slot) fn key(id: &[u8], label: &str, proof: Option<&[u8]>) -> Identity {
    Identity {
        class: ck::CKO_PRIVATE_KEY,
        token: true,
        private: true,
        key_type: Some(ck::CKK_EC),
        id: id.to_vec(),
        label: label.as_bytes().to_vec(),
        plant: None,
        proof: proof.map(|proof| (ck::CKA_EC_POINT, proof.to_vec())),
    }
}

#[test]
fn the_public_value_decides_where_both_show_it() {
    assert!(key(b"1", "k", Some(b"P")).is_same(&key(b"1", "k", Some(b"P"))));
    assert!(!key(b"1", "k", Some(b"P")).is_same(&key(b"1", "k", Some(b"Q"))));
}

#[test]
fn the_id_has_to_do_where_one_does_not_show_it() {
    assert!(key(b"1", "k", None).is_same(&key(b"1", "k", Some(b"P"))));
    assert!(key(b"1", "k", None).is_same(&key(b"1", "k", None)));
    assert!(
        !key(b"", "k", None).is_same(&key(b"", "k", None)),
        "a label alone is not enough"
    );
    assert!(!key(b"", "k", None).is_same(&key(b"", "k", Some(b"P"))));
}

#[test]
fn names_must_agree() {
    assert!(!key(b"1", "k", Some(b"P")).is_same(&key(b"2", "k", Some(b"P"))));
    assert!(!key(b"1", "k", Some(b"P")).is_same(&key(b"1", "l", Some(b"P"))));
    let public = Identity {
        class: ck::CKO_PUBLIC_KEY,
        ..key(b"1", "k", Some(b"P"))
    };
    assert!(!public.is_same(&key(b"1", "k", Some(b"P"))));
    // An id and a label that only together read the same.
    assert!(!key(b"1a", "b", None).is_same(&key(b"1", "ab", None)));
}

#[test]
fn a_session_object_is_never_the_same_as_another() {
    let session = Identity {
        token: false,
        ..key(b"1", "k", Some(b"P"))
    };
    assert!(!session.is_telling());
    assert!(!session.is_same(&session.clone()));
}

#[test]
fn a_search_names_what_the_object_has() {
    let kinds = |identity: &Identity| {
        identity.search(|template| {
            template
                .iter()
                .map(|attribute| attribute.kind)
                .collect::<Vec<_>>()
        })
    };
    let full = [
        ck::CKA_CLASS,
        ck::CKA_TOKEN,
        ck::CKA_KEY_TYPE,
        ck::CKA_ID,
        ck::CKA_LABEL,
    ];
    assert_eq!(kinds(&key(b"1", "k", None)), full);
    let certificate = Identity {
        class: ck::CKO_CERTIFICATE,
        key_type: None,
        ..key(b"", "", Some(b"V"))
    };
    assert_eq!(kinds(&certificate), [ck::CKA_CLASS, ck::CKA_TOKEN]);
}

#[test]
fn a_keys_own_value_is_never_asked_for() {
    for class in [ck::CKO_PRIVATE_KEY, ck::CKO_PUBLIC_KEY, ck::CKO_SECRET_KEY] {
        let identity = Identity {
            class,
            ..Identity::default()
        };
        assert!(!identity.proofs().contains(&ck::CKA_VALUE));
        assert!(!identity.proofs().is_empty());
    }
}
