//! Entries about objects.

use cryptoki_sys::*;
use everslot_core::ckr;
use everslot_protocol::{Body, ObjectHandle, Request};

use super::failure::{Done, Failure};
use super::names::{ATTRIBUTES, attribute, parsed, value};
use super::{Console, input};
use crate::domain::{Attributes, Content};

/// Larger files are not read into memory for an object's value, bytes.
const VALUE: u64 = 1 << 20;

impl Console {
    /// An object by its handle, its label, or a full stop for the last one; by the latter two only one of these classes, any if there is
    /// none.
    pub(super) fn object(
        &mut self,
        prompt: &str,
        classes: &[u64],
    ) -> Result<ObjectHandle, Failure> {
        self.session()?;
        let text = self.input.text(prompt)?;
        if let Some(handle) = input::number(&text) {
            return Ok(ObjectHandle(handle));
        }
        let found = if text == "." {
            self.last.clone()
        } else {
            let labelled = Attributes::new().bytes(CKA_LABEL, text.as_bytes());
            self.token()?.find(&labelled)?
        };
        for object in found.into_iter().rev() {
            if classes.is_empty()
                || self
                    .class(object)
                    .is_some_and(|class| classes.contains(&class))
            {
                return Ok(object);
            }
        }
        Err(Failure::Code(ckr::OBJECT_HANDLE_INVALID))
    }

    fn class(&mut self, object: ObjectHandle) -> Option<u64> {
        let class = self.token().ok()?.attributes(object, &[CKA_CLASS]).ok()?;
        class.integer(CKA_CLASS)
    }

    /// Says which object was made, and keeps it for the full stop.
    pub(super) fn made(&mut self, object: ObjectHandle) -> Done {
        self.last.push(object);
        self.line(&format!("Object handle: {}", object.0))
    }

    /// Of an object that is to be made: `CKA_LABEL`, `CKA_TOKEN`, and `CKA_PRIVATE` as the token has it.
    pub(super) fn labelled(&mut self) -> Result<Attributes, Failure> {
        self.session()?;
        let label = self.input.text("Label: ")?;
        let stays = self.input.yes("Token object (1 = yes, 0 = no)? ")?;
        Ok(Attributes::new()
            .bytes(CKA_LABEL, label.as_bytes())
            .flags(&[CKA_TOKEN], stays))
    }

    /// (20)
    pub(super) fn create_object(&mut self) -> Done {
        let attributes = self.labelled()?;
        self.line("[1] Data from a file  [2] Certificate from a file in DER")?;
        let kind = self.input.number("Kind: ")?;
        let path = self.input.path("File: ")?;
        let content = read_value(&path)?;
        let attributes = match kind {
            1 => attributes.number(CKA_CLASS, CKO_DATA),
            2 => certificate(attributes, &content)?,
            _ => return Err(Failure::said("there is no such kind")),
        };
        let object = self
            .token()?
            .create(&attributes.bytes(CKA_VALUE, &content))?;
        self.made(object)
    }

    /// (21)
    pub(super) fn copy_object(&mut self) -> Done {
        let object = self.object("Object to copy: ", &[])?;
        let changes = self.labelled()?;
        let copy = self.token()?.copy(object, &changes)?;
        self.made(copy)
    }

    /// (22)
    pub(super) fn destroy_object(&mut self) -> Done {
        let object = self.object("Object to destroy: ", &[])?;
        self.token()?.destroy(object)?;
        self.last.retain(|last| *last != object);
        Ok(())
    }

    /// (23)
    pub(super) fn object_size(&mut self) -> Done {
        let object = self.object("Object: ", &[])?;
        let session = self.session()?.handle;
        match self.ask(&Request::ObjectSize { session, object }, &mut [])? {
            Body::Length(CK_UNAVAILABLE_INFORMATION) => self.line("Size: the token does not tell"),
            Body::Length(size) => self.line(&format!("Size: {size} bytes")),
            _ => Err(Failure::Code(ckr::DEVICE_ERROR)),
        }
    }

    fn attribute_kind(&mut self) -> Result<(u64, super::names::Shape), Failure> {
        let names = ATTRIBUTES.iter().map(|named| named.name.to_owned());
        let text = self.input.word("Attribute (tab shows them): ", names)?;
        attribute(&text).ok_or(Failure::Code(ckr::ATTRIBUTE_TYPE_INVALID))
    }

    /// (24)
    pub(super) fn show_attribute(&mut self) -> Done {
        let object = self.object("Object: ", &[])?;
        let (kind, _) = self.attribute_kind()?;
        let shown = self.token()?.attribute(object, kind)?;
        // The token has looked for it and does not show it.
        let shown = shown.ok_or(Failure::Code(ckr::ATTRIBUTE_SENSITIVE))?;
        self.line(&format!("Value: {}", value(kind, &shown)))
    }

    /// (25)
    pub(super) fn set_attribute(&mut self) -> Done {
        let object = self.object("Object: ", &[])?;
        let (kind, shape) = self.attribute_kind()?;
        let text = self.input.text("New value: ")?;
        let new = parsed(shape, &text).ok_or(Failure::Code(ckr::ATTRIBUTE_VALUE_INVALID))?;
        let change = Attributes::new().bytes(kind, &new);
        self.token()?.set(object, &change)?;
        Ok(())
    }

