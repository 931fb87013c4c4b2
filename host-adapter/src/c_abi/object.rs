//! Object management (PKCS#11 v3.1 §5.7).

use cryptoki_sys::{CK_ATTRIBUTE, CK_OBJECT_HANDLE, CK_RV, CK_SESSION_HANDLE, CK_ULONG};
use everslot_core::ckr;

use super::entry::{entry, entry_with_scratch};
use super::session;

/// `C_CreateObject` (PKCS#11 v3.1 §5.7.1)
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_CreateObject(
    handle: CK_SESSION_HANDLE,
    template: *mut CK_ATTRIBUTE,
    count: CK_ULONG,
    object: *mut CK_OBJECT_HANDLE,
) -> CK_RV {
    entry_with_scratch("C_CreateObject", |caller, scratch| {
        let session = session(handle)?;
        let place = caller.place(object)?;
        let template = caller.template(template, count, scratch)?;
        place.set(session.create_object(template)?);
        Ok(())
    })
}

/// `C_CopyObject` (PKCS#11 v3.1 §5.7.2)
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_CopyObject(
    handle: CK_SESSION_HANDLE,
    object: CK_OBJECT_HANDLE,
    template: *mut CK_ATTRIBUTE,
    count: CK_ULONG,
    copy: *mut CK_OBJECT_HANDLE,
) -> CK_RV {
    entry_with_scratch("C_CopyObject", |caller, scratch| {
        let session = session(handle)?;
        let place = caller.place(copy)?;
        let template = caller.template(template, count, scratch)?;
        place.set(session.copy_object(object, template)?);
        Ok(())
    })
}

/// `C_DestroyObject` (PKCS#11 v3.1 §5.7.3)
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_DestroyObject(
    handle: CK_SESSION_HANDLE,
    object: CK_OBJECT_HANDLE,
) -> CK_RV {
    entry("C_DestroyObject", |_| {
        session(handle)?.destroy_object(object)
    })
}

/// `C_GetObjectSize` (PKCS#11 v3.1 §5.7.4)
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_GetObjectSize(
    handle: CK_SESSION_HANDLE,
    object: CK_OBJECT_HANDLE,
    size: *mut CK_ULONG,
) -> CK_RV {
    entry("C_GetObjectSize", |caller| {
        let session = session(handle)?;
        let place = caller.place(size)?;
        place.set(session.object_size(object)?);
        Ok(())
    })
}

/// `C_GetAttributeValue` (PKCS#11 v3.1 §5.7.5)
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_GetAttributeValue(
    handle: CK_SESSION_HANDLE,
    object: CK_OBJECT_HANDLE,
    template: *mut CK_ATTRIBUTE,
    count: CK_ULONG,
) -> CK_RV {
    entry_with_scratch("C_GetAttributeValue", |caller, scratch| {
        let session = session(handle)?;
        let wanted = caller.wanted(template, count, scratch)?;
        let mut answered = Ok(());
        let rv = session.attribute_values(object, wanted, &mut |values| {
            answered = caller.answer_wanted(template, count, values);
        });
        if rv == ckr::OK { answered } else { Err(rv) }
    })
}

/// `C_SetAttributeValue` (PKCS#11 v3.1 §5.7.6)
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_SetAttributeValue(
    handle: CK_SESSION_HANDLE,
    object: CK_OBJECT_HANDLE,
    template: *mut CK_ATTRIBUTE,
    count: CK_ULONG,
) -> CK_RV {
    entry_with_scratch("C_SetAttributeValue", |caller, scratch| {
        let session = session(handle)?;
        let template = caller.template(template, count, scratch)?;
        session.set_attributes(object, template)
    })
}

/// `C_FindObjectsInit` (PKCS#11 v3.1 §5.7.7)
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_FindObjectsInit(
    handle: CK_SESSION_HANDLE,
    template: *mut CK_ATTRIBUTE,
    count: CK_ULONG,
) -> CK_RV {
    entry_with_scratch("C_FindObjectsInit", |caller, scratch| {
        let session = session(handle)?;
        let template = caller.template(template, count, scratch)?;
        session.find_begin(template)
    })
}

/// `C_FindObjects` (PKCS#11 v3.1 §5.7.8)
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_FindObjects(
    handle: CK_SESSION_HANDLE,
    objects: *mut CK_OBJECT_HANDLE,
    max_count: CK_ULONG,
    count: *mut CK_ULONG,
) -> CK_RV {
    entry("C_FindObjects", |caller| {
        let session = session(handle)?;
        let place = caller.place(count)?;
        let objects = caller.slice_mut(objects, max_count)?;
        place.set(session.find_next(objects)? as CK_ULONG);
        Ok(())
    })
}

/// `C_FindObjectsFinal` (PKCS#11 v3.1 §5.7.9)
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_FindObjectsFinal(handle: CK_SESSION_HANDLE) -> CK_RV {
    entry("C_FindObjectsFinal", |_| session(handle)?.find_end())
}
