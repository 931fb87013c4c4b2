//! Which mechanisms the group offers, by what each member's token was seen to have when the member was last admitted.
//!
//! A member keeps its say while it is lost, so the offer does not change with a loss. One that has never been admitted has none:
//! nobody knows what it will bring, and a member that never comes must not take mechanisms away.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arc_swap::ArcSwap;
use everslot_core::{MemberId, MemberSet, Rv, ckr};
use everslot_protocol::MechanismInfo;
use rustc_hash::FxBuildHasher;

use super::{EVERY_MEMBER, GroupDriver};
use crate::config::{MEMBERS, MechanismPolicy};

/// A mechanism as one token has it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Ability {
    /// `CKM_…`
    pub(crate) mechanism: u64,
    /// `None` where the token lists the mechanism but does not describe it: it then restricts nothing.
    pub(crate) info: Option<MechanismInfo>,
}

/// What a group offers at one moment. It is made anew at each admission, and read without a lock.
#[derive(Debug)]
pub(crate) struct Offers {
    policy: MechanismPolicy,
    /// By member id; `None` for a member that was never admitted.
    seen: Vec<Option<Arc<[Ability]>>>,
    /// What the group offers, by mechanism.
    offered: Vec<Offered>,
    /// Where in `offered` a mechanism stands.
    places: HashMap<u64, usize, FxBuildHasher>,
}

/// The offers that hold at the moment, read without a lock.
#[derive(Debug)]
pub(super) struct Offering {
    current: ArcSwap<Offers>,
    version: AtomicU64,
}

/// Tells one [`Offers`] of a group from those that follow.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct OffersVersion(u64);

impl Offering {
    pub(super) fn new(offers: Offers) -> Self {
        Self {
            current: ArcSwap::from_pointee(offers),
            version: AtomicU64::new(0),
        }
    }

    fn version(&self) -> OffersVersion {
        OffersVersion(self.version.load(Ordering::Acquire))
    }

    fn replace(&self, offers: Offers) {
        self.current.store(Arc::new(offers));
        self.version.fetch_add(1, Ordering::Release);
    }
}

/// One mechanism that the group offers.
#[derive(Debug)]
struct Offered {
    mechanism: u64,
    /// Key sizes and uses of the group; `None` where no token describes them.
    info: Option<MechanismInfo>,
    /// Uses that some of the tokens that have it say they have, and some do not.
    disputed: u64,
    /// The members that have it, and the uses that each says it has.
    holders: Vec<(MemberId, u64)>,
}

impl Offers {
    /// Before any member was seen.
    pub(super) fn unseen(policy: MechanismPolicy) -> Self {
        Self {
            policy,
            seen: vec![None; MEMBERS],
            offered: Vec::new(),
            places: HashMap::default(),
        }
    }

    /// The offer after a member was admitted with these abilities.
    pub(super) fn after_admission(&self, member: MemberId, abilities: Arc<[Ability]>) -> Self {
        let mut seen = self.seen.clone();
        if let Some(place) = seen.get_mut(usize::from(member.0)) {
            *place = Some(abilities);
        }
        Self::of(self.policy, seen)
    }

    /// The offer without a member that was removed.
    pub(super) fn without(&self, member: MemberId) -> Self {
        let mut seen = self.seen.clone();
        if let Some(place) = seen.get_mut(member.index()) {
            *place = None;
        }
        Self::of(self.policy, seen)
    }

    /// The offer under another policy.
    pub(super) fn under(&self, policy: MechanismPolicy) -> Self {
        Self::of(policy, self.seen.clone())
    }

    fn of(policy: MechanismPolicy, seen: Vec<Option<Arc<[Ability]>>>) -> Self {
        let offered = offered(policy, &seen);
        let kinds = offered.iter().map(|offered| offered.mechanism);
        Self {
            policy,
            places: kinds.zip(0..).collect(),
            offered,
            seen,
        }
    }

