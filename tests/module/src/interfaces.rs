//! The interfaces of 3.0 and 3.2 beside 2.40 (PKCS#11 v3.2 §5.4.5, §5.4.6): as many as the settings allow.

use std::ffi::{CStr, c_void};
use std::ptr;
use std::sync::OnceLock;

use cryptoki_sys::{
    CK_FLAGS, CK_FUNCTION_LIST, CK_FUNCTION_LIST_3_0, CK_FUNCTION_LIST_3_2, CK_INTERFACE, CK_RV,
    CK_ULONG, CK_UTF8CHAR, CK_VERSION, CKR_ARGUMENTS_BAD, CKR_OK,
};

use crate::list::FUNCTIONS;
use crate::settings::settings;
use crate::{later, memory, messages};

const NAME: &CStr = c"PKCS 11";

/// `C_GetInterfaceList`
///
/// # Safety
/// `count` is null or valid, `list` null or valid for as many interfaces as it says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn C_GetInterfaceList(
    list: *mut CK_INTERFACE,
    count: *mut CK_ULONG,
) -> CK_RV {
    let offered: Vec<CK_INTERFACE> = offered().iter().map(|interface| interface.0).collect();
    // SAFETY: by this function's contract.
    unsafe { memory::give(list, count, &offered) }
        .err()
        .unwrap_or(CKR_OK)
}

/// `C_GetInterface`
///
/// # Safety
/// The pointers are null or valid, the name a text.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn C_GetInterface(
    name: *mut CK_UTF8CHAR,
    version: *mut CK_VERSION,
    interface: *mut *mut CK_INTERFACE,
    flags: CK_FLAGS,
) -> CK_RV {
    // SAFETY: by this function's contract.
    let (other_name, version) = unsafe {
        (
            !name.is_null() && CStr::from_ptr(name.cast()) != NAME,
            version.as_ref(),
        )
    };
    let found = offered().iter().find(|offered| {
        version
            .is_none_or(|wanted| (wanted.major, wanted.minor) == (offered.1.major, offered.1.minor))
    });
    match found {
        // SAFETY: by this function's contract.
        Some(found) if !other_name && flags == 0 => unsafe {
            memory::put(interface, (&raw const found.0).cast_mut())
                .err()
                .unwrap_or(CKR_OK)
        },
        Some(_) | None => CKR_ARGUMENTS_BAD,
    }
}

struct Interface(CK_INTERFACE, CK_VERSION);

// SAFETY: what its pointers lead to is never written to.
unsafe impl Send for Interface {}
// SAFETY: as above.
unsafe impl Sync for Interface {}

/// The interfaces that the settings allow, the latest first.
fn offered() -> &'static [Interface] {
    static OFFERED: OnceLock<Vec<Interface>> = OnceLock::new();
    OFFERED.get_or_init(|| {
        let lists = [
            (ptr::from_ref(list_3_2()).cast(), list_3_2().version),
            (ptr::from_ref(list_3_0()).cast(), list_3_0().version),
            ((&raw const FUNCTIONS).cast(), FUNCTIONS.version),
        ];
        let allowed = |version: &CK_VERSION| (version.major, version.minor) <= settings().interface;
        lists
            .into_iter()
            .filter(|(_, version)| allowed(version))
            .map(|(list, version): (*const c_void, _)| {
                let offered = CK_INTERFACE {
                    pInterfaceName: NAME.as_ptr().cast_mut().cast(),
                    pFunctionList: list.cast_mut(),
                    flags: 0,
                };
                Interface(offered, version)
            })
            .collect()
    })
}

fn list_3_0() -> &'static CK_FUNCTION_LIST_3_0 {
    static LIST: OnceLock<CK_FUNCTION_LIST_3_0> = OnceLock::new();
    LIST.get_or_init(|| {
        let mut list = CK_FUNCTION_LIST_3_0::default();
        // SAFETY: the list of 3.2 begins with that of 3.0.
        unsafe {
            ptr::from_mut(&mut list).copy_from(ptr::from_ref(list_3_2()).cast(), 1);
        }
        list.version = CK_VERSION { major: 3, minor: 0 };
        list
    })
}

fn list_3_2() -> &'static CK_FUNCTION_LIST_3_2 {
    static LIST: OnceLock<CK_FUNCTION_LIST_3_2> = OnceLock::new();
    LIST.get_or_init(|| {
        let mut list = CK_FUNCTION_LIST_3_2::default();
        // SAFETY: the list of 3.2 begins with that of 2.40.
        unsafe {
            ptr::from_mut(&mut list)
                .cast::<CK_FUNCTION_LIST>()
                .copy_from(&raw const FUNCTIONS, 1);
        }
        list.version = CK_VERSION { major: 3, minor: 2 };
        add_messages(&mut list);
        list.C_GetInterfaceList = Some(C_GetInterfaceList);
        list.C_GetInterface = Some(C_GetInterface);
        list.C_LoginUser = Some(later::login_user);
        list.C_SessionCancel = Some(later::cancel);
        list.C_EncapsulateKey = Some(later::encapsulate);
        list.C_DecapsulateKey = Some(later::decapsulate);
        list.C_VerifySignatureInit = Some(later::check_init);
        list.C_VerifySignature = Some(later::check);
        list.C_VerifySignatureUpdate = Some(later::check_update);
        list.C_VerifySignatureFinal = Some(later::check_final);
        list.C_GetSessionValidationFlags = Some(later::validation_flags);
        list.C_AsyncComplete = Some(later::async_complete);
        list.C_AsyncGetID = Some(later::async_id);
        list.C_AsyncJoin = Some(later::async_join);
        list.C_WrapKeyAuthenticated = Some(later::wrap);
        list.C_UnwrapKeyAuthenticated = Some(later::unwrap);
        list
    })
}

fn add_messages(list: &mut CK_FUNCTION_LIST_3_2) {
    list.C_MessageEncryptInit = Some(messages::encrypt_init);
    list.C_EncryptMessage = Some(messages::encrypt);
    list.C_EncryptMessageBegin = Some(messages::encrypt_begin);
    list.C_EncryptMessageNext = Some(messages::encrypt_next);
    list.C_MessageEncryptFinal = Some(messages::encrypt_final);
    list.C_MessageDecryptInit = Some(messages::decrypt_init);
    list.C_DecryptMessage = Some(messages::decrypt);
    list.C_DecryptMessageBegin = Some(messages::decrypt_begin);
    list.C_DecryptMessageNext = Some(messages::decrypt_next);
    list.C_MessageDecryptFinal = Some(messages::decrypt_final);
    list.C_MessageSignInit = Some(messages::sign_init);
    list.C_SignMessage = Some(messages::sign);
    list.C_SignMessageBegin = Some(messages::sign_begin);
    list.C_SignMessageNext = Some(messages::sign_next);
    list.C_MessageSignFinal = Some(messages::sign_final);
    list.C_MessageVerifyInit = Some(messages::verify_init);
    list.C_VerifyMessage = Some(messages::verify);
    list.C_VerifyMessageBegin = Some(messages::verify_begin);
    list.C_VerifyMessageNext = Some(messages::verify_next);
    list.C_MessageVerifyFinal = Some(messages::verify_final);
}
