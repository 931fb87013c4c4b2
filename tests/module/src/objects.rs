//! Objects: the keys that every token has from the start, and those that are made while it runs.

use std::sync::atomic::Ordering::SeqCst;
use std::sync::{PoisonError, RwLock, RwLockReadGuard};

use cryptoki_sys::{
    CK_ATTRIBUTE, CK_ATTRIBUTE_TYPE, CK_OBJECT_HANDLE, CK_RV, CK_SESSION_HANDLE, CK_ULONG,
    CK_UNAVAILABLE_INFORMATION, CKA_CLASS, CKA_EC_PARAMS, CKA_EC_POINT, CKA_EXTRACTABLE, CKA_ID,
    CKA_KEY_TYPE, CKA_LABEL, CKA_PRIVATE, CKA_SENSITIVE, CKA_SIGN, CKA_TOKEN, CKA_VALUE, CKK_AES,
    CKK_EC, CKO_PRIVATE_KEY, CKO_PUBLIC_KEY, CKO_SECRET_KEY, CKR_ARGUMENTS_BAD,
    CKR_ATTRIBUTE_SENSITIVE, CKR_ATTRIBUTE_TYPE_INVALID, CKR_BUFFER_TOO_SMALL,
    CKR_OBJECT_HANDLE_INVALID, CKR_OPERATION_ACTIVE, CKR_OPERATION_NOT_INITIALIZED, CKU_USER,
};

use crate::operations::FIND;
use crate::settings::settings;
use crate::state::Session;
use crate::{Outcome, answer, memory, state};

static OBJECTS: RwLock<Vec<Option<Object>>> = RwLock::new(Vec::new());

/// DER of the OID of P-256.
const P256: [u8; 10] = [0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];

/// An object; its handle is its place plus one.
#[derive(Clone, Debug)]
pub(crate) struct Object {
    slot: usize,
    attributes: Vec<(CK_ATTRIBUTE_TYPE, Vec<u8>)>,
}

impl Object {
    pub(crate) fn new(slot: usize, attributes: Vec<(CK_ATTRIBUTE_TYPE, Vec<u8>)>) -> Self {
        Self { slot, attributes }
    }

    fn attribute(&self, wanted: CK_ATTRIBUTE_TYPE) -> Option<&[u8]> {
        self.attributes
            .iter()
            .find(|(kind, _)| *kind == wanted)
            .map(|(_, value)| value.as_slice())
    }

    fn is(&self, kind: CK_ATTRIBUTE_TYPE) -> bool {
        self.attribute(kind) == Some(&[1])
    }

    fn set(&mut self, kind: CK_ATTRIBUTE_TYPE, value: Vec<u8>) {
        match self.attributes.iter_mut().find(|(known, _)| *known == kind) {
            Some((_, place)) => *place = value,
            None => self.attributes.push((kind, value)),
        }
    }

    /// A private object is there for the user who is logged in only (PKCS#11 v2.40 §4.4).
    fn is_visible_to(&self, session: &Session) -> bool {
        let user = CKU_USER as u8 + 1;
        session.slot() == Some(self.slot)
            && (!self.is(CKA_PRIVATE) || session.token().login.load(SeqCst) == user)
    }
}

/// Puts the keys of the start into every token and forgets all others.
pub(crate) fn reset() {
    let mut objects = OBJECTS.write().unwrap_or_else(PoisonError::into_inner);
    objects.clear();
    for slot in 0..settings().tokens {
        objects.extend(initial_keys(slot).map(Some));
    }
}

/// Adds an object.
pub(crate) fn add(object: Object) -> CK_OBJECT_HANDLE {
    let mut objects = OBJECTS.write().unwrap_or_else(PoisonError::into_inner);
    objects.push(Some(object));
    objects.len() as CK_OBJECT_HANDLE
}

