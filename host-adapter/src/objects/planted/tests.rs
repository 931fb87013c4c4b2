use super::*;

const PLANT: Plant = Plant {
    mark: 0xfeed_0000_0000_0001,
    attempt: 3,
};

#[test]
fn what_is_put_on_comes_off_again() {
    for label in [&b""[..], b"mine", b"\xff\x00", &[b'x'; 4096]] {
        let planted = label_with(PLANT, label);
        assert_eq!(plant_of(&planted), Some(PLANT));
        assert_eq!(label_of(&planted), label);
    }
}

#[test]
fn a_label_of_the_applications_is_left_alone() {
    let other = String::from_utf8(label_with(PLANT, b"")).expect("it is ASCII");
    for label in [
        String::new(),
        "key".to_owned(),
        HEAD.to_owned(),
        other.replace('f', "F"),
        other.replace(".03:", ".+3:"),
        other.replace(':', "."),
    ] {
        assert_eq!(plant_of(label.as_bytes()), None, "{label}");
        assert_eq!(label_of(label.as_bytes()), label.as_bytes());
    }
}
