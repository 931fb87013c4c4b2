//! Templates: from an application's `CK_ATTRIBUTE` array to a list and from a list to a member's array.

mod answer;
mod query;
mod read;
#[cfg(test)]
mod tests;
mod write;

use cryptoki_sys::{
    CK_ATTRIBUTE, CKA_DECAPSULATE_TEMPLATE, CKA_DERIVE_TEMPLATE, CKA_ENCAPSULATE_TEMPLATE,
    CKA_UNWRAP_TEMPLATE, CKA_WRAP_TEMPLATE, CKF_ARRAY_ATTRIBUTE,
};

pub use answer::write_attribute_values;
pub(super) use query::Query;
pub use read::{read_template, read_wanted};
pub(super) use write::CTemplate;

/// No template has more attributes, those of the templates in it included; an application that says so is mistaken.
const COUNT_MAX: u64 = 0x1_0000;

/// The bytes of a `CK_ATTRIBUTE`.
const ATTRIBUTE_SIZE: usize = size_of::<CK_ATTRIBUTE>();

/// Whether the attribute's value is a template itself. `CKA_ALLOWED_MECHANISMS` has the array flag too, but is plain bytes.
const fn is_template(kind: u64) -> bool {
    // The headers of v3.2 give the last two without the flag that the text gives them.
    matches!(
        kind,
        CKA_WRAP_TEMPLATE | CKA_UNWRAP_TEMPLATE | CKA_DERIVE_TEMPLATE
    ) || matches!(
        kind & !CKF_ARRAY_ATTRIBUTE,
        CKA_ENCAPSULATE_TEMPLATE | CKA_DECAPSULATE_TEMPLATE
    )
}
