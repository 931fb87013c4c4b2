//! Makes a `Config` of the file as it is written, or says what is wrong with it.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::ops::Range;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use everslot_core::{Attempts, Class, Copies, Overrides, Policy, Role, Rv};
use toml::Spanned;

use super::error::{ConfigError, Place, Problem};
use super::file::{self, File, Span};
use super::place::journal_directory;
use super::{Config, GroupConfig, MEMBERS, MemberConfig, RecoveryConfig, TokenChoice};
use crate::journal;

/// A network HSM answers in milliseconds; Luna's clients wait 3 s for a status and 20 s for a call.
const DEADLINE: Duration = Duration::from_secs(2);
/// A smart card needs most of this for an RSA-4096 key pair.
const GENERATION_DEADLINE: Duration = Duration::from_secs(60);
/// Most documents that are signed fit; ten thousand sessions with a full one each fit into a server.
const TRANSCRIPT: usize = 1024 * 1024;
const SESSIONS: NonZeroU32 = NonZeroU32::new(64).expect("64 is not zero");

/// Whether a member may be called `name`: it stands in tables, logs and on command lines.
#[must_use]
pub fn is_member_name(name: &str) -> bool {
    let fits = |character: char| character.is_ascii_alphanumeric() || "._-".contains(character);
    !name.is_empty() && !name.starts_with('-') && name.chars().all(fits)
}

pub(super) struct Checker<'a> {
    text: &'a str,
    path: &'a Path,
}

impl<'a> Checker<'a> {
    pub(super) const fn new(text: &'a str, path: &'a Path) -> Self {
        Self { text, path }
    }

    /// A configuration of at least one group.
    pub(super) fn config(&self) -> Result<Config, ConfigError> {
        let config = self.any_config()?;
        if config.groups.is_empty() {
            return Err(self.error(None, Problem::NoGroup));
        }
        Ok(config)
    }

    pub(super) fn any_config(&self) -> Result<Config, ConfigError> {
        let file: File = toml::from_str(self.text)
            .map_err(|error| self.error(error.span(), Problem::from_serde(error.message())))?;
        let mut groups = Vec::new();
        for group in &file.group {
            groups.push(self.group(group, &groups)?);
        }
        Ok(Config {
            path: self.path.to_owned(),
            host_program: file.host_program.map(|program| self.absolute(&program)),
            metrics: self.metrics(file.metrics.as_ref())?,
            log: self.log(&file.log)?,
            groups,
        })
    }

    fn group(
        &self,
        written: &Spanned<file::Group>,
        others: &[GroupConfig],
    ) -> Result<GroupConfig, ConfigError> {
        let group = written.get_ref();
        let label = self.fitting(
            &group.label,
            "label",
            "1 to 32 bytes without control characters",
            fits_label,
        )?;
        let serial = self.fitting(
            &group.serial,
            "serial",
            "1 to 16 printable ASCII characters",
            fits_serial,
        )?;
        if others.iter().any(|other| other.label == label) {
            return Err(self.wrong(
                &group.label,
                Problem::DuplicateGroup {
                    key: "label",
                    value: label,
                },
            ));
        }
        if others.iter().any(|other| other.serial == serial) {
            return Err(self.wrong(
                &group.serial,
                Problem::DuplicateGroup {
                    key: "serial",
                    value: serial,
                },
            ));
        }
        let count = group.member.len();
        if count == 0 {
            return Err(self.wrong(written, Problem::NoMember(label)));
        }
        if count > MEMBERS {
            return Err(self.wrong(written, Problem::TooManyMembers { label, count }));
        }
        let mut members = Vec::new();
        for member in &group.member {
            members.push(self.member(member, &members)?);
        }
        Ok(GroupConfig {
            label,
            journal: self.journal(group.journal.as_ref(), &serial)?,
            serial,
            trace: group.trace.as_ref().map(|path| self.absolute(path)),
            mechanisms: group.mechanisms,
            transcript: group.transcript.map_or(TRANSCRIPT, |size| size.0),
            recovery: self.recovery(&group.recovery)?,
            expose_members: group.expose_members,
            copies: self.copies(group.copies.as_ref(), members.len())?,
            members,
        })
    }

