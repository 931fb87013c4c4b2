//! What is lost, and at which request.

use std::fmt;
use std::fs::{File, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use super::{MEMBERS, control};

/// Who is lost.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Loss {
    /// The member's host is killed; the application goes on.
    Member,
    /// The application is killed.
    Application,
    /// The member's host is killed, and the application at the next request that it sends to any member.
    Both,
}

/// A loss at one request.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Fault {
    /// At whose request.
    pub member: usize,
    /// Which of the member's requests, from 1.
    pub request: u64,
    /// After the request's effect, else before.
    pub after: bool,
    /// Who is lost.
    pub loss: Loss,
}

impl Loss {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Member, Self::Application, Self::Both];

    const fn word(self) -> u64 {
        match self {
            Self::Member => control::LOSE_MEMBER,
            Self::Application => control::LOSE_APPLICATION,
            Self::Both => control::LOSE_BOTH,
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let when = if self.after { "after" } else { "before" };
        let (member, request, loss) = (self.member, self.request, self.loss);
        write!(f, "{when} request {request} of m{member}, {loss:?} lost")
    }
}

/// The file by which the pass-through module is told.
#[derive(Clone, Debug)]
pub(crate) struct Control(PathBuf);

impl Control {
    /// That at `path`; made, with nothing in it, if it is not there.
    pub(super) fn at(path: &Path) -> Self {
        let control = Self(path.to_owned());
        if !path.exists() {
            let file = File::create(path).expect("the world's directory is writable");
            file.set_len(control::LENGTH)
                .expect("there is room for a page");
        }
        control
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    /// Has this fault happen once calls are counted.
    pub(super) fn plan(&self, fault: Fault) {
        self.write(control::MEMBER, fault.member as u64);
        self.write(control::CALL, fault.request);
        self.write(control::AFTER, u64::from(fault.after));
        self.write(control::WHO, fault.loss.word());
    }

    /// From here on calls are counted.
    pub(super) fn arm(&self) {
        self.write(control::ARMED, 1);
    }

    /// From here on nothing is counted and nothing happens.
    pub(super) fn disarm(&self) {
        self.write(control::ARMED, 0);
    }

    pub(super) fn has_happened(&self) -> bool {
        self.read(control::HAPPENED) != 0
    }

    /// The requests counted, of each member.
    pub(super) fn counts(&self) -> [u64; MEMBERS] {
        std::array::from_fn(|member| self.read(control::COUNTS + member as u64))
    }

    fn write(&self, word: u64, value: u64) {
        self.open()
            .write_all_at(&value.to_ne_bytes(), word * control::WORD)
            .expect("the control file is writable");
    }

    fn read(&self, word: u64) -> u64 {
        let mut bytes = [0; 8];
        self.open()
            .read_exact_at(&mut bytes, word * control::WORD)
            .expect("the control file is a page long");
        u64::from_ne_bytes(bytes)
    }

    fn open(&self) -> File {
        let file = OpenOptions::new().read(true).write(true).open(&self.0);
        file.expect("the control file is there")
    }
}
