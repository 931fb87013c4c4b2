//! One member: its module, its token, its PIN, its sessions, its clock.

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use cryptoki_sys::{
    CK_EFFECTIVELY_INFINITE, CK_UNAVAILABLE_INFORMATION, CKF_CLOCK_ON_TOKEN,
    CKF_USER_PIN_COUNT_LOW, CKF_USER_PIN_FINAL_TRY, CKF_USER_PIN_INITIALIZED, CKF_USER_PIN_LOCKED,
    CKF_USER_PIN_TO_BE_CHANGED,
};
use everslot_protocol::{Body, Function, Request, SlotId, TokenInfo};

use super::finding::Finding;
use crate::command::domain::opened::{GroupPin, Opened};
use crate::command::domain::show::Present;
use crate::command::probe::{Found, ProbeError, find};
use crate::config::{GroupConfig, MemberConfig, text};
use crate::domain::CallError;
use crate::domain::key::KeyName;
use crate::objects::Own;

/// Most mechanisms that a token is asked for.
const MECHANISMS: usize = 1024;
/// A clock that is further off than this makes time stamps and validity periods doubtful, seconds.
const SKEW: u64 = 60;

/// A member, and what was found.
pub(super) struct Examined {
    pub(super) name: String,
    pub(super) findings: Vec<Finding>,
    pub(super) found: Result<Found, ProbeError>,
    /// `CKM_…`; none if they could not be had.
    pub(super) mechanisms: Option<Vec<u64>>,
    /// None if nobody could log in to look for it.
    pub(super) domain_key: Option<Present>,
}

pub(super) fn examine(group: &GroupConfig, config: &MemberConfig, host_program: &Path) -> Examined {
    let about = format!("member {}", config.name);
    let looked = look(config, host_program);
    let mut examined = Examined {
        name: config.name.clone(),
        findings: Vec::new(),
        found: looked
            .as_ref()
            .map(|(found, _)| found.clone())
            .map_err(Clone::clone),
        mechanisms: None,
        domain_key: None,
    };
    let (found, mechanisms) = match looked {
        Ok(looked) => looked,
        Err(error) => {
            examined.findings.push(Finding::error(&about, &error));
            return examined;
        }
    };
    let findings = &mut examined.findings;
    findings.push(match &mechanisms {
        Ok(list) => Finding::fine(
            &about,
            format!("{}, {} mechanisms", token_words(&found), list.len()),
        ),
        Err(error) => Finding::error(&about, error),
    });
    examined.mechanisms = mechanisms.ok();
    findings.extend(sessions(&about, config, &found.info));
    findings.extend(clock(&about, &found.info, now()));
    match pin(&about, config, &found.info) {
        Err(finding) => findings.push(finding),
        Ok(()) => match log_in(group, config) {
            Ok(key) => {
                findings.push(Finding::fine(&about, "its PIN is right"));
                examined.domain_key = Some(key);
            }
            Err(error) => findings.push(Finding::problem(
                &about,
                error,
                "correct the PIN's source before an application tries it again",
            )),
        },
    }
    examined
}

/// Its token, and the mechanisms it lists.
fn look(
    config: &MemberConfig,
    host_program: &Path,
) -> Result<(Found, Result<Vec<u64>, CallError>), ProbeError> {
    let settings = config.settings();
    let started = Own::start(&settings, host_program, config.deadline);
    let mut member = started.map_err(|error| ProbeError::of_module(&settings.path, error))?;
    let found = find(config, &mut member)?;
    let mechanisms = mechanisms(&mut member, found.slot);
    Ok((found, mechanisms))
}

fn mechanisms(member: &mut Own, slot: SlotId) -> Result<Vec<u64>, CallError> {
    let mut output = vec![0; MECHANISMS * size_of::<u64>()];
    let request = Request::Mechanisms { slot };
    let written = match member.call(Function::GetMechanismList, &request, &mut output)? {
        Body::Written(bytes) => usize::try_from(bytes).unwrap_or(usize::MAX),
        _ => 0,
    };
    let (list, _) = output.get(..written).unwrap_or_default().as_chunks();
    Ok(list.iter().map(|kind| u64::from_ne_bytes(*kind)).collect())
}