/// Whether a session may use an object.
pub(crate) fn is_usable(session: &Session, handle: CK_OBJECT_HANDLE) -> bool {
    let objects = read();
    place(handle)
        .and_then(|place| objects.get(place)?.as_ref())
        .is_some_and(|object| object.is_visible_to(session))
}

/// The attributes of a template.
///
/// # Safety
/// `template` is null or valid for `count` attributes, as are their values.
pub(crate) unsafe fn attributes(
    template: *const CK_ATTRIBUTE,
    count: CK_ULONG,
) -> Result<Vec<(CK_ATTRIBUTE_TYPE, Vec<u8>)>, CK_RV> {
    // SAFETY: by this function's contract.
    let template = unsafe { memory::template(template, count) }?;
    let owned = |attribute: &CK_ATTRIBUTE| {
        // SAFETY: by this function's contract.
        let value = unsafe { memory::value(attribute) }?;
        Ok((attribute.type_, value.to_vec()))
    };
    template.iter().map(owned).collect()
}

pub(crate) unsafe extern "C" fn create(
    session: CK_SESSION_HANDLE,
    template: *mut CK_ATTRIBUTE,
    count: CK_ULONG,
    object: *mut CK_OBJECT_HANDLE,
) -> CK_RV {
    answer("C_CreateObject", || {
        let slot = state::session(session)?.slot().unwrap_or(0);
        // SAFETY: the application's template is valid, by PKCS#11.
        let attributes = unsafe { attributes(template, count) }?;
        // SAFETY: the application's pointer is null or valid, by PKCS#11.
        unsafe { memory::put(object, add(Object::new(slot, attributes))) }
    })
}

pub(crate) unsafe extern "C" fn copy(
    session: CK_SESSION_HANDLE,
    object: CK_OBJECT_HANDLE,
    template: *mut CK_ATTRIBUTE,
    count: CK_ULONG,
    copy: *mut CK_OBJECT_HANDLE,
) -> CK_RV {
    answer("C_CopyObject", || {
        let mut new = with_object(session, object, |object| Ok(object.clone()))?;
        // SAFETY: the application's template is valid, by PKCS#11.
        for (kind, value) in unsafe { attributes(template, count) }? {
            new.set(kind, value);
        }
        // SAFETY: the application's pointer is null or valid, by PKCS#11.
        unsafe { memory::put(copy, add(new)) }
    })
}

pub(crate) unsafe extern "C" fn destroy(
    session: CK_SESSION_HANDLE,
    object: CK_OBJECT_HANDLE,
) -> CK_RV {
    answer("C_DestroyObject", || {
        with_object(session, object, |_| Ok(()))?;
        let mut objects = OBJECTS.write().unwrap_or_else(PoisonError::into_inner);
        match place(object)
            .and_then(|place| objects.get_mut(place))
            .and_then(Option::take)
        {
            Some(_) => Ok(()),
            None => Err(CKR_OBJECT_HANDLE_INVALID),
        }
    })
}

pub(crate) unsafe extern "C" fn size(
    session: CK_SESSION_HANDLE,
    object: CK_OBJECT_HANDLE,
    size: *mut CK_ULONG,
) -> CK_RV {
    answer("C_GetObjectSize", || {
        let length = with_object(session, object, |object| {
            Ok(object
                .attributes
                .iter()
                .map(|(_, value)| value.len())
                .sum::<usize>())
        })?;
        // SAFETY: the application's pointer is null or valid, by PKCS#11.
        unsafe { memory::put(size, length as CK_ULONG) }
    })
}

