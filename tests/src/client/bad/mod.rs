//! Calls that cannot succeed: null pointers, lengths that no memory has, handles of nothing, templates and mechanisms that are absurd,
//! and every wrong order. Each with the code that PKCS#11 v3.1 gives it.

mod cryptography;
mod general;
mod keys;
mod objects;
mod operations;
mod order;
mod sessions;

use cryptoki_sys::{
    CK_ATTRIBUTE, CK_ATTRIBUTE_TYPE, CK_MECHANISM, CK_MECHANISM_TYPE, CK_OBJECT_HANDLE,
    CK_SESSION_HANDLE, CK_SLOT_ID, CK_ULONG,
};
use everslot_core::Rv;

use super::{Failure, Module};

/// What the bad calls are made with.
#[derive(Clone, Copy, Debug)]
pub struct Ground {
    /// The module.
    pub module: Module,
    /// The slot with the token.
    pub slot: CK_SLOT_ID,
    /// A read-write session with nothing under way, logged in as the user.
    pub session: CK_SESSION_HANDLE,
    /// A private key for ECDSA.
    pub private: CK_OBJECT_HANDLE,
    /// Its public key.
    pub public: CK_OBJECT_HANDLE,
    /// A private key for RSA with a modulus of 2048 bits.
    pub rsa: CK_OBJECT_HANDLE,
    /// An AES key.
    pub aes: CK_OBJECT_HANDLE,
}

/// What SoftHSM 2.6.1 does with a bad call, for comparison.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Bare {
    /// It answers the same.
    Same,
    /// It answers otherwise, and why everslot does not.
    Other(Rv, &'static str),
    /// It crashes, or would do what the call says.
    NotAsked,
}

/// A call that cannot succeed.
#[derive(Clone, Copy, Debug)]
pub struct BadCall {
    /// What is wrong with it.
    pub name: &'static str,
    /// What it is to answer.
    pub expected: Rv,
    /// What SoftHSM does with it.
    pub bare: Bare,
    /// Makes it.
    pub make: fn(&Ground) -> Rv,
}

/// All of them, each with the function that it is about.
#[must_use]
pub fn bad_calls() -> Vec<(&'static str, BadCall)> {
    let named = [
        general::CALLS,
        sessions::CALLS,
        objects::CALLS,
        keys::CALLS,
        order::CALLS,
        operations::CALLS,
    ];
    let named = named.into_iter().flatten().map(|call| ("", *call));
    let of_operations = cryptography::calls()
        .into_iter()
        .flat_map(|(function, calls)| calls.into_iter().map(move |call| (function, call)));
    named.chain(of_operations).collect()
}

/// A handle that nothing has.
const NOTHING: u64 = 0xdead_beef;
/// A length that no memory has.
const ENDLESS: CK_ULONG = CK_ULONG::MAX;

fn code(outcome: Result<(), Failure>) -> Rv {
    outcome.map_or_else(|failure| failure.code, |()| everslot_core::ckr::OK)
}

/// The code of one C function of the ground's module.
macro_rules! rv {
    ($ground:ident, $function:ident ( $($argument:expr),* $(,)? )) => {
        $crate::client::bad::code($crate::client::call!($ground.module, $function($($argument),*)))
    };
}
use rv;

/// One bad call.
macro_rules! bad {
    ($name:literal, $expected:ident, $bare:expr, |$ground:ident| $make:expr) => {
        $crate::client::bad::BadCall {
            name: $name,
            expected: everslot_core::ckr::$expected,
            bare: $bare,
            make: |$ground| $make,
        }
    };
    ($name:literal, $expected:ident, |$ground:ident| $make:expr) => {
        bad!(
            $name,
            $expected,
            $crate::client::bad::Bare::Same,
            |$ground| $make
        )
    };
}
use bad;

fn mechanism(kind: CK_MECHANISM_TYPE) -> CK_MECHANISM {
    CK_MECHANISM {
        mechanism: kind,
        pParameter: std::ptr::null_mut(),
        ulParameterLen: 0,
    }
}

fn attribute<T>(kind: CK_ATTRIBUTE_TYPE, value: &mut T) -> CK_ATTRIBUTE {
    CK_ATTRIBUTE {
        type_: kind,
        pValue: std::ptr::from_mut(value).cast(),
        ulValueLen: size_of::<T>() as CK_ULONG,
    }
}
