//! Key management functions (PKCS#11 v3.1 §5.18).

use cryptoki_sys::{
    CK_ATTRIBUTE, CK_BYTE, CK_MECHANISM, CK_OBJECT_HANDLE, CK_RV, CK_SESSION_HANDLE, CK_ULONG,
};

use super::entry::entry_with_scratch;
use super::session;
use crate::module::parameter::{Returned, makes_no_key_of_its_own};
use crate::slot::Source;

/// `C_GenerateKey` (PKCS#11 v3.1 §5.18.1)
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_GenerateKey(
    handle: CK_SESSION_HANDLE,
    mechanism: *mut CK_MECHANISM,
    template: *mut CK_ATTRIBUTE,
    count: CK_ULONG,
    key: *mut CK_OBJECT_HANDLE,
) -> CK_RV {
    entry_with_scratch("C_GenerateKey", |caller, scratch| {
        let session = session(handle)?;
        let place = caller.place(key)?;
        let given = mechanism;
        let mechanism = caller.mechanism(given, scratch)?;
        let template = caller.template(template, count, scratch)?;
        let Some(room) = Returned::of(&mechanism) else {
            place.set(session.generate_key(mechanism, template)?);
            return Ok(());
        };
        let made = session.make_with_material(Source::Nothing, mechanism, template, room)?;
        place.set(made.key.unwrap_or_default());
        caller.answer_returned(given, &made.returned)
    })
}

/// `C_GenerateKeyPair` (PKCS#11 v3.1 §5.18.2)
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_GenerateKeyPair(
    handle: CK_SESSION_HANDLE,
    mechanism: *mut CK_MECHANISM,
    public_template: *mut CK_ATTRIBUTE,
    public_count: CK_ULONG,
    private_template: *mut CK_ATTRIBUTE,
    private_count: CK_ULONG,
    public_key: *mut CK_OBJECT_HANDLE,
    private_key: *mut CK_OBJECT_HANDLE,
) -> CK_RV {
    entry_with_scratch("C_GenerateKeyPair", |caller, scratch| {
        let session = session(handle)?;
        let public_place = caller.place(public_key)?;
        let private_place = caller.place(private_key)?;
        let mechanism = caller.mechanism(mechanism, scratch)?;
        let public = caller.template(public_template, public_count, scratch)?;
        let private = caller.template(private_template, private_count, scratch)?;
        let (public_key, private_key) = session.generate_key_pair(mechanism, public, private)?;
        public_place.set(public_key);
        private_place.set(private_key);
        Ok(())
    })
}

/// `C_WrapKey` (PKCS#11 v3.1 §5.18.3)
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_WrapKey(
    handle: CK_SESSION_HANDLE,
    mechanism: *mut CK_MECHANISM,
    wrapping_key: CK_OBJECT_HANDLE,
    key: CK_OBJECT_HANDLE,
    wrapped: *mut CK_BYTE,
    wrapped_length: *mut CK_ULONG,
) -> CK_RV {
    entry_with_scratch("C_WrapKey", |caller, scratch| {
        let session = session(handle)?;
        let output = caller.output(wrapped, wrapped_length)?;
        let mechanism = caller.mechanism(mechanism, scratch)?;
        output.fill(|output| session.wrap_key(mechanism, wrapping_key, key, output))
    })
}

/// `C_UnwrapKey` (PKCS#11 v3.1 §5.18.4)
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_UnwrapKey(
    handle: CK_SESSION_HANDLE,
    mechanism: *mut CK_MECHANISM,
    unwrapping_key: CK_OBJECT_HANDLE,
    wrapped: *mut CK_BYTE,
    wrapped_length: CK_ULONG,
    template: *mut CK_ATTRIBUTE,
    count: CK_ULONG,
    key: *mut CK_OBJECT_HANDLE,
) -> CK_RV {
    entry_with_scratch("C_UnwrapKey", |caller, scratch| {
        let session = session(handle)?;
        let place = caller.place(key)?;
        let mechanism = caller.mechanism(mechanism, scratch)?;
        let wrapped = caller.slice(wrapped, wrapped_length)?;
        let template = caller.template(template, count, scratch)?;
        let key = session.unwrap_key(mechanism, unwrapping_key, wrapped, template)?;
        place.set(key);
        Ok(())
    })
}

/// `C_DeriveKey` (PKCS#11 v3.1 §5.18.5)
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_DeriveKey(
    handle: CK_SESSION_HANDLE,
    mechanism: *mut CK_MECHANISM,
    base_key: CK_OBJECT_HANDLE,
    template: *mut CK_ATTRIBUTE,
    count: CK_ULONG,
    key: *mut CK_OBJECT_HANDLE,
) -> CK_RV {
    entry_with_scratch("C_DeriveKey", |caller, scratch| {
        let session = session(handle)?;
        let given = mechanism;
        let mechanism = caller.mechanism(given, scratch)?;
        let Some(room) = Returned::of(&mechanism) else {
            let place = caller.place(key)?;
            let template = caller.template(template, count, scratch)?;
            place.set(session.derive_key(mechanism, base_key, template)?);
            return Ok(());
        };
        // All that such a mechanism makes stands in its parameter (PKCS#11 v3.1 §6.40.6): nothing is put where a key would be.
        let place = if makes_no_key_of_its_own(mechanism.kind) {
            None
        } else {
            Some(caller.place(key)?)
        };
        let template = caller.template(template, count, scratch)?;
        let made = session.make_with_material(Source::Key(base_key), mechanism, template, room)?;
        if let (Some(place), Some(key)) = (place, made.key) {
            place.set(key);
        }
        caller.answer_returned(given, &made.returned)
    })
}
