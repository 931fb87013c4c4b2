//! What can be wrong with a configuration, each as one line that says what to do.

use std::fmt;
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};

use super::{MEMBERS, TokenChoice};

/// There is no configuration that holds together.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// No place has one.
    #[error(
        "no configuration: there is no {}; write one with `everslot init`",
        list(looked)
    )]
    Missing {
        /// Where it was looked for.
        looked: Vec<PathBuf>,
    },
    /// It is there, but cannot be read.
    #[error("{}: cannot be read: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Everybody may write it.
    #[error("{path}: everybody may write it (mode {mode:04o}), and it names modules that run in your program: chmod o-w {path}", path = path.display())]
    OpenToOthers {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// Everybody may read it, and there is a secret in it.
    #[error("{path}: everybody may read it (mode {mode:04o}), and {what} stands in it: chmod o-r {path}", path = path.display())]
    ReadableByOthers {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
        /// Which secret, in words.
        what: String,
    },
    /// Something in it is wrong.
    #[error("{place}: {problem}")]
    Wrong {
        /// Where.
        place: Place,
        /// What.
        problem: Box<Problem>,
    },
}

/// A place in a file.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Place {
    /// The file.
    pub path: PathBuf,
    /// Line and column, both counted from 1; `None` is the file as a whole.
    pub position: Option<(usize, usize)>,
}

