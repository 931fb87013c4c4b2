//! `everslot domain`

pub(super) mod init;
pub(super) mod opened;
pub(super) mod show;

use std::error::Error;
use std::path::PathBuf;

use super::Outcome;
use crate::config::{Config, GroupConfig};

const EXAMPLES: &str = "\
Examples:
  everslot domain init
  everslot domain show
  everslot domain init --group signing --new

The domain key is an AES key that all members of a group have and none gives away; keys go from member to member under it.
Members without a pin in the configuration get the one that is asked for. Where so_pin is there too, the security officer has the key trusted.";

/// The key under which keys go from member to member
#[derive(clap::Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    #[command(subcommand)]
    deed: Deed,
}

#[derive(clap::Subcommand, Debug)]
enum Deed {
    Init(init::Arguments),
    Show(show::Arguments),
}

/// Which group is meant.
#[derive(clap::Args, Debug)]
pub(super) struct Which {
    /// The group with this label or serial, where there are several
    #[arg(long, value_name = "LABEL")]
    group: Option<String>,
    /// Another configuration than the usual one
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

pub(super) fn run(arguments: &Arguments) -> Outcome {
    match &arguments.deed {
        Deed::Init(arguments) => init::run(arguments),
        Deed::Show(arguments) => show::run(arguments),
    }
}

impl Which {
    /// This group of the usual configuration.
    pub(super) const fn group(group: String) -> Self {
        Self {
            group: Some(group),
            config: None,
        }
    }

    /// The group's part of the configuration.
    pub(super) fn find(&self) -> Result<GroupConfig, Box<dyn Error>> {
        let config = match &self.config {
            Some(path) => Config::from_file(&std::path::absolute(path)?)?,
            None => Config::load()?,
        };
        let labels: Vec<_> = config
            .groups
            .iter()
            .map(|group| format!("{:?}", group.label))
            .collect();
        let path = config.path.display();
        let mut groups = config.groups.into_iter();
        let group = match &self.group {
            Some(name) => groups.find(|group| group.label == *name || group.serial == *name),
            None => groups.next().filter(|_| labels.len() == 1),
        };
        group.ok_or_else(|| {
            let what = match &self.group {
                Some(name) => format!("no group {name:?}"),
                None => "more than one group".to_owned(),
            };
            let labels = labels.join(", ");
            format!("{path} has {what}; say with --group which of {labels}").into()
        })
    }
}