pub(crate) unsafe extern "C" fn values(
    session: CK_SESSION_HANDLE,
    object: CK_OBJECT_HANDLE,
    template: *mut CK_ATTRIBUTE,
    count: CK_ULONG,
) -> CK_RV {
    answer("C_GetAttributeValue", || {
        if template.is_null() {
            return Err(CKR_ARGUMENTS_BAD);
        }
        // SAFETY: not null, and the application's template is valid for writes, by PKCS#11.
        let template = unsafe { std::slice::from_raw_parts_mut(template, count as usize) };
        with_object(session, object, |object| {
            // Every attribute is answered, whatever happens to another (PKCS#11 v2.40 §5.7).
            template
                .iter_mut()
                .map(|attribute| give_attribute(object, attribute))
                .fold(Ok(()), Result::and)
        })
    })
}

pub(crate) unsafe extern "C" fn set_values(
    session: CK_SESSION_HANDLE,
    object: CK_OBJECT_HANDLE,
    template: *mut CK_ATTRIBUTE,
    count: CK_ULONG,
) -> CK_RV {
    answer("C_SetAttributeValue", || {
        with_object(session, object, |_| Ok(()))?;
        // SAFETY: the application's template is valid, by PKCS#11.
        let attributes = unsafe { attributes(template, count) }?;
        let mut objects = OBJECTS.write().unwrap_or_else(PoisonError::into_inner);
        let object = place(object)
            .and_then(|place| objects.get_mut(place)?.as_mut())
            .ok_or(CKR_OBJECT_HANDLE_INVALID)?;
        attributes
            .into_iter()
            .for_each(|(kind, value)| object.set(kind, value));
        Ok(())
    })
}

pub(crate) unsafe extern "C" fn find_init(
    session: CK_SESSION_HANDLE,
    template: *mut CK_ATTRIBUTE,
    count: CK_ULONG,
) -> CK_RV {
    answer("C_FindObjectsInit", || {
        let session = state::session(session)?;
        // SAFETY: the application's template is valid, by PKCS#11.
        let wanted = unsafe { attributes(template, count) }?;
        if session.operations.fetch_or(FIND, SeqCst) & FIND != 0 {
            return Err(CKR_OPERATION_ACTIVE);
        }
        let matches = |object: &Object| {
            wanted
                .iter()
                .all(|(kind, value)| object.attribute(*kind) == Some(value.as_slice()))
        };
        let objects = read();
        let found = objects.iter().zip(1..).filter_map(|(object, handle)| {
            object
                .as_ref()
                .filter(|object| object.is_visible_to(session) && matches(object))
                .map(|_| handle)
        });
        *session.found() = found.collect();
        Ok(())
    })
}

pub(crate) unsafe extern "C" fn find(
    session: CK_SESSION_HANDLE,
    handles: *mut CK_OBJECT_HANDLE,
    room: CK_ULONG,
    count: *mut CK_ULONG,
) -> CK_RV {
    answer("C_FindObjects", || {
        let session = state::session(session)?;
        if session.operations.load(SeqCst) & FIND == 0 {
            return Err(CKR_OPERATION_NOT_INITIALIZED);
        }
        if handles.is_null() {
            return Err(CKR_ARGUMENTS_BAD);
        }
        let mut found = session.found();
        let count_given = found.len().min(room as usize);
        let given: Vec<CK_OBJECT_HANDLE> = found.drain(..count_given).collect();
        // SAFETY: not null, and of room for `room` handles, of which no more are given, by PKCS#11.
        unsafe { handles.copy_from_nonoverlapping(given.as_ptr(), given.len()) };
        // SAFETY: the application's pointer is null or valid, by PKCS#11.
        unsafe { memory::put(count, given.len() as CK_ULONG) }
    })
}

pub(crate) unsafe extern "C" fn find_final(session: CK_SESSION_HANDLE) -> CK_RV {
    answer("C_FindObjectsFinal", || {
        let session = state::session(session)?;
        session.found().clear();
        match session.operations.fetch_and(!FIND, SeqCst) & FIND {
            0 => Err(CKR_OPERATION_NOT_INITIALIZED),
            _ => Ok(()),
        }
    })
}

