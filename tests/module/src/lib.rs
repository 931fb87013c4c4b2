//! tests/module
