use super::*;

const TRUSTED: Protection = Protection { trusted: true };
const UNTRUSTED: Protection = Protection { trusted: false };

fn made(template: &Attributes, making: Making) -> Remembered {
    as_made(template, making, TRUSTED).1
}

fn asked(extractable: bool, sensitive: bool) -> Attributes {
    Attributes::new()
        .flags(&[ck::CKA_EXTRACTABLE], extractable)
        .flags(&[ck::CKA_SENSITIVE], sensitive)
}

#[test]
fn an_unextractable_key_leaves_only_under_the_domain_key_and_says_so() {
    let (given, remembered) = as_made(&asked(false, true), Making::Generate(0x1080), TRUSTED);
    for kind in [
        ck::CKA_EXTRACTABLE,
        ck::CKA_SENSITIVE,
        ck::CKA_WRAP_WITH_TRUSTED,
    ] {
        assert_eq!(given.flag(kind), Some(true), "{kind:#x}");
    }
    let answers = [
        (ck::CKA_EXTRACTABLE, 0),
        (ck::CKA_NEVER_EXTRACTABLE, 1),
        (ck::CKA_SENSITIVE, 1),
        (ck::CKA_ALWAYS_SENSITIVE, 1),
        (ck::CKA_LOCAL, 1),
        (ck::CKA_WRAP_WITH_TRUSTED, 0),
    ];
    for (kind, value) in answers {
        assert_eq!(answer(kind, &remembered), Some(vec![value]), "{kind:#x}");
    }
    assert_eq!(
        answer(ck::CKA_KEY_GEN_MECHANISM, &remembered),
        Some(0x1080_u64.to_ne_bytes().to_vec())
    );
    assert_eq!(answer(ck::CKA_LABEL, &remembered), None);
    assert_eq!(may_wrap(&remembered, true), Err(ckr::KEY_UNEXTRACTABLE));
}

#[test]
fn where_the_domain_key_is_not_trusted_a_key_is_not_bound_to_trusted_ones() {
    let (given, _) = as_made(&asked(false, true), Making::Import, UNTRUSTED);
    assert_eq!(given.flag(ck::CKA_WRAP_WITH_TRUSTED), None);
    assert_eq!(given.flag(ck::CKA_EXTRACTABLE), Some(true));
}

#[test]
fn what_is_not_asked_for_is_as_on_a_token_that_gives_nothing_away() {
    let remembered = made(&Attributes::new(), Making::Generate(1));
    assert!(!remembered.extractable && remembered.sensitive);
    assert!(remembered.never_extractable && remembered.always_sensitive);
}

#[test]
fn the_value_of_an_unextractable_key_is_not_shown_though_it_is_not_sensitive() {
    let (given, remembered) = as_made(&asked(false, false), Making::Generate(1), TRUSTED);
    assert_eq!(given.flag(ck::CKA_SENSITIVE), Some(true));
    assert!(!remembered.sensitive && !remembered.always_sensitive);
}

#[test]
fn an_extractable_key_is_the_applications_to_wrap() {
    let (given, remembered) = as_made(&asked(true, false), Making::Generate(1), TRUSTED);
    assert_eq!(given.flag(ck::CKA_SENSITIVE), Some(false));
    assert_eq!(given.flag(ck::CKA_WRAP_WITH_TRUSTED), None);
    assert!(!remembered.never_extractable);
    assert_eq!(may_wrap(&remembered, false), Ok(()));
    let bound = Remembered {
        wrap_with_trusted: true,
        ..remembered
    };
    assert_eq!(may_wrap(&bound, false), Err(ckr::KEY_NOT_WRAPPABLE));
    assert_eq!(may_wrap(&bound, true), Ok(()));
}

#[test]
fn a_key_that_was_known_outside_was_not_always_secret() {
    for making in [Making::Import, Making::Derive(None)] {
        let remembered = made(&asked(false, true), making);
        assert!(!remembered.never_extractable && !remembered.always_sensitive);
        assert!(!remembered.local);
        assert_eq!(
            answer(ck::CKA_KEY_GEN_MECHANISM, &remembered),
            Some(ck::CK_UNAVAILABLE_INFORMATION.to_ne_bytes().to_vec())
        );
    }
    let base = made(&asked(false, true), Making::Generate(1));
    let derived = made(&asked(false, true), Making::Derive(Some(base)));
    assert!(derived.never_extractable && derived.always_sensitive && !derived.local);
    let copied = made(&Attributes::new(), Making::Copy(base));
    assert_eq!(copied, base);
}

#[test]
fn flags_go_one_way_only() {
    let open = made(&asked(true, false), Making::Generate(1));
    let (given, closed) = as_changed(&asked(false, true), open, TRUSTED).expect("it may be closed");
    assert!(!closed.extractable && closed.sensitive);
    assert!(!closed.never_extractable && !closed.always_sensitive);
    assert_eq!(given.flag(ck::CKA_EXTRACTABLE), None);
    assert_eq!(given.flag(ck::CKA_SENSITIVE), Some(true));
    assert_eq!(given.flag(ck::CKA_WRAP_WITH_TRUSTED), Some(true));
    for back in [asked(true, true), asked(false, false)] {
        assert_eq!(
            as_changed(&back, closed, TRUSTED),
            Err(ckr::ATTRIBUTE_READ_ONLY)
        );
    }
    let local = Attributes::new().flags(&[ck::CKA_LOCAL], true);
    assert_eq!(
        as_changed(&local, closed, TRUSTED),
        Err(ckr::ATTRIBUTE_READ_ONLY)
    );
    let label = Attributes::new().bytes(ck::CKA_LABEL, b"new");
    let unchanged = as_changed(&label, closed, TRUSTED).expect("a label may change");
    assert_eq!(unchanged, (label, closed));
}

#[test]
fn a_copy_is_never_kept_less_closely_than_its_original() {
    let open = Remembered {
        extractable: true,
        never_extractable: false,
        sensitive: false,
        always_sensitive: false,
        wrap_with_trusted: false,
        local: true,
        generated_by: None,
        modifiable: true,
        destroyable: true,
    };
    let closed = Remembered {
        extractable: false,
        sensitive: true,
        wrap_with_trusted: true,
        ..open
    };
    let template = |kind, value| Attributes::new().flags(&[kind], value);
    let copied = |original, kind, value| {
        as_copied(&template(kind, value), original, TRUSTED).map(|(given, after)| {
            let extractable = given.get(ck::CKA_EXTRACTABLE).is_some();
            (extractable, after.extractable, after.sensitive)
        })
    };
    assert_eq!(
        copied(open, ck::CKA_EXTRACTABLE, false),
        Ok((false, false, false))
    );
    assert_eq!(
        copied(closed, ck::CKA_EXTRACTABLE, false),
        Ok((false, false, true))
    );
    for (kind, value) in [
        (ck::CKA_EXTRACTABLE, true),
        (ck::CKA_SENSITIVE, false),
        (ck::CKA_WRAP_WITH_TRUSTED, false),
    ] {
        let refused = copied(closed, kind, value);
        assert_eq!(refused, Err(ckr::TEMPLATE_INCONSISTENT));
    }
}