/// The value of a key, whatever its attributes say.
pub(crate) fn value(session: CK_SESSION_HANDLE, key: CK_OBJECT_HANDLE) -> Result<Vec<u8>, CK_RV> {
    with_object(session, key, |object| {
        object
            .attribute(CKA_VALUE)
            .map(<[u8]>::to_vec)
            .ok_or(CKR_ATTRIBUTE_TYPE_INVALID)
    })
}

fn with_object<T>(
    session: CK_SESSION_HANDLE,
    handle: CK_OBJECT_HANDLE,
    use_it: impl FnOnce(&Object) -> Result<T, CK_RV>,
) -> Result<T, CK_RV> {
    let session = state::session(session)?;
    let objects = read();
    let object = place(handle)
        .and_then(|place| objects.get(place)?.as_ref())
        .filter(|object| object.is_visible_to(session));
    use_it(object.ok_or(CKR_OBJECT_HANDLE_INVALID)?)
}

fn give_attribute(object: &Object, attribute: &mut CK_ATTRIBUTE) -> Outcome {
    let room = attribute.ulValueLen;
    attribute.ulValueLen = CK_UNAVAILABLE_INFORMATION;
    let value = object
        .attribute(attribute.type_)
        .ok_or(CKR_ATTRIBUTE_TYPE_INVALID)?;
    if attribute.type_ == CKA_VALUE && object.is(CKA_SENSITIVE) {
        return Err(CKR_ATTRIBUTE_SENSITIVE);
    }
    if attribute.pValue.is_null() {
        attribute.ulValueLen = value.len() as CK_ULONG;
        return Ok(());
    }
    if room < value.len() as CK_ULONG {
        return Err(CKR_BUFFER_TOO_SMALL);
    }
    attribute.ulValueLen = value.len() as CK_ULONG;
    // SAFETY: not null, and of room for `room` bytes by PKCS#11, which is no less than the value.
    unsafe {
        attribute
            .pValue
            .cast::<u8>()
            .copy_from_nonoverlapping(value.as_ptr(), value.len())
    };
    Ok(())
}

fn read() -> RwLockReadGuard<'static, Vec<Option<Object>>> {
    OBJECTS.read().unwrap_or_else(PoisonError::into_inner)
}

fn place(handle: CK_OBJECT_HANDLE) -> Option<usize> {
    usize::try_from(handle).ok()?.checked_sub(1)
}

fn initial_keys(slot: usize) -> impl Iterator<Item = Object> {
    let number = |value: CK_ULONG| value.to_ne_bytes().to_vec();
    let common = |class, key_type, label: &str, id: u8, private: u8| {
        vec![
            (CKA_CLASS, number(class)),
            (CKA_KEY_TYPE, number(key_type)),
            (CKA_TOKEN, vec![1]),
            (CKA_PRIVATE, vec![private]),
            (CKA_LABEL, label.as_bytes().to_vec()),
            (CKA_ID, vec![id]),
        ]
    };
    let point: Vec<u8> = [0x04, 0x41, 0x04].into_iter().chain(1..=64).collect();
    let secret = || {
        [
            (CKA_SENSITIVE, vec![1]),
            (CKA_EXTRACTABLE, vec![0]),
            (CKA_SIGN, vec![1]),
        ]
    };
    let mut private = common(CKO_PRIVATE_KEY, CKK_EC, "ec", 1, 1);
    private.push((CKA_EC_PARAMS, P256.to_vec()));
    private.extend(secret());
    let mut public = common(CKO_PUBLIC_KEY, CKK_EC, "ec", 1, 0);
    public.extend([(CKA_EC_PARAMS, P256.to_vec()), (CKA_EC_POINT, point)]);
    let mut aes = common(CKO_SECRET_KEY, CKK_AES, "aes", 2, 1);
    aes.extend(secret());
    aes.push((CKA_VALUE, vec![0x2a; 32]));
    [private, public, aes]
        .into_iter()
        .map(move |attributes| Object::new(slot, attributes))
}
