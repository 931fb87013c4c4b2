//! The virtual token's `CK_TOKEN_INFO` out of those of the members that serve.
//!
//! | field | rule |
//! |---|---|
//! | label, serial, manufacturer, model, versions | the group's own; they never change with the members |
//! | what a token is able to do: `CKF_RNG`, `CKF_CLOCK_ON_TOKEN`, `CKF_PROTECTED_AUTHENTICATION_PATH`, initialised, … | what every member is, since any of them may be asked |
//! | what a token demands or forbids: `CKF_LOGIN_REQUIRED`, `CKF_WRITE_PROTECTED`, `CKF_SEED_RANDOM_REQUIRED` | what one member does, since it may be the one that is asked |
//! | what a token says of its PINs: low, final try, locked, to be changed | what one member says, since the next login may go to it first |
//! | `CKF_ASYNC_SESSION_SUPPORTED` | never: everslot refuses asynchronous sessions |
//! | other flags, a vendor's own too | set when every member has them |
//! | PIN lengths | the lengths that every member takes |
//! | memory | the smallest figure of a member, of those that give one |
//! | `utcTime` | the first member's, in the order of the configuration; no other clock is asked |
//! | sessions | the application's own; as many as it likes |

use cryptoki_sys as ck;
use everslot_protocol::TokenInfo;

/// Flags that one member sets for all.
const RESTRICTING: u64 = ck::CKF_WRITE_PROTECTED
    | ck::CKF_LOGIN_REQUIRED
    | ck::CKF_SEED_RANDOM_REQUIRED
    | ck::CKF_USER_PIN_COUNT_LOW
    | ck::CKF_USER_PIN_FINAL_TRY
    | ck::CKF_USER_PIN_LOCKED
    | ck::CKF_USER_PIN_TO_BE_CHANGED
    | ck::CKF_SO_PIN_COUNT_LOW
    | ck::CKF_SO_PIN_FINAL_TRY
    | ck::CKF_SO_PIN_LOCKED
    | ck::CKF_SO_PIN_TO_BE_CHANGED;

/// What follows from the members' own; label, serial and their like are the first one's still. `None` without members.
pub(super) fn of_members(infos: &[TokenInfo]) -> Option<TokenInfo> {
    let mut info = infos.iter().copied().reduce(joined)?;
    info.flags &= !ck::CKF_ASYNC_SESSION_SUPPORTED;
    Some(info)
}

fn joined(one: TokenInfo, other: TokenInfo) -> TokenInfo {
    TokenInfo {
        flags: (one.flags & other.flags) | ((one.flags | other.flags) & RESTRICTING),
        min_pin: one.min_pin.max(other.min_pin),
        max_pin: one.max_pin.min(other.max_pin),
        // `CK_UNAVAILABLE_INFORMATION` is the largest number there is, so a figure beats it.
        total_public_memory: one.total_public_memory.min(other.total_public_memory),
        free_public_memory: one.free_public_memory.min(other.free_public_memory),
        total_private_memory: one.total_private_memory.min(other.total_private_memory),
        free_private_memory: one.free_private_memory.min(other.free_private_memory),
        ..one
    }
}

#[cfg(test)]
mod tests {
    use everslot_protocol::Version;

    use super::*;

    const UNKNOWN: u64 = ck::CK_UNAVAILABLE_INFORMATION;

    fn info(flags: u64) -> TokenInfo {
        TokenInfo {
            label: [b' '; 32],
            manufacturer: [b' '; 32],
            model: [b' '; 16],
            serial: [b' '; 16],
            flags,
            max_sessions: 0,
            sessions: 0,
            max_rw_sessions: 0,
            rw_sessions: 0,
            max_pin: 255,
            min_pin: 4,
            total_public_memory: UNKNOWN,
            free_public_memory: UNKNOWN,
            total_private_memory: UNKNOWN,
            free_private_memory: UNKNOWN,
            hardware: Version { major: 1, minor: 0 },
            firmware: Version { major: 1, minor: 0 },
            utc_time: [b'1'; 16],
        }
    }

    /// The flags of a group of two members with these flags.
    fn flags(one: u64, other: u64) -> u64 {
        of_members(&[info(one), info(other)]).unwrap().flags
    }

    #[test]
    fn without_members_there_is_no_token() {
        assert_eq!(of_members(&[]), None);
    }

    #[test]
    fn what_only_some_can_do_is_not_promised() {
        for able in [
            ck::CKF_RNG,
            ck::CKF_USER_PIN_INITIALIZED,
            ck::CKF_RESTORE_KEY_NOT_NEEDED,
            ck::CKF_CLOCK_ON_TOKEN,
            ck::CKF_PROTECTED_AUTHENTICATION_PATH,
            ck::CKF_DUAL_CRYPTO_OPERATIONS,
            ck::CKF_TOKEN_INITIALIZED,
            ck::CKF_ERROR_STATE,
            1 << 63,
        ] {
            assert_eq!(flags(able, able), able, "{able:#x}");
            assert_eq!((flags(able, 0), flags(0, able)), (0, 0), "{able:#x}");
        }
    }

    #[test]
    fn what_one_demands_or_warns_of_is_said() {
        for restricting in (0..64)
            .map(|bit| 1 << bit)
            .filter(|bit| RESTRICTING & bit != 0)
        {
            assert_eq!(flags(restricting, restricting), restricting);
            assert_eq!(flags(restricting, 0), restricting, "{restricting:#x}");
            assert_eq!(flags(0, restricting), restricting, "{restricting:#x}");
        }
        assert_eq!(RESTRICTING.count_ones(), 11);
    }

    #[test]
    fn asynchronous_sessions_are_never_offered() {
        let asynchronous = info(ck::CKF_ASYNC_SESSION_SUPPORTED | ck::CKF_RNG);
        let group = of_members(&[asynchronous, asynchronous]).unwrap();
        assert_eq!(group.flags, ck::CKF_RNG);
        assert_eq!(of_members(&[asynchronous]).unwrap().flags, ck::CKF_RNG);
    }

    #[test]
    fn lengths_and_memory_fit_every_member() {
        let one = TokenInfo {
            min_pin: 4,
            max_pin: 64,
            total_public_memory: 1000,
            free_public_memory: UNKNOWN,
            total_private_memory: 10,
            free_private_memory: 9,
            ..info(0)
        };
        let other = TokenInfo {
            min_pin: 6,
            max_pin: 255,
            total_public_memory: UNKNOWN,
            free_public_memory: UNKNOWN,
            total_private_memory: 12,
            free_private_memory: 2,
            utc_time: [b'2'; 16],
            ..info(0)
        };
        let group = of_members(&[one, other]).unwrap();
        assert_eq!((group.min_pin, group.max_pin), (6, 64));
        assert_eq!(
            (group.total_public_memory, group.free_public_memory),
            (1000, UNKNOWN)
        );
        assert_eq!(
            (group.total_private_memory, group.free_private_memory),
            (10, 2)
        );
        assert_eq!(group.utc_time, [b'1'; 16]);
    }
}
