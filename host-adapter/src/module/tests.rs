//! Requests executed by a real module: SoftHSM, each test with a token and, since a process has only one SoftHSM, a process of its own.

mod attributes;
mod keys;
mod loading;
mod operations;
mod requests;
mod slots;
mod token;
