//! The answers: typed at a terminal, or the lines of a script.

use std::error::Error;
use std::io::{self, IsTerminal, Read};

use rustyline::completion::{Completer, FilenameCompleter, Pair};
use rustyline::error::ReadlineError;
use rustyline::highlight::Highlighter;
use rustyline::hint::Hinter;
use rustyline::history::MemHistory;
use rustyline::validate::Validator;
use rustyline::{Config, Context, Editor, Helper};
use secrecy::SecretString;
use zeroize::Zeroizing;

use super::failure::Failure;
use super::menu::{ENTRIES, Entry, entry};
use crate::command::{output, pin};

/// Where answers come from.
pub(super) enum Input {
    /// A person; the history is forgotten at the end.
    Terminal(Box<Editor<Completions, MemHistory>>),
    /// Standard input; answers are shown where a person's would be seen, PINs are not.
    Script,
}

impl Input {
    /// A terminal where standard input is one.
    ///
    /// # Errors
    /// The terminal cannot be used.
    pub(super) fn new() -> Result<Self, Box<dyn Error>> {
        if !io::stdin().is_terminal() {
            return Ok(Self::Script);
        }
        let config = Config::builder().auto_add_history(false).build();
        let mut editor = Editor::with_history(config, MemHistory::new())?;
        editor.set_helper(Some(Completions::default()));
        Ok(Self::Terminal(Box::new(editor)))
    }

    pub(super) const fn is_script(&self) -> bool {
        matches!(self, Self::Script)
    }

    /// An entry by its number; none for what is no entry's.
    pub(super) fn choice(&mut self, prompt: &str) -> Result<Option<&'static Entry>, Failure> {
        loop {
            let line = match self {
                Self::Terminal(_) => {
                    let entries = ENTRIES.iter().map(|entry| Pair {
                        display: format!("{} {}", entry.number, entry.label),
                        replacement: entry.number.to_string(),
                    });
                    self.remembered(prompt, Offered::Words(entries.collect()))?
                }
                Self::Script => script_line()?.trim().to_owned(),
            };
            if !line.is_empty() && !line.starts_with('#') {
                let entry = entry(&line);
                if self.is_script() {
                    // What is no entry may be a PIN, after an entry that has not asked for it.
                    let shown = entry.map_or("?", |_| &line);
                    output::print(&format!("{prompt}{shown}\n"))?;
                }
                return Ok(entry);
            }
        }
    }

    /// One of `words`, or anything else.
    pub(super) fn word(
        &mut self,
        prompt: &str,
        words: impl IntoIterator<Item = String>,
    ) -> Result<String, Failure> {
        let pair = |word: String| Pair {
            display: word.clone(),
            replacement: word,
        };
        let words = words.into_iter().map(pair).collect();
        self.remembered(prompt, Offered::Words(words))
    }

    /// The path of a file.
    pub(super) fn path(&mut self, prompt: &str) -> Result<String, Failure> {
        self.remembered(prompt, Offered::Files)
    }

    /// Anything, which may be a secret: it does not go into the history.
    pub(super) fn text(&mut self, prompt: &str) -> Result<String, Failure> {
        self.line(prompt, Offered::Words(Vec::new()))
    }

    pub(super) fn number(&mut self, prompt: &str) -> Result<u64, Failure> {
        let text = self.text(prompt)?;
        number(&text).ok_or_else(|| Failure::said(format!("{text:?} is not a number")))
    }

    /// Whether the answer is yes: `1`, `y` or `yes`.
    pub(super) fn yes(&mut self, prompt: &str) -> Result<bool, Failure> {
        let text = self.text(prompt)?;
        Ok(matches!(text.as_str(), "1" | "y" | "yes"))
    }

    /// Bytes in hexadecimal digits.
    pub(super) fn bytes(&mut self, prompt: &str) -> Result<Vec<u8>, Failure> {
        let text = self.text(prompt)?;
        super::names::from_hex(&text)
            .ok_or_else(|| Failure::said("that is not a number of bytes in hexadecimal digits"))
    }

    /// A PIN: not shown, and in no history.
    pub(super) fn pin(&mut self, prompt: &str) -> Result<SecretString, Failure> {
        match self {
            Self::Terminal(_) => match pin::ask(prompt.trim_end_matches([':', ' '])) {
                Ok(pin) => Ok(pin),
                Err(error) if error.kind() == io::ErrorKind::InvalidInput => {
                    Err(Failure::Cancelled)
                }
                Err(error) => Err(Failure::said(error.to_string())),
            },
            Self::Script => {
                output::print(prompt)?;
                let line = script_line()?;
                output::print("\n")?;
                Ok(SecretString::from(line.as_str()))
            }
        }
    }

    fn remembered(&mut self, prompt: &str, offered: Offered) -> Result<String, Failure> {
        let line = self.line(prompt, offered)?;
        if let Self::Terminal(editor) = self {
            // A line that does not go in can be typed again.
            let _ = editor.add_history_entry(&line);
        }
        Ok(line)
    }

    fn line(&mut self, prompt: &str, offered: Offered) -> Result<String, Failure> {
        match self {
            Self::Terminal(editor) => {
                if let Some(helper) = editor.helper_mut() {
                    helper.offered = offered;
                }
                match editor.readline(prompt) {
                    Ok(line) => Ok(line.trim().to_owned()),
                    Err(ReadlineError::Interrupted) => Err(Failure::Cancelled),
                    Err(_) => Err(Failure::Ended),
                }
            }
            Self::Script => {
                output::print(prompt)?;
                let line = script_line()?;
                output::print(&format!("{}\n", line.trim()))?;
                Ok(line.trim().to_owned())
            }
        }
    }
}

