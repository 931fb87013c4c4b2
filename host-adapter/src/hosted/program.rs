//! Where the program is that member hosts run.

use std::ffi::OsString;
use std::fmt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// Names the program, when the configuration does not.
pub const HOST_VARIABLE: &str = "EVERSLOT_HOST";

const PROGRAM: &str = "everslot";

/// Where a package puts programs that people do not start themselves.
const PACKAGED: &str = "/usr/libexec/everslot/everslot";

/// Finds the `everslot` program: the one that the configuration names, else the one that `$EVERSLOT_HOST` names, else the first of: beside the
/// shared object that holds this code, in `../bin`, `../../bin` or `../libexec` from there, `/usr/libexec/everslot/everslot`, in `$PATH`.
///
/// A program that runs with another user's rights (set-user-id) looks at no environment variable.
///
/// # Errors
/// It is in none of these places. A program that was named is the only one that is tried.
pub fn find_host_program(configured: Option<&Path>) -> Result<PathBuf, NoHostProgram> {
    let environment = |name| {
        if has_foreign_rights() {
            None
        } else {
            std::env::var_os(name)
        }
    };
    if let Some(named) = configured
        .map(Path::to_owned)
        .or_else(|| environment(HOST_VARIABLE).map(PathBuf::from))
    {
        return first_program(vec![named]);
    }
    first_program(candidates(own_object().as_deref(), environment("PATH")))
}

/// The `everslot` program was not found.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct NoHostProgram {
    /// Where it was looked for, in this order.
    pub looked_at: Vec<PathBuf>,
}

impl fmt::Display for NoHostProgram {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the everslot program, which hosts the members, is in none of: ")?;
        for (number, path) in self.looked_at.iter().enumerate() {
            let separator = if number == 0 { "" } else { ", " };
            write!(f, "{separator}{}", path.display())?;
        }
        write!(f, "; install it there or name it in ${HOST_VARIABLE}")
    }
}

impl std::error::Error for NoHostProgram {}

fn first_program(paths: Vec<PathBuf>) -> Result<PathBuf, NoHostProgram> {
    match paths.iter().find(|path| is_program(path)) {
        Some(path) => Ok(path.clone()),
        None => Err(NoHostProgram { looked_at: paths }),
    }
}

fn candidates(own_object: Option<&Path>, search_path: Option<OsString>) -> Vec<PathBuf> {
    let beside = own_object
        .and_then(Path::parent)
        .into_iter()
        .flat_map(|folder| {
            ["", "../bin", "../../bin", "../libexec"].map(|way| folder.join(way).join(PROGRAM))
        });
    let searched = search_path
        .iter()
        .flat_map(std::env::split_paths)
        .map(|folder| folder.join(PROGRAM));
    beside
        .chain([PathBuf::from(PACKAGED)])
        .chain(searched)
        .collect()
}

fn is_program(path: &Path) -> bool {
    path.metadata()
        .is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
}

/// The shared object, or the program, that holds this code.
fn own_object() -> Option<PathBuf> {
    let here = find_host_program as *const () as usize;
    let maps = std::fs::read_to_string("/proc/self/maps").ok()?;
    maps.lines().find_map(|line| object_at(line, here))
}

/// The file of a line of `/proc/self/maps` (`start-end rwxp offset device inode path`), if the mapping holds `address`.
fn object_at(line: &str, address: usize) -> Option<PathBuf> {
    let (range, rest) = line.split_once(' ')?;
    let (start, end) = range.split_once('-')?;
    let range = usize::from_str_radix(start, 16).ok()?..usize::from_str_radix(end, 16).ok()?;
    let path = rest.get(rest.find('/')?..)?;
    range.contains(&address).then(|| PathBuf::from(path))
}

fn has_foreign_rights() -> bool {
    use rustix::process::{getegid, geteuid, getgid, getuid};
    getuid() != geteuid() || getgid() != getegid()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_object_that_holds_this_code_is_the_test_program() {
        assert_eq!(own_object(), std::env::current_exe().ok());
    }

    #[test]
    fn a_line_counts_only_if_it_holds_the_address() {
        let line =
            "7f0000001000-7f0000002000 r-xp 00000000 fe:00 123    /opt/with blank/libeverslot.so";
        let object = Some(PathBuf::from("/opt/with blank/libeverslot.so"));
        assert_eq!(object_at(line, 0x7f00_0000_1000), object);
        assert_eq!(object_at(line, 0x7f00_0000_1fff), object);
        assert_eq!(object_at(line, 0x7f00_0000_2000), None);
        assert_eq!(
            object_at(
                "7f0000001000-7f0000002000 rw-p 00000000 00:00 0 ",
                0x7f00_0000_1000
            ),
            None
        );
    }

    #[test]
    fn beside_the_library_comes_first_and_the_search_path_last() {
        let found = candidates(
            Some(Path::new("/opt/everslot/lib/libeverslot.so")),
            Some("/bin:/usr/bin".into()),
        );
        let expected = [
            "/opt/everslot/lib/everslot",
            "/opt/everslot/lib/../bin/everslot",
            "/opt/everslot/lib/../../bin/everslot",
            "/opt/everslot/lib/../libexec/everslot",
            "/usr/libexec/everslot/everslot",
            "/bin/everslot",
            "/usr/bin/everslot",
        ];
        assert_eq!(found, expected.map(PathBuf::from));
    }

    #[test]
    fn a_named_program_that_is_none_is_refused_with_its_path() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let plain = folder.path().join("everslot");
        std::fs::write(&plain, "no program").expect("a file");
        let refused = find_host_program(Some(&plain)).expect_err("it is not executable");
        assert_eq!(refused.looked_at, std::slice::from_ref(&plain));
        assert!(refused.to_string().contains(plain.to_str().expect("UTF-8")));

        std::fs::set_permissions(&plain, std::fs::Permissions::from_mode(0o755))
            .expect("permissions");
        assert_eq!(find_host_program(Some(&plain)), Ok(plain));
    }
}
