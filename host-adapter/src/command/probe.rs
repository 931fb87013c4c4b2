//! Looks for the members' tokens without any running application: loads each module in a member host, and never logs in.

use std::path::Path;
use std::thread;

use cryptoki_sys::CKF_TOKEN_INITIALIZED;
use everslot_core::{Rv, ckr};
use everslot_protocol::{SlotId, TokenInfo};

use crate::config::{MemberConfig, TokenChoice, same_token, text};
use crate::domain::CallError;
use crate::objects::Own;

/// A member's token, as it was found.
#[derive(Clone, Debug)]
pub(super) struct Found {
    /// Where.
    pub(super) slot: SlotId,
    /// What it says of itself.
    pub(super) info: TokenInfo,
}

/// A member's token was not found.
#[derive(Clone, Debug, thiserror::Error)]
pub(super) enum ProbeError {
    /// The module does not answer as it should.
    #[error("module {module}: {error}")]
    Module {
        /// Its path.
        module: String,
        /// What it does.
        error: CallError,
    },
    /// The module works, and does not have the token.
    #[error(
        "module {module} has no {token}{}; correct the configuration or bring the token back",
        those_present(present)
    )]
    Absent {
        /// Its path.
        module: String,
        /// What was looked for.
        token: TokenChoice,
        /// The labels of the tokens that are there.
        present: Vec<String>,
    },
}

impl ProbeError {
    pub(super) fn of_module(module: &Path, error: CallError) -> Self {
        Self::Module {
            module: module.display().to_string(),
            error,
        }
    }

    /// What the seed's status would show.
    pub(super) const fn code(&self) -> Rv {
        match self {
            Self::Module { error, .. } => error.code(),
            Self::Absent { .. } => ckr::TOKEN_NOT_PRESENT,
        }
    }
}

/// Looks for the token of each member, side by side; the answers are in the order of `members`.
pub(super) fn probe(
    members: &[MemberConfig],
    host_program: &Path,
) -> Vec<Result<Found, ProbeError>> {
    thread::scope(|scope| {
        let probes: Vec<_> = members
            .iter()
            .map(|member| scope.spawn(|| probe_member(member, host_program)))
            .collect();
        probes
            .into_iter()
            .map(|probe| {
                probe
                    .join()
                    .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            })
            .collect()
    })
}

/// Two members that are one token, or look like it.
pub(super) struct Double {
    pub(super) likeness: Likeness,
    /// Who, and what to do; one line.
    pub(super) line: String,
}

/// How alike two members' tokens are.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Likeness {
    /// They are one: the same module with the same settings, and the same slot or serial.
    Same,
    /// They say the same of themselves through different settings: one token, or a copy of it.
    Alike,
}

/// Every pair of members that are one token, or look like it.
pub(super) fn doubles(
    members: &[MemberConfig],
    findings: &[Result<Found, ProbeError>],
) -> Vec<Double> {
    let found: Vec<_> = members
        .iter()
        .zip(findings)
        .filter_map(|(member, finding)| Some((member, finding.as_ref().ok()?)))
        .collect();
    let pairs = found
        .iter()
        .enumerate()
        .flat_map(|(index, one)| found[index + 1..].iter().map(move |other| (*one, *other)));
    pairs
        .filter_map(|(one, other)| Some(double(one, other, likeness(one, other)?)))
        .collect()
}

fn double(
    one: (&MemberConfig, &Found),
    other: (&MemberConfig, &Found),
    likeness: Likeness,
) -> Double {
    let names = format!("members {:?} and {:?}", one.0.name, other.0.name);
    let line = match likeness {
        Likeness::Same => {
            format!("{names} are the same token; remove one of them from the configuration")
        }
        Likeness::Alike => format!(
            "{names} have the same serial; remove one of them, unless they are copies of one token"
        ),
    };
    Double { likeness, line }
}

fn likeness(one: (&MemberConfig, &Found), other: (&MemberConfig, &Found)) -> Option<Likeness> {
    let alike = same_token(&one.1.info, &other.1.info);
    let same_module = one.0.settings() == other.0.settings();
    if same_module && (alike || one.1.slot == other.1.slot) {
        return Some(Likeness::Same);
    }
    alike.then_some(Likeness::Alike)
}

fn probe_member(member: &MemberConfig, host_program: &Path) -> Result<Found, ProbeError> {
    let settings = member.settings();
    match Own::start(&settings, host_program, member.deadline) {
        Ok(mut started) => find(member, &mut started),
        Err(error) => Err(ProbeError::of_module(&settings.path, error)),
    }
}

/// Looks for a member's token in its module.
pub(super) fn find(config: &MemberConfig, member: &mut Own) -> Result<Found, ProbeError> {
    let module = config.settings().path;
    let tokens = member.tokens();
    let mut tokens = tokens.map_err(|error| ProbeError::of_module(&module, error))?;
    // SoftHSM, for one, has a last slot whose token nobody has initialised.
    tokens.retain(|(_, info)| info.flags & CKF_TOKEN_INITIALIZED != 0);
    let found = tokens
        .iter()
        .find(|(slot, info)| config.token.matches(*slot, info));
    match found {
        Some((slot, info)) => Ok(Found {
            slot: *slot,
            info: *info,
        }),
        None => Err(ProbeError::Absent {
            module: module.display().to_string(),
            token: config.token.clone(),
            present: tokens.iter().map(|(_, info)| text(&info.label)).collect(),
        }),
    }
}

fn those_present(labels: &[String]) -> String {
    match labels {
        [] => ", nor any other token".to_owned(),
        labels => format!(
            " (it has {})",
            labels
                .iter()
                .map(|label| format!("{label:?}"))
                .collect::<Vec<_>>()
                .join(", ")
        ),
    }
}