    /// `C_GetMechanismList`, in ascending order.
    pub(crate) fn mechanisms(&self) -> Vec<u64> {
        self.offered
            .iter()
            .map(|offered| offered.mechanism)
            .collect()
    }

    /// `C_GetMechanismInfo`
    ///
    /// # Errors
    /// `CKR_MECHANISM_INVALID` for one that is not offered, or that no token describes.
    pub(crate) fn info(&self, mechanism: u64) -> Result<MechanismInfo, Rv> {
        self.find(mechanism)?.info.ok_or(ckr::MECHANISM_INVALID)
    }

    /// The members that a call with this mechanism may go to, for one of its uses (`CKF_SIGN`, …).
    ///
    /// # Errors
    /// `CKR_MECHANISM_INVALID` for a mechanism that is not offered, or not for this use by all that have it where all must.
    pub(crate) fn eligible(&self, mechanism: u64, usage: u64) -> Result<MemberSet, Rv> {
        if self.seen.iter().all(Option::is_none) {
            return Ok(EVERY_MEMBER);
        }
        let offered = self.find(mechanism)?;
        match self.policy {
            MechanismPolicy::Common if offered.disputed & usage != 0 => Err(ckr::MECHANISM_INVALID),
            MechanismPolicy::Common => Ok(EVERY_MEMBER),
            MechanismPolicy::Any => Ok(offered.holders_for(usage)),
        }
    }

    /// The same for a function that only some members may have (those of PKCS#11 3.0 and later): it goes to those whose token has the
    /// mechanism for this use, whatever the policy. With a mechanism that no token has, any member may be asked, since
    /// `CKR_FUNCTION_NOT_SUPPORTED` comes first and only members know.
    ///
    /// # Errors
    /// `CKR_MECHANISM_INVALID` for a mechanism that some token has and the group does not offer.
    pub(crate) fn eligible_later(&self, mechanism: u64, usage: u64) -> Result<MemberSet, Rv> {
        match self.find(mechanism) {
            Ok(offered) => Ok(offered.holders_for(usage)),
            Err(_) if !self.is_known(mechanism) => Ok(EVERY_MEMBER),
            Err(rv) => Err(rv),
        }
    }

    /// Whether a token that was seen has this mechanism, offered or not.
    fn is_known(&self, mechanism: u64) -> bool {
        let mut all = self.seen.iter().flatten().flat_map(|has| has.iter());
        all.any(|ability| ability.mechanism == mechanism)
    }

    fn find(&self, mechanism: u64) -> Result<&Offered, Rv> {
        let place = self.places.get(&mechanism);
        place
            .and_then(|place| self.offered.get(*place))
            .ok_or(ckr::MECHANISM_INVALID)
    }
}

impl Offered {
    /// What the tokens that have it make of one mechanism.
    fn new(policy: MechanismPolicy, mechanism: u64, having: &[(MemberId, Ability)]) -> Self {
        let infos: Vec<MechanismInfo> = having
            .iter()
            .filter_map(|(_, ability)| ability.info)
            .collect();
        let every = infos.iter().fold(u64::MAX, |uses, info| uses & info.flags);
        let any = infos.iter().fold(0, |uses, info| uses | info.flags);
        let uses = |ability: &Ability| ability.info.map_or(u64::MAX, |info| info.flags);
        Self {
            mechanism,
            info: match policy {
                MechanismPolicy::Common => joined(&infos, common_sizes, every),
                MechanismPolicy::Any => joined(&infos, all_sizes, any),
            },
            disputed: any & !every,
            holders: having
                .iter()
                .map(|(member, ability)| (*member, uses(ability)))
                .collect(),
        }
    }

