//! The header that is kept is the one that the generator makes.

use std::path::Path;

#[test]
fn the_header_is_what_the_generator_makes() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let kept = folder.join("include/everslot_core.h");
    let config = cbindgen::Config::from_file(folder.join("cbindgen.toml")).expect("it is read");
    let mut made = Vec::new();
    cbindgen::Builder::new()
        .with_crate(folder)
        .with_config(config)
        .generate()
        .expect("it is made")
        .write(&mut made);
    if std::env::var_os("UPDATE_HEADER").is_some() {
        std::fs::write(&kept, &made).expect("it is written");
    }
    let kept = std::fs::read(&kept).unwrap_or_default();
    assert!(
        kept == made,
        "include/everslot_core.h is not what cbindgen makes of src: UPDATE_HEADER=1 cargo test -p everslot-c"
    );
}
