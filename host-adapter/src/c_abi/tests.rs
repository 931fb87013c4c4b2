//! The conventions of the C functions, seen over a [`double`](super::double) of what is behind them.

mod arguments;
mod general;
mod messages;
mod mutexes;
mod objects;
mod operations;
mod table;
mod vendor;

use std::ptr;
use std::sync::OnceLock;

use cryptoki_sys::{CK_FUNCTION_LIST_3_2, CK_VERSION};

use super::interfaces::C_GetInterface;

/// The function list of interface 3.2, as an application gets it, once.
fn functions() -> &'static CK_FUNCTION_LIST_3_2 {
    static FUNCTIONS: OnceLock<&CK_FUNCTION_LIST_3_2> = OnceLock::new();
    FUNCTIONS.get_or_init(fetch)
}

fn fetch() -> &'static CK_FUNCTION_LIST_3_2 {
    let mut version = CK_VERSION { major: 3, minor: 2 };
    let mut interface = ptr::null_mut();
    // SAFETY: the pointers lead to a version and to a place for a pointer; the interface that comes is static, and so is its list.
    let list = unsafe {
        assert_eq!(
            C_GetInterface(ptr::null_mut(), &raw mut version, &raw mut interface, 0),
            0
        );
        (*interface)
            .pFunctionList
            .cast::<CK_FUNCTION_LIST_3_2>()
            .as_ref()
    };
    list.expect("a function list")
}

/// Calls a function of the list by its name with pointers that are what the function wants.
macro_rules! call {
    ($name:ident($($argument:expr),* $(,)?)) => {{
        let function = $crate::c_abi::tests::functions().$name.expect(stringify!($name));
        // SAFETY: the test's pointers are null or lead to variables of the test that are as large as it says.
        everslot_core::Rv(unsafe { function($($argument),*) })
    }};
}
use call;