/// The next line, without a reader's buffer, which would keep a copy of a PIN.
fn script_line() -> Result<Zeroizing<String>, Failure> {
    let mut line = Zeroizing::new(Vec::with_capacity(1024));
    let mut byte = [0];
    loop {
        match io::stdin().lock().read(&mut byte) {
            Ok(1) if byte != [b'\n'] => line.push(byte[0]),
            Ok(0) if line.is_empty() => return Err(Failure::Ended),
            Ok(_) => break,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => return Err(Failure::Ended),
        }
    }
    let text = std::str::from_utf8(&line);
    text.map(|text| Zeroizing::new(text.to_owned()))
        .map_err(|_| Failure::said("the line is not UTF-8"))
}

/// A decimal number, or a hexadecimal one with `0x`.
pub(super) fn number(text: &str) -> Option<u64> {
    match text.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    }
}

/// What the tabulator key completes to.
#[derive(Default)]
pub(super) struct Completions {
    offered: Offered,
    files: FilenameCompleter,
}

enum Offered {
    Words(Vec<Pair>),
    Files,
}

impl Default for Offered {
    fn default() -> Self {
        Self::Words(Vec::new())
    }
}

impl Completer for Completions {
    type Candidate = Pair;

    fn complete(
        &self,
        line: &str,
        position: usize,
        context: &Context<'_>,
    ) -> rustyline::Result<(usize, Vec<Pair>)> {
        match &self.offered {
            Offered::Files => self.files.complete(line, position, context),
            Offered::Words(words) => {
                let begun = line.get(..position).unwrap_or(line).to_lowercase();
                let fits = |word: &&Pair| {
                    let replaced = word.replacement.to_lowercase().starts_with(&begun);
                    replaced || word.display.to_lowercase().contains(&begun)
                };
                Ok((0, words.iter().filter(fits).cloned().collect()))
            }
        }
    }
}

impl Hinter for Completions {
    type Hint = String;
}
impl Highlighter for Completions {}
impl Validator for Completions {}
impl Helper for Completions {}
