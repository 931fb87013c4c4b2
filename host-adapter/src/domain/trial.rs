//! The trial that finds the members' profiles.

use cryptoki_sys as ck;
use everslot_core::Rv;
use everslot_protocol::{Body, Function, ObjectHandle, Request, SlotId};

use super::attributes::Attributes;
use super::call::CallError;
use super::carry::{CarryError, CarryFailure, End, Parcel, undo};
use super::profile::{KeyKind, Profile, WRAPS};
use super::prove::Proof;
use super::token::Token;

/// What the trial's copies are called; those that a crash has left are destroyed by the next trial.
const LABEL: &[u8] = b"everslot trial";
/// Bytes of the generic secret: enough for SoftHSM's HMAC with SHA-256, and whole blocks, since SoftHSM does not wrap other lengths rightly
/// (carrying one is refused).
const SECRET: u64 = 40;
/// The DER of the OID of the curve P-256.
const P256: &[u8] = &[0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];

/// A member failed the trial altogether: it gave no answer.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{error}")]
pub struct TrialError {
    /// Which of the members.
    pub member: usize,
    /// What happened.
    pub error: CallError,
}

/// One way from one member to another that did not work.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Failed {
    /// From which member.
    pub from: usize,
    /// To which.
    pub to: usize,
    /// Of which kind the key was.
    pub kind: KeyKind,
    /// Why.
    pub error: CarryError,
}

/// What was found out; the profiles are in `profile` of each member.
#[derive(Debug, Default)]
pub struct Trial {
    /// Ways that were proven by use.
    pub carried: usize,
    /// Ways that did not work.
    pub failed: Vec<Failed>,
}

/// Finds each member's profile: first the wrap mechanisms by which most of them understand each other, then what each pair can carry.
///
/// # Errors
/// A member gives no answer. What it cannot do is no error.
pub fn try_members(members: &mut [End<'_, '_>]) -> Result<Trial, TrialError> {
    for (index, end) in members.iter_mut().enumerate() {
        clean(end.token).map_err(|error| TrialError {
            member: index,
            error,
        })?;
    }
    for (end, wrap) in choose_wraps(members)?.into_iter().enumerate() {
        if let Some(end) = members.get_mut(end) {
            end.profile = Profile::of_wrap(wrap.unwrap_or(WRAPS[0]));
        }
    }
    for (index, end) in members.iter_mut().enumerate() {
        let lacks = lacks_data(end.token).map_err(|error| TrialError {
            member: index,
            error,
        })?;
        end.profile.lacks_data = lacks;
    }
    let mut trial = Trial::default();
    for from in 0..members.len() {
        for kind in KeyKind::ALL {
            carry_kind(members, from, kind, &mut trial)?;
        }
    }
    Ok(trial)
}

/// Carries a new key of `kind` from one member to every member, that one included.
fn carry_kind(
    members: &mut [End<'_, '_>],
    from: usize,
    kind: KeyKind,
    trial: &mut Trial,
) -> Result<(), TrialError> {
    let Some(sample) = Sample::on(members, from, kind, &mut trial.failed)? else {
        return Ok(());
    };
    let name = members[from].name.to_owned();
    for to in 0..members.len() {
        match sample.carry(members, from, to)? {
            Ok(()) => {
                trial.carried += 1;
                let receives = &mut members[to].profile.receives;
                receives.entry(name.clone()).or_default().insert(kind);
            }
            Err(error) => trial.failed.push(Failed {
                from,
                to,
                kind,
                error,
            }),
        }
    }
    sample.discard(members[from].token);
    Ok(())
}

/// The wrap mechanism of each member by which most of them understand each other.
fn choose_wraps(members: &mut [End<'_, '_>]) -> Result<Vec<Option<u64>>, TrialError> {
    let mut offered = Vec::new();
    for (member, end) in members.iter_mut().enumerate() {
        let wraps = wraps_of(end.token).map_err(|error| TrialError { member, error })?;
        offered.push(wraps);
    }
    let mut best: Vec<Option<u64>> = vec![None; members.len()];
    for pivot in 0..members.len() {
        for wrap in offered[pivot].clone() {
            let chosen = understanding(members, pivot, wrap, &offered)?;
            let count = |wraps: &[Option<u64>]| wraps.iter().flatten().count();
            if count(&chosen) > count(&best) {
                best = chosen;
            }
            if best.iter().all(Option::is_some) {
                return Ok(best);
            }
        }
    }
    Ok(best)
}

