//! The module that everything is handed to.

use std::path::PathBuf;
use std::ptr;
use std::sync::OnceLock;

use cryptoki_sys::{CK_FUNCTION_LIST, CK_FUNCTION_LIST_PTR_PTR, CK_RV, CKR_OK};

/// Its function list; none where there is no such module. It stays loaded for good.
pub(crate) fn list() -> Option<&'static CK_FUNCTION_LIST> {
    static LIST: OnceLock<Option<&'static CK_FUNCTION_LIST>> = OnceLock::new();
    *LIST.get_or_init(load)
}

fn load() -> Option<&'static CK_FUNCTION_LIST> {
    let path = PathBuf::from(std::env::var_os("EVERSLOT_PASS_MODULE")?);
    // SAFETY: a PKCS#11 module's constructors may run in any process.
    let library = unsafe { libloading::Library::new(path) }.ok()?;
    // SAFETY: PKCS#11 gives the symbol this type.
    let entry = unsafe {
        library
            .get::<unsafe extern "C" fn(CK_FUNCTION_LIST_PTR_PTR) -> CK_RV>(b"C_GetFunctionList\0")
    };
    let entry = *entry.ok()?;
    std::mem::forget(library);
    let mut list = ptr::null_mut();
    // SAFETY: the pointer is of a live place for the list.
    let code = unsafe { entry(&raw mut list) };
    // SAFETY: the module gave the list, which lives as long as the module, which is never unloaded.
    unsafe { list.as_ref() }.filter(|_| code == CKR_OK)
}