/// What is wrong in a configuration.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Problem {
    /// It is not TOML, or a value has another type than it should.
    #[error("{0}")]
    Syntax(String),
    /// No such key here.
    #[error("unknown key {key:?}; {}", suggestion(key, known))]
    UnknownKey {
        /// As it is written.
        key: String,
        /// The keys that there are.
        known: Vec<String>,
    },
    /// No such word for this key.
    #[error("unknown word {word:?}; {}", suggestion(word, known))]
    UnknownWord {
        /// As it is written.
        word: String,
        /// The words that there are.
        known: Vec<String>,
    },
    /// A key that must be there is not.
    #[error("{key:?} is missing here; add for example {key} = {example:?}")]
    MissingKey {
        /// The key.
        key: String,
        /// A value it could have.
        example: String,
    },
    /// A key stands twice in one table.
    #[error("this key is there already; remove one of the two")]
    DuplicateKey,
    /// There is no group.
    #[error("there is no [[group]] in it; write one with `everslot init`")]
    NoGroup,
    /// Two groups have the same label or serial.
    #[error("another group has the {key} {value:?} too; give this one its own")]
    DuplicateGroup {
        /// `label` or `serial`.
        key: &'static str,
        /// What both have.
        value: String,
    },
    /// A label or serial does not fit into `CK_TOKEN_INFO`.
    #[error("{key} must be {must}, and {value:?} is not; change it")]
    Unfit {
        /// The key.
        key: &'static str,
        /// What it must be.
        must: &'static str,
        /// What it is.
        value: String,
    },
    /// A group without members.
    #[error("group {0:?} has no member; add a [[group.member]]")]
    NoMember(String),
    /// A group with more members than everslot can hold.
    #[error("group {label:?} has {count} members; {MEMBERS} are the most, remove {}", count - MEMBERS)]
    TooManyMembers {
        /// The group.
        label: String,
        /// Its members.
        count: usize,
    },
    /// Two members of one group have the same name.
    #[error("the group has another member {0:?}; give this one its own name")]
    DuplicateMember(String),
    /// Two members are the same token.
    #[error(
        "member {name:?} is the same token as member {other:?}, the {token}; remove one of them"
    )]
    SameToken {
        /// The later one.
        name: String,
        /// The earlier one.
        other: String,
        /// The token that both are.
        token: TokenChoice,
    },
    /// The module's file is not there.
    #[error("there is no module {}; install it or correct the path", .0.display())]
    NoModule(PathBuf),
    /// Everybody may write the module's file.
    #[error("everybody may write {path} (mode {mode:04o}), and it would run in your program: chmod o-w {path}", path = path.display())]
    ModuleOpenToOthers {
        /// The module.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// A member does not say which token it is.
    #[error(
        "member {0:?} does not say which token it is; add token = \"its label\", serial = \"…\" or slot = N"
    )]
    NoToken(String),
    /// A member says by slot and by label or serial which token it is.
    #[error("member {0:?} chooses its token both by slot and by label or serial; keep one of them")]
    TwoTokens(String),
    /// An environment for a module that is loaded in the application.
    #[error(
        "isolation = \"none\" loads the module in the application, whose environment it has; remove environment or the isolation"
    )]
    EnvironmentInApplication,
    /// A length of time or a size that must not be zero.
    #[error("{0} cannot be zero; write for example \"{1}\"")]
    Zero(&'static str, &'static str),
    /// Not a number of attempts.
    #[error(
        "attempts cannot be {0}; write -1 for no limit, 0 for no automatic recovery, or up to 65535"
    )]
    Attempts(i64),
    /// Not a return code.
    #[error(
        "{0:?} is no return code; write a name such as \"CKR_FUNCTION_FAILED\" or a number such as \"0x80000001\""
    )]
    UnknownCode(String),
    /// More return codes than a member can have a word about.
    #[error("a member can have {0} verdicts at most; remove some")]
    TooManyVerdicts(usize),
    /// The log is to go into a file and elsewhere too.
    #[error("the log goes to one place; remove to or file")]
    LogElsewhere,
    /// What is said of the log's file, without the file.
    #[error("{0} wants the log's file; add for example file = \"/var/log/everslot.log\"")]
    LogWithoutFile(&'static str),
    /// A zero character, which no C string can hold.
    #[error("{0} holds a NUL character; remove it")]
    Nul(&'static str),
}

impl Place {
    pub(super) fn new(path: &Path, text: &str, span: Option<Range<usize>>) -> Self {
        let position = span.map(|span| {
            let before = text.get(..span.start).unwrap_or(text);
            let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
            let line = before.matches('\n').count() + 1;
            (line, before[line_start..].chars().count() + 1)
        });
        Self {
            path: path.to_owned(),
            position,
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.path.display())?;
        match self.position {
            Some((line, column)) => write!(f, ":{line}:{column}"),
            None => Ok(()),
        }
    }
}

impl Problem {
    /// Puts into our words what serde says; in its messages the names stand between backticks.
    pub(super) fn from_serde(message: &str) -> Self {
        let mut names = message.split('`').skip(1).step_by(2).map(str::to_owned);
        let first = names.next().unwrap_or_default();
        if message.starts_with("unknown field") {
            Self::UnknownKey {
                key: first,
                known: names.collect(),
            }
        } else if message.starts_with("unknown variant") {
            Self::UnknownWord {
                word: first,
                known: names.collect(),
            }
        } else if message.starts_with("missing field") {
            let example = example(&first).to_owned();
            Self::MissingKey {
                key: first,
                example,
            }
        } else if message == "duplicate key" {
            Self::DuplicateKey
        } else {
            Self::Syntax(message.lines().collect::<Vec<_>>().join("; "))
        }
    }
}

fn example(key: &str) -> &'static str {
    match key {
        "label" => "everslot",
        "serial" => "e1a0c7d2",
        "name" => "a",
        "module" => "/usr/lib/softhsm/libsofthsm2.so",
        _ => "…",
    }
}

/// The nearest known name, if one is near, else all of them.
fn suggestion(name: &str, known: &[String]) -> String {
    let likeness = |candidate: &String| strsim::jaro_winkler(name, candidate);
    match known
        .iter()
        .max_by(|one, other| likeness(one).total_cmp(&likeness(other)))
    {
        Some(nearest) if likeness(nearest) > 0.75 => format!("did you mean {nearest:?}?"),
        _ => format!("there are {}", known.join(", ")),
    }
}

fn list(paths: &[PathBuf]) -> String {
    paths
        .iter()
        .map(|path| path.display().to_string())
        .collect::<Vec<_>>()
        .join(", nor ")
}
