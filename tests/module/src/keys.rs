//! Key generation (PKCS#11 v2.40 §5.15).

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use cryptoki_sys::{
    CK_ATTRIBUTE, CK_ATTRIBUTE_TYPE, CK_MECHANISM, CK_OBJECT_HANDLE, CK_RV, CK_SESSION_HANDLE,
    CK_ULONG, CKA_CLASS, CKA_EC_POINT, CKA_KEY_TYPE, CKA_VALUE, CKK_AES, CKK_EC, CKM_AES_KEY_GEN,
    CKM_EC_KEY_PAIR_GEN, CKO_PRIVATE_KEY, CKO_PUBLIC_KEY, CKO_SECRET_KEY, CKR_ARGUMENTS_BAD,
    CKR_MECHANISM_INVALID,
};

use crate::objects::{self, Object};
use crate::{Outcome, answer, memory, state};

pub(crate) unsafe extern "C" fn generate_key(
    session: CK_SESSION_HANDLE,
    mechanism: *mut CK_MECHANISM,
    template: *mut CK_ATTRIBUTE,
    count: CK_ULONG,
    key: *mut CK_OBJECT_HANDLE,
) -> CK_RV {
    answer("C_GenerateKey", || {
        let slot = state::session(session)?.slot().unwrap_or(0);
        // SAFETY: the application's pointer is null or valid, by PKCS#11.
        unsafe { is_mechanism(mechanism, CKM_AES_KEY_GEN) }?;
        // SAFETY: the application's template is valid, by PKCS#11.
        let attributes = unsafe { objects::attributes(template, count) }?;
        let value = (CKA_VALUE, distinct().repeat(4));
        let new = objects::add(Object::new(
            slot,
            completed(attributes, CKO_SECRET_KEY, CKK_AES, value),
        ));
        // SAFETY: the application's pointer is null or valid, by PKCS#11.
        unsafe { memory::put(key, new) }
    })
}

pub(crate) unsafe extern "C" fn generate_key_pair(
    session: CK_SESSION_HANDLE,
    mechanism: *mut CK_MECHANISM,
    public_template: *mut CK_ATTRIBUTE,
    public_count: CK_ULONG,
    private_template: *mut CK_ATTRIBUTE,
    private_count: CK_ULONG,
    public: *mut CK_OBJECT_HANDLE,
    private: *mut CK_OBJECT_HANDLE,
) -> CK_RV {
    answer("C_GenerateKeyPair", || {
        let slot = state::session(session)?.slot().unwrap_or(0);
        // SAFETY: the application's pointer is null or valid, by PKCS#11.
        unsafe { is_mechanism(mechanism, CKM_EC_KEY_PAIR_GEN) }?;
        // SAFETY: the application's templates are valid, by PKCS#11.
        let (for_public, for_private) = unsafe {
            (
                objects::attributes(public_template, public_count)?,
                objects::attributes(private_template, private_count)?,
            )
        };
        let secret = distinct();
        let point = [vec![0x04, 0x41, 0x04], secret.repeat(8)].concat();
        let public_key = completed(for_public, CKO_PUBLIC_KEY, CKK_EC, (CKA_EC_POINT, point));
        let private_key = completed(
            for_private,
            CKO_PRIVATE_KEY,
            CKK_EC,
            (CKA_VALUE, secret.repeat(4)),
        );
        // SAFETY: the application's pointers are null or valid, by PKCS#11.
        unsafe {
            memory::put(public, objects::add(Object::new(slot, public_key)))?;
            memory::put(private, objects::add(Object::new(slot, private_key)))
        }
    })
}

/// # Safety
/// `mechanism` is null or valid for a read.
pub(crate) unsafe fn is_mechanism(mechanism: *mut CK_MECHANISM, expected: u64) -> Outcome {
    // SAFETY: by this function's contract.
    match unsafe { mechanism.as_ref() } {
        None => Err(CKR_ARGUMENTS_BAD),
        Some(mechanism) if mechanism.mechanism == expected => Ok(()),
        Some(_) => Err(CKR_MECHANISM_INVALID),
    }
}

/// Eight bytes that no other key of this process has.
pub(crate) fn distinct() -> Vec<u8> {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    NEXT.fetch_add(1, Relaxed).to_ne_bytes().to_vec()
}

/// The template with what the token itself knows of the key.
pub(crate) fn completed(
    mut attributes: Vec<(CK_ATTRIBUTE_TYPE, Vec<u8>)>,
    class: CK_ULONG,
    key_type: CK_ULONG,
    value: (CK_ATTRIBUTE_TYPE, Vec<u8>),
) -> Vec<(CK_ATTRIBUTE_TYPE, Vec<u8>)> {
    let own = [
        (CKA_CLASS, class.to_ne_bytes().to_vec()),
        (CKA_KEY_TYPE, key_type.to_ne_bytes().to_vec()),
        value,
    ];
    attributes.retain(|(kind, _)| own.iter().all(|(known, _)| known != kind));
    attributes.extend(own);
    attributes
}
