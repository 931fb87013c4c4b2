//! The shape of the file, as it is written; `check` makes a `Config` of it.

use std::collections::BTreeMap;
use std::fmt;
use std::num::{NonZeroU8, NonZeroU32};
use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;
use serde::de::{Deserializer, Error, Visitor};
use toml::Spanned;

use super::secret::Pin;
use super::{LogFormat, LogLevel, MechanismPolicy, RecoveryMode};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    pub(super) host_program: Option<PathBuf>,
    pub(super) metrics: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) log: Log,
    #[serde(default)]
    pub(super) group: Vec<Spanned<Group>>,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Log {
    pub(super) level: LogLevel,
    pub(super) to: Option<Spanned<LogTo>>,
    pub(super) file: Option<Spanned<PathBuf>>,
    pub(super) size: Option<Spanned<Size>>,
    pub(super) keep: Option<Spanned<NonZeroU8>>,
    pub(super) format: LogFormat,
}

#[derive(Clone, Copy, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "kebab-case")]
pub(super) enum LogTo {
    StandardError,
    File,
    Syslog,
    Journal,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Group {
    pub(super) label: Spanned<String>,
    pub(super) serial: Spanned<String>,
    pub(super) transcript: Option<Size>,
    #[serde(default)]
    pub(super) mechanisms: MechanismPolicy,
    #[serde(default)]
    pub(super) recovery: Recovery,
    pub(super) journal: Option<Spanned<String>>,
    pub(super) trace: Option<PathBuf>,
    pub(super) copies: Option<Spanned<Copies>>,
    #[serde(default)]
    pub(super) expose_members: bool,
    #[serde(default)]
    pub(super) member: Vec<Spanned<Member>>,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Recovery {
    pub(super) mode: RecoveryMode,
    pub(super) interval: Option<Spanned<Span>>,
    pub(super) attempts: Option<Spanned<i64>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Member {
    pub(super) name: Spanned<String>,
    pub(super) module: Spanned<PathBuf>,
    pub(super) token: Option<String>,
    pub(super) serial: Option<String>,
    pub(super) slot: Option<u64>,
    #[serde(default)]
    pub(super) role: Role,
    #[serde(default)]
    pub(super) parked: bool,
    #[serde(default)]
    pub(super) environment: Option<Spanned<BTreeMap<String, String>>>,
    pub(super) init_string: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) isolation: Isolation,
    pub(super) deadline: Option<Spanned<Span>>,
    pub(super) generation_deadline: Option<Spanned<Span>>,
    pub(super) sessions: Option<NonZeroU32>,
    pub(super) pin: Option<Pin>,
    pub(super) so_pin: Option<Pin>,
    #[serde(default)]
    pub(super) verdicts: BTreeMap<Spanned<String>, Spanned<String>>,
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Role {
    #[default]
    Active,
    Standby,
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Isolation {
    #[default]
    Process,
    None,
}

/// On how many members an object is to live.
#[derive(Clone, Copy)]
pub(super) struct Copies(pub(super) everslot_core::Copies);

impl<'de> Deserialize<'de> for Copies {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl Visitor<'_> for Reader {
            type Value = Copies;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("\"all\" or a number of members")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Copies, E> {
                match text {
                    "all" => Ok(Copies(everslot_core::Copies::All)),
                    _ => Err(E::invalid_value(serde::de::Unexpected::Str(text), &self)),
                }
            }

            fn visit_i64<E: Error>(self, number: i64) -> Result<Copies, E> {
                match u8::try_from(number) {
                    Ok(number) if number > 0 => Ok(Copies(everslot_core::Copies::Number(number))),
                    _ => Err(E::invalid_value(
                        serde::de::Unexpected::Signed(number),
                        &self,
                    )),
                }
            }
        }
        deserializer.deserialize_any(Reader)
    }
}

/// A length of time, written with its unit.
#[derive(Clone, Copy)]
pub(super) struct Span(pub(super) Duration);

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl Visitor<'_> for Reader {
            type Value = Span;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a time with its unit, such as \"2s\" or \"1m 30s\"")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Span, E> {
                humantime::parse_duration(text)
                    .map(Span)
                    .map_err(|_| E::invalid_value(serde::de::Unexpected::Str(text), &self))
            }
        }
        deserializer.deserialize_str(Reader)
    }
}

/// A number of bytes, written with its unit.
#[derive(Clone, Copy)]
pub(super) struct Size(pub(super) usize);

impl<'de> Deserialize<'de> for Size {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl Visitor<'_> for Reader {
            type Value = Size;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a size with its unit (B, KiB, MiB, GiB), such as \"1MiB\" or \"0B\"")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Size, E> {
                size(text)
                    .map(Size)
                    .ok_or_else(|| E::invalid_value(serde::de::Unexpected::Str(text), &self))
            }
        }
        deserializer.deserialize_str(Reader)
    }
}

fn size(text: &str) -> Option<usize> {
    let digits = text.find(|character: char| !character.is_ascii_digit())?;
    let (number, unit) = text.split_at(digits);
    let unit = match unit.trim_start() {
        "B" => 1,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        _ => return None,
    };
    number.parse::<usize>().ok()?.checked_mul(unit)
}
