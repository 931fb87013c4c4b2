//! Other people's test suites against everslot, and against the bare member: everslot may fail no case that the bare member passes.

mod cryptoki_crate;
mod explained;
mod outcome;
mod pkcs11_check;
mod pytest;
mod python_pkcs11;
mod show;
mod situation;
mod watch;

use std::path::PathBuf;
use std::time::Instant;

use clap::ValueEnum;

use outcome::{Comparison, Outcome, Results};
pub use pkcs11_check::Category;
use show::Summary;
pub use situation::Situation;
use situation::Target;

/// A test suite of other people.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub enum Suite {
    /// The tests that the `cryptoki` crate ships.
    Cryptoki,
    /// pkcs11-check, from PyPI.
    Pkcs11Check,
    /// The tests that python-pkcs11 ships, from PyPI.
    PythonPkcs11,
}

/// What is to be run.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Choice {
    /// everslot's module.
    pub module: PathBuf,
    /// The suites.
    pub suites: Vec<Suite>,
    /// The categories of pkcs11-check.
    pub categories: Vec<Category>,
    /// The situations.
    pub situations: Vec<Situation>,
}

/// A suite, or a part of it, that is run as one.
enum Part {
    Check(Category),
    Cryptoki(Vec<cryptoki_crate::Program>),
    PythonPkcs11,
}

/// Runs what is chosen and prints, for each suite and situation, which cases the bare member fails, which everslot fails, and which only
/// everslot fails, with the reason where it is to fail them. Whether there are none of the last without such a reason.
///
/// # Panics
/// Something that a suite needs is not installed; the message says what installs it.
#[must_use]
pub fn run(choice: &Choice) -> bool {
    println!(
        "Members: SoftHSM. everslot refuses C_InitToken (a token is initialised with its vendor's tool), so tokens are initialised beforehand,\n\
         for the bare member as for everslot, and the cryptoki crate's tests empty the token where they would initialise it."
    );
    let mut summary = Summary::default();
    for suite in &choice.suites {
        for part in suite.parts(&choice.categories) {
            compare(&part, choice, &mut summary);
        }
    }
    println!("\n{}", summary.table());
    summary.is_met()
}

fn compare(part: &Part, choice: &Choice, summary: &mut Summary) {
    let title = part.title();
    let bare = timed(&format!("{title}, the bare member"), || {
        part.run(&Target::bare(part.pins()), usize::MAX)
    });
    let ran = |outcome: &&Outcome| **outcome != Outcome::Skipped;
    let cases = bare.cases.values().filter(ran).count();
    assert!(
        bare.broken.is_none() && cases > 0,
        "{title} does not come to its end with the bare member: {bare:?}"
    );
    for &situation in &choice.situations {
        let everslot = timed(&format!("{title}, {}", situation.title()), || {
            let target = Target::group(&choice.module, situation, part.pins());
            part.run(&target, bare.cases.len())
        });
        summary.add(&title, situation, Comparison::new(&bare, &everslot));
    }
}

fn timed(title: &str, run: impl FnOnce() -> Results) -> Results {
    let start = Instant::now();
    let results = run();
    eprintln!("{title}: {} s", start.elapsed().as_secs());
    results
}

impl Suite {
    /// Whether what the suite needs is installed, so that [`run`] can run it.
    #[must_use]
    pub fn is_installed(self) -> bool {
        match self {
            // Cargo has its source wherever this was built.
            Self::Cryptoki => true,
            Self::Pkcs11Check => pkcs11_check::program().is_file(),
            Self::PythonPkcs11 => python_pkcs11::is_installed(),
        }
    }

    fn parts(self, categories: &[Category]) -> Vec<Part> {
        match self {
            Self::Cryptoki => {
                let directory = crate::artifact::build_directory().join("conformance/cryptoki");
                vec![Part::Cryptoki(cryptoki_crate::build(&directory))]
            }
            Self::Pkcs11Check => categories.iter().copied().map(Part::Check).collect(),
            Self::PythonPkcs11 => vec![Part::PythonPkcs11],
        }
    }
}

impl Part {
    fn title(&self) -> String {
        match self {
            Self::Check(category) => format!("pkcs11-check {}", category.name()),
            Self::Cryptoki(_) => "cryptoki crate".to_owned(),
            Self::PythonPkcs11 => "python-pkcs11".to_owned(),
        }
    }

    const fn pins(&self) -> crate::Pins {
        match self {
            Self::Check(_) => pkcs11_check::PINS,
            Self::Cryptoki(_) => cryptoki_crate::PINS,
            Self::PythonPkcs11 => python_pkcs11::PINS,
        }
    }

    fn run(&self, target: &Target, cases: usize) -> Results {
        match self {
            Self::Check(category) => pkcs11_check::run(target, *category, cases),
            Self::Cryptoki(programs) => cryptoki_crate::run(target, programs, cases),
            Self::PythonPkcs11 => python_pkcs11::run(target, cases),
        }
    }
}
