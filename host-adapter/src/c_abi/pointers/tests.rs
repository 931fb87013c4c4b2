use std::ptr;

use cryptoki_sys::{CKA_ID, CKA_WRAP_TEMPLATE};

use super::*;

#[test]
fn nothing_is_an_empty_slice_whatever_the_pointer() {
    let dangling = ptr::without_provenance_mut::<u64>(3);
    assert_eq!(caller().slice::<u64>(ptr::null(), 0), Ok(&[][..]));
    assert_eq!(caller().slice(dangling, 0), Ok(&[][..]));
    assert_eq!(
        caller().slice_mut::<u64>(ptr::null_mut(), 0),
        Ok(&mut [][..])
    );
}

#[test]
fn a_slice_is_what_is_there() {
    let mut numbers = [1_u64, 2, 3];
    assert_eq!(caller().slice(numbers.as_ptr(), 2), Ok(&[1, 2][..]));
    caller()
        .slice_mut(numbers.as_mut_ptr(), 3)
        .expect("a slice")[2] = 9;
    assert_eq!(numbers, [1, 2, 9]);
}

#[test]
fn memory_that_cannot_exist_is_arguments_bad() {
    let number = 1_u64;
    let there = &raw const number;
    let bad = Err(ckr::ARGUMENTS_BAD);
    assert_eq!(caller().slice::<u64>(ptr::null(), 1), bad, "null");
    assert_eq!(
        caller().slice(there, isize::MAX as u64 / 8 + 1),
        bad,
        "too long in bytes"
    );
    assert_eq!(
        caller().slice(there, u64::MAX),
        bad,
        "the product wraps around"
    );
    assert_eq!(
        caller().slice(there.wrapping_byte_add(1), 1),
        bad,
        "between two numbers"
    );
    let last = ptr::without_provenance::<u64>(usize::MAX - 7);
    assert_eq!(caller().slice(last, 1), bad, "beyond the last address");
}

#[test]
fn a_null_place_is_arguments_bad() {
    assert!(matches!(
        caller().place::<u64>(ptr::null_mut()),
        Err(ckr::ARGUMENTS_BAD)
    ));
    assert!(matches!(
        caller().label(ptr::null()),
        Err(ckr::ARGUMENTS_BAD)
    ));
}

#[test]
fn a_place_needs_no_alignment() {
    let mut bytes = [0_u8; 9];
    let place = caller().place(bytes.as_mut_ptr().wrapping_add(1).cast::<u64>());
    place.expect("a place").set(u64::MAX);
    assert_eq!(bytes, [0, 255, 255, 255, 255, 255, 255, 255, 255]);
}

#[test]
fn room_that_no_memory_has_is_arguments_bad() {
    let mut value = [0_u8; 24];
    let mut attribute = |kind, length| CK_ATTRIBUTE {
        type_: kind,
        pValue: value.as_mut_ptr().cast(),
        ulValueLen: length,
    };
    let asked = |attribute: CK_ATTRIBUTE| {
        Scratch::with(|scratch| caller().wanted(&raw const attribute, 1, scratch).map(drop))
    };
    assert_eq!(asked(attribute(CKA_ID, 24)), Ok(()));
    assert_eq!(asked(attribute(CKA_ID, u64::MAX)), Err(ckr::ARGUMENTS_BAD));
    assert_eq!(
        asked(attribute(CKA_ID, i64::MAX as u64 + 1)),
        Err(ckr::ARGUMENTS_BAD)
    );
    assert_eq!(
        asked(attribute(CKA_WRAP_TEMPLATE, u64::MAX)),
        Err(ckr::ARGUMENTS_BAD)
    );
    let question = CK_ATTRIBUTE {
        pValue: ptr::null_mut(),
        ..attribute(CKA_ID, u64::MAX)
    };
    assert_eq!(asked(question), Ok(()), "its length is not looked at");
}

#[test]
fn a_text_is_read_no_further_than_the_first_difference() {
    let page = b"PKCS".to_vec();
    assert!(!caller().text_is(b"Q".as_ptr(), c"PKCS 11"));
    assert!(!caller().text_is(c"PKCS 1".as_ptr().cast(), c"PKCS 11"));
    assert!(!caller().text_is(c"PKCS 111".as_ptr().cast(), c"PKCS 11"));
    assert!(caller().text_is(c"PKCS 11".as_ptr().cast(), c"PKCS 11"));
    assert!(!caller().text_is(page.as_ptr(), c"PKX"));
}

#[test]
fn a_pin_is_null_or_bytes() {
    assert_eq!(caller().pin(ptr::null(), 4), Ok(None));
    assert_eq!(caller().pin(b"12".as_ptr(), 2), Ok(Some(&b"12"[..])));
    assert_eq!(caller().pin(b"12".as_ptr(), 0), Ok(Some(&b""[..])));
    assert_eq!(
        caller().pin(b"12".as_ptr(), u64::MAX),
        Err(ckr::ARGUMENTS_BAD)
    );
}

#[test]
fn the_length_of_a_query_is_written_but_not_read() {
    let mut length = u64::MAX;
    let place = caller()
        .output(ptr::null_mut(), &raw mut length)
        .expect("a place");
    let filled = place.fill(|output| {
        assert!(matches!(output, Output::Query));
        Ok(12)
    });
    assert_eq!((filled, length), (Ok(()), 12));
}

#[test]
fn overlapping_is_told_to_the_byte() {
    let mut memory = [0_u8; 12];
    let start = memory.as_mut_ptr();
    let at = |offset: usize, length| {
        Stretch::new(start.wrapping_add(offset), length).expect("a stretch")
    };
    let middle = at(4, 4);
    assert!(!middle.overlaps(&at(0, 4)));
    assert!(middle.overlaps(&at(1, 4)));
    assert!(middle.overlaps(&at(5, 2)));
    assert!(middle.overlaps(&at(7, 4)));
    assert!(!middle.overlaps(&at(8, 4)));
}

const fn caller() -> Caller<'static> {
    // SAFETY: the tests' pointers lead to variables that are there as long as what comes of them is used.
    unsafe { Caller::new() }
}
