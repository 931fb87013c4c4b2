use std::collections::HashSet;

use cryptoki_sys as ck;
use everslot_core::{MemberSet, Repeat, Rv, ckr};
use everslot_protocol::{Body, MechanismInfo, Request, SlotInfo, TokenInfo, Version};

use super::VirtualSlot;
use crate::group::{Errand, Lease, Member, Token};

/// `CK_INFO`, `CK_SLOT_INFO` and `CK_TOKEN_INFO`: who made the virtual slot.
const MANUFACTURER: &str = "everslot";

impl VirtualSlot {
    /// `C_GetSlotInfo`. A token is present as long as a member serves.
    pub fn slot_info(&self) -> SlotInfo {
        self.driver.recover_in_call();
        let present = if self.is_present() {
            ck::CKF_TOKEN_PRESENT
        } else {
            0
        };
        let description = format!("everslot group {}", self.label());
        let [first, second] = [0, 32].map(|from| padded(description.get(from..).unwrap_or("")));
        SlotInfo {
            description: [first, second],
            manufacturer: padded(MANUFACTURER),
            flags: ck::CKF_REMOVABLE_DEVICE | present,
            hardware: version(),
            firmware: version(),
        }
    }

    /// `C_GetTokenInfo`: label and serial are the group's own and never change; what a token can do is what all members can.
    ///
    /// # Errors
    /// `CKR_TOKEN_NOT_PRESENT` when no member serves.
    pub fn token_info(&self) -> Result<TokenInfo, Rv> {
        self.driver.recover_in_call();
        let tokens: Vec<Token> = self.serving().filter_map(|member| member.token()).collect();
        let (first, others) = tokens.split_first().ok_or(ckr::TOKEN_NOT_PRESENT)?;
        let mut info = first.info;
        for Token { info: other, .. } in others {
            // What only some can do is not promised; what any restricts is said.
            let restricting = ck::CKF_WRITE_PROTECTED | ck::CKF_LOGIN_REQUIRED | PIN_WARNINGS;
            info.flags = (info.flags & other.flags) | ((info.flags | other.flags) & restricting);
            info.min_pin = info.min_pin.max(other.min_pin);
            info.max_pin = info.max_pin.min(other.max_pin);
        }
        let open = self.open.counts();
        Ok(TokenInfo {
            label: padded(self.label()),
            serial: padded(self.serial()),
            manufacturer: padded(MANUFACTURER),
            model: padded("group"),
            max_sessions: ck::CK_EFFECTIVELY_INFINITE,
            sessions: open.all(),
            max_rw_sessions: ck::CK_EFFECTIVELY_INFINITE,
            rw_sessions: open.read_write,
            hardware: version(),
            firmware: version(),
            ..info
        })
    }

    /// `C_GetMechanismList`: what all members that serve have in common, so that any of them can take over.
    ///
    /// # Errors
    /// `CKR_TOKEN_NOT_PRESENT` when no member serves.
    pub fn mechanisms(&self) -> Result<Vec<u64>, Rv> {
        self.driver.recover_in_call();
        let mut tokens = self.serving().filter_map(|member| member.token());
        let mut common = tokens.next().ok_or(ckr::TOKEN_NOT_PRESENT)?.mechanisms;
        for token in tokens {
            let offered: HashSet<u64> = token.mechanisms.into_iter().collect();
            common.retain(|mechanism| offered.contains(mechanism));
        }
        Ok(common)
    }

    /// `C_GetMechanismInfo`: the key sizes and uses that all members that serve have in common.
    ///
    /// # Errors
    /// `CKR_MECHANISM_INVALID`, `CKR_TOKEN_NOT_PRESENT` when no member serves.
    pub fn mechanism_info(&self, mechanism: u64) -> Result<MechanismInfo, Rv> {
        if !self.mechanisms()?.contains(&mechanism) {
            return Err(ckr::MECHANISM_INVALID);
        }
        let mut common: Option<MechanismInfo> = None;
        for member in self.serving() {
            let Some(info) = self.mechanism_info_of(member, mechanism)? else {
                continue;
            };
            common = Some(common.map_or(info, |known| MechanismInfo {
                min_key_size: known.min_key_size.max(info.min_key_size),
                max_key_size: known.max_key_size.min(info.max_key_size),
                flags: known.flags & info.flags,
            }));
        }
        common.ok_or(ckr::TOKEN_NOT_PRESENT)
    }

    /// `None` when the member was lost while it was asked.
    fn mechanism_info_of(
        &self,
        member: &Member,
        mechanism: u64,
    ) -> Result<Option<MechanismInfo>, Rv> {
        let mut errand = Errand::anywhere(Repeat::Safe);
        errand.eligible = MemberSet::of(member.id);
        let slot = member
            .token()
            .map(|token| token.slot)
            .ok_or(ckr::TOKEN_NOT_PRESENT)?;
        let mut send = |lease: &mut Lease| {
            Ok(lease.call(&Request::MechanismInfo { slot, mechanism }, &mut [])?)
        };
        match self.driver.perform(errand, &mut send) {
            Ok(done) => match done.reply.body {
                Body::Mechanism(info) => Ok(Some(info)),
                _ => Err(Rv(done.reply.rv.0)),
            },
            Err(_) => Ok(None),
        }
    }

    fn serving(&self) -> impl Iterator<Item = &std::sync::Arc<Member>> {
        let serving = self.driver.settled();
        self.driver
            .members()
            .iter()
            .filter(move |member| serving.contains(member.id))
    }
}

const PIN_WARNINGS: u64 = ck::CKF_USER_PIN_COUNT_LOW
    | ck::CKF_USER_PIN_FINAL_TRY
    | ck::CKF_USER_PIN_LOCKED
    | ck::CKF_USER_PIN_TO_BE_CHANGED
    | ck::CKF_SO_PIN_COUNT_LOW
    | ck::CKF_SO_PIN_FINAL_TRY
    | ck::CKF_SO_PIN_LOCKED
    | ck::CKF_SO_PIN_TO_BE_CHANGED;

/// `text` as PKCS#11 pads it: with blanks, without a final zero, cut to `N` bytes.
pub(crate) fn padded<const N: usize>(text: &str) -> [u8; N] {
    let mut field = [b' '; N];
    for (place, byte) in field.iter_mut().zip(text.bytes()) {
        *place = byte;
    }
    field
}

/// Of this library, as `CK_VERSION`.
pub(crate) fn version() -> Version {
    let part = |text: &str| text.parse().unwrap_or(0);
    Version {
        major: part(env!("CARGO_PKG_VERSION_MAJOR")),
        minor: part(env!("CARGO_PKG_VERSION_MINOR")),
    }
}
