use super::*;

fn put(scratch: &Scratch) -> usize {
    std::ptr::from_ref(scratch.bump().alloc(7_u64)).addr()
}

#[test]
fn the_next_call_finds_the_memory_of_the_last_one() {
    let first = Scratch::with(put);
    assert_eq!(Scratch::with(put), first);
}

#[test]
fn nested_ones_do_not_share() {
    Scratch::with(|outer| {
        let kept = outer.bump().alloc(7_u64);
        Scratch::with(|inner| *inner.bump().alloc(8_u64) = 9);
        assert_eq!(*kept, 7);
    });
}

#[test]
fn one_that_has_grown_is_not_kept() {
    Scratch::with(|scratch| {
        scratch
            .bump()
            .alloc_slice_fill_copy(KEPT_BYTES + 1, 0_u8)
            .len()
    });
    let kept = Scratch::with(|scratch| scratch.bump().allocated_bytes());
    assert!(kept <= KEPT_BYTES, "{kept}");
}

#[test]
fn one_that_nothing_is_put_into_takes_no_memory() {
    let first = Scratch::with(put);
    let empty = Scratch::default();
    assert_eq!(Scratch::with(put), first);
    drop(empty);
}
