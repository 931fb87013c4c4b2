//! Message digesting functions (PKCS#11 v3.1 §5.12).

use cryptoki_sys::{CK_BYTE, CK_MECHANISM, CK_OBJECT_HANDLE, CK_RV, CK_SESSION_HANDLE, CK_ULONG};
use everslot_protocol::Operation;

use super::entry::entry;
use super::{operation, session};

/// `C_DigestInit` (PKCS#11 v3.1 §5.12.1)
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_DigestInit(
    session: CK_SESSION_HANDLE,
    mechanism: *mut CK_MECHANISM,
) -> CK_RV {
    operation::begin("C_DigestInit", Operation::Digest, session, mechanism, None)
}

/// `C_Digest` (PKCS#11 v3.1 §5.12.2)
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_Digest(
    session: CK_SESSION_HANDLE,
    data: *mut CK_BYTE,
    data_length: CK_ULONG,
    digest: *mut CK_BYTE,
    digest_length: *mut CK_ULONG,
) -> CK_RV {
    operation::whole(
        "C_Digest",
        Operation::Digest,
        session,
        (data, data_length),
        (digest, digest_length),
    )
}

/// `C_DigestUpdate` (PKCS#11 v3.1 §5.12.3)
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_DigestUpdate(
    session: CK_SESSION_HANDLE,
    part: *mut CK_BYTE,
    part_length: CK_ULONG,
) -> CK_RV {
    operation::update(
        "C_DigestUpdate",
        Operation::Digest,
        session,
        (part, part_length),
    )
}

/// `C_DigestKey` (PKCS#11 v3.1 §5.12.4)
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_DigestKey(
    handle: CK_SESSION_HANDLE,
    key: CK_OBJECT_HANDLE,
) -> CK_RV {
    entry("C_DigestKey", |_| session(handle)?.digest_key(key))
}

/// `C_DigestFinal` (PKCS#11 v3.1 §5.12.5)
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_DigestFinal(
    session: CK_SESSION_HANDLE,
    digest: *mut CK_BYTE,
    digest_length: *mut CK_ULONG,
) -> CK_RV {
    operation::finish(
        "C_DigestFinal",
        Operation::Digest,
        session,
        (digest, digest_length),
    )
}
