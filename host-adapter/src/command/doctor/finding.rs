//! What the doctor finds, and how it is told.

use std::fmt::Write;

use crate::command::probe::{Double, Likeness};

/// One thing that was looked at.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Finding {
    grade: Grade,
    about: String,
    what: String,
    /// What to do.
    remedy: Option<String>,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Grade {
    Fine,
    Warning,
    Problem,
}

impl Finding {
    pub(super) fn fine(about: &str, what: impl Into<String>) -> Self {
        Self {
            grade: Grade::Fine,
            about: about.to_owned(),
            what: what.into(),
            remedy: None,
        }
    }

    /// Works, but not as well as it could.
    pub(super) fn warning(about: &str, what: impl Into<String>, remedy: &str) -> Self {
        Self {
            grade: Grade::Warning,
            remedy: Some(remedy.to_owned()),
            ..Self::fine(about, what)
        }
    }

    /// Something must be done.
    pub(super) fn problem(about: &str, what: impl Into<String>, remedy: &str) -> Self {
        Self {
            grade: Grade::Problem,
            ..Self::warning(about, what, remedy)
        }
    }

    /// An error whose line says what to do.
    pub(super) fn error(about: &str, error: &dyn std::fmt::Display) -> Self {
        Self {
            remedy: None,
            ..Self::problem(about, error.to_string(), "")
        }
    }

    pub(super) fn of_double(about: &str, double: &Double) -> Self {
        let grade = match double.likeness {
            Likeness::Same => Grade::Problem,
            Likeness::Alike => Grade::Warning,
        };
        Self {
            grade,
            ..Self::fine(about, double.line.clone())
        }
    }

    pub(super) fn is_problem(&self) -> bool {
        self.grade == Grade::Problem
    }
}

/// All of it, a line a finding, the remedy below it; then the sum.
pub(super) fn page(findings: &[Finding]) -> String {
    let mut page = String::new();
    let width = findings
        .iter()
        .map(|finding| finding.about.chars().count())
        .max();
    let width = width.unwrap_or(0);
    for finding in findings {
        let grade = match finding.grade {
            Grade::Fine => "ok",
            Grade::Warning => "warning",
            Grade::Problem => "PROBLEM",
        };
        // Writing to a string does not fail.
        let _ = writeln!(
            page,
            "{grade:<7}  {:<width$}  {}",
            finding.about, finding.what
        );
        if let Some(remedy) = &finding.remedy {
            let _ = writeln!(page, "{:<7}  {:<width$}  -> {remedy}", "", "");
        }
    }
    let of = |grade| {
        findings
            .iter()
            .filter(|finding| finding.grade == grade)
            .count()
    };
    let (problems, warnings) = (of(Grade::Problem), of(Grade::Warning));
    let _ = writeln!(
        page,
        "{}, {}",
        counted(problems, "problem"),
        counted(warnings, "warning")
    );
    page
}

fn counted(number: usize, what: &str) -> String {
    match number {
        0 => format!("no {what}"),
        1 => format!("1 {what}"),
        number => format!("{number} {what}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_has_a_line_a_finding_and_says_what_to_do() {
        let findings = [
            Finding::fine("member a", "well"),
            Finding::warning("group ever", "no domain key", "run it"),
            Finding::problem("member b", "gone", "bring it back"),
            Finding::error("member c", &"odd; do this"),
        ];
        let expected = "\
ok       member a    well
warning  group ever  no domain key
                     -> run it
PROBLEM  member b    gone
                     -> bring it back
PROBLEM  member c    odd; do this
2 problems, 1 warning
";
        assert_eq!(page(&findings), expected);
        assert_eq!(
            page(&findings[..1]),
            "ok       member a  well\nno problem, no warning\n"
        );
    }
}
