//! The cable between a board's line and a member's, which can be pulled and can spoil what passes.

use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread;

/// No frame and no part of one.
const NOISE: [u8; 9] = [0x55, 0xff, 0, 1, 0, 0xaa, 2, 1, 0xfe];

/// Passes bytes both ways between whoever connects to it and a member's socket.
#[derive(Debug)]
pub struct Cable {
    end: PathBuf,
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    is_pulled: bool,
    is_noisy: bool,
    spoil_answer: bool,
    spoil_ask: bool,
    plugged: Vec<UnixStream>,
}

/// Which way bytes go.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Way {
    Asks,
    Answers,
}

impl Cable {
    /// From a new socket at `end` to the one at `member`, which need not be there yet.
    #[must_use]
    pub fn lay(end: &Path, member: &Path) -> Self {
        let listener = UnixListener::bind(end).expect("the folder is writable");
        let cable = Self {
            end: end.to_owned(),
            state: Arc::default(),
        };
        let (state, member) = (Arc::clone(&cable.state), member.to_owned());
        thread::spawn(move || {
            for board in listener.incoming().flatten() {
                if let Ok(host) = UnixStream::connect(&member) {
                    plug(&state, board, host);
                }
            }
        });
        cable
    }

    /// Where the board connects.
    #[must_use]
    pub fn end(&self) -> &Path {
        &self.end
    }

    /// Pulls it out: both sides find their sockets closed, and again as often as they try.
    pub fn pull(&self) {
        let mut state = self.state();
        state.is_pulled = true;
        hang_up(&mut state);
    }

    /// Puts it back.
    pub fn put_back(&self) {
        self.state().is_pulled = false;
    }

    /// From now on garbage comes before each answer.
    pub fn make_noisy(&self) {
        self.state().is_noisy = true;
    }

    /// One bit of the next answer is turned over.
    pub fn spoil_an_answer(&self) {
        self.state().spoil_answer = true;
    }

    /// One bit of the next request is turned over.
    pub fn spoil_an_ask(&self) {
        self.state().spoil_ask = true;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("nobody panics with it")
    }
}

fn hang_up(state: &mut State) {
    for end in state.plugged.drain(..) {
        let _ = end.shutdown(Shutdown::Both);
    }
}

fn plug(shared: &Arc<Mutex<State>>, board: UnixStream, host: UnixStream) {
    let mut state = shared.lock().expect("nobody panics with it");
    if state.is_pulled {
        return;
    }
    // The board has one end only: a new one means that the old one is gone.
    hang_up(&mut state);
    let twin = |end: &UnixStream| end.try_clone().expect("there are descriptors left");
    state.plugged = vec![twin(&board), twin(&host)];
    for (from, to, way) in [
        (twin(&board), twin(&host), Way::Asks),
        (host, board, Way::Answers),
    ] {
        let shared = Arc::clone(shared);
        thread::spawn(move || pass(from, to, way, &shared));
    }
}

/// Passes what comes until one side ends, which ends the other.
fn pass(mut from: UnixStream, mut to: UnixStream, way: Way, shared: &Mutex<State>) {
    let mut buffer = [0; 4096];
    while let Ok(length @ 1..) = from.read(&mut buffer) {
        let mut bytes = buffer[..length].to_vec();
        spoil(
            &mut bytes,
            way,
            &mut shared.lock().expect("nobody panics with it"),
        );
        if to.write_all(&bytes).is_err() {
            break;
        }
    }
    let _ = from.shutdown(Shutdown::Both);
    let _ = to.shutdown(Shutdown::Both);
}

fn spoil(bytes: &mut Vec<u8>, way: Way, state: &mut State) {
    let wanted = match way {
        Way::Asks => &mut state.spoil_ask,
        Way::Answers => &mut state.spoil_answer,
    };
    // Of a frame, not of what stands between two.
    if *wanted && let Some(byte) = bytes.iter_mut().rev().find(|byte| **byte > 1) {
        *byte ^= 1;
        *wanted = false;
    }
    // A host writes each answer as a whole, and none begins otherwise.
    if state.is_noisy && way == Way::Answers && bytes.first() == Some(&0) {
        bytes.splice(0..0, NOISE);
    }
}
