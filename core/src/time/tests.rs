use core::time::Duration;

use super::Instant;

const LAST: Instant = Instant::from_millis(u64::MAX);

#[test]
fn a_part_of_a_millisecond_counts_as_a_whole_one() {
    let later = |duration| Instant::from_millis(5).saturating_add(duration).as_millis();
    assert_eq!(later(Duration::ZERO), 5);
    assert_eq!(later(Duration::from_nanos(1)), 6);
    assert_eq!(later(Duration::from_millis(1)), 6);
    assert_eq!(later(Duration::from_micros(1001)), 7);
    assert_eq!(later(Duration::from_secs(60)), 60_005);
}

#[test]
fn sums_end_at_the_end_of_time() {
    assert_eq!(LAST.saturating_add(Duration::from_millis(1)), LAST);
    assert_eq!(Instant::ZERO.saturating_add(Duration::MAX), LAST);
}

#[test]
fn the_time_since_a_later_instant_is_none() {
    let (early, late) = (Instant::from_millis(10), Instant::from_millis(25));
    assert_eq!(
        late.saturating_duration_since(early),
        Duration::from_millis(15)
    );
    assert_eq!(early.saturating_duration_since(late), Duration::ZERO);
}

#[test]
fn the_start_of_time_moves_no_instant_below_itself() {
    let instant = Instant::from_millis(10);
    assert_eq!(
        instant.rebase(Duration::from_millis(4)),
        Instant::from_millis(6)
    );
    assert_eq!(instant.rebase(Duration::from_millis(40)), Instant::ZERO);
}