    /// A path that is not said is that of the user, or of the system for a configuration of the system's.
    fn journal(
        &self,
        written: Option<&Spanned<String>>,
        serial: &str,
    ) -> Result<String, ConfigError> {
        let path = match written.map(Spanned::get_ref) {
            Some(place) if journal::is_url(place) => return Ok(place.clone()),
            Some(place) if place.is_empty() || place.contains("://") => {
                // Only what kind it is: a URL may have a password in it.
                let value = place.split("://").next().unwrap_or_default().to_owned();
                let (key, must) = ("journal", "a path or a postgresql:// URL");
                let problem = Problem::Unfit { key, must, value };
                return Err(self.error(written.map(Spanned::span), problem));
            }
            Some(path) => self.absolute(Path::new(path)),
            None => journal::file_of_group(&journal_directory(self.path), serial),
        };
        Ok(path.display().to_string())
    }

    fn copies(
        &self,
        written: Option<&Spanned<file::Copies>>,
        members: usize,
    ) -> Result<Copies, ConfigError> {
        match written.map(|copies| (copies, copies.get_ref().0)) {
            None => Ok(Copies::default()),
            Some((copies, Copies::Number(number))) if usize::from(number) > members => {
                let key = "copies";
                let must = "no more than the group's members";
                let value = number.to_string();
                Err(self.wrong(copies, Problem::Unfit { key, must, value }))
            }
            Some((_, copies)) => Ok(copies),
        }
    }

    fn recovery(&self, written: &file::Recovery) -> Result<RecoveryConfig, ConfigError> {
        let default = Policy::default();
        let attempts = match &written.attempts {
            None => Attempts::Unlimited,
            Some(attempts) => match *attempts.get_ref() {
                -1 => Attempts::Unlimited,
                number => Attempts::AtMost(
                    u16::try_from(number)
                        .map_err(|_| self.wrong(attempts, Problem::Attempts(number)))?,
                ),
            },
        };
        let interval = self.time(
            written.interval.as_ref(),
            "interval",
            "60s",
            default.interval,
        )?;
        Ok(RecoveryConfig {
            mode: written.mode,
            policy: Policy { interval, attempts },
        })
    }

    fn member(
        &self,
        written: &Spanned<file::Member>,
        others: &[MemberConfig],
    ) -> Result<MemberConfig, ConfigError> {
        let member = written.get_ref();
        let name = self.fitting(
            &member.name,
            "name",
            "of ASCII letters, digits, \".\", \"_\" and \"-\"",
            is_member_name,
        )?;
        if others.iter().any(|other| other.name == name) {
            return Err(self.wrong(&member.name, Problem::DuplicateMember(name)));
        }
        let token = token_choice(member, &name).map_err(|problem| self.wrong(written, problem))?;
        let module = self.module(member)?;
        if let Some(other) = others
            .iter()
            .find(|other| other.module == module && other.token == token)
        {
            let other = other.name.clone();
            return Err(self.wrong(written, Problem::SameToken { name, other, token }));
        }
        Ok(MemberConfig {
            name,
            token,
            role: match member.role {
                file::Role::Active => Role::Active,
                file::Role::Standby => Role::Standby,
            },
            parked: member.parked,
            deadline: self.time(member.deadline.as_ref(), "deadline", "2s", DEADLINE)?,
            generation_deadline: self.time(
                member.generation_deadline.as_ref(),
                "generation_deadline",
                "60s",
                GENERATION_DEADLINE,
            )?,
            sessions: member.sessions.unwrap_or(SESSIONS),
            pin: self.pin(member.pin.as_ref()),
            so_pin: self.pin(member.so_pin.as_ref()),
            overrides: self.overrides(&member.verdicts)?,
            module,
        })
    }

