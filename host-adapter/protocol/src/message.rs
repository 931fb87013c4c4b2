use serde::{Deserialize, Serialize};

use crate::{Bytes, Mechanism, ObjectHandle, Request, Room};

/// What a `C_Message*Init` begins and a `C_Message*Final` ends (PKCS#11 v3.1 §5.9, §5.11, §5.14, §5.16).
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
pub enum MessageOperation {
    /// `C_MessageEncryptInit` … `C_MessageEncryptFinal`
    Encrypt,
    /// `C_MessageDecryptInit` … `C_MessageDecryptFinal`
    Decrypt,
    /// `C_MessageSignInit` … `C_MessageSignFinal`
    Sign,
    /// `C_MessageVerifyInit` … `C_MessageVerifyFinal`
    Verify,
}

/// One call of a message-based operation.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
#[serde(bound(deserialize = "'de: 'a"))]
#[expect(missing_docs, reason = "a field is the C argument of that name")]
pub enum MessageCall<'a> {
    /// `C_MessageEncryptInit` and its kin.
    Init {
        mechanism: Mechanism<'a>,
        key: ObjectHandle,
    },
    /// `C_EncryptMessage`, `C_DecryptMessage`, `C_SignMessage`; a signature has no associated data.
    Whole {
        parameter: MessageParameter<'a>,
        associated: Bytes<'a>,
        data: Bytes<'a>,
        room: Room,
    },
    /// `C_VerifyMessage`
    Verify {
        parameter: MessageParameter<'a>,
        data: Bytes<'a>,
        signature: Bytes<'a>,
    },
    /// `C_EncryptMessageBegin` and its kin; a signature has no associated data.
    Begin {
        parameter: MessageParameter<'a>,
        associated: Bytes<'a>,
    },
    /// `C_EncryptMessageNext`, `C_DecryptMessageNext`, `C_SignMessageNext`. The last part of a signed message is the one with a
    /// length for the signature; any other has neither a buffer nor a length, whatever `room` says.
    Next {
        parameter: MessageParameter<'a>,
        data: Bytes<'a>,
        room: Room,
        last: bool,
    },
    /// `C_VerifyMessageNext`; the part with the signature is the last.
    VerifyNext {
        parameter: MessageParameter<'a>,
        data: Bytes<'a>,
        signature: Option<Bytes<'a>>,
    },
    /// `C_MessageEncryptFinal` and its kin.
    Final,
}

impl<'a> MessageCall<'a> {
    /// What the message has beside its data, if the call is about one.
    #[must_use]
    pub const fn parameter(&self) -> Option<&MessageParameter<'a>> {
        match self {
            Self::Init { .. } | Self::Final => None,
            Self::Whole { parameter, .. }
            | Self::Verify { parameter, .. }
            | Self::Begin { parameter, .. }
            | Self::Next { parameter, .. }
            | Self::VerifyNext { parameter, .. } => Some(parameter),
        }
    }
}

/// What a message has beside its data (`pParameter` of `C_EncryptMessage` and its kin).
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
#[serde(bound(deserialize = "'de: 'a"))]
pub enum MessageParameter<'a> {
    /// A null parameter.
    None,
    /// Bytes without any pointer in them.
    Flat(Bytes<'a>),
    /// That of a cipher which authenticates; what the member puts into it comes back in [`Sealed`].
    Aead(Aead<'a>),
}

/// `CK_GCM_MESSAGE_PARAMS`, `CK_CCM_MESSAGE_PARAMS` or `CK_SALSA20_CHACHA20_POLY1305_MSG_PARAMS`.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
#[serde(bound(deserialize = "'de: 'a"))]
pub struct Aead<'a> {
    /// Which of them.
    pub form: AeadForm,
    /// `pIv`, `pNonce`; where the member makes it, what stands there before.
    pub iv: Bytes<'a>,
    /// `ulIvLen`, `ulNonceLen` as the structure has it, which may be in bits.
    pub iv_length: u64,
    /// `ulIvFixedBits`, `ulNonceFixedBits`
    pub fixed_bits: u64,
    /// `CKG_…`: who makes the IV.
    pub generator: u64,
    /// `pTag`, `pMAC`
    pub tag: Tag<'a>,
    /// `ulTagBits`, `ulMACLen` as the structure has it; 0 where it has none.
    pub tag_length: u64,
}

