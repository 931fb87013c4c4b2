use std::path::{Path, PathBuf};

const NAME: &str = "libeverslot.so";

/// `libeverslot.so`: beside this program, or where packages put it; only its name where it is in none of these places.
pub(super) fn library() -> PathBuf {
    let program = std::env::current_exe().unwrap_or_default();
    beside(program.parent().unwrap_or(Path::new("/")))
}

fn beside(directory: &Path) -> PathBuf {
    let architecture = format!("../lib/{}-linux-gnu/pkcs11", std::env::consts::ARCH);
    let ways = [
        "",
        &architecture,
        "../lib/pkcs11",
        "../lib64/pkcs11",
        "../lib",
        "../lib64",
    ];
    let places = ways.map(|way| directory.join(way).join(NAME));
    let found = places.iter().find_map(|place| place.canonicalize().ok());
    found.unwrap_or_else(|| PathBuf::from(NAME))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn it_is_found_beside_the_program_and_where_a_package_has_it() {
        let root = tempfile::tempdir().expect("a directory");
        let root = root.path().canonicalize().expect("it is there");
        let programs = root.join("usr/bin");
        fs::create_dir_all(&programs).expect("it can be made");
        assert_eq!(beside(&programs), Path::new(NAME));

        let architecture = format!("{}-linux-gnu", std::env::consts::ARCH);
        let packaged = root.join("usr/lib").join(architecture).join("pkcs11");
        for directory in [packaged, programs.clone()] {
            fs::create_dir_all(&directory).expect("it can be made");
            fs::write(directory.join(NAME), "").expect("it can be written");
            assert_eq!(beside(&programs), directory.join(NAME));
        }
    }
}
