use cryptoki_sys::{
    CK_FUNCTION_LIST, CK_FUNCTION_LIST_3_0, CK_FUNCTION_LIST_3_2, CK_INFO, CKF_INTERFACE_FORK_SAFE,
};
use everslot_core::Rv;

use super::*;

#[test]
fn the_latest_interface_comes_first() {
    let mut count = 0;
    assert_eq!(list(ptr::null_mut(), &mut count), ckr::OK);
    assert_eq!(count, 5);

    let empty = CK_INTERFACE {
        pInterfaceName: ptr::null_mut(),
        pFunctionList: ptr::null_mut(),
        flags: 9,
    };
    let mut interfaces = [empty; 5];
    count = 4;
    assert_eq!(
        list(interfaces.as_mut_ptr(), &mut count),
        ckr::BUFFER_TOO_SMALL
    );
    assert_eq!((count, interfaces[0].flags), (5, 9));
    assert_eq!(list(interfaces.as_mut_ptr(), &mut count), ckr::OK);
    let versions = interfaces.map(|interface| version_of(&interface));
    assert_eq!(versions, [(3, 2), (3, 1), (3, 0), (2, 40), (1, 0)]);
    let [standards @ .., ours] = &interfaces;
    for interface in standards {
        assert_eq!((interface.flags, name_of(interface)), (0, c"PKCS 11"));
    }
    assert_eq!((ours.flags, name_of(ours)), (0, c"Vendor everslot"));
}

#[test]
fn an_interface_matches_in_name_version_and_flags() {
    let version = |major, minor| Some(CK_VERSION { major, minor });
    assert!(interface(Some(c"PKCS 11"), None, 0).is_ok());
    for (major, minor) in [(2, 40), (3, 0), (3, 1), (3, 2)] {
        for name in [None, Some(c"PKCS 11")] {
            let found = interface(name, version(major, minor), 0).expect("an interface");
            assert_eq!(version_of(&found), (major, minor));
        }
    }
    for version in [None, version(1, 0)] {
        let ours = interface(Some(c"Vendor everslot"), version, 0).expect("ours");
        assert_eq!(version_of(&ours), (1, 0));
    }
    let refused = [
        interface(None, version(1, 0), 0),
        interface(Some(c"PKCS 11"), version(1, 0), 0),
        interface(Some(c"Vendor everslot"), version(3, 0), 0),
        interface(Some(c"Vendor ever"), None, 0),
        interface(Some(c""), None, 0),
        interface(Some(c"PKCS"), None, 0),
        interface(Some(c"PKCS 11x"), None, 0),
        interface(Some(c"pkcs 11"), None, 0),
        interface(None, version(3, 3), 0),
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
fn every_function_list_has_every_function_once_and_begins_with_the_one_before() {
    const WORD: usize = size_of::<usize>();
    /// The place of `C_GetInfo`, which is each list's own.
    const INFO: usize = 2;
    const SIZES: [usize; 3] = [
        size_of::<CK_FUNCTION_LIST>() / WORD - 1,
        size_of::<CK_FUNCTION_LIST_3_0>() / WORD - 1,
        size_of::<CK_FUNCTION_LIST_3_2>() / WORD - 1,
    ];
    assert_eq!(SIZES, [68, 92, 104]);
    // SAFETY: each list is a version, padded to a pointer's size, and function pointers, as many as its size shows.
    let words = |list: *const c_void, count| unsafe {
        std::slice::from_raw_parts(list.cast::<usize>().add(1), count)
    };
    let latest = words((&raw const lists::FUNCTIONS_3_2).cast(), 104);
    let distinct: std::collections::BTreeSet<_> = latest.iter().collect();
    assert!(distinct.len() == 104 && !distinct.contains(&0));
    for (list, count) in [
        ((&raw const FUNCTIONS).cast(), 68),
        ((&raw const lists::FUNCTIONS_3_0).cast(), 92),
        ((&raw const lists::FUNCTIONS_3_1).cast(), 92),
    ] {
        let list: &[usize] = words(list, count);
        assert_eq!(list[..INFO], latest[..INFO]);
        assert_ne!(list[INFO], latest[INFO]);
        assert_eq!(list[INFO + 1..], latest[INFO + 1..count]);
    }
}

#[test]
fn what_an_interface_says_of_itself_is_its_version() {
    for interface in INTERFACES.iter().filter(|interface| interface.name == NAME) {
        // SAFETY: every function list of the standard begins with that of 2.40, and `info` has room for the answer.
        let info = unsafe {
            let list = &*interface.offered.pFunctionList.cast::<CK_FUNCTION_LIST>();
            let mut info = std::mem::zeroed::<CK_INFO>();
            let rv = list.C_GetInfo.map(|get| get(&raw mut info));
            assert_eq!(rv, Some(ckr::OK.0));
            info
        };
        let told = (info.cryptokiVersion.major, info.cryptokiVersion.minor);
        assert_eq!(told, version_of(&interface.offered));
    }
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
