//! Templates as applications give and get them.

use std::ptr;

use cryptoki_sys::*;
use everslot_protocol::{
    Attribute, AttributeValue, Bytes, List, NestedValue, Rv, Template, Value, Wanted,
};

use super::{CTemplate, Query, read_template, read_wanted, write_attribute_values};
use crate::module::Scratch;

const INVALID: Rv = Rv(CKR_ATTRIBUTE_VALUE_INVALID);
const BAD: Rv = Rv(CKR_ARGUMENTS_BAD);

const fn attribute<T>(kind: u64, value: &mut [T]) -> CK_ATTRIBUTE {
    CK_ATTRIBUTE {
        type_: kind,
        pValue: value.as_mut_ptr().cast(),
        ulValueLen: size_of_val(value) as u64,
    }
}

const fn null(kind: u64, length: u64) -> CK_ATTRIBUTE {
    CK_ATTRIBUTE {
        type_: kind,
        pValue: ptr::null_mut(),
        ulValueLen: length,
    }
}

/// Reads a template whose addresses are null or those of what outlives the call.
fn read<T>(template: &[CK_ATTRIBUTE], look: impl FnOnce(Result<Template<'_>, Rv>) -> T) -> T {
    Scratch::with(|scratch| {
        // SAFETY: this is what the tests give.
        look(unsafe { read_template(template.as_ptr(), template.len() as u64, scratch) })
    })
}

fn error(template: &[CK_ATTRIBUTE]) -> Option<Rv> {
    read(template, |read| read.err())
}

const fn bytes(kind: u64, value: &[u8]) -> Attribute<'_> {
    Attribute {
        kind,
        value: Value::Bytes(Bytes(value)),
    }
}

#[test]
fn a_template_is_read_and_written_back() {
    let (mut class, mut label, mut extractable) = ([CKO_SECRET_KEY], *b"label", [CK_TRUE]);
    let mut mechanisms = [CKM_AES_GCM];
    let mut inner = [
        attribute(CKA_EXTRACTABLE, &mut extractable),
        null(CKA_LABEL, 0),
    ];
    let template = [
        attribute(CKA_CLASS, &mut class),
        attribute(CKA_LABEL, &mut label),
        attribute(CKA_WRAP_TEMPLATE, &mut inner),
        attribute(CKA_ALLOWED_MECHANISMS, &mut mechanisms),
    ];
    read(&template, |read| {
        let inner = [bytes(CKA_EXTRACTABLE, &[CK_TRUE]), bytes(CKA_LABEL, b"")];
        let (class, mechanism) = (CKO_SECRET_KEY.to_ne_bytes(), CKM_AES_GCM.to_ne_bytes());
        let expected = [
            bytes(CKA_CLASS, &class),
            bytes(CKA_LABEL, b"label"),
            Attribute {
                kind: CKA_WRAP_TEMPLATE,
                value: Value::Template(List::Items(&inner)),
            },
            bytes(CKA_ALLOWED_MECHANISMS, &mechanism),
        ];
        assert_eq!(read, Ok(List::Items(&expected)));
        Scratch::with(|scratch| {
            let mut written = CTemplate::new(List::Items(&expected), scratch);
            let (start, count) = written.as_argument();
            // SAFETY: every address in it is one of the scratch or of `expected`.
            let again = unsafe { read_template(start, count, scratch) };
            assert_eq!(again, Ok(List::Items(&expected)));
        });
    });
}

#[test]
fn what_is_no_template_is_refused() {
    assert_eq!(error(&[null(CKA_LABEL, 3)]), Some(INVALID));
    assert_eq!(
        error(&[attribute(CKA_LABEL, &mut [0_u8; 1]), null(CKA_ID, u64::MAX)]),
        Some(INVALID)
    );
    let mut value = [0_u8; 1];
    let mut no_memory = attribute(CKA_LABEL, &mut value);
    no_memory.ulValueLen = u64::MAX;
    assert_eq!(error(&[no_memory]), Some(INVALID));
    let mut inner = [null(CKA_LABEL, 0)];
    let mut not_whole = attribute(CKA_UNWRAP_TEMPLATE, &mut inner);
    not_whole.ulValueLen -= 1;
    assert_eq!(error(&[not_whole]), Some(INVALID));
    let read = |start, count| {
        Scratch::with(|scratch| {
            // SAFETY: a null template is not followed, nor is one that is too long.
            unsafe { read_template(start, count, scratch) }.map(|template| template.len())
        })
    };
    assert_eq!(read(ptr::null(), 0), Ok(0));
    assert_eq!(read(ptr::null(), 1), Err(BAD));
    assert_eq!(read(&raw const inner[0], 0x1_0001), Err(BAD));
    assert_eq!(read(&raw const inner[0], u64::MAX), Err(BAD));
}

#[test]
fn templates_nest_only_so_deep() {
    /// A template with a template in it, and so on, `depth` in all.
    fn nested(depth: usize, innermost: &mut [CK_ATTRIBUTE]) -> Option<Rv> {
        let mut outer = [attribute(CKA_DERIVE_TEMPLATE, innermost)];
        if depth == 2 {
            error(&outer)
        } else {
            nested(depth - 1, &mut outer)
        }
    }
    assert_eq!(nested(8, &mut [null(CKA_LABEL, 0)]), None);
    assert_eq!(nested(9, &mut [null(CKA_LABEL, 0)]), Some(INVALID));
}

