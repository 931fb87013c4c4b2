//! The conventions of the C functions, seen over a [`double`](super::double) of what is behind them.

mod arguments;
mod general;
mod mutexes;
mod objects;
mod operations;
mod table;

use std::ptr;
use std::sync::OnceLock;

use cryptoki_sys::CK_FUNCTION_LIST;

use super::interfaces::C_GetFunctionList;

/// The function list, as an application gets it, once.
fn functions() -> &'static CK_FUNCTION_LIST {
    static FUNCTIONS: OnceLock<&CK_FUNCTION_LIST> = OnceLock::new();
    FUNCTIONS.get_or_init(fetch)
}

fn fetch() -> &'static CK_FUNCTION_LIST {
    let mut list = ptr::null_mut();
    // SAFETY: the pointer leads to a place for a pointer, and the list that comes is static.
    let list = unsafe {
        assert_eq!(C_GetFunctionList(&raw mut list), 0);
        list.as_ref()
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
