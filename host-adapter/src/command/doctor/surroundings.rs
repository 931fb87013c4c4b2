//! What is around the members: the configuration, the journals, the status socket, p11-kit.

use std::fs;
use std::path::{Path, PathBuf};

use rustix::fs::{Access, access};

use super::finding::Finding;
use crate::config::{Config, GroupConfig};
use crate::hosted::find_host_program;
use crate::journal;
use crate::status;

/// Where p11-kit looks for modules.
const P11_KIT: [&str; 2] = ["/usr/share/p11-kit/modules", "/etc/pkcs11/modules"];
const LIBRARY: &str = "libeverslot.so";

pub(super) fn examine(config: &Config) -> Vec<Finding> {
    let members: usize = config.groups.iter().map(|group| group.members.len()).sum();
    let about = "configuration";
    let mut findings = vec![Finding::fine(
        about,
        format!(
            "{}: {} with {}",
            config.path.display(),
            counted(config.groups.len(), "group"),
            counted(members, "member")
        ),
    )];
    findings.push(match find_host_program(config.host_program.as_deref()) {
        Ok(program) => Finding::fine(
            about,
            format!("members are hosted by {}", program.display()),
        ),
        Err(error) => Finding::error(about, &error),
    });
    findings.extend(config.groups.iter().map(journal_place));
    findings.push(match status::check_place() {
        Ok(()) => Finding::fine(
            "status",
            "applications of this user can be asked for their status",
        ),
        Err(error) => Finding::problem(
            "status",
            format!("no place for status sockets: {error}"),
            "until then `everslot status` cannot see applications",
        ),
    });
    findings.push(p11_kit(&module_folders()));
    findings
}

fn counted(number: usize, what: &str) -> String {
    match number {
        1 => format!("1 {what}"),
        number => format!("{number} {what}s"),
    }
}

/// Whether the journal can be written. A server is asked by `everslot domain`.
fn journal_place(group: &GroupConfig) -> Finding {
    let about = format!("group {}", group.label);
    if journal::is_url(&group.journal) {
        return Finding::fine(&about, "its journal is on a server");
    }
    let path = Path::new(&group.journal);
    let writable = |path: &Path| access(path, Access::WRITE_OK | Access::EXISTS).is_ok();
    let nearest = path.ancestors().skip(1).find(|folder| folder.exists());
    let (can, what) = match (path.exists(), nearest) {
        (true, _) => (writable(path), "its journal"),
        (false, Some(folder)) => (writable(folder), "the place for its journal"),
        (false, None) => (false, "the place for its journal"),
    };
    if can {
        Finding::fine(&about, format!("{what} is {}", path.display()))
    } else {
        Finding::problem(
            &about,
            format!("{what}, {}, cannot be written by this user", path.display()),
            "make it writable, or name another with journal = \"…\"; until then nothing new can be made through the group",
        )
    }
}

fn module_folders() -> Vec<PathBuf> {
    let home = std::env::var_os("HOME").map(PathBuf::from);
    let own = home.map(|home| home.join(".config/pkcs11/modules"));
    P11_KIT.iter().map(PathBuf::from).chain(own).collect()
}

/// Whether a module file of p11-kit's names the library.
fn p11_kit(folders: &[PathBuf]) -> Finding {
    let files = folders
        .iter()
        .filter_map(|folder| fs::read_dir(folder).ok());
    let names_us = |path: &Path| {
        fs::read_to_string(path).is_ok_and(|text| {
            text.lines()
                .filter_map(|line| line.trim().strip_prefix("module:"))
                .any(|module| module.trim().ends_with(LIBRARY))
        })
    };
    let found = files
        .flatten()
        .flatten()
        .map(|file| file.path())
        .find(|path| path.extension().is_some_and(|end| end == "module") && names_us(path));
    match found {
        Some(path) => Finding::fine("p11-kit", format!("knows the slot by {}", path.display())),
        None => Finding::warning(
            "p11-kit",
            "does not know the slot: its programs find it only when they are told the module",
            "write \"module: /absolute/path/of/libeverslot.so\" into ~/.config/pkcs11/modules/everslot.module",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p11_kit_knows_the_slot_by_a_module_file() {
        let folder = tempfile::tempdir().unwrap();
        let folders = [folder.path().join("none"), folder.path().to_owned()];
        let write = |name, text| fs::write(folder.path().join(name), text).unwrap();
        write("other.module", "module: /usr/lib/libother.so\n");
        write("everslot.bak", "module: /usr/lib/libeverslot.so\n");
        write("comment.module", "# module: /usr/lib/libeverslot.so\n");
        assert!(super::super::finding::page(&[p11_kit(&folders)]).starts_with("warning"));
        write(
            "everslot.module",
            "priority: 1\nmodule: /usr/lib/libeverslot.so\n",
        );
        assert!(super::super::finding::page(&[p11_kit(&folders)]).starts_with("ok"));
    }
}