    /// Those that say they have this use; when none does, all that have the mechanism, since tokens are careless about it.
    fn holders_for(&self, usage: u64) -> MemberSet {
        let fit = self.holders.iter().filter(|(_, uses)| uses & usage != 0);
        let fit: MemberSet = fit.map(|(member, _)| *member).collect();
        if fit.is_empty() {
            self.holders.iter().map(|(member, _)| *member).collect()
        } else {
            fit
        }
    }
}

/// The mechanisms of the members that were seen: those of all, or those of any.
fn offered(policy: MechanismPolicy, seen: &[Option<Arc<[Ability]>>]) -> Vec<Offered> {
    let voters = seen.iter().flatten().count();
    let mut all: Vec<(MemberId, Ability)> = (0..)
        .map(MemberId)
        .zip(seen)
        .filter_map(|(member, abilities)| Some((member, abilities.as_ref()?)))
        .flat_map(|(member, abilities)| abilities.iter().map(move |ability| (member, *ability)))
        .collect();
    all.sort_by_key(|(member, ability)| (ability.mechanism, *member));
    // A token that lists a mechanism twice has it once.
    all.dedup_by_key(|(member, ability)| (ability.mechanism, *member));
    all.chunk_by(|(_, one), (_, other)| one.mechanism == other.mechanism)
        .filter(|having| policy == MechanismPolicy::Any || having.len() == voters)
        .filter_map(|having| {
            let (_, first) = having.first()?;
            Some(Offered::new(policy, first.mechanism, having))
        })
        .collect()
}

type Sizes = (u64, u64);

fn joined(
    infos: &[MechanismInfo],
    sizes: fn(&[Sizes]) -> Option<Sizes>,
    flags: u64,
) -> Option<MechanismInfo> {
    if infos.is_empty() {
        return None;
    }
    // A range that ends at zero says nothing: tokens put it where a key's size plays no part.
    let stated: Vec<Sizes> = infos
        .iter()
        .map(|info| (info.min_key_size, info.max_key_size))
        .filter(|(_, max)| *max > 0)
        .collect();
    let (min_key_size, max_key_size) = sizes(&stated).unwrap_or_default();
    Some(MechanismInfo {
        min_key_size,
        max_key_size,
        flags,
    })
}

/// The sizes in all ranges. Ranges that do not meet are in different units, as some tokens count in bits where others count in
/// bytes, and nothing follows from them but the widest range.
fn common_sizes(ranges: &[Sizes]) -> Option<Sizes> {
    let common = ranges
        .iter()
        .copied()
        .reduce(|(min, max), (other_min, other_max)| (min.max(other_min), max.min(other_max)))?;
    if common.0 <= common.1 {
        Some(common)
    } else {
        all_sizes(ranges)
    }
}

/// From the smallest size in any range to the largest.
fn all_sizes(ranges: &[Sizes]) -> Option<Sizes> {
    ranges
        .iter()
        .copied()
        .reduce(|(min, max), (other_min, other_max)| (min.min(other_min), max.max(other_max)))
}

impl GroupDriver {
    /// What the group offers at the moment.
    pub(crate) fn offers(&self) -> arc_swap::Guard<Arc<Offers>> {
        self.offers.current.load()
    }

    /// Which offers these are; what was found in them before holds as long as this is the same. To be asked before they are looked into.
    pub(crate) fn offers_version(&self) -> OffersVersion {
        self.offers.version()
    }

    /// The member's token counts from now on as it was seen in the attempt that has just succeeded. Called with the group's lock
    /// held, so that admissions follow one another.
    pub(super) fn admit_offer(&self, member: MemberId) {
        if let Some(token) = self.member(member).and_then(|member| member.token()) {
            let offers = self.offers().after_admission(member, token.abilities);
            self.offers.replace(offers);
        }
    }

    /// Changes what the group offers, with the group's lock held against admissions.
    pub(super) fn change_offers(&self, change: impl FnOnce(&Offers) -> Offers) {
        let _core = self.lock();
        let offers = change(&self.offers());
        self.offers.replace(offers);
    }
}

#[cfg(test)]
mod tests;
