//! What a message has beside its data: from an application's structure to a value, and from this to a member's; and back to the
//! application what the member has put into it.

use std::ffi::c_void;
use std::ptr;

use cryptoki_sys::{
    CK_CCM_MESSAGE_PARAMS, CK_GCM_MESSAGE_PARAMS, CK_SALSA20_CHACHA20_POLY1305_MSG_PARAMS,
    CKM_AES_CCM, CKM_AES_GCM, CKM_CHACHA20_POLY1305, CKM_SALSA20_POLY1305, CKR_ARGUMENTS_BAD,
    CKR_MECHANISM_PARAM_INVALID,
};
use everslot_protocol::{
    Aead, AeadForm, Body, Bytes, MADE_IV_MAX, MessageOperation, MessageParameter, Reply, Rv,
    Sealed, TAG_MAX, Tag,
};

use super::shape::nonce_size;
use crate::module::Scratch;
use crate::module::memory::{ApplicationMemory, Unreadable, WORD, word};

/// Where the words of an AEAD's structure stand, in words; those that a structure does not have are `None`.
struct Layout {
    size: usize,
    data_length: Option<usize>,
    iv: usize,
    fixed_bits: Option<usize>,
    tag: usize,
    tag_length: Option<usize>,
}

/// The length follows the IV's address, the generator the number of fixed bits.
const fn layout(form: AeadForm) -> Layout {
    match form {
        AeadForm::Gcm => Layout {
            size: size_of::<CK_GCM_MESSAGE_PARAMS>(),
            data_length: None,
            iv: 0,
            fixed_bits: Some(2),
            tag: 4,
            tag_length: Some(5),
        },
        AeadForm::Ccm { .. } => Layout {
            size: size_of::<CK_CCM_MESSAGE_PARAMS>(),
            data_length: Some(0),
            iv: 1,
            fixed_bits: Some(3),
            tag: 5,
            tag_length: Some(6),
        },
        AeadForm::Poly1305 => Layout {
            size: size_of::<CK_SALSA20_CHACHA20_POLY1305_MSG_PARAMS>(),
            data_length: None,
            iv: 0,
            fixed_bits: None,
            tag: 2,
            tag_length: None,
        },
    }
}

/// The structure of a message of this mechanism, if it has one with addresses in it.
const fn form_of(mechanism: u64) -> Option<AeadForm> {
    match mechanism {
        CKM_AES_GCM => Some(AeadForm::Gcm),
        CKM_AES_CCM => Some(AeadForm::Ccm { data_length: 0 }),
        CKM_CHACHA20_POLY1305 | CKM_SALSA20_POLY1305 => Some(AeadForm::Poly1305),
        _ => None,
    }
}

/// Reads the parameter of a message; IV and tag are copied.
///
/// # Errors
/// `CKR_ARGUMENTS_BAD`: a null address with a length, or a length that no memory has. `CKR_MECHANISM_PARAM_INVALID`: not the structure
/// of the mechanism, or what is in it cannot be; an IV to be made that is longer than [`MADE_IV_MAX`], a tag longer than [`TAG_MAX`].
///
/// # Safety
/// `parameter` is null or points at `length` bytes whose addresses are, for as long as `scratch` is borrowed, null or valid for reads of
/// the lengths beside them, and nobody writes there.
pub unsafe fn read_message_parameter<'a>(
    (mechanism, operation): (u64, MessageOperation),
    (parameter, length): (*const c_void, u64),
    scratch: &'a Scratch,
) -> Result<MessageParameter<'a>, Rv> {
    // SAFETY: promised by the caller.
    let memory = unsafe { ApplicationMemory::<'a>::new() };
    let bytes = memory
        .bytes(parameter.expose_provenance() as u64, length)
        .map_err(|Unreadable| Rv(CKR_ARGUMENTS_BAD))?
        .unwrap_or_default();
    match form_of(mechanism) {
        _ if bytes.is_empty() => Ok(MessageParameter::None),
        None => Ok(MessageParameter::Flat(Bytes(bytes))),
        Some(form) => read_aead(memory, form, operation, bytes, scratch)
            .map(MessageParameter::Aead)
            .map_err(|Unreadable| Rv(CKR_MECHANISM_PARAM_INVALID)),
    }
}

