//! everslot: one PKCS#11 slot that never goes away.
//!
//! This crate is `libeverslot.so`, which an application loads like any PKCS#11 module, the library behind it and the
//! `everslot` command. The decisions are those of [`everslot_core`]; here they meet real modules, clocks, threads and processes.
//! The way of one call is described in `ARCHITECTURE.md`.

mod c_abi;
pub mod command;
pub mod config;
pub mod domain;
#[cfg(test)]
mod explored;
mod fork;
mod group;
pub mod hosted;
pub mod journal;
pub mod library;
mod live;
mod log;
pub mod module;
pub mod objects;
mod prove;
mod reload;
pub mod serial;
mod signals;
pub mod slot;
mod slot_events;
#[cfg(test)]
#[path = "slot_events/tests.rs"]
mod slot_events_tests;
pub mod status;
mod sync;
mod threads;
pub mod trace;