    fn overrides(
        &self,
        written: &BTreeMap<Spanned<String>, Spanned<String>>,
    ) -> Result<Overrides, ConfigError> {
        let mut overrides = Overrides::new();
        for (code, class) in written {
            let rv = return_code(code.get_ref())
                .ok_or_else(|| self.wrong(code, Problem::UnknownCode(code.get_ref().clone())))?;
            if overrides.class(rv).is_some() {
                return Err(self.wrong(code, Problem::DuplicateKey));
            }
            let class = class.get_ref().parse().map_err(|_| {
                let known = Class::ALL
                    .iter()
                    .map(|class| class.name().to_owned())
                    .collect();
                let word = class.get_ref().clone();
                self.wrong(class, Problem::UnknownWord { word, known })
            })?;
            overrides
                .set(rv, class)
                .map_err(|full| self.wrong(code, Problem::TooManyVerdicts(full.capacity)))?;
        }
        Ok(overrides)
    }

    fn fitting(
        &self,
        written: &Spanned<String>,
        key: &'static str,
        must: &'static str,
        fits: impl Fn(&str) -> bool,
    ) -> Result<String, ConfigError> {
        let value = written.get_ref().clone();
        if fits(&value) {
            Ok(value)
        } else {
            Err(self.wrong(written, Problem::Unfit { key, must, value }))
        }
    }

    fn time(
        &self,
        written: Option<&Spanned<Span>>,
        key: &'static str,
        example: &'static str,
        default: Duration,
    ) -> Result<Duration, ConfigError> {
        match written {
            None => Ok(default),
            Some(span) if span.get_ref().0.is_zero() => {
                Err(self.wrong(span, Problem::Zero(key, example)))
            }
            Some(span) => Ok(span.get_ref().0),
        }
    }

    pub(super) fn absolute(&self, path: &Path) -> PathBuf {
        let directory = self.path.parent().unwrap_or(Path::new(""));
        let joined = directory.join(path);
        std::path::absolute(&joined).unwrap_or(joined)
    }

    pub(super) fn wrong<T>(&self, written: &Spanned<T>, problem: Problem) -> ConfigError {
        self.error(Some(written.span()), problem)
    }

    fn error(&self, span: Option<Range<usize>>, problem: Problem) -> ConfigError {
        ConfigError::Wrong {
            place: Place::new(self.path, self.text, span),
            problem: Box::new(problem),
        }
    }
}

fn token_choice(member: &file::Member, name: &str) -> Result<TokenChoice, Problem> {
    match (member.token.clone(), member.serial.clone(), member.slot) {
        (Some(label), None, None) => Ok(TokenChoice::Label(label)),
        (None, Some(serial), None) => Ok(TokenChoice::Serial(serial)),
        (Some(label), Some(serial), None) => Ok(TokenChoice::LabelAndSerial { label, serial }),
        (None, None, Some(slot)) => Ok(TokenChoice::Slot(slot)),
        (None, None, None) => Err(Problem::NoToken(name.to_owned())),
        (_, _, Some(_)) => Err(Problem::TwoTokens(name.to_owned())),
    }
}

fn return_code(text: &str) -> Option<Rv> {
    match text.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16).ok().map(Rv),
        None => Rv::from_name(text),
    }
}

fn fits_label(label: &str) -> bool {
    (1..=32).contains(&label.len()) && !label.chars().any(char::is_control) && !label.ends_with(' ')
}

fn fits_serial(serial: &str) -> bool {
    (1..=16).contains(&serial.len()) && serial.bytes().all(|byte| byte.is_ascii_graphic())
}

/// The permission bits of a file that everybody may write; a file that is not there is none.
pub(super) fn mode_if_open(path: &Path) -> Option<u32> {
    let mode = std::fs::metadata(path).ok()?.mode() & 0o7777;
    (mode & 0o002 != 0).then_some(mode)
}
