use super::{Full, OutputHash, Part, Transcript};

const MUCH: usize = 1 << 20;

#[test]
fn parts_come_back_as_they_went_in() {
    let mut transcript = Transcript::default();
    let parts = [
        Part::Data(b"one"),
        Part::Data(b""),
        Part::Key(7),
        Part::Data(&[3; 5000]),
    ];
    for part in parts {
        transcript.record(part, b"", MUCH).expect("there is room");
    }
    let back: Vec<_> = (0..4)
        .filter_map(|number| transcript.part(number))
        .collect();
    assert_eq!(back, parts);
    assert_eq!(transcript.parts().collect::<Vec<_>>(), parts);
    assert_eq!(transcript.part(4), None);
}

#[test]
fn it_is_bounded_by_its_data_and_by_the_number_of_its_parts() {
    let mut transcript = Transcript::default();
    transcript
        .record(Part::Data(&[1; 900]), b"", 1000)
        .expect("there is room");
    assert_eq!(
        transcript.record(Part::Data(&[1; 100]), b"", 1000),
        Err(Full)
    );
    let mut transcript = Transcript::default();
    let taken = (0..1000)
        .take_while(|_| transcript.record(Part::Data(b""), b"", 1000).is_ok())
        .count();
    assert!((10..100).contains(&taken), "{taken} parts of nothing");
    assert_eq!(
        Transcript::default().record(Part::Data(b""), b"", 0),
        Err(Full),
        "no transcript at all"
    );
}

#[test]
fn output_is_compared_as_a_whole_however_it_came_in_pieces() {
    let mut transcript = Transcript::default();
    for output in [b"ab".as_slice(), b"", b"c"] {
        transcript
            .record(Part::Data(b"x"), output, MUCH)
            .expect("there is room");
    }
    let of = |pieces: &[&[u8]]| {
        let mut hash = OutputHash::default();
        pieces.iter().for_each(|piece| hash.add(piece));
        hash.value()
    };
    assert_eq!(transcript.given(), of(&[b"abc"]));
    assert_ne!(transcript.given(), of(&[b"ab"]));
    assert_ne!(transcript.given(), of(&[b"abd"]));
}

#[test]
fn what_was_put_out_before_it_was_saved_is_compared_too_and_goes_on() {
    let mut replayed = OutputHash::default();
    replayed.add(b"abc");
    let mut restored = Transcript::restored(replayed.value());
    assert!(!restored.is_alike(&OutputHash::default()));
    assert!(restored.is_alike(&replayed));
    restored
        .record(Part::Data(b"x"), b"d", MUCH)
        .expect("there is room");
    replayed.add(b"d");
    assert_eq!(restored.given(), replayed.value());
    assert_eq!(
        Transcript::restored((0, [1; 32])).given(),
        OutputHash::default().value()
    );
}
