use cryptoki_sys::{
    CK_ATTRIBUTE, CK_ATTRIBUTE_TYPE, CK_OBJECT_CLASS, CK_ULONG, CKA_CLASS, CKA_ID, CKA_LABEL,
    CKA_TOKEN,
};

/// Attributes to look for, or to make an object of.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Template(Vec<(CK_ATTRIBUTE_TYPE, Vec<u8>)>);

impl Template {
    /// No attribute.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds bytes.
    #[must_use]
    pub fn bytes(mut self, kind: CK_ATTRIBUTE_TYPE, value: impl Into<Vec<u8>>) -> Self {
        self.0.push((kind, value.into()));
        self
    }

    /// Adds a number.
    #[must_use]
    pub fn number(self, kind: CK_ATTRIBUTE_TYPE, value: CK_ULONG) -> Self {
        self.bytes(kind, value.to_ne_bytes())
    }

    /// Adds a truth.
    #[must_use]
    pub fn flag(self, kind: CK_ATTRIBUTE_TYPE, value: bool) -> Self {
        self.bytes(kind, [u8::from(value)])
    }

    /// Adds `CKA_CLASS`.
    #[must_use]
    pub fn class(self, class: CK_OBJECT_CLASS) -> Self {
        self.number(CKA_CLASS, class)
    }

    /// Adds `CKA_LABEL`.
    #[must_use]
    pub fn label(self, label: &str) -> Self {
        self.bytes(CKA_LABEL, label)
    }

    /// Adds `CKA_ID`.
    #[must_use]
    pub fn id(self, id: u8) -> Self {
        self.bytes(CKA_ID, [id])
    }

    /// Adds `CKA_TOKEN`: whether the object outlives the session.
    #[must_use]
    pub fn on_token(self, on_token: bool) -> Self {
        self.flag(CKA_TOKEN, on_token)
    }

    /// Calls `action` with the template as C has it.
    pub(super) fn with<T>(&self, action: impl FnOnce(*mut CK_ATTRIBUTE, CK_ULONG) -> T) -> T {
        let mut attributes = self.attributes();
        action(attributes.as_mut_ptr(), attributes.len() as CK_ULONG)
    }

    /// The template as C has it; the values stay here.
    pub(super) fn attributes(&self) -> Vec<CK_ATTRIBUTE> {
        let attribute = |(kind, value): &(CK_ATTRIBUTE_TYPE, Vec<u8>)| CK_ATTRIBUTE {
            type_: *kind,
            pValue: value.as_ptr().cast_mut().cast(),
            ulValueLen: value.len() as CK_ULONG,
        };
        self.0.iter().map(attribute).collect()
    }
}
