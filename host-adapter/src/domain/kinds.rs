//! Which attributes an object of a class has, and which of them travel.

use cryptoki_sys as ck;

/// `CKA_NSS_DB`: NSS keeps an EC private key's public point there and unwraps none without it.
pub(super) const NSS_DB: u64 = 0xd5a0_db00;

/// What every key has.
const KEY: &[u64] = &[
    ck::CKA_LABEL,
    ck::CKA_ID,
    ck::CKA_PRIVATE,
    ck::CKA_DERIVE,
    ck::CKA_START_DATE,
    ck::CKA_END_DATE,
    ck::CKA_MODIFIABLE,
    ck::CKA_COPYABLE,
    ck::CKA_DESTROYABLE,
    ck::CKA_ALLOWED_MECHANISMS,
];
const PRIVATE_KEY: &[u64] = &[
    ck::CKA_SUBJECT,
    ck::CKA_DECRYPT,
    ck::CKA_SIGN,
    ck::CKA_SIGN_RECOVER,
    ck::CKA_UNWRAP,
    ck::CKA_SENSITIVE,
    ck::CKA_EXTRACTABLE,
    ck::CKA_WRAP_WITH_TRUSTED,
    ck::CKA_ALWAYS_AUTHENTICATE,
    ck::CKA_UNWRAP_TEMPLATE,
    ck::CKA_DERIVE_TEMPLATE,
];
const SECRET_KEY: &[u64] = &[
    ck::CKA_ENCRYPT,
    ck::CKA_DECRYPT,
    ck::CKA_SIGN,
    ck::CKA_VERIFY,
    ck::CKA_WRAP,
    ck::CKA_UNWRAP,
    ck::CKA_SENSITIVE,
    ck::CKA_EXTRACTABLE,
    ck::CKA_WRAP_WITH_TRUSTED,
    ck::CKA_WRAP_TEMPLATE,
    ck::CKA_UNWRAP_TEMPLATE,
    ck::CKA_DERIVE_TEMPLATE,
];
const PUBLIC_KEY: &[u64] = &[
    ck::CKA_SUBJECT,
    ck::CKA_ENCRYPT,
    ck::CKA_VERIFY,
    ck::CKA_VERIFY_RECOVER,
    ck::CKA_WRAP,
    ck::CKA_WRAP_TEMPLATE,
    ck::CKA_MODULUS,
    ck::CKA_PUBLIC_EXPONENT,
    ck::CKA_EC_PARAMS,
    ck::CKA_EC_POINT,
    ck::CKA_PRIME,
    ck::CKA_SUBPRIME,
    ck::CKA_BASE,
    ck::CKA_VALUE,
];
const CERTIFICATE: &[u64] = &[
    ck::CKA_LABEL,
    ck::CKA_PRIVATE,
    ck::CKA_MODIFIABLE,
    ck::CKA_COPYABLE,
    ck::CKA_DESTROYABLE,
    ck::CKA_CERTIFICATE_TYPE,
    ck::CKA_CERTIFICATE_CATEGORY,
    ck::CKA_START_DATE,
    ck::CKA_END_DATE,
    ck::CKA_SUBJECT,
    ck::CKA_ID,
    ck::CKA_ISSUER,
    ck::CKA_SERIAL_NUMBER,
    ck::CKA_OWNER,
    ck::CKA_AC_ISSUER,
    ck::CKA_ATTR_TYPES,
    ck::CKA_VALUE,
    ck::CKA_URL,
    ck::CKA_HASH_OF_SUBJECT_PUBLIC_KEY,
    ck::CKA_HASH_OF_ISSUER_PUBLIC_KEY,
];
const DATA: &[u64] = &[
    ck::CKA_LABEL,
    ck::CKA_PRIVATE,
    ck::CKA_MODIFIABLE,
    ck::CKA_COPYABLE,
    ck::CKA_DESTROYABLE,
    ck::CKA_APPLICATION,
    ck::CKA_OBJECT_ID,
    ck::CKA_VALUE,
];

