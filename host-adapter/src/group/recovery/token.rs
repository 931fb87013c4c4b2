//! Finding a member's token in a module that was just loaded, and what the token can do.

use std::sync::Arc;
use std::time::Duration;

use everslot_core::{Context, Evidence, Rv, Verdict, verdict};
use everslot_protocol::wire::{INFO_SIZE_MAX, decode_info};
use everslot_protocol::{Body, MechanismInfo, Reply, Request, SlotId, TokenInfo};

use super::Obstacle;
use crate::config::same_token;
use crate::group::member::{Member, Token};
use crate::group::offers::Ability;
use crate::module::{Instance, LinkFailure};

/// Most slots that a module is asked for.
const SLOTS: usize = 256;
/// Most mechanisms that a token is asked for.
const MECHANISMS: usize = 1024;

/// Finds the member's token among the module's slots: ids may change from one load to the next.
pub(super) fn find_token(member: &Member, instance: &Arc<dyn Instance>) -> Result<Token, Obstacle> {
    let mut slots = vec![0; SLOTS * 8];
    let count = ask(
        member,
        instance,
        &Request::Slots {
            token_present: true,
        },
        &mut slots,
    )?
    .written() as usize;
    for slot in slots.get(..count).unwrap_or_default().as_chunks::<8>().0 {
        let slot = SlotId(u64::from_ne_bytes(*slot));
        let mut described = [0; INFO_SIZE_MAX];
        let Ok(reply) = ask(
            member,
            instance,
            &Request::TokenInfo { slot },
            &mut described,
        ) else {
            continue;
        };
        let Ok(info) = decode_info(reply.body.output(&described)) else {
            continue;
        };
        if member.config.token.matches(slot, &info) {
            let abilities = abilities(member, instance, slot, &info)?;
            return Ok(Token {
                slot,
                info,
                abilities,
            });
        }
    }
    Err(Obstacle::Evidence(Evidence::TokenAbsent))
}

/// What the token can do. A token that lists the same mechanisms as when it was last seen, in the same firmware, describes them as
/// it did then and is not asked again, since there may be hundreds.
fn abilities(
    member: &Member,
    instance: &Arc<dyn Instance>,
    slot: SlotId,
    info: &TokenInfo,
) -> Result<Arc<[Ability]>, Obstacle> {
    let mut buffer = vec![0; MECHANISMS * 8];
    let count =
        ask(member, instance, &Request::Mechanisms { slot }, &mut buffer)?.written() as usize;
    let (listed, _) = buffer.get(..count).unwrap_or_default().as_chunks::<8>();
    let listed: Vec<u64> = listed
        .iter()
        .map(|kind| u64::from_ne_bytes(*kind))
        .collect();
    if let Some(known) = member.token() {
        let kinds = known.abilities.iter().map(|ability| ability.mechanism);
        if same_token(&known.info, info)
            && known.info.firmware == info.firmware
            && kinds.eq(listed.iter().copied())
        {
            return Ok(known.abilities);
        }
    }
    let describe = |mechanism| {
        let info = mechanism_info(member, instance, slot, mechanism)?;
        Ok(Ability { mechanism, info })
    };
    listed.into_iter().map(describe).collect()
}

/// How the token describes a mechanism; `None` when it does not, though nothing is wrong with it.
fn mechanism_info(
    member: &Member,
    instance: &Arc<dyn Instance>,
    slot: SlotId,
    mechanism: u64,
) -> Result<Option<MechanismInfo>, Obstacle> {
    let reply = answer(
        member,
        instance,
        &Request::MechanismInfo { slot, mechanism },
        &mut [],
    )?;
    let rv = Rv(reply.rv.0);
    match (
        reply.body,
        verdict(rv, Context::default(), &member.config.overrides),
    ) {
        (Body::Mechanism(info), _) => Ok(Some(info)),
        (_, Verdict::MemberLost { .. }) => Err(Obstacle::Evidence(Evidence::Code(rv))),
        (
            _,
            Verdict::Fine
            | Verdict::CallersFault
            | Verdict::SessionLost { .. }
            | Verdict::MemberBusy
            | Verdict::Unknown
            | Verdict::Quarantine(_),
        ) => Ok(None),
    }
}

/// Asks a module that has no session open yet for what it must be able to give.
pub(super) fn ask(
    member: &Member,
    instance: &Arc<dyn Instance>,
    request: &Request<'_>,
    output: &mut [u8],
) -> Result<Reply, Obstacle> {
    let reply = answer(member, instance, request, output)?;
    match Rv(reply.rv.0) {
        everslot_core::ckr::OK => Ok(reply),
        rv => Err(Obstacle::Evidence(Evidence::Code(rv))),
    }
}

/// What a module that has no session open yet says.
fn answer(
    member: &Member,
    instance: &Arc<dyn Instance>,
    request: &Request<'_>,
    output: &mut [u8],
) -> Result<Reply, LinkFailure> {
    instance
        .link()
        .and_then(|mut link| link.call(request, output, Some(member.deadline(request))))
        .inspect_err(|_| instance.stop(Duration::ZERO))
}