fn read_aead<'a>(
    memory: ApplicationMemory<'a>,
    form: AeadForm,
    operation: MessageOperation,
    bytes: &'a [u8],
    scratch: &'a Scratch,
) -> Result<Aead<'a>, Unreadable> {
    let places = layout(form);
    if bytes.len() != places.size {
        return Err(Unreadable);
    }
    let at = |index: usize| word(bytes, index * WORD).ok_or(Unreadable);
    let optional = |index: Option<usize>| index.map_or(Ok(0), at);
    let form = match form {
        AeadForm::Gcm | AeadForm::Poly1305 => form,
        AeadForm::Ccm { .. } => AeadForm::Ccm {
            data_length: optional(places.data_length)?,
        },
    };
    let mut aead = Aead {
        form,
        iv: Bytes(&[]),
        iv_length: at(places.iv + 1)?,
        fixed_bits: optional(places.fixed_bits)?,
        generator: optional(places.fixed_bits.map(|fixed_bits| fixed_bits + 1))?,
        tag: Tag::Null,
        tag_length: optional(places.tag_length)?,
    };
    let encrypts = operation == MessageOperation::Encrypt;
    let iv = memory
        .bytes(at(places.iv)?, iv_size(&aead))?
        .unwrap_or_default();
    let tag = (at(places.tag)?, aead.tag_size());
    if tag.1 > TAG_MAX as u64 || (aead.makes_iv() && iv.len() > MADE_IV_MAX) {
        return Err(Unreadable);
    }
    // Both are copied: the member's IV is written where this one stands, and a tag often lies in the output's buffer.
    aead.iv = Bytes(scratch.bump().alloc_slice_copy(iv));
    aead.tag = match tag {
        (0, _) => Tag::Null,
        (_, _) if encrypts => Tag::Room,
        (address, size) => {
            let tag = memory.bytes(address, size)?.unwrap_or_default();
            Tag::Given(Bytes(scratch.bump().alloc_slice_copy(tag)))
        }
    };
    Ok(aead)
}

/// The IV's length in bytes.
const fn iv_size(aead: &Aead<'_>) -> u64 {
    match aead.form {
        AeadForm::Poly1305 => nonce_size(aead.iv_length),
        AeadForm::Gcm | AeadForm::Ccm { .. } => aead.iv_length,
    }
}

/// Puts what the member has made where the application has room for it.
///
/// # Errors
/// `CKR_MECHANISM_PARAM_INVALID`: the structure is not what it was when it was read.
///
/// # Safety
/// As [`read_message_parameter`], and what the structure has room for is valid for writes.
pub unsafe fn write_message_parameter(
    mechanism: u64,
    (parameter, length): (*const c_void, u64),
    sealed: &Sealed,
) -> Result<(), Rv> {
    // SAFETY: promised by the caller.
    let memory = unsafe { ApplicationMemory::new() };
    let Some(form) = form_of(mechanism) else {
        return Ok(());
    };
    let places = layout(form);
    let written = || {
        let bytes = memory.bytes(parameter.expose_provenance() as u64, length)?;
        let at = |index: usize| word(bytes.unwrap_or_default(), index * WORD).ok_or(Unreadable);
        for (place, made) in [(places.iv, sealed.iv()), (places.tag, sealed.tag())] {
            if !made.is_empty() {
                memory.write(at(place)?, made)?;
            }
        }
        Ok(())
    };
    written().map_err(|Unreadable| Rv(CKR_MECHANISM_PARAM_INVALID))
}

/// Whether `parameter` means the same in another process. Of flat bytes this is not known.
#[must_use]
pub fn message_crosses_process_border(parameter: &MessageParameter<'_>) -> bool {
    match parameter {
        MessageParameter::None | MessageParameter::Aead(_) => true,
        MessageParameter::Flat(bytes) => bytes.is_empty(),
    }
}

/// A message's parameter in its C form; every address in it is good for `'a`.
pub(in crate::module) enum CMessageParameter<'a> {
    Flat(&'a [u8]),
    Gcm(CK_GCM_MESSAGE_PARAMS),
    Ccm(CK_CCM_MESSAGE_PARAMS),
    Poly1305(CK_SALSA20_CHACHA20_POLY1305_MSG_PARAMS),
}

/// What the member's IV and tag are put into.
#[derive(Default)]
struct Made {
    iv: [u8; MADE_IV_MAX],
    tag: [u8; TAG_MAX],
}

