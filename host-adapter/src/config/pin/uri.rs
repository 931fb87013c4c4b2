//! What a `pin-source` points at (RFC 7512 §2.4).

use std::path::PathBuf;

use percent_encoding::percent_decode_str;

/// Where the PIN is.
#[derive(Debug, Eq, PartialEq)]
pub(super) enum Target {
    File(PathBuf),
    /// A program's absolute path.
    Program(String),
}

/// Where the PIN of `uri` is: a `pin-source`'s value, or a `pkcs11:` URI that has one among its query attributes.
///
/// # Errors
/// What is wrong, without the URI.
pub(super) fn target(uri: &str) -> Result<Target, &'static str> {
    let source = match uri.strip_prefix("pkcs11:") {
        Some(token) => pin_source(token)?,
        None => uri,
    };
    let source = percent_decode_str(source).decode_utf8();
    let source = source.map_err(|_| "it is not UTF-8")?;
    if let Some(program) = source.strip_prefix('|') {
        return absolute(program).map(|program| Target::Program(program.to_owned()));
    }
    let path = source.strip_prefix("file:");
    let path = path.ok_or("only file: and |program are read")?;
    let path = match path.strip_prefix("//") {
        Some(place) => place
            .strip_prefix("localhost")
            .or(place.starts_with('/').then_some(place))
            .ok_or("the file is on another machine")?,
        None => path,
    };
    absolute(path).map(|path| Target::File(path.into()))
}

/// Whether the PIN stands in the URI.
pub(super) fn has_pin(uri: &str) -> bool {
    uri.strip_prefix("pkcs11:")
        .is_some_and(|token| attribute(token, "pin-value").is_some())
}

fn pin_source(token: &str) -> Result<&str, &'static str> {
    match (
        attribute(token, "pin-source"),
        attribute(token, "pin-value"),
    ) {
        (Some(source), None) => Ok(source),
        (_, Some(_)) => Err("a PIN does not belong in the configuration: give a pin-source"),
        (None, None) => Err("it has no pin-source"),
    }
}

/// Of the query's attributes.
fn attribute<'t>(token: &'t str, name: &str) -> Option<&'t str> {
    let (_, query) = token.split_once('?')?;
    query
        .split('&')
        .filter_map(|attribute| attribute.split_once('='))
        .find_map(|(known, value)| (known == name).then_some(value))
}

fn absolute(path: &str) -> Result<&str, &'static str> {
    path.starts_with('/')
        .then_some(path)
        .ok_or("its path is not absolute")
}
