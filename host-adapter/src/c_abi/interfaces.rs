//! How an application finds the functions (PKCS#11 v3.1 §5.4.4 to §5.4.6).

mod lists;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::ffi::{CStr, c_void};
use std::ptr;

use cryptoki_sys::{
    CK_FLAGS, CK_FUNCTION_LIST, CK_INTERFACE, CK_RV, CK_ULONG, CK_UTF8CHAR, CK_VERSION,
};
use everslot_core::ckr;

use super::entry::entry;
use super::vendor;
use crate::config::Config;
use crate::module::has_interfaces;
use lists::FUNCTIONS;

/// The name of the standard's own interface.
const NAME: &CStr = c"PKCS 11";

/// The name of ours: "Vendor " and a name (PKCS#11 v3.1 §5.4.5).
const OUR_NAME: &CStr = c"Vendor everslot";

/// `C_GetFunctionList` (PKCS#11 v3.1 §5.4.4)
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_GetFunctionList(list: *mut *mut CK_FUNCTION_LIST) -> CK_RV {
    entry("C_GetFunctionList", |caller| {
        caller.place(list)?.set((&raw const FUNCTIONS).cast_mut());
        Ok(())
    })
}

/// `C_GetInterfaceList` (PKCS#11 v3.1 §5.4.5)
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_GetInterfaceList(
    list: *mut CK_INTERFACE,
    count: *mut CK_ULONG,
) -> CK_RV {
    entry("C_GetInterfaceList", |caller| {
        caller.answer_list(list, count, || {
            Ok(INTERFACES
                .iter()
                .map(|interface| interface.offered)
                .collect())
        })
    })
}

/// `C_GetInterface` (PKCS#11 v3.1 §5.4.6). The specification leaves open what is answered when nothing matches; as most modules do,
/// it is `CKR_ARGUMENTS_BAD`.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_GetInterface(
    name: *mut CK_UTF8CHAR,
    version: *mut CK_VERSION,
    interface: *mut *mut CK_INTERFACE,
    flags: CK_FLAGS,
) -> CK_RV {
    entry("C_GetInterface", |caller| {
        let place = caller.place(interface)?;
        place.set(ptr::null_mut());
        let is_ours = !name.is_null() && caller.text_is(name, OUR_NAME);
        let version = match caller.structure(version) {
            None if !is_ours => default_version(),
            version => version,
        };
        let found = INTERFACES
            .iter()
            .filter(|interface| match name.is_null() {
                true => interface.name == NAME,
                false => caller.text_is(name, interface.name),
            })
            .find(|interface| interface.matches(version, flags))
            .ok_or(ckr::ARGUMENTS_BAD)?;
        place.set((&raw const found.offered).cast_mut());
        Ok(())
    })
}

/// The version of the default interface, if it is not the latest: 2.40 when no member has a later one. An application takes the functions of the
/// interface it gets for what the token can do, and the others would only tell it that they are not supported.
///
/// This is asked before `C_Initialize`, so nothing is loaded for it.
fn default_version() -> Option<CK_VERSION> {
    let later = Config::load_for_application().is_ok_and(|config| {
        let members = config.groups.iter().flat_map(|group| &group.members);
        let modules: BTreeSet<_> = members.map(|member| member.settings().path).collect();
        modules.iter().any(|module| has_interfaces(module))
    });
    (!later).then_some(FUNCTIONS.version)
}

/// The interfaces on offer: the standard's, the latest first, of which each function list begins with those of the earlier ones, then ours. None survives
/// a fork, so none has `CKF_INTERFACE_FORK_SAFE`.
static INTERFACES: [Interface; 5] = [
    Interface::of(
        NAME,
        (&raw const lists::FUNCTIONS_3_2).cast(),
        lists::FUNCTIONS_3_2.version,
    ),
    Interface::of(
        NAME,
        (&raw const lists::FUNCTIONS_3_1).cast(),
        lists::FUNCTIONS_3_1.version,
    ),
    Interface::of(
        NAME,
        (&raw const lists::FUNCTIONS_3_0).cast(),
        lists::FUNCTIONS_3_0.version,
    ),
    Interface::of(NAME, (&raw const FUNCTIONS).cast(), FUNCTIONS.version),
    Interface::of(
        OUR_NAME,
        (&raw const vendor::FUNCTIONS).cast(),
        vendor::FUNCTIONS.version,
    ),
];

struct Interface {
    name: &'static CStr,
    offered: CK_INTERFACE,
    version: CK_VERSION,
}

// SAFETY: nobody writes to it here, the specification forbids applications to do so, and what its pointers lead to is as constant.
unsafe impl Sync for Interface {}

impl Interface {
    const fn of(name: &'static CStr, functions: *const c_void, version: CK_VERSION) -> Self {
        Self {
            name,
            offered: CK_INTERFACE {
                pInterfaceName: name.as_ptr().cast_mut().cast(),
                pFunctionList: functions.cast_mut(),
                flags: 0,
            },
            version,
        }
    }

    fn matches(&self, version: Option<CK_VERSION>, flags: CK_FLAGS) -> bool {
        let version_matches = version.is_none_or(|wanted| {
            (wanted.major, wanted.minor) == (self.version.major, self.version.minor)
        });
        version_matches && self.offered.flags & flags == flags
    }
}
