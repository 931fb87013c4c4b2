//! The control file: words of 64 bits in the machine's order, each at its number times [`WORD`].

/// Bytes of a word.
pub const WORD: u64 = 8;
/// Bytes of the file.
pub const LENGTH: u64 = 4096;

/// Not 0: calls are counted, and the fault happens.
pub const ARMED: u64 = 0;
/// The member at which it happens.
pub const MEMBER: u64 = 1;
/// At which of that member's calls, from 1; 0 for never.
pub const CALL: u64 = 2;
/// Not 0: after the call's effect; else instead of the call.
pub const AFTER: u64 = 3;
/// Who is lost, one of [`LOSE_MEMBER`], [`LOSE_APPLICATION`], [`LOSE_BOTH`].
pub const WHO: u64 = 4;
/// Not 0: the next call of any member kills the application. Set by the fault itself, for [`LOSE_BOTH`].
pub const APPLICATION_NEXT: u64 = 5;
/// The fault has happened.
pub const HAPPENED: u64 = 6;
/// The first member's count; the others' follow.
pub const COUNTS: u64 = 16;

/// The member's host is killed.
pub const LOSE_MEMBER: u64 = 1;
/// The application is killed, and with it the member's host.
pub const LOSE_APPLICATION: u64 = 2;
/// The member's host is killed; the application sees it, and is killed at whatever request comes next.
pub const LOSE_BOTH: u64 = 3;
