//! Fields to C and back, for the structures of every mechanism.

use std::iter;

use cryptoki_sys::*;
use everslot_protocol::{Bytes, Field, List, Mechanism, ObjectHandle, Parameter, Rv, wire};

use crate::module::Scratch;
use crate::module::parameter::shape::{Part, Structure};
use crate::module::parameter::structures::DERIVED_KEY;
use crate::module::parameter::table::structures;
use crate::module::parameter::{CMechanism, crosses_process_border, map_objects, read_mechanism};

/// Every mechanism that has a structure, with each of its structures.
fn all() -> impl Iterator<Item = (u64, &'static Structure)> {
    (0..0x5000).flat_map(|mechanism| {
        structures(mechanism)
            .iter()
            .map(move |&structure| (mechanism, structure))
    })
}

/// Fields as a structure may have them; `salt` makes them differ.
fn sample(structure: &'static Structure, salt: u64) -> Vec<Field<'static>> {
    let parts = structure
        .parts
        .iter()
        .enumerate()
        .filter(|(_, part)| part.is_field());
    parts
        .map(|(index, part)| sample_field(structure, index, *part, salt + index as u64))
        .collect()
}

fn sample_field(
    structure: &'static Structure,
    index: usize,
    part: Part,
    salt: u64,
) -> Field<'static> {
    let leaked = |length: usize| {
        Bytes(
            iter::repeat_n(salt as u8, length)
                .collect::<Vec<u8>>()
                .leak(),
        )
    };
    let nested = |structure| Field::Nested(List::Items(sample(structure, salt).leak()));
    match part {
        Part::Integer => Field::Integer(tag_or_number(structure, index, salt)),
        Part::Byte => Field::Integer(1),
        Part::Object | Part::ObjectWhen { .. } | Part::BytesOrObject { .. } => {
            Field::Object(ObjectHandle(salt + 100))
        }
        Part::Inline(length) => Field::Inline(leaked(length)),
        Part::SizeOrAddress => Field::Integer(salt % 2),
        // Sizes that two addresses share are the same for both.
        Part::Bytes { size } | Part::MadeBytes { size, .. } | Part::Value { size, .. } => {
            Field::Pointer(Some(leaked(size + 3)))
        }
        Part::Bits { .. } => Field::Pointer(Some(leaked(8))),
        Part::Nonce { .. } => Field::Pointer(Some(leaked(12))),
        Part::Fixed(length) => Field::Pointer(Some(leaked(length))),
        Part::Text => Field::Pointer(Some(Bytes(b"1.2.840.113549.1.7.1"))),
        Part::Structure(inner) => nested(inner),
        Part::Reference(to) => nested(to),
        Part::Array { of, .. } => Field::Nested(List::Items(vec![nested(of), nested(of)].leak())),
        Part::Mechanism => Field::Nested(List::Items(
            vec![
                Field::Integer(CKM_RSA_PKCS_PSS),
                Field::Pointer(Some(leaked(24))),
            ]
            .leak(),
        )),
        Part::Written(length) => room(length),
        Part::KeyMaterial { ivs, .. } => Field::Nested(List::Items(vec![room(IV); ivs].leak())),
        Part::OutputLength { .. } => Field::Integer(48),
        Part::DerivedKeys { .. } => Field::Nested(List::Items(
            vec![nested(&DERIVED_KEY), nested(&DERIVED_KEY)].leak(),
        )),
        Part::Size | Part::Output | Part::NewKey | Part::Null => unreachable!("none is a field"),
    }
}

/// The bytes of an IV in a key material.
const IV: usize = 16;

/// What the member is to write is zero before.
fn room(length: usize) -> Field<'static> {
    Field::Pointer(Some(Bytes(&[0; 64][..length])))
}

/// The number that makes a handle beside it one, or the number of bits of an address, or any.
fn tag_or_number(structure: &Structure, index: usize, salt: u64) -> u64 {
    let needed = structure.parts.iter().find_map(|part| match *part {
        Part::ObjectWhen { tag, is } | Part::BytesOrObject { tag, is, .. } if tag == index => {
            Some(is)
        }
        Part::Bits { size } if size == index => Some(61),
        Part::Nonce { size } if size == index => Some(96),
        Part::KeyMaterial { iv_bits, .. } if iv_bits == index => Some(IV as u64 * 8),
        _ => None,
    });
    needed.unwrap_or(salt + 1000)
}

fn with_c<T>(mechanism: &Mechanism<'_>, work: impl FnOnce(Mechanism<'_>) -> T) -> T {
    Scratch::with(|scratch| {
        let mut in_c =
            CMechanism::new(mechanism, scratch).expect("the fields are those of the structure");
        // SAFETY: every address in it is one of the scratch or of the mechanism, which live on.
        work(
            unsafe { read_mechanism(in_c.as_mut_ptr(), scratch) }
                .expect("what was written is readable"),
        )
    })
}

#[test]
fn what_is_written_is_read_back() {
    let mut seen = 0;
    for (kind, structure) in all().filter(|(_, structure)| {
        !structure
            .parts
            .iter()
            .any(|part| matches!(part, Part::Null))
    }) {
        for salt in [1, 2] {
            let fields = sample(structure, salt);
            let mechanism = Mechanism {
                kind,
                parameter: Parameter::Fields(List::Items(&fields)),
            };
            with_c(&mechanism, |read| assert_eq!(read, mechanism, "{kind:#x}"));
            assert!(crosses_process_border(&mechanism));
            seen += 1;
        }
    }
    assert!(seen > 120, "{seen} mechanisms with a structure");
}

