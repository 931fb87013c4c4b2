//! Luna's syntax: the command's name, then options with one hyphen.

use std::collections::BTreeMap;
use std::path::PathBuf;

/// What is to be done.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Deed {
    Show,
    NewGroup {
        label: String,
        token: Wanted,
    },
    AddMember {
        group: String,
        token: Wanted,
    },
    RemoveMember {
        group: String,
        serial: String,
    },
    DeleteGroup {
        group: String,
    },
    Standby {
        group: String,
        serial: String,
        is_standby: bool,
    },
    Synchronize {
        group: String,
    },
    Recover {
        group: String,
    },
    AutoRecovery {
        retry: Option<i64>,
        interval: Option<u64>,
    },
    HaOnly(Shown),
    Log(LogDeed),
}

/// A token that is to be a member.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Wanted {
    pub(super) serial: String,
    /// The module to look in, rather than those of the configuration.
    pub(super) module: Option<PathBuf>,
    pub(super) environment: BTreeMap<String, String>,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Shown {
    Enable,
    Disable,
    Show,
}

#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum LogDeed {
    Show,
    Path(PathBuf),
    /// The most bytes that the file is to have.
    MaxLength(u64),
    Level(&'static str),
}

const COMMANDS: &str = "newGroup, addMember, removeMember, deleteGroup, show, synchronize, HAOnly, autorecovery, recover, standbyMembers, halog";

/// What Luna's words mean.
///
/// # Errors
/// One line: which word is not understood, and what stands in its place.
pub(super) fn deed(words: &[String]) -> Result<Deed, String> {
    let (utility, words) = words.split_first().ok_or("give haAdmin")?;
    if !utility.eq_ignore_ascii_case("haAdmin") {
        return Err(format!(
            "{utility:?} is not one of vtl's commands that everslot has; there is haAdmin"
        ));
    }
    let Some((command, words)) = words.split_first() else {
        return Err(format!("which command of haAdmin? there is {COMMANDS}"));
    };
    let name = command.trim_start_matches('-').to_lowercase();
    let mut options = Options::parse(words)?;
    let deed = match name.as_str() {
        "show" => Deed::Show,
        "newgroup" => new_group(&mut options)?,
        "addmember" => Deed::AddMember {
            group: options.needed("group")?,
            token: wanted(&mut options)?,
        },
        "removemember" => Deed::RemoveMember {
            group: options.needed("group")?,
            serial: options.needed("serialnum")?,
        },
        "deletegroup" => Deed::DeleteGroup {
            group: match options.value("label")? {
                Some(label) => label,
                None => options.needed("group")?,
            },
        },
        "standbymembers" => standby(&mut options)?,
        "synchronize" => Deed::Synchronize {
            group: options.needed("group")?,
        },
        "recover" => Deed::Recover {
            group: options.needed("group")?,
        },
        "autorecovery" => auto_recovery(&mut options)?,
        "haonly" => {
            Deed::HaOnly(shown(&mut options)?.ok_or("HAOnly takes -enable, -disable or -show")?)
        }
        "halog" => Deed::Log(log(&mut options)?),
        _ => {
            return Err(format!(
                "{command:?} is not a command of haAdmin; there is {COMMANDS}"
            ));
        }
    };
    options.end(command)?;
    Ok(deed)
}

fn new_group(options: &mut Options) -> Result<Deed, String> {
    Ok(Deed::NewGroup {
        label: options.needed("label")?,
        token: wanted(options)?,
    })
}

fn wanted(options: &mut Options) -> Result<Wanted, String> {
    // Luna logs in to the member with it; nothing here needs that.
    options.value("p")?;
    options.value("password")?;
    let mut environment = BTreeMap::new();
    while let Some(variable) = options.value("environment")? {
        let (name, value) = variable
            .split_once('=')
            .ok_or_else(|| format!("-environment {variable:?} is not of the form NAME=VALUE"))?;
        environment.insert(name.to_owned(), value.to_owned());
    }
    Ok(Wanted {
        serial: options.needed("serialnum")?,
        module: options.value("module")?.map(PathBuf::from),
        environment,
    })
}

fn standby(options: &mut Options) -> Result<Deed, String> {
    let is_standby = match (options.flag("set")?, options.flag("remove")?) {
        (true, false) => true,
        (false, true) => false,
        (true, true) | (false, false) => {
            return Err("standbyMembers takes -set or -remove".to_owned());
        }
    };
    Ok(Deed::Standby {
        group: options.needed("group")?,
        serial: options.needed("serialnum")?,
        is_standby,
    })
}

fn auto_recovery(options: &mut Options) -> Result<Deed, String> {
    let retry = options.value("retry")?;
    let retry = retry.map(|text| text.parse().map_err(|_| not_a_number("retry", &text)));
    let interval = options.value("interval")?;
    let interval = interval.map(|text| text.parse().map_err(|_| not_a_number("interval", &text)));
    if retry.is_none() && interval.is_none() {
        return Err("autorecovery takes -retry NUMBER (0 for none, -1 without end), -interval SECONDS, or both".to_owned());
    }
    Ok(Deed::AutoRecovery {
        retry: retry.transpose()?,
        interval: interval.transpose()?,
    })
}

fn not_a_number(name: &str, text: &str) -> String {
    format!("-{name} {text:?} is not a number")
}