/// By which mechanism each member takes what `pivot` wraps by `wrap`.
fn understanding(
    members: &mut [End<'_, '_>],
    pivot: usize,
    wrap: u64,
    offered: &[Vec<u64>],
) -> Result<Vec<Option<u64>>, TrialError> {
    let mut chosen = vec![None; members.len()];
    members[pivot].profile = Profile::of_wrap(wrap);
    let kind = KeyKind::GenericSecret;
    let Some(sample) = Sample::on(members, pivot, kind, &mut Vec::new())? else {
        return Ok(chosen);
    };
    for to in 0..members.len() {
        let ways = if to == pivot {
            vec![wrap]
        } else {
            offered[to].clone()
        };
        for way in ways {
            members[to].profile = Profile::of_wrap(way);
            if sample.carry(members, pivot, to)?.is_ok() {
                chosen[to] = Some(way);
                break;
            }
        }
    }
    sample.discard(members[pivot].token);
    Ok(chosen)
}

/// A key that is carried to see whether it arrives.
struct Sample {
    kind: KeyKind,
    key: ObjectHandle,
    public: Option<ObjectHandle>,
}

impl Sample {
    /// Makes one on a member; none where the member makes no such keys.
    fn on(
        members: &mut [End<'_, '_>],
        member: usize,
        kind: KeyKind,
        failed: &mut Vec<Failed>,
    ) -> Result<Option<Self>, TrialError> {
        match Self::make(members[member].token, kind) {
            Ok(sample) => Ok(Some(sample)),
            Err(error) if error.is_refusal() => {
                let error = CarryError::Source(error);
                failed.extend((0..members.len()).map(|to| Failed {
                    from: member,
                    to,
                    kind,
                    error,
                }));
                Ok(None)
            }
            Err(error) => Err(TrialError { member, error }),
        }
    }

    fn make(token: &mut Token<'_>, kind: KeyKind) -> Result<Self, CallError> {
        let id: [u8; 16] = token.random()?;
        let own = |uses: &[u64]| {
            Attributes::new()
                .bytes(ck::CKA_ID, &id)
                .flags(&[ck::CKA_TOKEN], false)
                .flags(uses, true)
        };
        let hidden = |uses| {
            own(uses).flags(
                &[ck::CKA_PRIVATE, ck::CKA_SENSITIVE, ck::CKA_EXTRACTABLE],
                true,
            )
        };
        let (key, public) = match kind {
            KeyKind::Aes => {
                let template =
                    hidden(&[ck::CKA_ENCRYPT, ck::CKA_DECRYPT]).number(ck::CKA_VALUE_LEN, 32);
                (token.generate(ck::CKM_AES_KEY_GEN, &template)?, None)
            }
            KeyKind::GenericSecret => {
                let template =
                    hidden(&[ck::CKA_SIGN, ck::CKA_VERIFY]).number(ck::CKA_VALUE_LEN, SECRET);
                (
                    token.generate(ck::CKM_GENERIC_SECRET_KEY_GEN, &template)?,
                    None,
                )
            }
            KeyKind::Ec => {
                let public = own(&[ck::CKA_VERIFY]).bytes(ck::CKA_EC_PARAMS, P256);
                let pair = token.generate_pair(
                    ck::CKM_EC_KEY_PAIR_GEN,
                    &public,
                    &hidden(&[ck::CKA_SIGN]),
                )?;
                (pair.1, Some(pair.0))
            }
            KeyKind::Rsa => {
                let public = own(&[ck::CKA_VERIFY])
                    .number(ck::CKA_MODULUS_BITS, 2048)
                    .bytes(ck::CKA_PUBLIC_EXPONENT, &[1, 0, 1]);
                let pair = token.generate_pair(
                    ck::CKM_RSA_PKCS_KEY_PAIR_GEN,
                    &public,
                    &hidden(&[ck::CKA_SIGN]),
                )?;
                (pair.1, Some(pair.0))
            }
        };
        Ok(Self { kind, key, public })
    }

    /// Carries it, sees that the copy is right, and destroys the copy.
    fn carry(
        &self,
        members: &mut [End<'_, '_>],
        from: usize,
        to: usize,
    ) -> Result<Result<(), CarryError>, TrialError> {
        let first = self.attempt(members, from, to)?;
        let own_attribute = match first {
            Err(CarryError::Target(error)) => error.is_refusal() && self.kind == KeyKind::Ec,
            _ => false,
        };
        if !own_attribute || members[to].profile.wants_nss_db {
            return Ok(first);
        }
        members[to].profile.wants_nss_db = true;
        let second = self.attempt(members, from, to)?;
        members[to].profile.wants_nss_db = second.is_ok();
        Ok(second.or(first))
    }

