use bumpalo::collections::Vec;
use everslot_protocol::{Field, List, Mechanism, ObjectHandle, Parameter};

use crate::module::Scratch;

/// The same mechanism with every object in its parameter replaced: an application's virtual handles by a member's.
///
/// The handle 0 stands for no object and is kept. A parameter without objects is given back as it is.
///
/// # Errors
/// What `map` returned for an object, which it did not know.
pub fn map_objects<'a, E>(
    mechanism: &Mechanism<'a>,
    scratch: &'a Scratch,
    mut map: impl FnMut(ObjectHandle) -> Result<ObjectHandle, E>,
) -> Result<Mechanism<'a>, E> {
    match mechanism.parameter {
        Parameter::Fields(fields) if has_object(fields) => {
            let fields = map_fields(fields, scratch, &mut map)?;
            Ok(Mechanism {
                parameter: Parameter::Fields(fields),
                ..*mechanism
            })
        }
        Parameter::None | Parameter::Flat(_) | Parameter::Fields(_) => Ok(*mechanism),
    }
}

fn has_object(fields: List<'_, Field<'_>>) -> bool {
    fields.iter().any(|field| match field {
        Field::Object(object) => object.0 != 0,
        Field::Nested(fields) => has_object(fields),
        Field::Integer(_) | Field::Inline(_) | Field::Pointer(_) => false,
    })
}

fn map_fields<'a, E>(
    fields: List<'a, Field<'a>>,
    scratch: &'a Scratch,
    map: &mut dyn FnMut(ObjectHandle) -> Result<ObjectHandle, E>,
) -> Result<List<'a, Field<'a>>, E> {
    let mut mapped = Vec::with_capacity_in(fields.len(), scratch.bump());
    for field in fields {
        mapped.push(match field {
            Field::Object(object) if object.0 != 0 => Field::Object(map(object)?),
            Field::Nested(fields) => Field::Nested(map_fields(fields, scratch, map)?),
            Field::Object(_) | Field::Integer(_) | Field::Inline(_) | Field::Pointer(_) => field,
        });
    }
    Ok(List::Items(mapped.into_bump_slice()))
}
