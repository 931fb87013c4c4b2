//! How `libeverslot.so` is linked.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    // An application that closes the library without C_Finalize, or while a module hangs in a call, would take the code away from under
    // our threads.
    println!("cargo::rustc-cdylib-link-arg=-Wl,-z,nodelete");
}
