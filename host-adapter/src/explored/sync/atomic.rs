//! loom takes `SeqCst` for `AcqRel` and knows the one order of all such steps of fences only, so here each such step has them.

pub(crate) use loom::sync::atomic::Ordering;
use loom::sync::atomic::fence;

fn ordered<R>(ordering: Ordering, step: impl FnOnce() -> R) -> R {
    if ordering == Ordering::SeqCst {
        fence(Ordering::SeqCst);
        let result = step();
        fence(Ordering::SeqCst);
        result
    } else {
        step()
    }
}

macro_rules! atomic {
    ($name:ident, $value:ty) => {
        #[derive(Debug, Default)]
        pub(crate) struct $name(loom::sync::atomic::$name);

        #[allow(dead_code, reason = "not each of them needs all")]
        impl $name {
            pub(crate) fn new(value: $value) -> Self {
                Self(loom::sync::atomic::$name::new(value))
            }

            pub(crate) fn load(&self, ordering: Ordering) -> $value {
                ordered(ordering, || self.0.load(ordering))
            }

            pub(crate) fn store(&self, value: $value, ordering: Ordering) {
                ordered(ordering, || self.0.store(value, ordering));
            }
        }
    };
    ($name:ident, $value:ty, counts) => {
        atomic!($name, $value);

        #[allow(dead_code, reason = "not each of them needs all")]
        impl $name {
            pub(crate) fn fetch_add(&self, value: $value, ordering: Ordering) -> $value {
                ordered(ordering, || self.0.fetch_add(value, ordering))
            }

            pub(crate) fn fetch_sub(&self, value: $value, ordering: Ordering) -> $value {
                ordered(ordering, || self.0.fetch_sub(value, ordering))
            }

            pub(crate) fn fetch_update(
                &self,
                set: Ordering,
                fetch: Ordering,
                with: impl FnMut($value) -> Option<$value>,
            ) -> Result<$value, $value> {
                ordered(set, || self.0.fetch_update(set, fetch, with))
            }
        }
    };
}

atomic!(AtomicBool, bool);
atomic!(AtomicU8, u8);
atomic!(AtomicU32, u32, counts);
atomic!(AtomicU64, u64, counts);
