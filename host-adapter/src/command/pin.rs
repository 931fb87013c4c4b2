//! Asks for a PIN at the terminal, without showing it.

use std::fs::File;
use std::io::{self, Read, Write};

use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use secrecy::SecretString;
use zeroize::Zeroizing;

/// The longest PIN that is taken, bytes.
const LONGEST: usize = 1024;

/// Asks for the PIN that `what` names, on the terminal whatever standard input and output are.
///
/// # Errors
/// There is no terminal, or nothing is typed.
pub(super) fn ask(what: &str) -> io::Result<SecretString> {
    let mut terminal = File::options().read(true).write(true).open("/dev/tty")?;
    write!(terminal, "{what}: ")?;
    let line = {
        let _silence = Silence::of(&terminal)?;
        read_line(&terminal)
    };
    writeln!(terminal)?;
    let line = line?;
    if line.is_empty() {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "no PIN was typed",
        ));
    }
    let text = std::str::from_utf8(&line)
        .map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "the PIN is not UTF-8"))?;
    Ok(SecretString::from(text))
}

/// Up to the end of the line; without a reader's buffer, which would keep a copy.
fn read_line(mut terminal: &File) -> io::Result<Zeroizing<Vec<u8>>> {
    let mut line = Zeroizing::new(Vec::with_capacity(LONGEST));
    let mut byte = Zeroizing::new([0]);
    while line.len() < LONGEST && terminal.read(&mut *byte)? == 1 && byte[0] != b'\n' {
        line.push(byte[0]);
    }
    Ok(line)
}

/// While it lives, the terminal does not show what is typed.
struct Silence<'t> {
    terminal: &'t File,
    before: Termios,
}

impl<'t> Silence<'t> {
    fn of(terminal: &'t File) -> io::Result<Self> {
        let before = tcgetattr(terminal)?;
        let mut silent = before.clone();
        silent.local_modes -= LocalModes::ECHO;
        tcsetattr(terminal, OptionalActions::Flush, &silent)?;
        Ok(Self { terminal, before })
    }
}

impl Drop for Silence<'_> {
    fn drop(&mut self) {
        // A terminal that is gone has nothing to be put right.
        let _ = tcsetattr(self.terminal, OptionalActions::Now, &self.before);
    }
}
