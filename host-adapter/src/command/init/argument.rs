//! `--member KEY=VALUE,…`

use std::collections::BTreeMap;
use std::str::FromStr;

/// A member as it stands on the command line, and as it will stand in the file.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(in crate::command) struct MemberArgument {
    pub(in crate::command) name: Option<String>,
    /// The keys whose values are text, in the order of the file.
    pub(in crate::command) texts: BTreeMap<Key, String>,
    pub(in crate::command) slot: Option<u64>,
    pub(in crate::command) environment: BTreeMap<String, String>,
    pub(in crate::command) pin_file: Option<String>,
}

/// A key whose value is text.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(in crate::command) enum Key {
    Module,
    Token,
    Serial,
    Role,
    InitString,
    Isolation,
    Deadline,
}

impl Key {
    const ALL: [Self; 7] = [
        Self::Module,
        Self::Token,
        Self::Serial,
        Self::Role,
        Self::InitString,
        Self::Isolation,
        Self::Deadline,
    ];

    /// Its name, in the file as on the command line.
    pub(in crate::command) const fn name(self) -> &'static str {
        match self {
            Self::Module => "module",
            Self::Token => "token",
            Self::Serial => "serial",
            Self::Role => "role",
            Self::InitString => "init_string",
            Self::Isolation => "isolation",
            Self::Deadline => "deadline",
        }
    }
}

impl FromStr for MemberArgument {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut member = Self::default();
        for pair in pairs(text) {
            let (key, value) = pair.split_once('=').ok_or_else(|| {
                format!("{pair:?} is not KEY=VALUE; a comma in a value is written twice")
            })?;
            member.set(key, value)?;
        }
        if !member.texts.contains_key(&Key::Module) {
            return Err("it has no module; add module=/path/of/the/module.so".to_owned());
        }
        Ok(member)
    }
}

impl MemberArgument {
    fn set(&mut self, key: &str, value: &str) -> Result<(), String> {
        let value = value.to_owned();
        let twice = match key {
            "name" => self.name.replace(value).is_some(),
            "slot" => {
                let number = value
                    .parse()
                    .map_err(|_| format!("slot {value:?} is no number"))?;
                self.slot.replace(number).is_some()
            }
            "pin_file" => self.pin_file.replace(absolute(&value)).is_some(),
            _ => match (
                key.strip_prefix("environment."),
                Key::ALL.into_iter().find(|known| known.name() == key),
            ) {
                (Some(variable), _) => self
                    .environment
                    .insert(variable.to_owned(), value)
                    .is_some(),
                (None, Some(key @ Key::Module)) => {
                    self.texts.insert(key, absolute(&value)).is_some()
                }
                (None, Some(key)) => self.texts.insert(key, value).is_some(),
                (None, None) => {
                    return Err(format!(
                        "unknown key {key:?}; there are name, module, token, serial, slot, role, isolation, deadline, init_string, pin_file and environment.NAME"
                    ));
                }
            },
        };
        if twice {
            Err(format!("{key} is there twice; leave one out"))
        } else {
            Ok(())
        }
    }
}

/// The members with a name each: those that have none are called a, b, c, … as far as these are free.
pub(in crate::command) fn named(members: &[MemberArgument]) -> Vec<MemberArgument> {
    let taken: Vec<_> = members
        .iter()
        .filter_map(|member| member.name.clone())
        .collect();
    let mut free = names().filter(|name| !taken.contains(name));
    members
        .iter()
        .map(|member| {
            let name = member.name.clone().or_else(|| free.next());
            MemberArgument {
                name,
                ..member.clone()
            }
        })
        .collect()
}

/// a, b, … z, then m27, m28, …
pub(in crate::command) fn names() -> impl Iterator<Item = String> {
    let letters = ('a'..='z').map(String::from);
    letters.chain((27..=u32::MAX).map(|number| format!("m{number}")))
}

/// Relative paths on a command line start where it was given, in the file at its own directory.
fn absolute(path: &str) -> String {
    std::path::absolute(path).map_or_else(|_| path.to_owned(), |path| path.display().to_string())
}

/// The parts between single commas; two commas stand for one.
fn pairs(text: &str) -> Vec<String> {
    let mut pairs = vec![String::new()];
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match (character, pairs.last_mut()) {
            (',', Some(pair)) if characters.next_if_eq(&',').is_some() => pair.push(','),
            (',', _) => pairs.push(String::new()),
            (character, Some(pair)) => pair.push(character),
            (_, None) => {}
        }
    }
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_is_taken() {
        let text = "name=x,module=/m.so,token=t,serial=s,slot=3,role=standby,isolation=none,deadline=1s,\
                    init_string=a=b,,c,pin_file=/pin,environment.CONF=/c";
        let member: MemberArgument = text.parse().unwrap();
        assert_eq!((member.name.as_deref(), member.slot), (Some("x"), Some(3)));
        assert_eq!(member.texts[&Key::InitString], "a=b,c");
        assert_eq!(member.texts.len(), 7);
        assert_eq!(member.environment["CONF"], "/c");
        assert_eq!(member.pin_file.as_deref(), Some("/pin"));
    }

    #[test]
    fn what_cannot_be_understood_is_said() {
        for (text, line) in [
            (
                "token=x",
                "it has no module; add module=/path/of/the/module.so",
            ),
            (
                "/m.so",
                "\"/m.so\" is not KEY=VALUE; a comma in a value is written twice",
            ),
            ("module=/m,slot=x", "slot \"x\" is no number"),
            (
                "module=/m,token=a,token=b",
                "token is there twice; leave one out",
            ),
            (
                "modul=/m",
                "unknown key \"modul\"; there are name, module, token, serial, slot, role, isolation, deadline, init_string, pin_file and environment.NAME",
            ),
        ] {
            assert_eq!(text.parse::<MemberArgument>().unwrap_err(), line);
        }
    }

    #[test]
    fn names_are_given_where_there_is_none() {
        let members: Vec<MemberArgument> = ["module=/m", "module=/m,name=a", "module=/m"]
            .map(|text| text.parse().unwrap())
            .into();
        let names: Vec<_> = named(&members)
            .into_iter()
            .map(|member| member.name.unwrap())
            .collect();
        assert_eq!(names, ["b", "a", "c"]);
    }
}
