//! The tokens of the demo, and what can be done to them.

use std::error::Error;
use std::fmt::{self, Display, Formatter};
use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use secrecy::{ExposeSecret, SecretString};

use super::host::HostProcess;
use crate::command::library::library;
use crate::config::{Config, MemberConfig, PinSource};

const MEMBERS: &str = "3";
/// The configuration that `everslot init --demo` writes, for people to go on with.
const CONFIG: &str = "everslot.toml";
/// The same with quicker recovery and a module path for each member, for the length of the demo.
const DEMO_CONFIG: &str = "demo.toml";

/// A directory with tokens that hold the same key.
#[derive(Debug)]
pub(super) struct Stage {
    directory: PathBuf,
    label: String,
    pin: PinSource,
    members: Vec<Actor>,
}

/// A member of the demo.
#[derive(Clone, Debug)]
pub(super) struct Actor {
    name: String,
    /// A path of its own to the module, by which its process is found.
    module: PathBuf,
    /// The directory in which SoftHSM looks for its token.
    tokens: PathBuf,
}

impl Stage {
    /// The stage in `directory`; the tokens are made if they are not there from an earlier time.
    pub(super) fn make(directory: &Path, trace: Option<&Path>) -> Result<Self, Box<dyn Error>> {
        if !directory.join(CONFIG).exists() {
            make_tokens(directory)?;
        }
        let config = Config::from_file(&directory.join(CONFIG))?;
        let text = fs::read_to_string(directory.join(CONFIG))?;
        let mut document: toml::Table = text.parse()?;
        adapt(&mut document, directory, trace, &config)?;
        fs::write(directory.join(DEMO_CONFIG), document.to_string())?;
        let stage = Self::open(directory)?;
        stage.bring_all_back()?;
        Ok(stage)
    }

    /// The stage that [`Stage::make`] made in `directory`.
    pub(super) fn open(directory: &Path) -> Result<Self, Box<dyn Error>> {
        let config = Config::from_file(&directory.join(DEMO_CONFIG))?;
        let group = &config.groups[0];
        let members: Vec<_> = group
            .members
            .iter()
            .map(Actor::of_member)
            .collect::<Result<_, _>>()?;
        let pin = group
            .members
            .iter()
            .find_map(|member| member.pin.clone())
            .ok_or("no member of the demo has a PIN")?;
        Ok(Self {
            directory: directory.to_owned(),
            label: group.label.clone(),
            pin,
            members,
        })
    }

    pub(super) fn directory(&self) -> &Path {
        &self.directory
    }

    /// What `EVERSLOT_CONF` is to say during the demo.
    pub(super) fn config(&self) -> PathBuf {
        self.directory.join(DEMO_CONFIG)
    }

    /// The label of the virtual token.
    pub(super) fn label(&self) -> &str {
        &self.label
    }

    /// The user's PIN of every token.
    pub(super) fn pin(&self) -> Result<SecretString, Box<dyn Error>> {
        Ok(self.pin.read()?)
    }

    pub(super) fn members(&self) -> &[Actor] {
        &self.members
    }

    /// Brings every token back that was taken away.
    pub(super) fn bring_all_back(&self) -> io::Result<()> {
        self.members.iter().try_for_each(Actor::bring_back)
    }

    /// How a person goes on with the same slot.
    pub(super) fn hints(&self) -> String {
        let pin = match &self.pin {
            PinSource::File(path) => format!("$(cat {})", path.display()),
            PinSource::Environment(name) => format!("${name}"),
            PinSource::Command(command) => format!("$({})", command.join(" ")),
            PinSource::Credential(_) | PinSource::Uri(_) => "PIN".to_owned(),
        };
        let tool = format!(
            "pkcs11-tool --module {} --token-label {} --login --pin \"{pin}\"",
            library().display(),
            self.label
        );
        let (directory, config) = (self.directory.display(), self.directory.join(CONFIG));
        format!(
            "\nThe tokens stay in {directory}. The same slot from pkcs11-tool:\n  export EVERSLOT_CONF={}\n  {tool} --list-objects\n  \
             echo hello | {tool} --sign --mechanism SHA256-RSA-PKCS --id 02 --output-file signature\n",
            config.display()
        )
    }
}

