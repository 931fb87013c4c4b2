//! Changing the configuration's file: whole or not at all, one at a time, and only to what holds together.

use std::error::Error;
use std::ffi::OsString;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};
use toml_edit::DocumentMut;

use super::output;
use crate::config::{Config, kept_until_restart, search_places, user_place};

/// The configuration that is there, else where one is to be written.
///
/// # Errors
/// Nothing says where the home directory is.
pub(super) fn path_to_write() -> Result<PathBuf, Box<dyn Error>> {
    match Config::find() {
        Ok(path) => Ok(path),
        Err(_) if std::env::var_os("EVERSLOT_CONF").is_some() => {
            let named = search_places().into_iter().next();
            named.ok_or_else(|| "$EVERSLOT_CONF names no file".into())
        }
        Err(_) => user_place().ok_or_else(|| "$HOME is not set; set EVERSLOT_CONF".into()),
    }
}

/// The configuration in `path`; none if there is no such file.
///
/// # Errors
/// It does not hold together.
pub(super) fn read(path: &Path) -> Result<Option<Config>, Box<dyn Error>> {
    if path.exists() {
        Ok(Some(Config::from_file(path)?))
    } else {
        Ok(None)
    }
}

/// Changes the file at `path` as `edit` says; comments stay. Who changes it meanwhile by this function waits. What applications that run
/// do not take is said, a line each.
///
/// # Errors
/// It cannot be read or written, `edit` refuses, or what comes of it would not hold together: the file is then as it was.
pub(super) fn change(
    path: &Path,
    edit: impl FnOnce(&mut DocumentMut) -> Result<(), String>,
) -> Result<(), Box<dyn Error>> {
    // A link stays one.
    let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let directory = path.parent().unwrap_or(Path::new("/"));
    let failed = |error| format!("{} cannot be written: {error}", path.display());
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(directory)
        .map_err(failed)?;
    // The directory's lock: the file itself is another one after each change.
    let lock = File::open(directory).map_err(failed)?;
    flock(&lock, FlockOperation::LockExclusive).map_err(|error| failed(error.into()))?;
    let before = if path.exists() {
        fs::read_to_string(&path)?
    } else {
        String::new()
    };
    let mut document: DocumentMut = before.parse().map_err(|error: toml_edit::TomlError| {
        format!("{}: {}", path.display(), error.message())
    })?;
    edit(&mut document)?;
    let after = document.to_string();
    let changed = Config::parse(&after, &path)
        .map_err(|error| format!("not changed, since it would not hold together: {error}"))?;
    replace(&path, &after).map_err(failed)?;
    // What was broken before is taken by nobody who runs.
    if let Ok(before) = Config::parse(&before, &path) {
        kept_until_restart(&before, &changed)
            .iter()
            .for_each(|line| output::warn(line));
    }
    Ok(())
}

fn replace(path: &Path, text: &str) -> std::io::Result<()> {
    let mode = fs::metadata(path).map_or(0o600, |data| data.permissions().mode() & 0o777);
    let mut beside: OsString = path.as_os_str().to_owned();
    beside.push(format!(".{}", std::process::id()));
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(&beside)?;
    let written = file
        .write_all(text.as_bytes())
        .and_then(|()| file.sync_all())
        .and_then(|()| fs::rename(&beside, path));
    if written.is_err() {
        // The first error is the one to tell.
        let _ = fs::remove_file(&beside);
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "# ours\n[[group]]\nlabel = \"g\"\nserial = \"1\"\n[[group.member]]\nname = \"a\"\nmodule = \"m.so\"\ntoken = \"t\"\n";

    fn file() -> (tempfile::TempDir, PathBuf) {
        let directory = tempfile::tempdir().expect("there is room");
        let path = directory.path().join("everslot.toml");
        fs::write(directory.path().join("m.so"), "").expect("it is writable");
        fs::write(&path, TEXT).expect("it is writable");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("it is ours");
        (directory, path)
    }

    #[test]
    fn a_change_keeps_comments_and_permissions_and_leaves_nothing_behind() {
        let (directory, path) = file();
        change(&path, |document| {
            document["group"][0]["label"] = toml_edit::value("h");
            Ok(())
        })
        .expect("it holds together");
        let text = fs::read_to_string(&path).expect("it is there");
        assert_eq!(text, TEXT.replace("\"g\"", "\"h\""));
        let mode = fs::metadata(&path)
            .expect("it is there")
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(
            fs::read_dir(directory.path()).expect("it is there").count(),
            2
        );
    }

    #[test]
    fn what_would_not_hold_together_is_not_written() {
        let (_directory, path) = file();
        let refused = change(&path, |document| {
            document["group"][0]["serial"] = toml_edit::value("");
            Ok(())
        });
        assert!(refused.is_err_and(|error| error.to_string().contains("serial")));
        assert_eq!(fs::read_to_string(&path).expect("it is there"), TEXT);
    }
}
