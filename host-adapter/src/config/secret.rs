//! Secrets in the configuration itself, which belong elsewhere.

use std::fmt;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, Error, MapAccess, Visitor};

use super::check::Checker;
use super::pin::has_pin;
use super::{Config, ConfigError, PinSource};

/// Instead of serde's own words, which repeat what is written: it may be the PIN.
const NOT_HERE: &str = "a PIN does not stand in the configuration; write it to a file of its own (chmod 600) and here pin = { file = \"PATH\" }";
const NO_SOURCE: &str = "this is not where a PIN can come from; write for example { file = \"PATH\" }, { environment = \"NAME\" } or { command = [\"pass\", \"hsm\"] }";

/// Where a PIN comes from, as it is written.
pub(super) struct Pin(pub(super) PinSource);

impl<'de> Deserialize<'de> for Pin {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Pin;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("where the PIN is, such as { file = \"PATH\" }")
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<Pin, E> {
        Err(E::custom(NOT_HERE))
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<Pin, E> {
        Err(E::custom(NOT_HERE))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Pin, A::Error> {
        let written = Written::deserialize(MapAccessDeserializer::new(map)).map_err(|error| {
            // What is wrong with a key is told; a value is not.
            match error.to_string().starts_with("unknown field") {
                true => error,
                false => A::Error::custom(NO_SOURCE),
            }
        })?;
        let source = written.source();
        source.map(Pin).ok_or_else(|| A::Error::custom(NO_SOURCE))
    }
}

/// The ways of which one is to be there; as a [`PinSource`] names them.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    file: Option<PathBuf>,
    environment: Option<String>,
    credential: Option<String>,
    uri: Option<String>,
    command: Option<Vec<String>>,
}

impl Written {
    /// None when there is not exactly one.
    fn source(self) -> Option<PinSource> {
        let all = [
            self.file.map(PinSource::File),
            self.environment.map(PinSource::Environment),
            self.credential.map(PinSource::Credential),
            self.uri.map(PinSource::Uri),
            self.command.map(PinSource::Command),
        ];
        let mut there = all.into_iter().flatten();
        there.next().filter(|_| there.next().is_none())
    }
}

impl Checker<'_> {
    pub(super) fn pin(&self, written: Option<&Pin>) -> Option<PinSource> {
        let source = written?.0.clone();
        Some(source.map_file(|file| self.absolute(&file)))
    }
}

/// Refuses a file that everybody may read and that has a secret in it.
pub(super) fn check(config: &Config) -> Result<(), ConfigError> {
    let mode = std::fs::metadata(&config.path).map_or(0, |file| file.mode() & 0o7777);
    match secret(config).filter(|_| mode & 0o004 != 0) {
        Some(what) => Err(ConfigError::ReadableByOthers {
            path: config.path.clone(),
            mode,
            what,
        }),
        None => Ok(()),
    }
}

/// The first one, in words.
fn secret(config: &Config) -> Option<String> {
    for group in &config.groups {
        if has_password(&group.journal) {
            return Some(format!("the password of group {:?}'s journal", group.label));
        }
        for member in &group.members {
            let mut sources = [&member.pin, &member.so_pin].into_iter().flatten();
            if sources.any(has_pin) {
                return Some(format!("a PIN of member {:?}", member.name));
            }
        }
    }
    None
}

fn has_password(journal: &str) -> bool {
    let is_url = crate::journal::is_url(journal);
    let server = journal.parse::<postgres::Config>();
    is_url && server.is_ok_and(|server| server.get_password().is_some())
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt;
    use std::path::Path;

    use super::*;

    fn text(group: &str, member: &str) -> String {
        let module = std::env::current_exe().expect("this program has a file");
        format!(
            "[[group]]\nlabel = \"g\"\nserial = \"1\"\n{group}\n[[group.member]]\nname = \"a\"\ntoken = \"a\"\nmodule = {module:?}\n{member}\n"
        )
    }

    #[test]
    fn a_file_that_everybody_may_read_has_no_secret_in_it() {
        let directory = tempfile::tempdir().expect("there is room");
        let path = directory.path().join("everslot.toml");
        let read = |group: &str, member: &str, mode: u32| {
            fs::write(&path, text(group, member)).expect("it is writable");
            fs::set_permissions(&path, Permissions::from_mode(mode)).expect("it is ours");
            let read = Config::from_file(&path).map(|_| ());
            read.map_err(|error| error.to_string())
        };
        let url = "journal = \"postgresql://everslot:hunter2@db/journal\"";
        let in_query = "journal = \"postgresql://everslot@db/journal?password=hunter2\"";
        let pin = "so_pin = { uri = \"pkcs11:token=a?pin-value=hunter2\" }";
        for (group, member, what) in [
            (url, "", "the password of group \"g\"'s journal"),
            (in_query, "", "the password of group \"g\"'s journal"),
            ("", pin, "a PIN of member \"a\""),
        ] {
            let told = read(group, member, 0o644).expect_err("everybody may read it");
            let path = path.display();
            let expected = format!(
                "{path}: everybody may read it (mode 0644), and {what} stands in it: chmod o-r {path}"
            );
            assert_eq!(told, expected);
            assert_eq!(read(group, member, 0o640), Ok(()));
        }
        let elsewhere = "pin = { uri = \"pkcs11:token=a?pin-source=file:/pin\" }";
        let without = "journal = \"postgresql://everslot@db/journal\"";
        assert_eq!(read(without, elsewhere, 0o644), Ok(()));
    }

    #[test]
    fn what_may_be_a_pin_is_in_no_error() {
        for (pin, why) in [
            ("\"4711\"", NOT_HERE),
            ("4711", NOT_HERE),
            ("{ file = 4711 }", NO_SOURCE),
            ("{ command = \"echo 4711\" }", NO_SOURCE),
            (
                "{ value = \"4711\" }",
                "unknown key \"value\"; there are file, environment, credential, uri, command",
            ),
        ] {
            let text = text("", &format!("pin = {pin}"));
            let told = Config::parse(&text, Path::new("c.toml"))
                .expect_err(pin)
                .to_string();
            assert!(
                told.starts_with("c.toml:9:") && told.ends_with(why),
                "{told}"
            );
        }
    }
}
