//! What the workspace builds, found beside the program that runs.

use std::path::PathBuf;

/// A file that `cargo build --workspace` makes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Artifact {
    /// The `everslot` program.
    Command,
    /// `libeverslot.so`.
    Module,
    /// The module that answers at once.
    TestModule,
    /// The program of `make faults`.
    Faults,
    /// The module that hands calls to a real one and kills at a chosen call.
    PassThrough,
}

impl Artifact {
    /// Where it is.
    ///
    /// # Panics
    /// It has not been built; the message says how.
    #[must_use]
    pub fn path(self) -> PathBuf {
        let directory = target_directory();
        let path = directory.join(self.file_name());
        assert!(
            path.is_file(),
            "{} is not there: run `cargo build --workspace` in the same profile first (`make test` does)",
            path.display()
        );
        path
    }

    const fn file_name(self) -> &'static str {
        match self {
            Self::Command => "everslot",
            Self::Module => "libeverslot.so",
            Self::TestModule => "libeverslot_test_module.so",
            Self::Faults => "faults",
            Self::PassThrough => "libeverslot_passthrough.so",
        }
    }
}

/// The build's own directory, in which the profiles have theirs.
pub(crate) fn build_directory() -> PathBuf {
    let directory = target_directory();
    directory.parent().unwrap_or(&directory).to_owned()
}

/// The directory of the profile: tests stand in its `deps`, programs in itself.
fn target_directory() -> PathBuf {
    let program = std::env::current_exe().expect("Linux tells a program's path");
    let directory = program.parent().expect("a program stands in a directory");
    if directory.ends_with("deps") {
        directory.parent().unwrap_or(directory).to_owned()
    } else {
        directory.to_owned()
    }
}
