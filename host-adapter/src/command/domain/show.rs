//! `everslot domain show`

use std::collections::BTreeMap;
use std::process::ExitCode;

use comfy_table::Table;
use comfy_table::presets::UTF8_FULL_CONDENSED;
use cryptoki_sys as ck;

use super::Which;
use super::opened::{GroupPin, Opened};
use crate::command::{Outcome, output};
use crate::domain::key::KeyName;
use crate::domain::{CallError, CheckValue, Token};

const EXAMPLES: &str = "\
Examples:
  everslot domain show
  everslot domain show --group signing

Ends with 2 when members do not have the same domain key, with 1 when a member could not be asked.";

/// Show each member's domain key by its check value
#[derive(clap::Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    #[command(flatten)]
    which: Which,
}

/// What a member has for a domain key.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in crate::command) enum Present {
    /// None.
    None,
    /// More than one.
    Several,
    /// One, and the token tells nothing by which it could be compared.
    Unknown,
    /// One.
    Key {
        /// Its check value.
        value: CheckValue,
        /// Whether the security officer has it trusted.
        trusted: bool,
        /// Whether it may be wrapped.
        extractable: bool,
    },
}

impl Present {
    pub(in crate::command) fn of(token: &mut Token<'_>, name: &KeyName) -> Result<Self, CallError> {
        let key = match name.find(token)?[..] {
            [] => return Ok(Self::None),
            [key] => key,
            _ => return Ok(Self::Several),
        };
        let flags = token.attributes(key, &[ck::CKA_TRUSTED, ck::CKA_EXTRACTABLE])?;
        let value = CheckValue::of(token, key, ck::CKK_AES)?;
        Ok(value.map_or(Self::Unknown, |value| Self::Key {
            value,
            trusted: flags.flag(ck::CKA_TRUSTED) == Some(true),
            extractable: flags.flag(ck::CKA_EXTRACTABLE) != Some(false),
        }))
    }

    pub(in crate::command) const fn value(self) -> Option<CheckValue> {
        match self {
            Self::Key { value, .. } => Some(value),
            Self::None | Self::Several | Self::Unknown => None,
        }
    }

    pub(in crate::command) const fn words(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Several => "several",
            Self::Unknown => "cannot be told",
            Self::Key { trusted: true, .. } => "trusted",
            Self::Key {
                extractable: true, ..
            } => "not trusted, extractable",
            Self::Key { .. } => "not trusted",
        }
    }
}

pub(super) fn run(arguments: &Arguments) -> Outcome {
    let group = arguments.which.find()?;
    let name = KeyName::of_group(&group.serial);
    let pin = GroupPin::default();
    let (mut seen, mut problems) = (Vec::new(), Vec::new());
    for config in &group.members {
        let looked = Opened::open(config, &group, &pin).and_then(|mut member| {
            Present::of(&mut member.token(), &name)
                .map_err(|error| format!("member {:?}: {error}", config.name).into())
        });
        match looked {
            Ok(present) => seen.push((config.name.clone(), present)),
            Err(error) => problems.push(error.to_string()),
        }
    }
    output::print(&table(&seen))?;
    problems.iter().for_each(|problem| output::warn(problem));
    if let Some(line) = difference(&seen) {
        output::warn(&line);
        return Ok(ExitCode::from(2));
    }
    Ok(if problems.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn table(seen: &[(String, Present)]) -> String {
    let mut table = Table::new();
    table
        .load_style(UTF8_FULL_CONDENSED)
        .set_header(["MEMBER", "CHECK VALUE", "DOMAIN KEY"]);
    for (name, present) in seen {
        let value = present
            .value()
            .map_or("–".to_owned(), |value| value.to_string());
        table.add_row([name.clone(), value, present.words().to_owned()]);
    }
    format!("{table}\n")
}

/// Which members do not have what the others have; none when all have the same.
pub(in crate::command) fn difference(seen: &[(String, Present)]) -> Option<String> {
    let mut by_value: BTreeMap<Option<CheckValue>, Vec<&str>> = BTreeMap::new();
    for (name, present) in seen {
        by_value.entry(present.value()).or_default().push(name);
    }
    if by_value.len() <= 1 && !by_value.contains_key(&None) {
        return None;
    }
    let groups = by_value.iter().map(|(value, names)| {
        let names = names.join(", ");
        match value {
            Some(value) => format!("{value} on {names}"),
            None => format!("none on {names}"),
        }
    });
    let groups: Vec<_> = groups.collect();
    Some(format!(
        "the domain key is not the same everywhere: {}; `everslot domain init` gives all members a new one",
        groups.join(", ")
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn key(value: u8) -> Present {
        Present::Key {
            value: CheckValue([value; 3]),
            trusted: false,
            extractable: false,
        }
    }

    fn seen(present: &[Present]) -> Vec<(String, Present)> {
        let names = ["a", "b", "c"].map(str::to_owned);
        names.into_iter().zip(present.iter().copied()).collect()
    }

    #[test]
    fn members_that_differ_are_named() {
        assert_eq!(difference(&seen(&[key(1), key(1)])), None);
        assert_eq!(
            difference(&seen(&[key(1), key(2), key(1)])).unwrap(),
            "the domain key is not the same everywhere: 010101 on a, c, 020202 on b; `everslot domain init` gives all members a new one"
        );
        let line = difference(&seen(&[key(1), Present::None])).unwrap();
        assert!(line.contains(": none on b, 010101 on a;"), "{line}");
        assert!(difference(&seen(&[Present::Several])).is_some());
    }
}