/// Without what has no stated extent, the rest of the structure still goes through.
#[test]
fn a_structure_without_what_has_no_extent_is_read_back() {
    for (kind, structure) in all().filter(|(_, structure)| {
        structure
            .parts
            .iter()
            .any(|part| matches!(part, Part::Null))
    }) {
        let fields = sample(structure, 5);
        let mechanism = Mechanism {
            kind,
            parameter: Parameter::Fields(List::Items(&fields)),
        };
        with_c(&mechanism, |read| assert_eq!(read, mechanism, "{kind:#x}"));
    }
}

#[test]
fn null_addresses_stay_null() {
    for (kind, structure) in all() {
        let parts = structure.parts.iter().filter(|part| part.is_field());
        let fields: Vec<Field<'_>> = parts
            .zip(sample(structure, 3))
            .map(|(part, field)| without(*part, field))
            .collect();
        let mechanism = Mechanism {
            kind,
            parameter: Parameter::Fields(List::Items(&fields)),
        };
        with_c(&mechanism, |read| assert_eq!(read, mechanism, "{kind:#x}"));
    }
}

fn without(part: Part, field: Field<'static>) -> Field<'static> {
    match part {
        Part::Bytes { .. }
        | Part::MadeBytes { .. }
        | Part::Fixed(_)
        | Part::Text
        | Part::Reference(_)
        | Part::Array { .. }
        | Part::Value { .. }
        | Part::DerivedKeys { .. }
        | Part::Mechanism
        | Part::Written(_)
        | Part::KeyMaterial { .. } => Field::Pointer(None),
        Part::SizeOrAddress => Field::Integer(0),
        _ => field,
    }
}

#[test]
fn the_structures_of_a_mechanism_are_told_apart() {
    for kind in 0..0x5000 {
        let candidates = structures(kind);
        for (index, one) in candidates.iter().enumerate() {
            for other in &candidates[..index] {
                assert_ne!(one.size, other.size, "{kind:#x}");
                assert_ne!(one.fields, other.fields, "{kind:#x}");
            }
        }
    }
}

#[test]
fn fields_of_another_structure_are_refused_or_read_back() {
    let every: Vec<(u64, &'static Structure)> = all().collect();
    let mut refused = 0;
    for &(kind, _) in &every {
        for &(_, structure) in &every {
            let fields = sample(structure, 7);
            let mechanism = Mechanism {
                kind,
                parameter: Parameter::Fields(List::Items(&fields)),
            };
            refused += usize::from(Scratch::with(|scratch| {
                match CMechanism::new(&mechanism, scratch) {
                    Ok(_) => false,
                    Err(rv) => rv == Rv(CKR_MECHANISM_PARAM_INVALID),
                }
            }));
        }
    }
    assert!(
        refused > every.len() * every.len() / 2,
        "{refused} of {}",
        every.len() * every.len()
    );
}

#[test]
fn a_structure_survives_the_wire() {
    for (kind, structure) in all() {
        let fields = sample(structure, 9);
        let mechanism = Mechanism {
            kind,
            parameter: Parameter::Fields(List::Items(&fields)),
        };
        let request = everslot_protocol::Request::Begin {
            session: everslot_protocol::SessionHandle(1),
            operation: everslot_protocol::Operation::Sign,
            mechanism,
            key: None,
        };
        let mut bytes = vec![0; wire::request_size(&request)];
        wire::encode_request(&request, &mut bytes).expect("fits");
        let decoded = wire::decode_request(&bytes).expect("decodes");
        let everslot_protocol::Request::Begin {
            mechanism: decoded, ..
        } = decoded
        else {
            panic!("{decoded:?}")
        };
        with_c(&decoded, |read| assert_eq!(read, mechanism, "{kind:#x}"));
    }
}

#[test]
fn objects_are_mapped_wherever_they_stand() {
    let (mut mapped, mut kept) = (0, 0);
    for (kind, structure) in all() {
        let fields = sample(structure, 4);
        let mechanism = Mechanism {
            kind,
            parameter: Parameter::Fields(List::Items(&fields)),
        };
        Scratch::with(|scratch| {
            let there = map_objects(&mechanism, scratch, |object| {
                Ok::<_, Rv>(ObjectHandle(object.0 + 1))
            })
            .expect("known");
            let back = map_objects(&there, scratch, |object| {
                Ok::<_, Rv>(ObjectHandle(object.0 - 1))
            })
            .expect("known");
            assert_eq!(back, mechanism);
            if there == mechanism {
                kept += 1
            } else {
                mapped += 1
            }
            let unknown = map_objects(&mechanism, scratch, |_| Err(Rv(CKR_KEY_HANDLE_INVALID)));
            assert_eq!(unknown.is_err(), there != mechanism, "{kind:#x}");
        });
    }
    assert!(mapped > 15 && kept > 15, "{mapped} mapped, {kept} kept");
}

#[test]
fn no_object_stays_no_object() {
    let fields = [Field::Object(ObjectHandle(0))];
    let parameter = Parameter::Fields(List::Items(&fields));
    let mechanism = Mechanism {
        kind: CKM_CONCATENATE_BASE_AND_KEY,
        parameter,
    };
    let same = Scratch::with(|scratch| {
        map_objects(&mechanism, scratch, |_| Err(Rv(CKR_KEY_HANDLE_INVALID)))
            .map(|same| same == mechanism)
    });
    assert_eq!(same, Ok(true));
}
