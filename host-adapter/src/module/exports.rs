//! What can be told of a module without loading it.

use std::path::Path;

/// The name as it stands in the string table of a shared object that has the function; a linker may have it share the end of a longer one.
const GET_INTERFACE: &[u8] = b"C_GetInterface\0";

/// Whether a module has interfaces of PKCS#11 3.0 or later: it then has `C_GetInterface` (PKCS#11 v3.1 §5.4.6). A file that cannot be read has
/// none; that it cannot be read is `C_Initialize`'s to say.
#[must_use]
pub fn has_interfaces(module: &Path) -> bool {
    let name = GET_INTERFACE;
    std::fs::read(module).is_ok_and(|bytes| bytes.windows(name.len()).any(|found| found == name))
}

#[cfg(test)]
mod tests {
    use super::has_interfaces;

    #[test]
    fn a_module_has_interfaces_if_its_strings_have_the_function() {
        let directory = tempfile::tempdir().expect("there is room");
        let file = directory.path().join("module.so");
        for (content, has) in [
            (
                &b"\x7fELF\0C_GetFunctionList\0C_GetInterface\0C_Login\0"[..],
                true,
            ),
            (b"\x7fELF\0C_GetInterfaceList\0C_GetFunctionList\0", false),
            (b"\x7fELF\0FC_GetInterface\0", true),
            (b"", false),
        ] {
            std::fs::write(&file, content).expect("it is writable");
            assert_eq!(has_interfaces(&file), has);
        }
        assert!(!has_interfaces(&directory.path().join("none.so")));
    }
}