fn token_words(found: &Found) -> String {
    let info = &found.info;
    format!(
        "token {:?} of {} in slot {}, serial {}",
        text(&info.label),
        text(&info.manufacturer),
        found.slot.0,
        text(&info.serial)
    )
}

/// More sessions than the token allows are not asked for by an application that knows the limit.
fn sessions(about: &str, config: &MemberConfig, info: &TokenInfo) -> Option<Finding> {
    let most = match info.max_sessions {
        CK_EFFECTIVELY_INFINITE | CK_UNAVAILABLE_INFORMATION => return None,
        most => most,
    };
    let wanted = u64::from(config.sessions.get());
    (most < wanted).then(|| {
        Finding::warning(
            about,
            format!(
                "its token allows {most} sessions, and each application would open up to {wanted}"
            ),
            &format!("write sessions = {most} for one application, or less where several use it"),
        )
    })
}

/// A token's clock beside the machine's (`CK_TOKEN_INFO.utcTime`, PKCS#11 v3.1 §3.2: YYYYMMDDhhmmssxx).
fn clock(about: &str, info: &TokenInfo, now: u64) -> Option<Finding> {
    if info.flags & CKF_CLOCK_ON_TOKEN == 0 {
        return None;
    }
    let Some(token) = seconds(&info.utc_time) else {
        return Some(Finding::warning(
            about,
            "its token has a clock and tells no time",
            "set the token's clock",
        ));
    };
    let skew = token.abs_diff(now);
    (skew > SKEW).then(|| {
        Finding::warning(
            about,
            format!("its token's clock is {skew} s off the machine's"),
            "set the one that is wrong",
        )
    })
}

/// Seconds since 1970.
fn seconds(utc: &[u8; 16]) -> Option<u64> {
    let text = str::from_utf8(utc).ok()?;
    let written = format!(
        "{}-{}-{}T{}:{}:{}Z",
        text.get(0..4)?,
        text.get(4..6)?,
        text.get(6..8)?,
        text.get(8..10)?,
        text.get(10..12)?,
        text.get(12..14)?
    );
    let time = humantime::parse_rfc3339(&written).ok()?;
    time.duration_since(UNIX_EPOCH)
        .ok()
        .map(|since| since.as_secs())
}

fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| since.as_secs())
}

/// Whether the PIN may be tried; else what is to be said.
fn pin(about: &str, config: &MemberConfig, info: &TokenInfo) -> Result<(), Finding> {
    let problem = |what: &str, remedy: &str| Err(Finding::problem(about, what, remedy));
    let has = |flag| info.flags & flag != 0;
    if !has(CKF_USER_PIN_INITIALIZED) {
        return problem(
            "its token has no user PIN",
            "set one with the token's own tool",
        );
    }
    if has(CKF_USER_PIN_LOCKED) {
        return problem(
            "its token has locked the user's PIN",
            "unlock it with the token's own tool",
        );
    }
    if has(CKF_USER_PIN_TO_BE_CHANGED) {
        return problem(
            "its token wants the user's PIN to be changed",
            "change it with the token's own tool",
        );
    }
    if has(CKF_USER_PIN_FINAL_TRY | CKF_USER_PIN_COUNT_LOW) {
        return problem(
            "its token has few tries of the user's PIN left, so it was not tried",
            "log in once with the right PIN by the token's own tool",
        );
    }
    match &config.pin {
        None => Err(Finding::fine(
            about,
            "no PIN in the configuration: applications log in with theirs",
        )),
        Some(_) => Ok(()),
    }
}

/// Logs in, once, and looks for the domain key.
fn log_in(group: &GroupConfig, config: &MemberConfig) -> Result<Present, String> {
    let opened = Opened::open(config, group, &GroupPin::default());
    let mut opened = opened.map_err(|error| error.to_string())?;
    let name = KeyName::of_group(&group.serial);
    Present::of(&mut opened.token(), &name).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests;