    fn attempt(
        &self,
        members: &mut [End<'_, '_>],
        from: usize,
        to: usize,
    ) -> Result<Result<(), CarryError>, TrialError> {
        // On the token, as the application's keys are: some tokens ask more of these.
        let overlay = Attributes::new()
            .bytes(ck::CKA_LABEL, LABEL)
            .flags(&[ck::CKA_TOKEN], true);
        let parcel = match Parcel::pack(self.key, &mut members[from]) {
            Ok(parcel) => parcel,
            Err(error) => return answered(from, to, error.into()),
        };
        let copy = match parcel.unpack(&mut members[to], &overlay) {
            Ok(copy) => copy,
            Err(failure) => return answered(from, to, failure),
        };
        let proven = copy.prove(self.key, members[from].token, &parcel);
        let error = match proven {
            Ok(carried) if carried.proof == Proof::Use => None,
            Ok(_) => Some(CarryError::Wrong),
            Err(error) => Some(error),
        };
        // As a failure undoes it: what it says then is only that the copy is gone.
        let undone = undo(members[to].token, copy.object, CarryError::Wrong);
        if undone.may_remain {
            tracing::warn!(member = members[to].name, "a trial's copy was left behind");
        }
        match error {
            None => Ok(Ok(())),
            Some(error) => answered(from, to, error.into()),
        }
    }

    /// Session objects: what is not destroyed goes with the session.
    fn discard(self, token: &mut Token<'_>) {
        let _ = token.destroy(self.key);
        let _ = self.public.map(|public| token.destroy(public));
    }
}

/// A refusal is an outcome; a member that gives no answer ends the trial.
fn answered(
    from: usize,
    to: usize,
    failure: CarryFailure,
) -> Result<Result<(), CarryError>, TrialError> {
    let (member, error) = match failure.error {
        CarryError::Source(error) => (from, error),
        CarryError::Target(error) => (to, error),
        error => return Ok(Err(error)),
    };
    if error.is_refusal() {
        Ok(Err(failure.error))
    } else {
        Err(TrialError { member, error })
    }
}

/// Whether the token keeps no data object that outlives its session.
fn lacks_data(token: &mut Token<'_>) -> Result<bool, CallError> {
    let data = Attributes::new()
        .number(ck::CKA_CLASS, ck::CKO_DATA)
        .bytes(ck::CKA_LABEL, LABEL)
        .bytes(ck::CKA_VALUE, LABEL)
        .flags(&[ck::CKA_TOKEN, ck::CKA_PRIVATE], true);
    match token.create(&data) {
        Ok(object) => token.destroy(object).map(|()| false),
        Err(error) if error.is_refusal() => Ok(true),
        Err(error) => Err(error),
    }
}

/// Destroys what an earlier trial has left.
fn clean(token: &mut Token<'_>) -> Result<(), CallError> {
    let left = Attributes::new()
        .bytes(ck::CKA_LABEL, LABEL)
        .flags(&[ck::CKA_TOKEN], true);
    for object in token.find(&left)? {
        match token.destroy(object) {
            Err(error) if !error.is_refusal() => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

/// Which of [`WRAPS`] the token says to wrap and unwrap by.
fn wraps_of(token: &mut Token<'_>) -> Result<Vec<u64>, CallError> {
    let function = Function::GetSessionInfo;
    let session = token.session();
    let info = token.call(function, &Request::SessionInfo { session }, &mut [])?;
    let Body::SessionInfo(info) = info else {
        return Err(CallError::garbled(function));
    };
    let slot = SlotId(info.slot);
    let mut wraps = Vec::new();
    for mechanism in WRAPS {
        let request = Request::MechanismInfo { slot, mechanism };
        match token.ask(Function::GetMechanismInfo, &request, &mut [])? {
            (Rv(0), Body::Mechanism(info))
                if info.flags & ck::CKF_WRAP != 0 && info.flags & ck::CKF_UNWRAP != 0 =>
            {
                wraps.push(mechanism);
            }
            _ => {}
        }
    }
    Ok(wraps)
}
