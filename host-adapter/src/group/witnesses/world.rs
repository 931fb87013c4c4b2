//! The group of a script: the adapter's own, but for its clock, its threads and its members' modules.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use everslot_core::{Policy, Role};

use super::application::PART;
use super::script::{Recovery, Setting};
use super::stops::Stops;
use super::token::ScriptedToken;
use crate::config::{Config, GroupConfig};
use crate::group::GroupDriver;
use crate::group::background::Background;
use crate::group::clock::Clock;
use crate::group::load::Loads;
use crate::slot_events::{EventFlag, SlotEvents};
use crate::threads::Threads;

pub(super) fn driver(
    setting: &Setting,
    directory: &Path,
    (stops, now): (&Arc<Stops>, &Arc<AtomicU64>),
    tokens: &[Arc<ScriptedToken>],
) -> Arc<GroupDriver> {
    let config = config(setting, directory);
    let mut loads = Loads::new(None, false);
    let known: Vec<_> = config
        .members
        .iter()
        .map(|member| member.settings())
        .collect();
    let tokens = tokens.to_vec();
    loads.scripted = Some(Arc::new(move |settings| {
        let at = known.iter().position(|known| known == settings);
        tokens[at.expect("a member of the group")].load()
    }));
    // Nobody feeds the timer but the script.
    let background = match setting.recovery {
        Recovery::Background => Some(Background::new().expect("an event descriptor")),
        Recovery::InCall => None,
    };
    let event = EventFlag::new(1, &Arc::new(SlotEvents::default()));
    let mut driver =
        GroupDriver::of_parts(config, loads, background, (Threads::new(), None), event);
    driver.clock = Clock::told(now);
    driver.stops = Some(Arc::clone(stops));
    Arc::new(driver)
}

fn config(setting: &Setting, directory: &Path) -> GroupConfig {
    let mut text = format!(
        "[[group]]\nlabel = \"script\"\nserial = \"1\"\njournal = \"{}\"\n",
        directory.join("journal.sqlite").display()
    );
    for (at, role) in setting.roles.iter().enumerate() {
        let module = directory.join(format!("{at}.so"));
        std::fs::write(&module, []).expect("the directory is writable");
        let role = match role {
            Role::Active => "active",
            Role::Standby => "standby",
        };
        text += &format!(
            "[[group.member]]\nname = \"m{at}\"\nmodule = \"{}\"\ntoken = \"scripted\"\nrole = \"{role}\"\ndeadline = \"1h\"\n",
            module.display()
        );
    }
    let config = Config::parse(&text, &directory.join("everslot.toml"));
    let mut config = config.expect("a configuration").groups.remove(0);
    config.recovery.policy = Policy {
        interval: Duration::from_millis(setting.policy.0),
        attempts: setting.policy.1,
    };
    // A part costs a little more than its data.
    config.transcript = setting.job.bound * (PART.len() + 64);
    config
}