fn shown(options: &mut Options) -> Result<Option<Shown>, String> {
    for (name, shown) in [
        ("enable", Shown::Enable),
        ("disable", Shown::Disable),
        ("show", Shown::Show),
    ] {
        if options.flag(name)? {
            return Ok(Some(shown));
        }
    }
    Ok(None)
}

fn log(options: &mut Options) -> Result<LogDeed, String> {
    if let Some(path) = options.value("path")? {
        return Ok(LogDeed::Path(path.into()));
    }
    if let Some(text) = options.value("maxlength")? {
        let bytes = text.parse();
        return Ok(LogDeed::MaxLength(
            bytes.map_err(|_| not_a_number("maxlength", &text))?,
        ));
    }
    match shown(options)? {
        Some(Shown::Enable) => Ok(LogDeed::Level("info")),
        Some(Shown::Disable) => Ok(LogDeed::Level("off")),
        Some(Shown::Show) => Ok(LogDeed::Show),
        None => {
            Err("halog takes -path FILE, -maxlength BYTES, -enable, -disable or -show".to_owned())
        }
    }
}

/// What is left of the options, each with its value if it has one.
struct Options(Vec<(String, Option<String>)>);

impl Options {
    fn parse(words: &[String]) -> Result<Self, String> {
        let mut options: Vec<(String, Option<String>)> = Vec::new();
        for word in words {
            match (word.strip_prefix('-'), options.last_mut()) {
                // A negative number is a value.
                (Some(name), _) if !name.starts_with(|digit: char| digit.is_ascii_digit()) => {
                    options.push((name.trim_start_matches('-').to_lowercase(), None));
                }
                (_, Some((_, value))) if value.is_none() => *value = Some(word.clone()),
                (_, _) => {
                    return Err(format!(
                        "{word:?} is not understood: options begin with a hyphen"
                    ));
                }
            }
        }
        Ok(Self(options))
    }

    fn take(&mut self, name: &str) -> Option<Option<String>> {
        let place = self.0.iter().position(|(option, _)| option == name)?;
        Some(self.0.remove(place).1)
    }

    fn value(&mut self, name: &str) -> Result<Option<String>, String> {
        match self.take(name) {
            Some(None) => Err(format!("-{name} wants a value")),
            Some(value) => Ok(value),
            None => Ok(None),
        }
    }

    fn needed(&mut self, name: &str) -> Result<String, String> {
        self.value(name)?.ok_or_else(|| format!("give -{name}"))
    }

    fn flag(&mut self, name: &str) -> Result<bool, String> {
        match self.take(name) {
            Some(Some(value)) => Err(format!("-{name} takes no value, such as {value:?}")),
            Some(None) => Ok(true),
            None => Ok(false),
        }
    }

    fn end(&self, command: &str) -> Result<(), String> {
        match self.0.first() {
            Some((option, _)) => Err(format!("{command} takes no option -{option}")),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<Deed, String> {
        let words: Vec<_> = line.split(' ').map(str::to_owned).collect();
        deed(&words)
    }

    #[test]
    fn lunas_lines_are_read_in_all_their_spellings() {
        let (group, serial) = ("g".to_owned(), "42".to_owned());
        let token = Wanted {
            serial: "42".to_owned(),
            module: None,
            environment: BTreeMap::new(),
        };
        for (line, deed) in [
            ("haAdmin show", Deed::Show),
            (
                "haAdmin newGroup -serialNum 42 -label g -p secret",
                Deed::NewGroup {
                    label: group.clone(),
                    token: token.clone(),
                },
            ),
            (
                "haAdmin addMember -group g -serialNum 42",
                Deed::AddMember {
                    group: group.clone(),
                    token,
                },
            ),
            (
                "haAdmin -standbyMembers -set -group g -serialnum 42",
                Deed::Standby {
                    group: group.clone(),
                    serial,
                    is_standby: true,
                },
            ),
            ("haadmin -recover -group g", Deed::Recover { group }),
            (
                "haAdmin autorecovery -retry -1 -interval 60",
                Deed::AutoRecovery {
                    retry: Some(-1),
                    interval: Some(60),
                },
            ),
            ("haAdmin HAOnly -enable", Deed::HaOnly(Shown::Enable)),
            (
                "haAdmin halog -maxlength 262144",
                Deed::Log(LogDeed::MaxLength(262_144)),
            ),
            ("haAdmin halog -disable", Deed::Log(LogDeed::Level("off"))),
        ] {
            assert_eq!(read(line), Ok(deed), "{line}");
        }
    }

    #[test]
    fn what_is_not_understood_is_said() {
        for (line, error) in [
            ("haAdmin addMember -group g", "give -serialnum"),
            ("haAdmin show -colour red", "show takes no option -colour"),
            (
                "haAdmin show all",
                "\"all\" is not understood: options begin with a hyphen",
            ),
            ("haAdmin recover -group", "-group wants a value"),
            (
                "haAdmin HAOnly -enable yes",
                "-enable takes no value, such as \"yes\"",
            ),
            (
                "haAdmin autorecovery -retry often",
                "-retry \"often\" is not a number",
            ),
        ] {
            assert_eq!(read(line), Err(error.to_owned()), "{line}");
        }
        assert!(read("haAdmin dance").is_err_and(|error| error.ends_with("halog")));
        assert!(read("createCert").is_err_and(|error| error.contains("haAdmin")));
    }
}
