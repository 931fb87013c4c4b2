//! `CKA_TRUSTED` for the domain key, which only a security officer may set (PKCS#11 v3.1 §4.10).
//!
//! An officer sees no private object, and SoftHSM takes the flag only with a new object. So the officer unwraps the key as one that is trusted
//! and not private, by a temporary pair that is not private either; the user makes a private one of it by a copy. Until then whoever
//! opens a session on that token may wrap and unwrap by it, but not read it.

use cryptoki_sys as ck;
use everslot_protocol::{Bytes, Function, ObjectHandle, Request};
use secrecy::{ExposeSecret, SecretString};

use super::attributes::Attributes;
use super::call::CallError;
use super::token::Token;

/// The PINs of a token, for what the user alone may not do.
#[derive(Clone, Copy)]
pub struct Pins<'p> {
    /// The security officer's.
    pub officer: &'p SecretString,
    /// The user's.
    pub user: &'p SecretString,
}

/// Does `work` with the officer logged in; the session is the token's only one. The user is logged in before, and after, also if it fails.
pub(super) fn as_officer<'l, T>(
    token: &mut Token<'l>,
    pins: Pins<'_>,
    work: impl FnOnce(&mut Token<'l>) -> Result<T, CallError>,
) -> Result<T, CallError> {
    logout(token)?;
    let done = login(token, ck::CKU_SO, pins.officer).and_then(|()| {
        let done = work(token);
        logout(token).and(done)
    });
    login(token, ck::CKU_USER, pins.user)?;
    done
}

/// Replaces a key that is not private by one that is; both are destroyed if that fails.
pub(super) fn make_private(
    token: &mut Token<'_>,
    key: ObjectHandle,
) -> Result<ObjectHandle, CallError> {
    let private = token.copy(key, &Attributes::new().flags(&[ck::CKA_PRIVATE], true));
    token.destroy(key)?;
    private
}

fn login(token: &mut Token<'_>, user: u64, pin: &SecretString) -> Result<(), CallError> {
    let session = token.session();
    let pin = Some(Bytes(pin.expose_secret().as_bytes()));
    let request = Request::Login { session, user, pin };
    token.call(Function::Login, &request, &mut []).map(drop)
}

fn logout(token: &mut Token<'_>) -> Result<(), CallError> {
    let session = token.session();
    token
        .call(Function::Logout, &Request::Logout { session }, &mut [])
        .map(drop)
}
