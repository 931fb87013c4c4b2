//! A value that is replaced now and then while others read it.

use std::fmt::{self, Debug, Formatter};
use std::ops::Deref;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A value that is read without a lock and replaced now and then, by an operator.
///
/// What was read stays valid for as long as this lives, so a call keeps what it began with; therefore all former values are kept, too. It is
/// for what a person changes, not for what a program does.
pub(crate) struct Live<T> {
    first: T,
    later: boxcar::Vec<T>,
    /// How many of `later` there have been; the first is read in fewer steps, and mostly it is all there ever is.
    current: AtomicUsize,
}

impl<T> Live<T> {
    pub(crate) const fn new(first: T) -> Self {
        Self {
            first,
            later: boxcar::Vec::new(),
            current: AtomicUsize::new(0),
        }
    }

    /// Who reads from now on reads `value`. Of two at the same time either may be the last.
    pub(crate) fn replace(&self, value: T) {
        let index = self.later.push(value);
        self.current.store(index + 1, Ordering::Release);
    }
}

impl<T> Deref for Live<T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        match self.current.load(Ordering::Acquire) {
            0 => &self.first,
            current => &self.later[current - 1],
        }
    }
}

impl<T: Debug> Debug for Live<T> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_read_stays_valid_and_what_is_read_is_the_last() {
        let value = Live::new("first".to_owned());
        let first: &str = &value;
        value.replace("second".to_owned());
        let second: &str = &value;
        value.replace("third".to_owned());
        assert_eq!(
            (first, second, value.as_str()),
            ("first", "second", "third")
        );
    }
}
