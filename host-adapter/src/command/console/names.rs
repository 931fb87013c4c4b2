//! Names of attributes, classes, key types and mechanisms, and values as text.

use std::fmt::Write;

use cryptoki::mechanism::MechanismType;
use cryptoki_sys::*;

/// What an attribute's value is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Shape {
    /// `CK_BBOOL`
    Flag,
    /// `CK_ULONG`
    Number,
    /// Readable.
    Text,
    /// Anything else.
    Bytes,
}

/// An attribute that the console knows by name.
pub(super) struct Named {
    pub(super) name: &'static str,
    pub(super) kind: u64,
    pub(super) shape: Shape,
}

macro_rules! attributes {
    ($($shape:ident: $($name:ident),+;)*) => {
        &[$($(Named { name: stringify!($name), kind: $name, shape: Shape::$shape }),+),*]
    };
}

/// The attributes that are shown, in this order (PKCS#11 v3.1 §4).
pub(super) const ATTRIBUTES: &[Named] = attributes! {
    Number: CKA_CLASS, CKA_KEY_TYPE, CKA_CERTIFICATE_TYPE;
    Text: CKA_LABEL, CKA_APPLICATION;
    Bytes: CKA_ID, CKA_OBJECT_ID, CKA_UNIQUE_ID;
    Flag: CKA_TOKEN, CKA_PRIVATE, CKA_MODIFIABLE, CKA_COPYABLE, CKA_DESTROYABLE, CKA_TRUSTED, CKA_SENSITIVE, CKA_ALWAYS_SENSITIVE,
        CKA_EXTRACTABLE, CKA_NEVER_EXTRACTABLE, CKA_LOCAL, CKA_WRAP_WITH_TRUSTED, CKA_ALWAYS_AUTHENTICATE, CKA_ENCRYPT, CKA_DECRYPT,
        CKA_SIGN, CKA_SIGN_RECOVER, CKA_VERIFY, CKA_VERIFY_RECOVER, CKA_WRAP, CKA_UNWRAP, CKA_DERIVE;
    Number: CKA_KEY_GEN_MECHANISM, CKA_MODULUS_BITS, CKA_VALUE_LEN;
    Text: CKA_START_DATE, CKA_END_DATE;
    Bytes: CKA_SUBJECT, CKA_ISSUER, CKA_SERIAL_NUMBER, CKA_CHECK_VALUE, CKA_MODULUS, CKA_PUBLIC_EXPONENT, CKA_EC_PARAMS, CKA_EC_POINT,
        CKA_PRIME, CKA_SUBPRIME, CKA_BASE, CKA_PUBLIC_KEY_INFO, CKA_VALUE;
};

const CLASSES: &[(&str, u64)] = &[
    ("CKO_DATA", CKO_DATA),
    ("CKO_CERTIFICATE", CKO_CERTIFICATE),
    ("CKO_PUBLIC_KEY", CKO_PUBLIC_KEY),
    ("CKO_PRIVATE_KEY", CKO_PRIVATE_KEY),
    ("CKO_SECRET_KEY", CKO_SECRET_KEY),
    ("CKO_HW_FEATURE", CKO_HW_FEATURE),
    ("CKO_DOMAIN_PARAMETERS", CKO_DOMAIN_PARAMETERS),
    ("CKO_MECHANISM", CKO_MECHANISM),
    ("CKO_PROFILE", CKO_PROFILE),
];

const KEY_TYPES: &[(&str, u64)] = &[
    ("CKK_RSA", CKK_RSA),
    ("CKK_DSA", CKK_DSA),
    ("CKK_DH", CKK_DH),
    ("CKK_EC", CKK_EC),
    ("CKK_GENERIC_SECRET", CKK_GENERIC_SECRET),
    ("CKK_DES3", CKK_DES3),
    ("CKK_AES", CKK_AES),
    ("CKK_CHACHA20", CKK_CHACHA20),
    ("CKK_SHA256_HMAC", CKK_SHA256_HMAC),
    ("CKK_EC_EDWARDS", CKK_EC_EDWARDS),
    ("CKK_EC_MONTGOMERY", CKK_EC_MONTGOMERY),
    ("CKK_ML_KEM", CKK_ML_KEM),
    ("CKK_ML_DSA", CKK_ML_DSA),
    ("CKK_SLH_DSA", CKK_SLH_DSA),
];

/// The attribute of that name, with or without `CKA_`, or of that number.
pub(super) fn attribute(text: &str) -> Option<(u64, Shape)> {
    let name = text.to_uppercase();
    let named =
        |named: &&Named| named.name == name || named.name.strip_prefix("CKA_") == Some(&name);
    match ATTRIBUTES.iter().find(named) {
        Some(named) => Some((named.kind, named.shape)),
        None => super::input::number(text).map(|kind| (kind, shape(kind))),
    }
}

