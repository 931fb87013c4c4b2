//! Reads an object's attributes from a token.

use everslot_core::ckr;
use everslot_protocol::{
    AttributeValue, Body, Bytes, Function, List, NestedValue, ObjectHandle, Request, Wanted, wire,
};
use zeroize::Zeroizing;

use super::attributes::{Attributes, Content};
use super::call::CallError;
use super::token::{Token, written};

/// A value longer than this is not read: 1 MiB holds every certificate, and data objects that tokens take.
const LONGEST: u64 = 1 << 20;
/// Room for a value whose length is not known, bytes: for a modulus of 4096 bits, but no usual length itself.
const SHORT: u64 = 517;
/// A nested template with more attributes than this is not read.
const MOST_NESTED: u64 = 256;
/// `CK_ATTRIBUTE`, by whose number a nested template's length is given (PKCS#11 v3.1 §5.7.5), bytes.
const ATTRIBUTE_SIZE: u64 = size_of::<cryptoki_sys::CK_ATTRIBUTE>() as u64;
/// `CKF_ARRAY_ATTRIBUTE`: the value is an array; of attributes, but for `CKA_ALLOWED_MECHANISMS`.
const ARRAY: u64 = 0x4000_0000;

/// Whether the value of an attribute of this kind is a template.
pub(super) const fn is_template(kind: u64) -> bool {
    kind & ARRAY != 0 && kind != cryptoki_sys::CKA_ALLOWED_MECHANISMS
}

