//! What an application was told of its objects, and what must then be on the members.

use std::collections::BTreeSet;

use cryptoki_sys::CK_OBJECT_CLASS;

use crate::client::{Failure, Object};
use crate::faults::judge::{Violation, Wrong, apart};
use crate::faults::look::{Members, Seen};

/// All objects that there ever were, in the order in which they were asked for.
#[derive(Debug, Default)]
pub(super) struct Ledger(Vec<Entry>);

/// One object.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) class: CK_OBJECT_CLASS,
    /// What begins its label, whatever it is renamed to; its `CKA_ID` too. The halves of a pair share it.
    pub(super) mark: String,
    pub(super) handle: Option<Object>,
    /// How it may be shown in the end; `None`: not at all. One that the application knows all about has one.
    may_be: BTreeSet<Option<String>>,
    was_refused: bool,
}

impl Entry {
    /// Its label, with what an update leaves behind it; none when it is gone, or when nobody can tell.
    pub(super) fn shown(&self) -> Option<&str> {
        match self.may_be.first() {
            Some(Some(shown)) if self.may_be.len() == 1 => Some(shown),
            Some(_) | None => None,
        }
    }

    /// Notes what came of a change after which it would be shown so.
    pub(super) fn changed(&mut self, told: &Result<(), Failure>, shown: Option<String>) {
        if told.is_ok() {
            self.may_be.clear();
        }
        self.may_be.insert(shown);
    }

    /// Whether nobody has asked for anything to be done to it since it was made.
    fn is_as_made(&self) -> bool {
        self.shown()
            .is_some_and(|shown| shown == format!("{}.0", self.mark))
    }

    fn is(&self, seen: &Seen) -> bool {
        let rest = seen.label.strip_prefix(&self.mark);
        self.class == seen.class && rest.is_some_and(|rest| rest.starts_with('.'))
    }

    /// What is wrong with it on one member.
    fn judge(&self, objects: &[Seen], at: &str, violations: &mut Vec<Violation>) {
        let found: Vec<&Seen> = objects.iter().filter(|seen| self.is(seen)).collect();
        let labels: BTreeSet<&str> = found.iter().map(|seen| seen.label.as_str()).collect();
        let what = format!("{} (class {}) on {at}", self.mark, self.class);
        if found.len() > labels.len() {
            violations.push(Wrong::Twin.at(&what));
        }
        let (right, wrong): (Vec<_>, Vec<_>) = labels
            .into_iter()
            .partition(|label| self.may_be.contains(&Some((*label).to_owned())));
        let superfluous = if self.was_refused {
            Wrong::LeftOver
        } else {
            Wrong::Back
        };
        for label in wrong {
            violations.push(superfluous.at(format!("{what}: {label:?}, not {:?}", self.may_be)));
        }
        if right.len() > 1 {
            violations.push(Wrong::Twin.at(format!("{what}: {right:?}")));
        }
        if right.is_empty() && !self.may_be.contains(&None) {
            violations.push(Wrong::Lost.at(format!("{what}: none of {:?}", self.may_be)));
        }
    }
}

impl Ledger {
    /// Notes what came of making an object that would be shown so.
    pub(super) fn made(
        &mut self,
        class: CK_OBJECT_CLASS,
        mark: &str,
        shown: &str,
        told: Result<Object, Failure>,
    ) {
        let was_refused = told.is_err();
        self.0.push(Entry {
            class,
            mark: mark.to_owned(),
            handle: told.ok(),
            may_be: BTreeSet::from([(!was_refused).then(|| shown.to_owned())]),
            was_refused,
        });
    }

    /// Those that are there as far as the application was told.
    pub(super) fn living(&self) -> Vec<usize> {
        let entries = self.0.iter().enumerate();
        let living = entries.filter(|(_, entry)| entry.shown().is_some());
        living.map(|(index, _)| index).collect()
    }

    /// One of those.
    pub(super) fn entry(&mut self, index: usize) -> &mut Entry {
        &mut self.0[index]
    }

    /// Whether there is, or was, such an object.
    pub(super) fn has(&self, mark: &str, class: CK_OBJECT_CLASS) -> bool {
        let mut all = self.0.iter();
        all.any(|entry| entry.mark == mark && entry.class == class)
    }

    /// The application has begun anew: handles were the old one's.
    pub(super) fn forget_handles(&mut self) {
        for entry in &mut self.0 {
            entry.handle = None;
        }
    }

    /// Takes out those that a member was killed over while it changed them, if none has them any more: at most as many as the tokens themselves have
    /// `emptied`. That may be one that was just made, when the mark of what is being made was taken off, and no other member served. How many.
    pub(super) fn forget_emptied(&mut self, emptied: usize, found: &Members) -> usize {
        let before = self.0.len();
        let is_there = |entry: &Entry| found.iter().flatten().any(|seen| entry.is(seen));
        let may_be = |entry: &Entry| entry.may_be.len() > 1 || entry.is_as_made();
        let is_emptied = |entry: &Entry| may_be(entry) && !is_there(entry);
        for _ in 0..emptied {
            if let Some(index) = self.0.iter().position(is_emptied) {
                self.0.remove(index);
            }
        }
        before - self.0.len()
    }

    /// What is wrong with what the members hold in the end.
    pub(super) fn judge(&self, found: &Members) -> Vec<Violation> {
        let mut violations = Vec::new();
        for (member, objects) in found.iter().enumerate() {
            let at = format!("m{member}");
            for entry in &self.0 {
                entry.judge(objects, &at, &mut violations);
            }
            let unknown = objects
                .iter()
                .filter(|seen| !self.0.iter().any(|entry| entry.is(seen)));
            violations.extend(unknown.map(|seen| Wrong::LeftOver.at(format!("{seen:?} on {at}"))));
        }
        violations.extend(apart(found));
        violations
    }
}

#[cfg(test)]
mod tests;
