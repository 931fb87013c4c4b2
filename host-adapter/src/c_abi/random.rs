//! Random number generation (PKCS#11 v3.1 §5.19).

use cryptoki_sys::{CK_BYTE, CK_RV, CK_SESSION_HANDLE, CK_ULONG};

use super::entry::entry;
use super::session;

/// `C_SeedRandom` (PKCS#11 v3.1 §5.19.1)
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_SeedRandom(
    handle: CK_SESSION_HANDLE,
    seed: *mut CK_BYTE,
    seed_length: CK_ULONG,
) -> CK_RV {
    entry("C_SeedRandom", |caller| {
        session(handle)?.seed_random(caller.slice(seed, seed_length)?)
    })
}

/// `C_GenerateRandom` (PKCS#11 v3.1 §5.19.2)
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_GenerateRandom(
    handle: CK_SESSION_HANDLE,
    random: *mut CK_BYTE,
    length: CK_ULONG,
) -> CK_RV {
    entry("C_GenerateRandom", |caller| {
        session(handle)?.generate_random(caller.slice_mut(random, length)?)
    })
}