/// A member's answer, put where an application asked for it.
fn answered(template: &mut [CK_ATTRIBUTE], values: &[AttributeValue<'_>]) -> Result<(), Rv> {
    // SAFETY: the tests give addresses that are null or have the room that they say.
    unsafe {
        write_attribute_values(
            template.as_mut_ptr(),
            template.len() as u64,
            List::Items(values),
        )
    }
}

#[test]
fn values_are_written_where_there_is_room() {
    let (mut label, mut short, mut unavailable) = ([0_u8; 8], [9_u8; 2], [0_u8; 1]);
    let mut template = [
        attribute(CKA_LABEL, &mut label),
        attribute(CKA_ID, &mut short),
        null(CKA_VALUE, 0),
        attribute(CKA_MODULUS, &mut unavailable),
        null(CKA_VALUE, 0),
    ];
    let value = AttributeValue::Bytes(Bytes(b"value"));
    let values = [
        value,
        value,
        AttributeValue::Length(5),
        AttributeValue::Unavailable,
        value,
    ];
    assert_eq!(answered(&mut template, &values), Ok(()));
    let lengths = template.map(|attribute| attribute.ulValueLen);
    let gone = CK_UNAVAILABLE_INFORMATION;
    assert_eq!(lengths, [5, gone, 5, gone, gone]);
    assert_eq!((&label, short), (b"value\0\0\0", [9, 9]));
    assert_eq!(
        answered(&mut template, &values[1..]),
        Err(Rv(CKR_GENERAL_ERROR))
    );
}

#[test]
fn the_values_of_a_nested_template_are_written_with_their_types() {
    let mut id = [0_u8; 5];
    let mut inner = [attribute(0, &mut id), null(0, 0)];
    let mut template = [attribute(CKA_WRAP_TEMPLATE, &mut inner)];
    let nested = [
        NestedValue {
            kind: CKA_ID,
            value: AttributeValue::Bytes(Bytes(b"inner")),
        },
        NestedValue {
            kind: CKA_EXTRACTABLE,
            value: AttributeValue::Length(1),
        },
    ];
    assert_eq!(
        answered(
            &mut template,
            &[AttributeValue::Nested(List::Items(&nested))]
        ),
        Ok(())
    );
    assert_eq!(template[0].ulValueLen, 2 * size_of::<CK_ATTRIBUTE>() as u64);
    assert_eq!(
        inner.map(|attribute| (attribute.type_, attribute.ulValueLen)),
        [(CKA_ID, 5), (CKA_EXTRACTABLE, 1)]
    );
    assert_eq!(&id, b"inner");
    // Bytes instead of attributes would be followed as addresses by the application.
    assert_eq!(
        answered(&mut template, &[AttributeValue::Bytes(Bytes(&[1; 8]))]),
        Ok(())
    );
    assert_eq!(template[0].ulValueLen, CK_UNAVAILABLE_INFORMATION);
}

#[test]
fn what_is_wanted_is_read_with_its_room() {
    let (mut label, mut id) = ([0_u8; 8], [0_u8; 5]);
    let mut inner = [attribute(CKA_ID, &mut id)];
    let template = [
        attribute(CKA_LABEL, &mut label),
        null(CKA_VALUE, 77),
        attribute(CKA_WRAP_TEMPLATE, &mut inner),
        null(CKA_WRAP_TEMPLATE, 0),
    ];
    Scratch::with(|scratch| {
        // SAFETY: every address in it is null or that of an array that lives.
        let read = unsafe { read_wanted(template.as_ptr(), template.len() as u64, scratch) };
        let plain = |kind, room| Wanted {
            kind,
            room,
            nested: List::EMPTY,
        };
        let nested = [plain(CKA_ID, Some(5))];
        let room = Some(size_of::<CK_ATTRIBUTE>() as u64);
        let expected = [
            plain(CKA_LABEL, Some(8)),
            plain(CKA_VALUE, None),
            Wanted {
                kind: CKA_WRAP_TEMPLATE,
                room,
                nested: List::Items(&nested),
            },
            plain(CKA_WRAP_TEMPLATE, None),
        ];
        assert_eq!(read, Ok(List::Items(&expected)));
        assert_eq!(Query::buffer_size(List::Items(&expected)), 8 + 5);
    });
}

/// A member that says that it has put more than there was room for is not believed.
#[test]
fn a_value_beyond_its_room_is_unavailable() {
    let wanted = [CKA_LABEL, CKA_ID].map(|kind| Wanted {
        kind,
        room: Some(4),
        nested: List::EMPTY,
    });
    Scratch::with(|scratch| {
        let mut query = Query::new(List::Items(&wanted), scratch);
        let mut buffer = [0; 8];
        let mut template = query.template(&mut buffer);
        let (start, count) = template.as_argument();
        assert_eq!(count, 2);
        // SAFETY: the template has two attributes, the first with four bytes of room.
        unsafe {
            (*start).pValue.cast::<[u8; 4]>().write(*b"full");
            (*start.add(1)).ulValueLen = 5;
        }
        let values: Vec<AttributeValue<'_>> = query.values(&buffer, scratch).iter().collect();
        assert_eq!(
            values,
            [
                AttributeValue::Bytes(Bytes(b"full")),
                AttributeValue::Unavailable
            ]
        );
    });
}
