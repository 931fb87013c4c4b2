use std::sync::mpsc::{Receiver, Sender, channel};

use super::*;

/// Longer than it takes, whatever else the machine does.
const PATIENCE: Duration = Duration::from_secs(20);

/// Tells the labels of the groups of what it is given.
struct Told(Sender<String>);

impl Taker for Told {
    fn take(&self, config: Config) -> bool {
        self.0.send(config.groups[0].label.clone()).is_ok()
    }
}

fn text(label: &str) -> String {
    format!(
        "[[group]]\nlabel = \"{label}\"\nserial = \"1\"\n[[group.member]]\nname = \"a\"\nmodule = \"m.so\"\ntoken = \"t\"\n"
    )
}

fn watched(path: &Path) -> (Watch, Receiver<String>) {
    let (told, labels) = channel();
    let watch = Watch::start(path, Arc::new(Told(told))).expect("there is a thread");
    (watch, labels)
}

fn directory() -> (tempfile::TempDir, PathBuf) {
    let directory = tempfile::tempdir().expect("there is room");
    fs::write(directory.path().join("m.so"), "").expect("it is writable");
    let path = directory.path().join("everslot.toml");
    fs::write(&path, text("first")).expect("it is writable");
    (directory, path)
}

#[test]
fn each_content_is_handed_on_however_it_is_written_but_a_broken_one() {
    let (directory, path) = directory();
    let (watch, labels) = watched(&path);
    let next = || labels.recv_timeout(PATIENCE).expect("it is handed on");
    assert_eq!(next(), "first");
    fs::write(&path, text("written over")).expect("it is writable");
    assert_eq!(next(), "written over");
    fs::write(&path, "[[group]]\n").expect("it is writable");
    let beside = directory.path().join("beside");
    fs::write(&beside, text("moved there")).expect("it is writable");
    fs::rename(&beside, &path).expect("it is writable");
    assert_eq!(next(), "moved there");
    fs::remove_file(&path).expect("it is there");
    fs::write(&path, text("back")).expect("it is writable");
    assert_eq!(next(), "back");
    watch.stop(Instant::now() + PATIENCE);
    assert!(labels.recv().is_err(), "the watcher has ended");
}

#[test]
fn a_link_is_followed() {
    let (directory, path) = directory();
    let link = tempfile::tempdir().expect("there is room");
    let place = link.path().join("everslot.toml");
    std::os::unix::fs::symlink(&path, &place).expect("it is writable");
    // Relative paths in the file start where the link is.
    fs::copy(directory.path().join("m.so"), link.path().join("m.so")).expect("it is writable");
    let (watch, labels) = watched(&place);
    assert_eq!(labels.recv_timeout(PATIENCE).as_deref(), Ok("first"));
    fs::write(&path, text("second")).expect("it is writable");
    assert_eq!(labels.recv_timeout(PATIENCE).as_deref(), Ok("second"));
    watch.stop(Instant::now() + PATIENCE);
}
