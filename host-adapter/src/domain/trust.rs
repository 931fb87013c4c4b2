//! `CKA_TRUSTED` for the domain key, which only a security officer may set (PKCS#11 v3.1 §4.10).
//!
//! An officer sees no private object, so the key is received as one that is not private, is trusted by the officer, and becomes a private one by
//! a copy of the user's. Until then whoever opens a session on that token may wrap and unwrap by it, but not read it.

use cryptoki_sys as ck;
use everslot_protocol::{Bytes, Function, ObjectHandle, Request};
use secrecy::{ExposeSecret, SecretString};

use super::attributes::Attributes;
use super::call::CallError;
use super::token::Token;

/// Has the officer trust `key`, which is not private, and makes a private key of it; its new handle.
///
/// The session is the token's only one, in which the user is logged in: so it is again at the end, also after a refusal.
///
/// # Errors
/// The token gives no answer, or refuses; then `key` is as it was.
pub fn trust(
    token: &mut Token<'_>,
    key: ObjectHandle,
    officer: &SecretString,
    user: &SecretString,
) -> Result<ObjectHandle, CallError> {
    logout(token)?;
    let trusted = login(token, ck::CKU_SO, officer).and_then(|()| {
        let set = token.set(key, &Attributes::new().flags(&[ck::CKA_TRUSTED], true));
        logout(token).and(set)
    });
    login(token, ck::CKU_USER, user)?;
    trusted?;
    make_private(token, key)
}

/// Replaces a key that is not private by one that is.
///
/// # Errors
/// The token gives no answer, or refuses; then `key` is as it was.
pub fn make_private(token: &mut Token<'_>, key: ObjectHandle) -> Result<ObjectHandle, CallError> {
    let private = token.copy(key, &Attributes::new().flags(&[ck::CKA_PRIVATE], true))?;
    token.destroy(key)?;
    Ok(private)
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
