//! Derivation for TLS and by SP 800-108 (PKCS#11 v3.1 §6.40): what it derives is made up, but it comes back through the parameter as it should.

use cryptoki_sys::{
    CK_ATTRIBUTE, CK_BYTE, CK_DERIVED_KEY, CK_MECHANISM, CK_OBJECT_HANDLE, CK_RV,
    CK_SESSION_HANDLE, CK_SP800_108_KDF_PARAMS, CK_TLS_PRF_PARAMS, CK_TLS12_KEY_MAT_PARAMS,
    CK_TLS12_MASTER_KEY_DERIVE_PARAMS, CK_ULONG, CK_VERSION, CKA_VALUE, CKK_AES,
    CKM_SP800_108_COUNTER_KDF, CKM_TLS_PRF, CKM_TLS12_KEY_AND_MAC_DERIVE,
    CKM_TLS12_MASTER_KEY_DERIVE, CKO_SECRET_KEY, CKR_ARGUMENTS_BAD, CKR_KEY_HANDLE_INVALID,
    CKR_MECHANISM_INVALID, CKR_MECHANISM_PARAM_INVALID,
};

use crate::keys::{completed, distinct};
use crate::objects::{self, Object};
use crate::{Outcome, answer, memory, state};

const VERSION: CK_VERSION = CK_VERSION { major: 3, minor: 3 };

pub(crate) unsafe extern "C" fn derive_key(
    session: CK_SESSION_HANDLE,
    mechanism: *mut CK_MECHANISM,
    base_key: CK_OBJECT_HANDLE,
    template: *mut CK_ATTRIBUTE,
    count: CK_ULONG,
    key: *mut CK_OBJECT_HANDLE,
) -> CK_RV {
    answer("C_DeriveKey", || {
        if !objects::is_usable(state::session(session)?, base_key) {
            return Err(CKR_KEY_HANDLE_INVALID);
        }
        // SAFETY: the application's pointers are null or valid, by PKCS#11.
        unsafe {
            let make = || make(session, template, count);
            match mechanism.as_ref().ok_or(CKR_ARGUMENTS_BAD)?.mechanism {
                CKM_TLS12_MASTER_KEY_DERIVE => {
                    let parameter: &CK_TLS12_MASTER_KEY_DERIVE_PARAMS = parameter(mechanism)?;
                    memory::put(parameter.pVersion, VERSION)?;
                    memory::put(key, make()?)
                }
                // Nothing is given in the place of a key.
                CKM_TLS12_KEY_AND_MAC_DERIVE if key.is_null() => {
                    let parameter: &CK_TLS12_KEY_MAT_PARAMS = parameter(mechanism)?;
                    let out = parameter
                        .pReturnedKeyMaterial
                        .as_mut()
                        .ok_or(CKR_ARGUMENTS_BAD)?;
                    for place in [
                        &mut out.hClientMacSecret,
                        &mut out.hServerMacSecret,
                        &mut out.hClientKey,
                        &mut out.hServerKey,
                    ] {
                        *place = make()?;
                    }
                    let length = parameter.ulIVSizeInBits / 8;
                    fill(out.pIVClient, length, b'c')?;
                    fill(out.pIVServer, length, b's')
                }
                CKM_TLS_PRF if key.is_null() => {
                    let parameter: &CK_TLS_PRF_PARAMS = parameter(mechanism)?;
                    let length = parameter.pulOutputLen.as_mut().ok_or(CKR_ARGUMENTS_BAD)?;
                    fill(parameter.pOutput, *length, b'p')
                }
                CKM_SP800_108_COUNTER_KDF => {
                    let parameter: &CK_SP800_108_KDF_PARAMS = parameter(mechanism)?;
                    for index in 0..parameter.ulAdditionalDerivedKeys as usize {
                        let further: &CK_DERIVED_KEY =
                            &*parameter.pAdditionalDerivedKeys.add(index);
                        let made =
                            self::make(session, further.pTemplate, further.ulAttributeCount)?;
                        memory::put(further.phKey, made)?;
                    }
                    memory::put(key, make()?)
                }
                CKM_TLS_PRF | CKM_TLS12_KEY_AND_MAC_DERIVE => Err(CKR_ARGUMENTS_BAD),
                _ => Err(CKR_MECHANISM_INVALID),
            }
        }
    })
}

/// # Safety
/// `mechanism` is valid, and so is its parameter for the length that it states.
unsafe fn parameter<'a, T>(mechanism: *mut CK_MECHANISM) -> Result<&'a T, CK_RV> {
    // SAFETY: by this function's contract.
    let (parameter, length) = unsafe { ((*mechanism).pParameter, (*mechanism).ulParameterLen) };
    if length != size_of::<T>() as CK_ULONG {
        return Err(CKR_MECHANISM_PARAM_INVALID);
    }
    // SAFETY: by this function's contract; the length is the structure's.
    unsafe { parameter.cast::<T>().as_ref() }.ok_or(CKR_MECHANISM_PARAM_INVALID)
}

/// # Safety
/// `place` is null or valid for writes of `length` bytes.
unsafe fn fill(place: *mut CK_BYTE, length: CK_ULONG, byte: u8) -> Outcome {
    if place.is_null() && length > 0 {
        return Err(CKR_MECHANISM_PARAM_INVALID);
    }
    // SAFETY: by this function's contract.
    (0..length as usize).for_each(|at| unsafe { place.add(at).write(byte) });
    Ok(())
}

/// Makes an AES key that no other is like.
///
/// # Safety
/// The template is null or valid.
unsafe fn make(
    session: CK_SESSION_HANDLE,
    template: *mut CK_ATTRIBUTE,
    count: CK_ULONG,
) -> Result<CK_OBJECT_HANDLE, CK_RV> {
    let slot = state::session(session)?.slot().unwrap_or(0);
    // SAFETY: by this function's contract.
    let attributes = unsafe { objects::attributes(template, count) }?;
    let value = (CKA_VALUE, distinct().repeat(2));
    Ok(objects::add(Object::new(
        slot,
        completed(attributes, CKO_SECRET_KEY, CKK_AES, value),
    )))
}
