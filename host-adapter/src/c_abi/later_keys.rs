//! Key management functions of PKCS#11 3.2 (§5.18).

use cryptoki_sys::{
    CK_ATTRIBUTE, CK_BYTE, CK_MECHANISM, CK_OBJECT_HANDLE, CK_RV, CK_SESSION_HANDLE, CK_ULONG,
};

use super::entry::entry_with_scratch;
use super::session;

/// `C_EncapsulateKey`. The key is made only when the ciphertext has room: a query tells its length and makes none.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_EncapsulateKey(
    handle: CK_SESSION_HANDLE,
    mechanism: *mut CK_MECHANISM,
    public_key: CK_OBJECT_HANDLE,
    template: *mut CK_ATTRIBUTE,
    count: CK_ULONG,
    ciphertext: *mut CK_BYTE,
    ciphertext_length: *mut CK_ULONG,
    key: *mut CK_OBJECT_HANDLE,
) -> CK_RV {
    entry_with_scratch("C_EncapsulateKey", |caller, scratch| {
        let session = session(handle)?;
        let place = caller.place(key)?;
        let output = caller.output(ciphertext, ciphertext_length)?;
        let mechanism = caller.mechanism(mechanism, scratch)?;
        let template = caller.template(template, count, scratch)?;
        output.fill(|output| {
            let (length, made) =
                session.encapsulate_key(mechanism, public_key, template, output)?;
            if let Some(made) = made {
                place.set(made);
            }
            Ok(length)
        })
    })
}

/// `C_DecapsulateKey`
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_DecapsulateKey(
    handle: CK_SESSION_HANDLE,
    mechanism: *mut CK_MECHANISM,
    private_key: CK_OBJECT_HANDLE,
    template: *mut CK_ATTRIBUTE,
    count: CK_ULONG,
    ciphertext: *mut CK_BYTE,
    ciphertext_length: CK_ULONG,
    key: *mut CK_OBJECT_HANDLE,
) -> CK_RV {
    entry_with_scratch("C_DecapsulateKey", |caller, scratch| {
        let session = session(handle)?;
        let place = caller.place(key)?;
        let mechanism = caller.mechanism(mechanism, scratch)?;
        let ciphertext = caller.slice(ciphertext, ciphertext_length)?;
        let template = caller.template(template, count, scratch)?;
        place.set(session.decapsulate_key(mechanism, private_key, template, ciphertext)?);
        Ok(())
    })
}

/// `C_WrapKeyAuthenticated`
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_WrapKeyAuthenticated(
    handle: CK_SESSION_HANDLE,
    mechanism: *mut CK_MECHANISM,
    wrapping_key: CK_OBJECT_HANDLE,
    key: CK_OBJECT_HANDLE,
    associated: *mut CK_BYTE,
    associated_length: CK_ULONG,
    wrapped: *mut CK_BYTE,
    wrapped_length: *mut CK_ULONG,
) -> CK_RV {
    entry_with_scratch("C_WrapKeyAuthenticated", |caller, scratch| {
        let session = session(handle)?;
        let output = caller.output(wrapped, wrapped_length)?;
        let associated = caller.input(associated, associated_length)?;
        let given = mechanism;
        let mechanism = caller.mechanism(given, scratch)?;
        let keys = (wrapping_key, key);
        output.fill_from(associated, |associated, output| {
            let sealed = session.wrap_key_authenticated(mechanism, keys, associated, output)?;
            caller.answer_made_iv(given, &sealed)?;
            Ok(sealed.written)
        })
    })
}

/// `C_UnwrapKeyAuthenticated`
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_UnwrapKeyAuthenticated(
    handle: CK_SESSION_HANDLE,
    mechanism: *mut CK_MECHANISM,
    unwrapping_key: CK_OBJECT_HANDLE,
    wrapped: *mut CK_BYTE,
    wrapped_length: CK_ULONG,
    template: *mut CK_ATTRIBUTE,
    count: CK_ULONG,
    associated: *mut CK_BYTE,
    associated_length: CK_ULONG,
    key: *mut CK_OBJECT_HANDLE,
) -> CK_RV {
    entry_with_scratch("C_UnwrapKeyAuthenticated", |caller, scratch| {
        let session = session(handle)?;
        let place = caller.place(key)?;
        let mechanism = caller.mechanism(mechanism, scratch)?;
        let wrapped = caller.slice(wrapped, wrapped_length)?;
        let template = caller.template(template, count, scratch)?;
        let associated = caller.slice(associated, associated_length)?;
        let key = session.unwrap_key_authenticated(
            mechanism,
            unwrapping_key,
            wrapped,
            template,
            associated,
        )?;
        place.set(key);
        Ok(())
    })
}