impl CMessageParameter<'_> {
    /// Calls with the C form of `parameter` and adds to the reply what the member has put into it: an IV that it makes, and the tag where
    /// `ends` says that the call ends an encryption.
    ///
    /// An AEAD's lengths that do not agree with its bytes are answered with `CKR_MECHANISM_PARAM_INVALID`.
    pub(in crate::module) fn with(
        parameter: &MessageParameter<'_>,
        ends: bool,
        call: impl FnOnce(&mut CMessageParameter<'_>) -> Reply,
    ) -> Reply {
        let aead = match parameter {
            MessageParameter::None => return call(&mut CMessageParameter::Flat(&[])),
            MessageParameter::Flat(bytes) => return call(&mut CMessageParameter::Flat(bytes)),
            MessageParameter::Aead(aead) => aead,
        };
        let mut made = Made::default();
        let Some(mut c) = made.in_c(aead) else {
            return Reply {
                rv: Rv(CKR_MECHANISM_PARAM_INVALID),
                body: Body::Empty,
            };
        };
        let reply = call(&mut c);
        let written = match (reply.rv, reply.body) {
            (Rv::OK, Body::Written(written)) => written,
            (Rv::OK, Body::Empty) => 0,
            (_, _) => return reply,
        };
        let iv = &made.iv[..if aead.makes_iv() { aead.iv.len() } else { 0 }];
        let tag = match aead.tag {
            Tag::Room if ends => &made.tag[..usize::try_from(aead.tag_size()).unwrap_or(0)],
            Tag::Room | Tag::Null | Tag::Given(_) => &[],
        };
        let body = Body::Sealed(Sealed::new(written, iv, tag));
        Reply { body, ..reply }
    }

    /// The two arguments that C passes it in.
    pub(in crate::module) const fn as_argument(&mut self) -> (*mut c_void, u64) {
        match self {
            Self::Flat([]) => (ptr::null_mut(), 0),
            Self::Flat(bytes) => (bytes.as_ptr().cast_mut().cast(), bytes.len() as u64),
            Self::Gcm(c) => (ptr::from_mut(c).cast(), size_of_val(c) as u64),
            Self::Ccm(c) => (ptr::from_mut(c).cast(), size_of_val(c) as u64),
            Self::Poly1305(c) => (ptr::from_mut(c).cast(), size_of_val(c) as u64),
        }
    }
}

impl Made {
    /// The structure of `aead`, its outputs being here. `None` when its lengths are not those of its bytes.
    fn in_c<'a>(&mut self, aead: &Aead<'a>) -> Option<CMessageParameter<'a>> {
        let given = match aead.tag {
            Tag::Given(tag) => tag.len() as u64,
            Tag::Null | Tag::Room => aead.tag_size(),
        };
        let sizes_agree = iv_size(aead) == aead.iv.len() as u64 && given == aead.tag_size();
        if !sizes_agree || given > TAG_MAX as u64 {
            return None;
        }
        let iv = if aead.makes_iv() {
            self.iv.get_mut(..aead.iv.len())?.copy_from_slice(&aead.iv);
            self.iv.as_mut_ptr()
        } else if aead.iv.is_empty() {
            ptr::null_mut()
        } else {
            aead.iv.as_ptr().cast_mut()
        };
        let tag = match aead.tag {
            Tag::Null => ptr::null_mut(),
            Tag::Room => self.tag.as_mut_ptr(),
            Tag::Given(tag) => tag.as_ptr().cast_mut(),
        };
        Some(match aead.form {
            AeadForm::Gcm => CMessageParameter::Gcm(CK_GCM_MESSAGE_PARAMS {
                pIv: iv,
                ulIvLen: aead.iv_length,
                ulIvFixedBits: aead.fixed_bits,
                ivGenerator: aead.generator,
                pTag: tag,
                ulTagBits: aead.tag_length,
            }),
            AeadForm::Ccm { data_length } => CMessageParameter::Ccm(CK_CCM_MESSAGE_PARAMS {
                ulDataLen: data_length,
                pNonce: iv,
                ulNonceLen: aead.iv_length,
                ulNonceFixedBits: aead.fixed_bits,
                nonceGenerator: aead.generator,
                pMAC: tag,
                ulMACLen: aead.tag_length,
            }),
            AeadForm::Poly1305 => {
                CMessageParameter::Poly1305(CK_SALSA20_CHACHA20_POLY1305_MSG_PARAMS {
                    pNonce: iv,
                    ulNonceLen: aead.iv_length,
                    pTag: tag,
                })
            }
        })
    }
}