/// What travels with an object of `class`; none when objects of that class do not travel: they are the token's own.
pub(crate) fn traveling(class: u64) -> Option<Vec<u64>> {
    let (common, own): (&[u64], &[u64]) = match class {
        ck::CKO_PRIVATE_KEY => (KEY, PRIVATE_KEY),
        ck::CKO_SECRET_KEY => (KEY, SECRET_KEY),
        ck::CKO_PUBLIC_KEY => (KEY, PUBLIC_KEY),
        ck::CKO_CERTIFICATE => (CERTIFICATE, &[]),
        ck::CKO_DATA => (DATA, &[]),
        _ => return None,
    };
    Some([common, own].concat())
}

/// Whether a key of `class` is wrapped: all else is read and made anew.
pub(super) const fn is_wrapped(class: u64) -> bool {
    matches!(class, ck::CKO_PRIVATE_KEY | ck::CKO_SECRET_KEY)
}

/// What an attribute is when nobody has said anything of it, where that is the same for all tokens (PKCS#11 v3.1 §4.4, §4.8): it does
/// not travel, since not every token knows every attribute.
pub(super) fn is_default(kind: u64, value: &[u8]) -> bool {
    match kind {
        ck::CKA_MODIFIABLE | ck::CKA_COPYABLE | ck::CKA_DESTROYABLE => value != [0],
        ck::CKA_WRAP_WITH_TRUSTED | ck::CKA_ALWAYS_AUTHENTICATE => value == [0],
        ck::CKA_CERTIFICATE_CATEGORY => value.iter().all(|byte| *byte == 0),
        _ => value.is_empty(),
    }
}

/// An attribute that keeps something from being done: a copy without it would be open where the original is not.
pub(super) const RESTRICTIONS: &[u64] = &[
    ck::CKA_SENSITIVE,
    ck::CKA_EXTRACTABLE,
    ck::CKA_WRAP_WITH_TRUSTED,
    ck::CKA_ALWAYS_AUTHENTICATE,
    ck::CKA_PRIVATE,
    ck::CKA_ALLOWED_MECHANISMS,
    ck::CKA_WRAP_TEMPLATE,
    ck::CKA_UNWRAP_TEMPLATE,
    ck::CKA_DERIVE_TEMPLATE,
];

/// What may change in an object of `class` and matters to who uses it: what two members must agree on. Not the dates: nothing is kept from being
/// used by them (PKCS#11 v3.1 §4.7), and not every token can give them back. Nor the uses that some tokens give to every key of a type,
/// whatever they are asked for (NSS to private keys, SoftHSM recovery).
pub(crate) const fn changing(class: u64) -> &'static [u64] {
    match class {
        ck::CKO_PRIVATE_KEY => &[
            ck::CKA_SUBJECT,
            ck::CKA_SIGN,
            ck::CKA_SENSITIVE,
            ck::CKA_EXTRACTABLE,
            ck::CKA_WRAP_WITH_TRUSTED,
        ],
        ck::CKO_SECRET_KEY => &[
            ck::CKA_DERIVE,
            ck::CKA_ENCRYPT,
            ck::CKA_DECRYPT,
            ck::CKA_SIGN,
            ck::CKA_VERIFY,
            ck::CKA_WRAP,
            ck::CKA_UNWRAP,
            ck::CKA_SENSITIVE,
            ck::CKA_EXTRACTABLE,
            ck::CKA_WRAP_WITH_TRUSTED,
        ],
        ck::CKO_PUBLIC_KEY => &[
            ck::CKA_SUBJECT,
            ck::CKA_ENCRYPT,
            ck::CKA_VERIFY,
            ck::CKA_WRAP,
        ],
        ck::CKO_CERTIFICATE => &[ck::CKA_SUBJECT, ck::CKA_ISSUER, ck::CKA_SERIAL_NUMBER],
        ck::CKO_DATA => &[ck::CKA_APPLICATION, ck::CKA_OBJECT_ID, ck::CKA_VALUE],
        _ => &[],
    }
}
