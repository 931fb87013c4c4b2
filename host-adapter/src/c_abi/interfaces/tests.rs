use cryptoki_sys::CKF_INTERFACE_FORK_SAFE;
use everslot_core::Rv;

use super::*;

#[test]
fn the_only_interface_is_the_standards_2_40() {
    let mut count = 0;
    assert_eq!(list(ptr::null_mut(), &mut count), ckr::OK);
    assert_eq!(count, 1);

    let mut interface = CK_INTERFACE {
        pInterfaceName: ptr::null_mut(),
        pFunctionList: ptr::null_mut(),
        flags: 9,
    };
    count = 0;
    assert_eq!(list(&raw mut interface, &mut count), ckr::BUFFER_TOO_SMALL);
    assert_eq!((count, interface.flags), (1, 9));
    assert_eq!(list(&raw mut interface, &mut count), ckr::OK);
    assert_eq!(interface.flags, 0);
    assert_eq!(name_of(&interface), c"PKCS 11");
    assert_eq!(version_of(&interface), (2, 40));
}

#[test]
fn the_default_is_what_nothing_asks_for() {
    let found = interface(None, None, 0).expect("an interface");
    assert_eq!((name_of(&found), version_of(&found)), (c"PKCS 11", (2, 40)));
}

#[test]
fn an_interface_matches_in_name_version_and_flags() {
    let version = |major, minor| Some(CK_VERSION { major, minor });
    assert!(interface(Some(c"PKCS 11"), version(2, 40), 0).is_ok());
    assert!(interface(Some(c"PKCS 11"), None, 0).is_ok());
    assert!(interface(None, version(2, 40), 0).is_ok());
    let refused = [
        interface(Some(c""), None, 0),
        interface(Some(c"PKCS"), None, 0),
        interface(Some(c"PKCS 11x"), None, 0),
        interface(Some(c"pkcs 11"), None, 0),
        interface(None, version(3, 0), 0),
        interface(None, version(2, 20), 0),
        interface(None, None, CKF_INTERFACE_FORK_SAFE),
    ];
    for refused in refused {
        assert_eq!(refused.err(), Some(ckr::ARGUMENTS_BAD));
    }
}

#[test]
fn a_place_for_the_answer_is_needed() {
    // SAFETY: null pointers.
    let answers = unsafe {
        [
            C_GetInterface(ptr::null_mut(), ptr::null_mut(), ptr::null_mut(), 0),
            C_GetInterfaceList(ptr::null_mut(), ptr::null_mut()),
            C_GetFunctionList(ptr::null_mut()),
        ]
    };
    assert_eq!(answers, [ckr::ARGUMENTS_BAD.0; 3]);
}

#[test]
fn the_function_list_has_every_function_once() {
    // SAFETY: the list is a version, padded to a pointer's size, and 68 function pointers, as its size shows.
    let words = unsafe {
        const { assert!(size_of::<CK_FUNCTION_LIST>() == 69 * size_of::<usize>()) };
        std::slice::from_raw_parts((&raw const FUNCTIONS).cast::<usize>().add(1), 68)
    };
    let distinct: std::collections::BTreeSet<_> = words.iter().collect();
    assert_eq!(distinct.len(), 68);
    assert!(!distinct.contains(&0));
}

fn list(place: *mut CK_INTERFACE, count: &mut CK_ULONG) -> Rv {
    // SAFETY: the places are as large as `count` says.
    Rv(unsafe { C_GetInterfaceList(place, count) })
}

fn interface(
    name: Option<&CStr>,
    version: Option<CK_VERSION>,
    flags: CK_FLAGS,
) -> Result<CK_INTERFACE, Rv> {
    let name = name.map_or(ptr::null_mut(), |name| name.as_ptr().cast_mut().cast());
    let mut version = version;
    let version = version.as_mut().map_or(ptr::null_mut(), ptr::from_mut);
    let mut found = ptr::null_mut();
    // SAFETY: the name and the version are null or what they should be, and what is found is static.
    unsafe {
        match Rv(C_GetInterface(name, version, &raw mut found, flags)) {
            ckr::OK => Ok(*found),
            rv => {
                assert!(found.is_null());
                Err(rv)
            }
        }
    }
}

fn name_of(interface: &CK_INTERFACE) -> &CStr {
    // SAFETY: the name is a static text.
    unsafe { CStr::from_ptr(interface.pInterfaceName.cast()) }
}

fn version_of(interface: &CK_INTERFACE) -> (u8, u8) {
    // SAFETY: every function list begins with its version.
    let version = unsafe { *interface.pFunctionList.cast::<CK_VERSION>() };
    (version.major, version.minor)
}
