use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;

use super::{GROUP, MEMBER, directory};
use crate::config::Config;

#[test]
fn what_everybody_may_write_is_not_trusted() {
    let (directory, path) = directory();
    let module = directory.path().join("module.so");
    let set = |path, mode| fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    fs::write(&path, format!("{GROUP}{MEMBER}")).unwrap();
    let refused = || {
        let line = Config::from_file(&path).unwrap_err().to_string();
        line.replace(&directory.path().display().to_string(), "")
    };
    set(&path, 0o600);
    set(&module, 0o777);
    assert_eq!(
        refused(),
        "/everslot.toml:6:10: everybody may write /module.so (mode 0777), and it would run in your program: chmod o-w /module.so"
    );
    set(&module, 0o775);
    assert!(Config::from_file(&path).is_ok());
    set(&path, 0o646);
    assert_eq!(
        refused(),
        "/everslot.toml: everybody may write it (mode 0646), and it names modules that run in your program: chmod o-w /everslot.toml"
    );
}
