use cryptoki_sys::{CK_ATTRIBUTE, CK_UNAVAILABLE_INFORMATION, CKR_GENERAL_ERROR};
use everslot_protocol::{AttributeValue, List, NestedValue, Rv};

use super::{ATTRIBUTE_SIZE, is_template};
use crate::module::memory::{ApplicationMemory, Unreadable, WORD, word};

/// Writes what a member has said of the wanted attributes into the template of the application's `C_GetAttributeValue`.
///
/// A value that the template has no room for becomes `CK_UNAVAILABLE_INFORMATION` (PKCS#11 v3.1 §5.7.5).
///
/// # Errors
/// `CKR_GENERAL_ERROR`: there are not as many values as attributes, or the template cannot be written.
///
/// # Safety
/// `template` is null or points at `count` attributes, each with an address that is null or valid for writes of the length beside it; the
/// same goes for the templates in it. Nobody else looks there meanwhile.
pub unsafe fn write_attribute_values(
    template: *mut CK_ATTRIBUTE,
    count: u64,
    values: List<'_, AttributeValue<'_>>,
) -> Result<(), Rv> {
    // SAFETY: this is what the caller has promised.
    let memory = unsafe { ApplicationMemory::new() };
    let start = template.expose_provenance() as u64;
    if values.len() as u64 != count {
        return Err(Rv(CKR_GENERAL_ERROR));
    }
    let mut entries = (start..).step_by(ATTRIBUTE_SIZE);
    let written = values
        .iter()
        .zip(&mut entries)
        .try_for_each(|(value, entry)| write_value(memory, entry, value));
    written.map_err(|Unreadable| Rv(CKR_GENERAL_ERROR))
}

fn write_value(
    memory: ApplicationMemory<'_>,
    entry: u64,
    value: AttributeValue<'_>,
) -> Result<(), Unreadable> {
    let attribute = memory
        .bytes(entry, ATTRIBUTE_SIZE as u64)?
        .ok_or(Unreadable)?;
    let part = |index| word(attribute, index * WORD).ok_or(Unreadable);
    let (kind, address, room) = (part(0)?, part(1)?, part(2)?);
    let length = match value {
        AttributeValue::Unavailable => CK_UNAVAILABLE_INFORMATION,
        AttributeValue::Length(length) => length,
        AttributeValue::Bytes(bytes) if bytes.is_empty() => 0,
        AttributeValue::Bytes(bytes)
            if address != 0 && bytes.len() as u64 <= room && !is_template(kind) =>
        {
            memory.write(address, &bytes)?;
            bytes.len() as u64
        }
        AttributeValue::Nested(values)
            if address != 0
                && (values.len() * ATTRIBUTE_SIZE) as u64 <= room
                && is_template(kind) =>
        {
            write_nested(memory, address, values)?;
            (values.len() * ATTRIBUTE_SIZE) as u64
        }
        AttributeValue::Bytes(_) | AttributeValue::Nested(_) => CK_UNAVAILABLE_INFORMATION,
    };
    memory.write(entry + 2 * WORD as u64, &length.to_ne_bytes())
}

fn write_nested(
    memory: ApplicationMemory<'_>,
    start: u64,
    values: List<'_, NestedValue<'_>>,
) -> Result<(), Unreadable> {
    for (entry, NestedValue { kind, value }) in (start..).step_by(ATTRIBUTE_SIZE).zip(values) {
        memory.write(entry, &kind.to_ne_bytes())?;
        write_value(memory, entry, value)?;
    }
    Ok(())
}