impl Display for Stage {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self
            .members
            .iter()
            .map(|member| member.name.as_str())
            .collect();
        writeln!(
            f,
            "Three SoftHSM tokens, members {}, hold the same EC P-256 key, in {}.",
            names.join(", "),
            self.directory.display()
        )
    }
}

impl Actor {
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// The process that hosts it.
    pub(super) fn host(&self) -> Option<HostProcess> {
        HostProcess::of_module(&self.module)
    }

    /// Takes its token away, as if pulled out: SoftHSM does not find it when it looks afresh.
    pub(super) fn take_away(&self) -> io::Result<()> {
        move_entries(&self.tokens, &self.away())
    }

    /// Brings its token back.
    pub(super) fn bring_back(&self) -> io::Result<()> {
        if self.away().exists() {
            move_entries(&self.away(), &self.tokens)
        } else {
            Ok(())
        }
    }

    fn of_member(member: &MemberConfig) -> Result<Self, Box<dyn Error>> {
        let settings = member.settings();
        let config = settings
            .environment
            .get("SOFTHSM2_CONF")
            .ok_or("a member of the demo is no SoftHSM token")?;
        let text = fs::read_to_string(config)?;
        let tokens = text.lines().find_map(|line| {
            line.strip_prefix("directories.tokendir")?
                .trim_start()
                .strip_prefix('=')
        });
        let tokens = tokens
            .map(|path| PathBuf::from(path.trim()))
            .ok_or("a SoftHSM configuration names no tokens")?;
        Ok(Self {
            name: member.name.clone(),
            module: settings.path,
            tokens,
        })
    }

    fn away(&self) -> PathBuf {
        self.tokens.with_extension("away")
    }
}

fn make_tokens(directory: &Path) -> Result<(), Box<dyn Error>> {
    let mut init = Command::new(std::env::current_exe()?);
    init.args(["init", "--demo", MEMBERS, "--directory"])
        .arg(directory);
    let output = init.env_remove("EVERSLOT_CONF").output()?;
    if output.status.success() {
        return Ok(());
    }
    let why = String::from_utf8_lossy(&output.stderr);
    Err(why
        .trim()
        .trim_start_matches("everslot: ")
        .to_owned()
        .into())
}

/// Quick recovery, so that much happens in little time, and for each member a path of its own to the module.
fn adapt(
    document: &mut toml::Table,
    directory: &Path,
    trace: Option<&Path>,
    config: &Config,
) -> Result<(), Box<dyn Error>> {
    // What the library says would run through the picture on the terminal.
    let log = toml::Table::from_iter([(
        "file".to_owned(),
        directory.join("log").display().to_string().into(),
    )]);
    document.insert("log".to_owned(), log.into());
    let group = document
        .get_mut("group")
        .and_then(|groups| groups.get_mut(0))
        .and_then(toml::Value::as_table_mut);
    let group = group.ok_or("the configuration has no group")?;
    let recovery = toml::Table::from_iter([
        ("interval".to_owned(), "1s".into()),
        ("attempts".to_owned(), (-1).into()),
    ]);
    group.insert("recovery".to_owned(), recovery.into());
    if let Some(trace) = trace {
        group.insert("trace".to_owned(), trace.display().to_string().into());
    }
    let members = group
        .get_mut("member")
        .and_then(toml::Value::as_array_mut)
        .ok_or("the group has no member")?;
    for (written, member) in members.iter_mut().zip(&config.groups[0].members) {
        let written = written.as_table_mut().ok_or("a member is no table")?;
        let link = link_to(
            &member.settings().path,
            &directory.join(format!("{}.so", member.name)),
        )?;
        written.insert("module".to_owned(), link.display().to_string().into());
        written.insert("deadline".to_owned(), "500ms".into());
    }
    Ok(())
}

fn link_to(module: &Path, link: &Path) -> io::Result<PathBuf> {
    match fs::remove_file(link) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => symlink(module, link)?,
    }
    Ok(link.to_owned())
}

fn move_entries(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        fs::rename(entry.path(), to.join(entry.file_name()))?;
    }
    Ok(())
}

/// The PIN for the client, which takes it as text.
pub(super) fn exposed(pin: &SecretString) -> &str {
    pin.expose_secret()
}