    /// (26): all objects, or those with a label.
    pub(super) fn find_objects(&mut self) -> Done {
        self.session()?;
        let label = self.input.text("Label (empty for all objects): ")?;
        let wanted = match label.as_str() {
            "" => Attributes::new(),
            label => Attributes::new().bytes(CKA_LABEL, label.as_bytes()),
        };
        let found = self.token()?.find(&wanted)?;
        self.line(&format!("{} objects found", found.len()))?;
        for object in &found {
            let shown = [CKA_CLASS, CKA_KEY_TYPE, CKA_LABEL];
            let attributes = self.token()?.attributes(*object, &shown)?;
            let words = shown
                .iter()
                .filter_map(|kind| Some(value(*kind, attributes.get(*kind)?)));
            let words: Vec<_> = words.collect();
            self.line(&format!("  handle {} - {}", object.0, words.join(", ")))?;
        }
        self.last = found;
        Ok(())
    }

    /// (27)
    pub(super) fn display_object(&mut self) -> Done {
        let object = self.object("Object: ", &[])?;
        let kinds: Vec<_> = ATTRIBUTES.iter().map(|named| named.kind).collect();
        let attributes = self.token()?.attributes(object, &kinds)?;
        for named in ATTRIBUTES {
            if let Some(Content::Bytes(bytes)) = attributes.content(named.kind) {
                self.line(&format!(
                    "  {:<24} {}",
                    named.name,
                    value(named.kind, bytes)
                ))?;
            }
        }
        Ok(())
    }

    /// (65): secret keys whose values are known, to compare with other implementations.
    pub(super) fn create_known_keys(&mut self) -> Done {
        let uses = [
            CKA_ENCRYPT,
            CKA_DECRYPT,
            CKA_WRAP,
            CKA_UNWRAP,
            CKA_EXTRACTABLE,
        ];
        for (length, label) in [(16_u8, "known AES-128"), (32, "known AES-256")] {
            let known: Vec<u8> = (0..length).collect();
            let attributes = Attributes::new()
                .number(CKA_CLASS, CKO_SECRET_KEY)
                .number(CKA_KEY_TYPE, CKK_AES)
                .bytes(CKA_LABEL, label.as_bytes())
                .flags(&uses, true)
                .flags(&[CKA_TOKEN, CKA_SENSITIVE], false)
                .bytes(CKA_VALUE, &known);
            let object = self.token()?.create(&attributes)?;
            self.made(object)?;
        }
        Ok(())
    }
}

/// The attributes that a certificate must have beside its value (PKCS#11 v3.1 §4.6.3).
fn certificate(attributes: Attributes, der: &[u8]) -> Result<Attributes, Failure> {
    let subject = subject(der).ok_or_else(|| Failure::said("that is no certificate in DER"))?;
    Ok(attributes
        .number(CKA_CLASS, CKO_CERTIFICATE)
        .number(CKA_CERTIFICATE_TYPE, CKC_X_509)
        .bytes(CKA_SUBJECT, subject))
}

/// The subject of an X.509 certificate, in DER (RFC 5280 §4.1).
fn subject(der: &[u8]) -> Option<&[u8]> {
    const SEQUENCE: u8 = 0x30;
    const VERSION: u8 = 0xa0;
    let certificate = element(der).filter(|part| part.tag == SEQUENCE)?;
    let mut rest = element(certificate.content)?.content;
    if element(rest)?.tag == VERSION {
        rest = element(rest)?.rest;
    }
    // Serial number, signature algorithm, issuer, validity.
    for _ in 0..4 {
        rest = element(rest)?.rest;
    }
    let subject = element(rest).filter(|part| part.tag == SEQUENCE)?;
    rest.get(..rest.len() - subject.rest.len())
}

/// A part of a DER encoding.
struct Element<'d> {
    tag: u8,
    content: &'d [u8],
    rest: &'d [u8],
}

fn element(der: &[u8]) -> Option<Element<'_>> {
    let (tag, after) = der.split_first()?;
    let (first, after) = after.split_first()?;
    let (length, after) = match first {
        0..0x80 => (usize::from(*first), after),
        first => {
            let (length, after) = after.split_at_checked(usize::from(first & 0x7f))?;
            let length = length.iter().try_fold(0_usize, |sum, byte| {
                sum.checked_mul(256)?.checked_add(usize::from(*byte))
            });
            (length?, after)
        }
    };
    let (content, rest) = after.split_at_checked(length)?;
    Some(Element {
        tag: *tag,
        content,
        rest,
    })
}

fn read_value(path: &str) -> Result<Vec<u8>, Failure> {
    let length = std::fs::metadata(path).map_err(|error| Failure::file(path, &error))?;
    if length.len() > VALUE {
        return Err(Failure::said(format!("{path} is longer than 1 MiB")));
    }
    std::fs::read(path).map_err(|error| Failure::file(path, &error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificates_subject_is_found_and_nonsense_is_not_one() {
        // version, serial, algorithm, issuer, validity, subject; then nothing.
        let parts: [&[u8]; 6] = [
            &[0xa0, 3, 2, 1, 2],
            &[2, 1, 7],
            &[0x30, 0],
            &[0x30, 1, 1],
            &[0x30, 0],
            &[0x30, 2, 8, 9],
        ];
        let encoded = |parts: &[&[u8]]| {
            let body = parts.concat();
            let length = body.len() as u8;
            [vec![0x30, 0x81, length + 2, 0x30, length], body].concat()
        };
        assert_eq!(subject(&encoded(&parts)), Some(&[0x30, 2, 8, 9][..]));
        assert_eq!(subject(&encoded(&parts[1..])), Some(&[0x30, 2, 8, 9][..]));
        for nonsense in [
            &b""[..],
            b"text",
            &[0x30, 0x88, 255, 255, 255, 255, 255, 255, 255, 255],
        ] {
            assert_eq!(subject(nonsense), None);
        }
    }
}
