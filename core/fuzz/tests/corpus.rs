//! Every sequence that libFuzzer has found to lead somewhere else than those before it.

use std::fs;
use std::path::Path;

use everslot_core_fuzz::TARGETS;

#[test]
fn what_was_found_keeps_the_invariants() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    for (name, target) in TARGETS {
        let files = fs::read_dir(corpus.join(name)).expect("each machine has a corpus");
        let mut count = 0;
        for file in files {
            let path = file.expect("an entry").path();
            let bytes = fs::read(&path).expect("it can be read");
            if let Err(panic) = std::panic::catch_unwind(|| target(&bytes)) {
                eprintln!("{}", path.display());
                std::panic::resume_unwind(panic);
            }
            count += 1;
        }
        assert!(count >= 10, "{name} has {count}");
    }
}