fn shape(kind: u64) -> Shape {
    let known = ATTRIBUTES.iter().find(|named| named.kind == kind);
    known.map_or(Shape::Bytes, |named| named.shape)
}

/// The value of an attribute for people.
pub(super) fn value(kind: u64, bytes: &[u8]) -> String {
    match (shape(kind), bytes.try_into().map(u64::from_ne_bytes)) {
        (Shape::Flag, _) => bytes.first().is_some_and(|flag| *flag != 0).to_string(),
        (Shape::Number, Ok(number)) => numbered(kind, number),
        (Shape::Text, _) => format!("{:?}", String::from_utf8_lossy(bytes)),
        (Shape::Number | Shape::Bytes, _) => to_hex(bytes),
    }
}

fn numbered(kind: u64, number: u64) -> String {
    let known: &[(&str, u64)] = match kind {
        CKA_CLASS => CLASSES,
        CKA_KEY_TYPE => KEY_TYPES,
        CKA_KEY_GEN_MECHANISM if number != CK_UNAVAILABLE_INFORMATION => {
            return mechanism(number);
        }
        _ => &[],
    };
    let name = known.iter().find(|(_, value)| *value == number);
    name.map_or_else(|| number.to_string(), |(name, _)| (*name).to_owned())
}

/// The bytes of an attribute's value as a person writes it.
pub(super) fn parsed(shape: Shape, text: &str) -> Option<Vec<u8>> {
    match shape {
        Shape::Flag => match text {
            "1" | "y" | "yes" | "true" => Some(vec![CK_TRUE]),
            "0" | "n" | "no" | "false" => Some(vec![CK_FALSE]),
            _ => None,
        },
        Shape::Number => super::input::number(text).map(|number| number.to_ne_bytes().to_vec()),
        Shape::Text => Some(text.as_bytes().to_vec()),
        Shape::Bytes => from_hex(text),
    }
}

/// `CKM_…`, or its number.
pub(super) fn mechanism(kind: u64) -> String {
    MechanismType::try_from(kind).map_or_else(|_| format!("{kind:#x}"), |kind| kind.to_string())
}

pub(super) fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Bytes in hexadecimal digits, which blanks and colons may part.
pub(super) fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> = text
        .chars()
        .filter(|character| !matches!(character, ' ' | ':'))
        .map(|digit| {
            digit
                .to_digit(16)
                .and_then(|digit| u8::try_from(digit).ok())
        })
        .collect();
    let digits = digits?;
    let (pairs, rest) = digits.as_chunks();
    let byte = |[high, low]: &[u8; 2]| high << 4 | low;
    rest.is_empty().then(|| pairs.iter().map(byte).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hexadecimal_digits_are_read_as_they_are_written() {
        assert_eq!(from_hex("00 a1:Ff"), Some(vec![0, 0xa1, 0xff]));
        assert_eq!(from_hex(""), Some(vec![]));
        assert_eq!((from_hex("abc"), from_hex("xy")), (None, None));
        assert_eq!(to_hex(&[0, 0xa1, 0xff]), "00a1ff");
    }

    #[test]
    fn values_are_said_by_what_they_are() {
        for (kind, bytes, text) in [
            (
                CKA_CLASS,
                CKO_SECRET_KEY.to_ne_bytes().to_vec(),
                "CKO_SECRET_KEY",
            ),
            (CKA_KEY_TYPE, 77_u64.to_ne_bytes().to_vec(), "77"),
            (
                CKA_KEY_GEN_MECHANISM,
                CKM_AES_KEY_GEN.to_ne_bytes().to_vec(),
                "CKM_AES_KEY_GEN",
            ),
            (CKA_TOKEN, vec![1], "true"),
            (CKA_LABEL, b"a\"b".to_vec(), "\"a\\\"b\""),
            (CKA_ID, vec![1, 2], "0102"),
            (CKA_CLASS, vec![1, 2], "0102"),
        ] {
            assert_eq!(value(kind, &bytes), text);
        }
    }

    #[test]
    fn an_attribute_is_known_by_its_name_its_short_name_and_its_number() {
        for text in ["CKA_LABEL", "label", "3", "0x3"] {
            assert_eq!(attribute(text), Some((CKA_LABEL, Shape::Text)));
        }
        assert_eq!(attribute("0x80000001"), Some((0x8000_0001, Shape::Bytes)));
        assert_eq!(attribute("nonsense"), None);
    }
}
