use super::*;

fn attribute(kind: u64, value: &[u8]) -> Attribute<'_> {
    Attribute {
        kind,
        value: Value::Bytes(Bytes(value)),
    }
}

fn kept(recipe: &Recipe) -> Vec<(u64, Vec<u8>)> {
    let value = |(kind, value): &(u64, Zeroizing<Vec<u8>>)| (*kind, value.to_vec());
    recipe.0.iter().map(value).collect()
}

#[test]
fn a_change_takes_the_place_of_what_was_there_and_never_makes_a_token_object() {
    let made = [
        attribute(ck::CKA_LABEL, b"one"),
        attribute(ck::CKA_VALUE, b"value"),
        attribute(ck::CKA_TOKEN, &[0]),
    ];
    let recipe = Recipe::of(List::Items(&made)).expect("no template is in it");
    let change = [
        attribute(ck::CKA_LABEL, b"two"),
        attribute(ck::CKA_TOKEN, &[1]),
    ];
    let changed = recipe
        .with_changes(List::Items(&change))
        .expect("nothing is hidden");
    let expected = [(ck::CKA_VALUE, &b"value"[..]), (ck::CKA_LABEL, b"two")];
    assert_eq!(
        kept(&changed),
        expected.map(|(kind, value)| (kind, value.to_vec()))
    );
}

#[test]
fn what_hides_the_value_ends_the_keeping_of_it() {
    let recipe = Recipe::of(List::Items(&[attribute(ck::CKA_VALUE, b"value")]))
        .expect("no template is in it");
    for hidden in [
        attribute(ck::CKA_SENSITIVE, &[1]),
        attribute(ck::CKA_EXTRACTABLE, &[0]),
    ] {
        assert!(recipe.with_changes(List::Items(&[hidden])).is_none());
    }
    for open in [
        attribute(ck::CKA_SENSITIVE, &[0]),
        attribute(ck::CKA_EXTRACTABLE, &[1]),
    ] {
        assert!(recipe.with_changes(List::Items(&[open])).is_some());
    }
}

#[test]
fn a_template_within_a_template_is_not_kept() {
    let nested = Attribute {
        kind: ck::CKA_WRAP_TEMPLATE,
        value: Value::Template(List::EMPTY),
    };
    assert!(Recipe::of(List::Items(&[nested])).is_none());
}