/// Which structure an [`Aead`] is.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub enum AeadForm {
    /// `CK_GCM_MESSAGE_PARAMS`
    Gcm,
    /// `CK_CCM_MESSAGE_PARAMS`
    Ccm {
        /// `ulDataLen`
        data_length: u64,
    },
    /// `CK_SALSA20_CHACHA20_POLY1305_MSG_PARAMS`
    Poly1305,
}

/// Where an authentication tag is.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
#[serde(bound(deserialize = "'de: 'a"))]
pub enum Tag<'a> {
    /// A null pointer.
    Null,
    /// There is room for it: the member puts it out.
    Room,
    /// The member checks it.
    Given(Bytes<'a>),
}

/// The longest IV, in bytes, that a member can be asked to make.
pub const MADE_IV_MAX: usize = 32;

/// The longest authentication tag, in bytes.
pub const TAG_MAX: usize = 16;

impl Aead<'_> {
    /// Whether the member makes the IV or a part of it (`CKG_NO_GENERATE` is 0).
    #[must_use]
    pub const fn makes_iv(&self) -> bool {
        self.generator != 0
    }

    /// The tag's length in bytes.
    #[must_use]
    pub const fn tag_size(&self) -> u64 {
        match self.form {
            AeadForm::Gcm => self.tag_length.div_ceil(8),
            AeadForm::Ccm { .. } => self.tag_length,
            AeadForm::Poly1305 => TAG_MAX as u64,
        }
    }
}

/// What a member has put into a parameter beside its output: the IV that it made, the authentication tag.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Sealed {
    /// So many bytes were written to the start of the output buffer.
    pub written: u64,
    iv_length: u8,
    iv: [u8; MADE_IV_MAX],
    tag_length: u8,
    tag: [u8; TAG_MAX],
}

impl Sealed {
    /// What a member has made. An IV longer than [`MADE_IV_MAX`] or a tag longer than [`TAG_MAX`] counts as none.
    #[must_use]
    pub fn new(written: u64, iv: &[u8], tag: &[u8]) -> Self {
        let mut sealed = Self {
            written,
            ..Self::default()
        };
        sealed.iv_length = fill(&mut sealed.iv, iv);
        sealed.tag_length = fill(&mut sealed.tag, tag);
        sealed
    }

    /// The IV that the member made; empty where it was the caller's.
    #[must_use]
    pub fn iv(&self) -> &[u8] {
        self.iv.get(..self.iv_length.into()).unwrap_or_default()
    }

    /// The tag that the member put out; empty where it put none out.
    #[must_use]
    pub fn tag(&self) -> &[u8] {
        self.tag.get(..self.tag_length.into()).unwrap_or_default()
    }
}

/// Puts `bytes` at the start of `place` if they fit, and says how many they are.
fn fill(place: &mut [u8], bytes: &[u8]) -> u8 {
    match place.get_mut(..bytes.len()) {
        Some(start) => {
            start.copy_from_slice(bytes);
            u8::try_from(bytes.len()).unwrap_or(0)
        }
        None => 0,
    }
}

/// One call of the operation that is given its signature first (PKCS#11 v3.2 §5.16, `C_VerifySignature*`).
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
#[serde(bound(deserialize = "'de: 'a"))]
#[expect(missing_docs, reason = "a field is the C argument of that name")]
pub enum SignatureCall<'a> {
    /// `C_VerifySignatureInit`
    Init {
        mechanism: Mechanism<'a>,
        key: ObjectHandle,
        signature: Bytes<'a>,
    },
    /// `C_VerifySignature`
    Whole { data: Bytes<'a> },
    /// `C_VerifySignatureUpdate`
    Update { data: Bytes<'a> },
    /// `C_VerifySignatureFinal`
    Final,
}

impl<'a> Request<'a> {
    /// The message's parameter, if it is a call about a message.
    #[must_use]
    pub const fn message_parameter(&self) -> Option<&MessageParameter<'a>> {
        if let Self::Message { call, .. } = self {
            call.parameter()
        } else {
            None
        }
    }
}
