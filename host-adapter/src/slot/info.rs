use cryptoki_sys as ck;
use everslot_core::{MemberId, MemberSet, Repeat, Rv, ckr};
use everslot_protocol::wire::{INFO_SIZE_MAX, Malformed, decode_info};
use everslot_protocol::{MechanismInfo, Operation, Request, SlotInfo, TokenInfo, Version};

use super::{Behind, VirtualSlot, token_info, written};
use crate::group::{Errand, Lease};
use crate::status::{GroupStatus, Read};

/// `CK_INFO`, `CK_SLOT_INFO` and `CK_TOKEN_INFO`: who made the virtual slot.
const MANUFACTURER: &str = "everslot";

impl VirtualSlot {
    /// How the group is, from what is known; no member is asked.
    pub fn group_status(&self, read: Read) -> GroupStatus {
        self.driver.recover_in_call();
        self.driver.status(read)
    }

    /// Has a member tried at once, or all that do not serve; its outcome is not waited for.
    ///
    /// # Errors
    /// One line for people: there is no such member, or it cannot be recovered.
    pub fn recover_member(&self, name: Option<&str>) -> Result<(), String> {
        self.driver.recover_by_name(name)
    }

    /// `C_GetSlotInfo`. A token is present as long as a member serves.
    ///
    /// The slot is not removable: nobody can take the virtual token out, and its sessions, handles and login outlive an outage,
    /// while applications drop theirs when the token of a removable slot is gone. PKCS#11 v3.1 §3.2 has such a slot hold a token
    /// always; here an outage of all members clears `CKF_TOKEN_PRESENT` nevertheless, since an application that
    /// `C_WaitForSlotEvent` wakes learns by it what has happened.
    pub fn slot_info(&self) -> SlotInfo {
        self.driver.recover_in_call();
        let present = if self.is_present() {
            ck::CKF_TOKEN_PRESENT
        } else {
            0
        };
        let description = match &self.behind {
            Behind::Group => format!("everslot group {}", self.label()),
            Behind::Member { name, group } => format!("everslot member {name} of {group}"),
        };
        let [first, second] = [0, 32].map(|from| padded(description.get(from..).unwrap_or("")));
        SlotInfo {
            description: [first, second],
            manufacturer: padded(MANUFACTURER),
            flags: present,
            hardware: version(),
            firmware: version(),
        }
    }

    /// `C_GetTokenInfo`, by the rules of the module `token_info`; a member's own slot says what the member says. Each member that serves is asked, since PIN flags, memory and
    /// clock change; for one that gives no answer, what it last said holds.
    ///
    /// # Errors
    /// `CKR_TOKEN_NOT_PRESENT` when no member serves: `C_GetSlotInfo` says the same at that moment, PKCS#11 v3.1 §5.5.3 has this
    /// code for an empty slot, and Luna's status has it for a member that is gone.
    pub fn token_info(&self) -> Result<TokenInfo, Rv> {
        self.driver.recover_in_call();
        let asked: Vec<TokenInfo> = (self.driver.settled().iter())
            .filter_map(|member| self.token_info_of(member))
            .collect();
        let info = token_info::of_members(&asked).ok_or(ckr::TOKEN_NOT_PRESENT)?;
        let open = self.open.counts();
        let info = match &self.behind {
            Behind::Member { .. } => info,
            Behind::Group => TokenInfo {
                label: padded(self.label()),
                serial: padded(self.serial()),
                manufacturer: padded(MANUFACTURER),
                model: padded("group"),
                hardware: version(),
                firmware: version(),
                ..info
            },
        };
        Ok(TokenInfo {
            max_sessions: ck::CK_EFFECTIVELY_INFINITE,
            sessions: open.all(),
            max_rw_sessions: ck::CK_EFFECTIVELY_INFINITE,
            rw_sessions: open.read_write,
            ..info
        })
    }

    /// One member's own; `None` when it was lost over the question.
    fn token_info_of(&self, id: MemberId) -> Option<TokenInfo> {
        let known = self.driver.member(id)?.token()?;
        let errand = Errand::among(MemberSet::of(id), Repeat::Safe);
        let mut described = [0; INFO_SIZE_MAX];
        let mut send = |lease: &mut Lease| {
            let request = Request::TokenInfo { slot: known.slot };
            Ok(lease.call(&request, &mut described)?)
        };
        let done = self.driver.perform(errand, &mut send).ok();
        match done.map(|done| decode_info(written(done.reply, &described))) {
            Some(Ok(info)) => Some(info),
            Some(Err(Malformed)) => Some(known.info),
            None => self.driver.serving().contains(id).then_some(known.info),
        }
    }

    /// `C_GetMechanismList`: what the policy makes of what the members' tokens were seen to have. It does not change when a
    /// member is lost.
    ///
    /// # Errors
    /// `CKR_TOKEN_NOT_PRESENT` when no member serves.
    pub fn mechanisms(&self) -> Result<Vec<u64>, Rv> {
        self.require_token()?;
        Ok(self.driver.offers().mechanisms())
    }

    /// `C_GetMechanismInfo`: with `mechanisms = "common"` the key sizes and uses that all members have in common, with `"any"`
    /// those of any.
    ///
    /// # Errors
    /// `CKR_MECHANISM_INVALID`, `CKR_TOKEN_NOT_PRESENT` when no member serves.
    pub fn mechanism_info(&self, mechanism: u64) -> Result<MechanismInfo, Rv> {
        self.require_token()?;
        self.driver.offers().info(mechanism)
    }

    /// The members that a call with this mechanism may go to, for one of its uses (`CKF_SIGN`, …).
    ///
    /// # Errors
    /// `CKR_MECHANISM_INVALID` for a mechanism that the group does not offer; no member is asked.
    pub(super) fn members_with(&self, mechanism: u64, usage: u64) -> Result<MemberSet, Rv> {
        self.driver.offers().eligible(mechanism, usage)
    }

    /// The same for a function that only some members may have: those of PKCS#11 3.0 and later.
    ///
    /// # Errors
    /// `CKR_MECHANISM_INVALID` for a mechanism that some member has and the group does not offer.
    pub(super) fn members_with_later(&self, mechanism: u64, usage: u64) -> Result<MemberSet, Rv> {
        self.driver.offers().eligible_later(mechanism, usage)
    }

    fn require_token(&self) -> Result<(), Rv> {
        self.driver.recover_in_call();
        if self.is_present() {
            Ok(())
        } else {
            Err(ckr::TOKEN_NOT_PRESENT)
        }
    }
}

/// The use of a mechanism that an operation makes, as `CK_MECHANISM_INFO` flags it.
pub(super) const fn usage(operation: Operation) -> u64 {
    match operation {
        Operation::Digest => ck::CKF_DIGEST,
        Operation::Sign => ck::CKF_SIGN,
        Operation::SignRecover => ck::CKF_SIGN_RECOVER,
        Operation::Verify => ck::CKF_VERIFY,
        Operation::VerifyRecover => ck::CKF_VERIFY_RECOVER,
        Operation::Encrypt => ck::CKF_ENCRYPT,
        Operation::Decrypt => ck::CKF_DECRYPT,
    }
}

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
