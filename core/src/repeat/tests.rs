use super::{Effect, Repeat, repeat};

/// S4, S12: whatever leaves a trace, or may, is not sent twice.
#[test]
fn only_what_leaves_no_trace_may_be_sent_twice() {
    for effect in [Effect::Reads, Effect::Computes] {
        assert_eq!(repeat(effect), Repeat::Safe);
    }
    for effect in [
        Effect::Creates,
        Effect::Changes,
        Effect::Authenticates,
        Effect::Administers,
        Effect::ConsumesKey,
    ] {
        assert_eq!(repeat(effect), Repeat::OnlyIfUndelivered);
    }
}