impl Token<'_> {
    /// The attributes among `kinds` that the object has and shows, in their order.
    ///
    /// # Errors
    /// The token gives no answer, or refuses the whole question: the object is not there, for example.
    pub fn attributes(
        &mut self,
        object: ObjectHandle,
        kinds: &[u64],
    ) -> Result<Attributes, CallError> {
        let mut read = Attributes::new();
        self.read_short(object, kinds, &mut read)?;
        let is_missing = |kind: &&u64| read.content(**kind).is_none();
        let missing: Vec<_> = kinds.iter().filter(is_missing).copied().collect();
        if missing.is_empty() {
            return Ok(read);
        }
        self.read_by_length(object, &missing, &mut read)?;
        let mut ordered = Attributes::new();
        for kind in kinds {
            if let Some(content) = read.content(*kind) {
                ordered.set_content(*kind, content.clone());
            }
        }
        Ok(ordered)
    }

    /// Reads what fits into [`SHORT`], which most values do, without asking for their lengths: what a question costs is the way to the token and
    /// back.
    fn read_short(
        &mut self,
        object: ObjectHandle,
        kinds: &[u64],
        read: &mut Attributes,
    ) -> Result<(), CallError> {
        let plain = kinds.iter().filter(|kind| !is_template(**kind));
        let plain: Vec<_> = plain.map(|kind| wanted(*kind, Some(SHORT))).collect();
        if plain.is_empty() {
            return Ok(());
        }
        let tried = self.values(object, &plain, |values| {
            for (wanted, value) in plain.iter().zip(values.iter()) {
                match value {
                    // A token that stops at the first attribute that it does not have leaves the room that the others were given.
                    AttributeValue::Bytes(Bytes(value)) if value.len() as u64 != SHORT => {
                        read.set(wanted.kind, value);
                    }
                    AttributeValue::Bytes(_)
                    | AttributeValue::Length(_)
                    | AttributeValue::Nested(_)
                    | AttributeValue::Unavailable => {}
                }
            }
        });
        match tried {
            // SoftHSM's word about one of them; it is found out which.
            Err(CallError::Code {
                rv: ckr::GENERAL_ERROR | ckr::FUNCTION_FAILED,
                ..
            }) => Ok(()),
            tried => tried,
        }
    }

    fn read_by_length(
        &mut self,
        object: ObjectHandle,
        kinds: &[u64],
        read: &mut Attributes,
    ) -> Result<(), CallError> {
        let mut wanted: Vec<_> = kinds.iter().map(|kind| wanted(*kind, None)).collect();
        let lengths = match self.lengths(object, &wanted) {
            // SoftHSM gives no attribute at all when it cannot read one of them, a date of a private object for example.
            Err(CallError::Code {
                rv: ckr::GENERAL_ERROR | ckr::FUNCTION_FAILED,
                ..
            }) if wanted.len() > 1 => wanted
                .iter()
                .map(|wanted| match self.lengths(object, &[*wanted]) {
                    Ok(lengths) => Ok(lengths.into_iter().next().flatten()),
                    Err(error) if error.is_refusal() => Ok(None),
                    Err(error) => Err(error),
                })
                .collect::<Result<Vec<_>, _>>()?,
            lengths => lengths?,
        };
        for (wanted, length) in wanted.iter_mut().zip(lengths) {
            wanted.room = length;
        }
        wanted.retain(|wanted| wanted.room.is_some());
        let (nested, plain): (Vec<_>, Vec<_>) = wanted
            .into_iter()
            .partition(|wanted| is_template(wanted.kind));
        if !plain.is_empty() {
            self.values(object, &plain, |values| {
                for (wanted, value) in plain.iter().zip(values.iter()) {
                    if let AttributeValue::Bytes(value) = value {
                        read.set(wanted.kind, &value);
                    }
                }
            })?;
        }
        for template in nested {
            if let Some(inner) = self.nested(object, template)? {
                read.set_content(template.kind, Content::Template(inner));
            }
        }
        Ok(())
    }

    fn lengths(
        &mut self,
        object: ObjectHandle,
        wanted: &[Wanted<'_>],
    ) -> Result<Vec<Option<u64>>, CallError> {
        self.values(object, wanted, |values| values.iter().map(length).collect())
    }

    /// One attribute; none if the object has it not, or does not show it.
    ///
    /// # Errors
    /// As for [`attributes`](Self::attributes).
    pub fn attribute(
        &mut self,
        object: ObjectHandle,
        kind: u64,
    ) -> Result<Option<Zeroizing<Vec<u8>>>, CallError> {
        let read = self.attributes(object, &[kind])?;
        Ok(read.get(kind).map(|value| Zeroizing::new(value.to_vec())))
    }

    /// A template in a template: its length is known; its types and lengths are asked for, then its values (PKCS#11 v3.1 §5.7.5).
    fn nested(
        &mut self,
        object: ObjectHandle,
        outer: Wanted<'_>,
    ) -> Result<Option<Attributes>, CallError> {
        let count = outer.room.unwrap_or(0) / ATTRIBUTE_SIZE;
        if count == 0 || count > MOST_NESTED {
            return Ok(None);
        }
        let mut inner = vec![wanted(0, None); usize::try_from(count).unwrap_or(0)];
        for _ in 0..2 {
            let asked = [Wanted {
                nested: List::Items(&inner),
                ..outer
            }];
            let told = self.values(object, &asked, |values| match values.iter().next() {
                Some(AttributeValue::Nested(values)) => Some(values.iter().map(told).collect()),
                _ => None,
            })?;
            let Some(told): Option<Vec<(u64, Told)>> = told else {
                return Ok(None);
            };
            if told.iter().all(|(_, told)| matches!(told, Told::Value(_))) {
                let mut attributes = Attributes::new();
                for (kind, told) in &told {
                    if let Told::Value(value) = told {
                        attributes.set(*kind, value);
                    }
                }
                return Ok(Some(attributes));
            }
            for (wanted, (kind, told)) in inner.iter_mut().zip(told) {
                wanted.kind = kind;
                wanted.room = match told {
                    Told::Length(length) => Some(length),
                    Told::Value(value) => Some(value.len() as u64),
                    Told::Nothing => return Ok(None),
                };
            }
        }
        Ok(None)
    }

    fn values<T>(
        &mut self,
        object: ObjectHandle,
        wanted: &[Wanted<'_>],
        read: impl FnOnce(List<'_, AttributeValue<'_>>) -> T,
    ) -> Result<T, CallError> {
        let function = Function::GetAttributeValue;
        let session = self.session();
        let wanted = List::Items(wanted);
        let mut output = Zeroizing::new(vec![0; wire::attribute_values_size(wanted)]);
        let request = Request::AttributeValues {
            session,
            object,
            wanted,
        };
        let (rv, body) = self.ask(function, &request, &mut output)?;
        let partial = matches!(
            rv,
            ckr::OK
                | ckr::ATTRIBUTE_TYPE_INVALID
                | ckr::ATTRIBUTE_SENSITIVE
                | ckr::BUFFER_TOO_SMALL
        );
        if !partial || !matches!(body, Body::Written(_)) {
            return Err(CallError::Code { function, rv });
        }
        let values = output.get(..written(body)).unwrap_or_default();
        let values =
            wire::decode_attribute_values(values).map_err(|_| CallError::garbled(function))?;
        Ok(read(values))
    }
}

/// What is said of one attribute of a nested template.
enum Told {
    Nothing,
    Length(u64),
    Value(Zeroizing<Vec<u8>>),
}

fn told(nested: NestedValue<'_>) -> (u64, Told) {
    let told = match nested.value {
        AttributeValue::Bytes(Bytes(value)) => Told::Value(Zeroizing::new(value.to_vec())),
        AttributeValue::Length(length) if length <= LONGEST => Told::Length(length),
        AttributeValue::Length(_) | AttributeValue::Unavailable | AttributeValue::Nested(_) => {
            Told::Nothing
        }
    };
    (nested.kind, told)
}

fn length(value: AttributeValue<'_>) -> Option<u64> {
    match value {
        AttributeValue::Length(length) if length <= LONGEST => Some(length),
        _ => None,
    }
}

const fn wanted(kind: u64, room: Option<u64>) -> Wanted<'static> {
    Wanted {
        kind,
        room,
        nested: List::EMPTY,
    }
}

#[cfg(test)]
mod tests;
