//! Templates, to make objects of, to look for and to ask with.

use std::ptr::null_mut;

use cryptoki_sys::*;

use crate::choice::Choice;
use crate::memory::Memory;

const KINDS: [CK_ATTRIBUTE_TYPE; 30] = [
    CKA_CLASS,
    CKA_TOKEN,
    CKA_PRIVATE,
    CKA_LABEL,
    CKA_ID,
    CKA_VALUE,
    CKA_VALUE_LEN,
    CKA_KEY_TYPE,
    CKA_SENSITIVE,
    CKA_EXTRACTABLE,
    CKA_ENCRYPT,
    CKA_DECRYPT,
    CKA_SIGN,
    CKA_VERIFY,
    CKA_WRAP,
    CKA_UNWRAP,
    CKA_DERIVE,
    CKA_MODULUS,
    CKA_MODULUS_BITS,
    CKA_PUBLIC_EXPONENT,
    CKA_EC_PARAMS,
    CKA_EC_POINT,
    CKA_START_DATE,
    CKA_ALLOWED_MECHANISMS,
    CKA_WRAP_TEMPLATE,
    CKA_UNWRAP_TEMPLATE,
    CKA_DERIVE_TEMPLATE,
    CKA_MODIFIABLE,
    CKA_CHECK_VALUE,
    CKA_ALWAYS_AUTHENTICATE,
];

const P256: [u8; 10] = [6, 8, 42, 134, 72, 206, 61, 3, 1, 7];

/// A template to make something of, and its count.
pub(crate) fn template(choice: &mut Choice, memory: &mut Memory) -> (*mut CK_ATTRIBUTE, CK_ULONG) {
    match choice.below(48) {
        0 => return (null_mut(), choice.below(4) as CK_ULONG),
        1 => {
            let attributes = memory.keep_all(&[CK_ATTRIBUTE::default()]);
            return (attributes, Memory::endless(choice));
        }
        _ => {}
    }
    let attributes = if choice.one_in(3) {
        sensible(choice, memory)
    } else {
        let count = choice.below(8);
        (0..count).map(|_| arbitrary(choice, memory, 10)).collect()
    };
    (memory.keep_all(&attributes), attributes.len() as CK_ULONG)
}

/// A template that asks: with room for the values, or for their lengths only.
pub(crate) fn question(choice: &mut Choice, memory: &mut Memory) -> (*mut CK_ATTRIBUTE, CK_ULONG) {
    if choice.one_in(32) {
        return (null_mut(), 1);
    }
    let count = choice.below(10);
    let attributes: Vec<CK_ATTRIBUTE> = (0..count).map(|_| asked(choice, memory, 10)).collect();
    (memory.keep_all(&attributes), attributes.len() as CK_ULONG)
}

fn kind(choice: &mut Choice) -> CK_ATTRIBUTE_TYPE {
    match choice.below(12) {
        0 => choice.number(),
        1 => choice.number() & 0x6ff,
        _ => *choice.of(&KINDS).unwrap_or(&CKA_ID),
    }
}

/// Attributes whose value is a template.
const fn nests(kind: CK_ATTRIBUTE_TYPE) -> bool {
    matches!(
        kind & !CKF_ARRAY_ATTRIBUTE,
        0x211 | 0x212 | 0x213 | CKA_ENCAPSULATE_TEMPLATE | CKA_DECAPSULATE_TEMPLATE
    )
}

fn sensible(choice: &mut Choice, memory: &mut Memory) -> Vec<CK_ATTRIBUTE> {
    let number = |memory: &mut Memory, kind, value: CK_ULONG| {
        attribute(kind, memory.keep(&value.to_ne_bytes()), 8)
    };
    let flag =
        |memory: &mut Memory, kind, value: bool| attribute(kind, memory.keep(&[value.into()]), 1);
    match choice.below(4) {
        0 => vec![
            number(memory, CKA_CLASS, CKO_DATA),
            attribute(CKA_VALUE, memory.keep(&choice.bytes(20)), 20),
        ],
        1 => vec![
            number(memory, CKA_CLASS, CKO_SECRET_KEY),
            number(memory, CKA_KEY_TYPE, CKK_AES),
            attribute(CKA_VALUE, memory.keep(&choice.bytes(32)), 32),
            flag(memory, CKA_ENCRYPT, true),
            flag(memory, CKA_DECRYPT, true),
            flag(memory, CKA_WRAP, true),
            flag(memory, CKA_EXTRACTABLE, true),
        ],
        2 => vec![
            number(memory, CKA_VALUE_LEN, 16),
            flag(memory, CKA_EXTRACTABLE, true),
            flag(memory, CKA_SENSITIVE, false),
        ],
        _ => vec![
            attribute(CKA_EC_PARAMS, memory.keep(&P256), 10),
            flag(memory, CKA_SIGN, true),
            flag(memory, CKA_DERIVE, true),
        ],
    }
}

fn arbitrary(choice: &mut Choice, memory: &mut Memory, depth: usize) -> CK_ATTRIBUTE {
    let kind = kind(choice);
    if nests(kind) {
        let count = if depth == 0 { 0 } else { choice.below(4) };
        let inner: Vec<CK_ATTRIBUTE> = (0..count)
            .map(|_| arbitrary(choice, memory, depth - 1))
            .collect();
        let bytes = size_of_val(inner.as_slice()) as CK_ULONG;
        return attribute(kind, memory.keep_all(&inner).cast(), bytes);
    }
    // A token object would outlive the sequence.
    if kind == CKA_TOKEN {
        return attribute(kind, memory.keep(&[0]), 1);
    }
    let length = match choice.below(6) {
        0 => 8,
        1 => 1,
        2 => 0,
        _ => choice.below(80),
    };
    let mut value = choice.bytes(length);
    if length == 8 && choice.one_in(2) {
        value = (choice.below(16) as u64).to_ne_bytes().to_vec();
    }
    match choice.below(40) {
        0 => attribute(kind, null_mut(), length as CK_ULONG),
        1 => attribute(kind, memory.keep(&value), Memory::endless(choice)),
        _ => attribute(kind, memory.keep(&value), length as CK_ULONG),
    }
}

fn asked(choice: &mut Choice, memory: &mut Memory, depth: usize) -> CK_ATTRIBUTE {
    let kind = kind(choice);
    let room = *choice.of(&[0, 1, 8, 32, 300]).unwrap_or(&8);
    match choice.below(4) {
        0 => attribute(kind, null_mut(), choice.number()),
        _ if nests(kind) => {
            let count = if depth == 0 { 0 } else { choice.below(4) };
            let inner: Vec<CK_ATTRIBUTE> = (0..count)
                .map(|_| asked(choice, memory, depth - 1))
                .collect();
            let bytes = size_of_val(inner.as_slice()) as CK_ULONG;
            attribute(kind, memory.keep_all(&inner).cast(), bytes)
        }
        _ => attribute(kind, memory.keep(&vec![0; room]), room as CK_ULONG),
    }
}

const fn attribute(kind: CK_ATTRIBUTE_TYPE, value: *mut u8, length: CK_ULONG) -> CK_ATTRIBUTE {
    CK_ATTRIBUTE {
        type_: kind,
        pValue: value.cast(),
        ulValueLen: length,
    }
}
