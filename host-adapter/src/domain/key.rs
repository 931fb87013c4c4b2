//! The domain key: one AES-256 key on every member of a group, under which keys go from member to member.
//!
//! It is made on one member, as a session object that lives for a moment, and travels to every member, that one included, by RSA-OAEP: the
//! receiver makes a temporary RSA pair, the maker gets its public half. So each member's lasting key is one that was unwrapped as
//! unextractable, and the key is nowhere in the clear.

use cryptoki_sys as ck;
use everslot_protocol::{Bytes, Field, List, Mechanism, ObjectHandle, Parameter};
use sha2::{Digest, Sha256};

use super::attributes::Attributes;
use super::call::CallError;
use super::token::Token;
use super::trust::{Pins, as_officer, make_private};

/// Bits of the temporary RSA pair: as strong as the 128-bit level asks (NIST SP 800-57), and all that hardware tokens commonly do.
const RSA_BITS: u64 = 3072;
/// 65537, the exponent that every token takes.
const EXPONENT: &[u8] = &[1, 0, 1];
/// Bytes of the domain key.
const LENGTH: u64 = 32;
/// `CKG_MGF1_SHA1` with SHA-1: the only one that SoftHSM has.
const OAEP: &[Field<'static>] = &[
    Field::Integer(ck::CKM_SHA_1),
    Field::Integer(ck::CKG_MGF1_SHA1),
    Field::Integer(ck::CKZ_DATA_SPECIFIED),
    Field::Pointer(None::<Bytes<'static>>),
];

/// How a group's domain key is called on its members.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct KeyName {
    label: String,
    id: [u8; 16],
}

impl KeyName {
    /// The name for the group with this serial, which never changes with the members.
    #[must_use]
    pub fn of_group(serial: &str) -> Self {
        let hash = Sha256::new()
            .chain_update("everslot domain key\0")
            .chain_update(serial)
            .finalize();
        let mut id = [0; 16];
        id.copy_from_slice(hash.get(..16).unwrap_or(&[0; 16]));
        Self {
            label: format!("everslot domain key {serial}"),
            id,
        }
    }

    /// Whether an object with these attributes is the domain key: it is the group's own, and no object of the application's.
    #[must_use]
    pub fn is(&self, attributes: &Attributes) -> bool {
        let class = attributes.integer(ck::CKA_CLASS).unwrap_or(u64::MAX);
        self.names(class, attributes.get(ck::CKA_ID).unwrap_or_default())
    }

    /// Whether an object of this class and `CKA_ID` is the domain key.
    #[must_use]
    pub fn names(&self, class: u64, id: &[u8]) -> bool {
        class == ck::CKO_SECRET_KEY && id == self.id
    }

    /// The domain keys on a member: one, unless something went wrong.
    ///
    /// # Errors
    /// The member gives no answer, or refuses.
    pub fn find(&self, token: &mut Token<'_>) -> Result<Vec<ObjectHandle>, CallError> {
        let wanted = Attributes::new()
            .number(ck::CKA_CLASS, ck::CKO_SECRET_KEY)
            .bytes(ck::CKA_ID, &self.id)
            .flags(&[ck::CKA_TOKEN], true);
        token.find(&wanted)
    }

    fn template(&self, kept: Kept) -> Attributes {
        let template = Attributes::new()
            .number(ck::CKA_CLASS, ck::CKO_SECRET_KEY)
            .number(ck::CKA_KEY_TYPE, ck::CKK_AES)
            .bytes(ck::CKA_LABEL, self.label.as_bytes())
            .bytes(ck::CKA_ID, &self.id)
            .flags(
                &[
                    ck::CKA_TOKEN,
                    ck::CKA_SENSITIVE,
                    ck::CKA_WRAP,
                    ck::CKA_UNWRAP,
                ],
                true,
            )
            .flags(&[ck::CKA_DECRYPT, ck::CKA_SIGN, ck::CKA_VERIFY], false);
        let trusted: &[u64] = if kept.trusted {
            &[ck::CKA_TRUSTED]
        } else {
            &[]
        };
        template
            .flags(trusted, true)
            .flags(&[ck::CKA_PRIVATE], !kept.trusted)
            .flags(&[ck::CKA_EXTRACTABLE], kept.extractable)
            .flags(&[ck::CKA_ENCRYPT], kept.encrypts)
    }
}

/// How a member is to keep the domain key.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Kept {
    /// By the security officer, who sees no private object.
    trusted: bool,
    /// Only where the token will not have it otherwise.
    extractable: bool,
    /// Only where the token shows no check value, so that it can be computed. Encrypting alone opens nothing that was wrapped.
    encrypts: bool,
}

/// What a domain key that a member has received is like.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Received {
    /// The key.
    pub key: ObjectHandle,
    /// Whether the token insists that it may be wrapped.
    pub extractable: bool,
    /// Why the officer, whose PIN was at hand, could not have it trusted.
    pub untrusted: Option<CallError>,
}

/// A new domain key on its maker, until every member has received it.
pub struct Seed(ObjectHandle);

impl Seed {
    /// Makes a domain key.
    ///
    /// # Errors
    /// The member gives no answer, or refuses.
    pub fn make(maker: &mut Token<'_>) -> Result<Self, CallError> {
        let template = Attributes::new()
            .number(ck::CKA_CLASS, ck::CKO_SECRET_KEY)
            .number(ck::CKA_KEY_TYPE, ck::CKK_AES)
            .number(ck::CKA_VALUE_LEN, LENGTH)
            .flags(&[ck::CKA_SENSITIVE, ck::CKA_EXTRACTABLE], true)
            .flags(&[ck::CKA_TOKEN], false);
        maker.generate(ck::CKM_AES_KEY_GEN, &template).map(Self)
    }

    /// Wraps it for the one who made `invitation`.
    ///
    /// # Errors
    /// As for [`make`](Self::make).
    pub fn wrap(
        &self,
        maker: &mut Token<'_>,
        invitation: &Invitation,
    ) -> Result<Vec<u8>, CallError> {
        let template = Attributes::new()
            .number(ck::CKA_CLASS, ck::CKO_PUBLIC_KEY)
            .number(ck::CKA_KEY_TYPE, ck::CKK_RSA)
            .bytes(ck::CKA_MODULUS, &invitation.modulus)
            .bytes(ck::CKA_PUBLIC_EXPONENT, &invitation.exponent)
            .flags(&[ck::CKA_WRAP, ck::CKA_ENCRYPT], true)
            .flags(&[ck::CKA_TOKEN, ck::CKA_PRIVATE], false);
        let public = maker.create(&template)?;
        let wrapped = maker.wrap(oaep(), public, self.0);
        maker.destroy(public)?;
        wrapped
    }

    /// Ends its life on the maker.
    ///
    /// # Errors
    /// As for [`make`](Self::make); then it goes with the session.
    pub fn discard(self, maker: &mut Token<'_>) -> Result<(), CallError> {
        maker.destroy(self.0)
    }
}

/// A temporary RSA pair, by which a member receives the domain key.
pub struct Invitation {
    public: ObjectHandle,
    private: ObjectHandle,
    modulus: Vec<u8>,
    exponent: Vec<u8>,
}

impl Invitation {
    /// Makes the pair; one that is to be used by the officer is not `private`.
    ///
    /// # Errors
    /// The member gives no answer, or refuses.
    pub fn make(receiver: &mut Token<'_>, private: bool) -> Result<Self, CallError> {
        let public = Attributes::new()
            .number(ck::CKA_MODULUS_BITS, RSA_BITS)
            .bytes(ck::CKA_PUBLIC_EXPONENT, EXPONENT)
            .flags(&[ck::CKA_WRAP, ck::CKA_ENCRYPT], true)
            .flags(&[ck::CKA_TOKEN], false);
        let hidden = Attributes::new()
            .flags(&[ck::CKA_UNWRAP, ck::CKA_DECRYPT, ck::CKA_SENSITIVE], true)
            .flags(&[ck::CKA_PRIVATE], private)
            .flags(&[ck::CKA_TOKEN, ck::CKA_EXTRACTABLE], false);
        let (public, private) =
            receiver.generate_pair(ck::CKM_RSA_PKCS_KEY_PAIR_GEN, &public, &hidden)?;
        let shown = receiver.attributes(public, &[ck::CKA_MODULUS, ck::CKA_PUBLIC_EXPONENT])?;
        let value = |kind| shown.get(kind).map(<[u8]>::to_vec).unwrap_or_default();
        Ok(Self {
            public,
            private,
            modulus: value(ck::CKA_MODULUS),
            exponent: value(ck::CKA_PUBLIC_EXPONENT),
        })
    }

    /// Unwraps the domain key and ends the pair's life. With `pins` the officer has the key trusted; a token that will not have that gets
    /// the key all the same.
    ///
    /// # Errors
    /// The member gives no answer, or refuses.
    pub fn accept(
        self,
        receiver: &mut Token<'_>,
        wrapped: &[u8],
        name: &KeyName,
        pins: Option<Pins<'_>>,
    ) -> Result<Received, CallError> {
        let received = self.unwrap_best(receiver, wrapped, name, pins);
        // Session objects: what is not destroyed goes with the session.
        let _ = receiver.destroy(self.private);
        let _ = receiver.destroy(self.public);
        received
    }

    fn unwrap_best(
        &self,
        receiver: &mut Token<'_>,
        wrapped: &[u8],
        name: &KeyName,
        pins: Option<Pins<'_>>,
    ) -> Result<Received, CallError> {
        let Some(pins) = pins else {
            return self.unwrap(receiver, wrapped, name, false);
        };
        let trusted = as_officer(receiver, pins, |receiver| {
            self.unwrap(receiver, wrapped, name, true)
        });
        let trusted = trusted.and_then(|received| {
            let key = make_private(receiver, received.key)?;
            Ok(Received { key, ..received })
        });
        match trusted {
            Err(error) if error.is_refusal() => {
                let received = self.unwrap(receiver, wrapped, name, false)?;
                Ok(Received {
                    untrusted: Some(error),
                    ..received
                })
            }
            trusted => trusted,
        }
    }

    fn unwrap(
        &self,
        receiver: &mut Token<'_>,
        wrapped: &[u8],
        name: &KeyName,
        trusted: bool,
    ) -> Result<Received, CallError> {
        let mut kept = Kept {
            trusted,
            extractable: false,
            encrypts: false,
        };
        let unwrap = |receiver: &mut Token<'_>, kept| {
            receiver.unwrap(oaep(), self.private, wrapped, &name.template(kept))
        };
        let mut key = match unwrap(receiver, kept) {
            Err(error) if error.is_refusal() && !trusted => {
                kept.extractable = true;
                unwrap(receiver, kept)?
            }
            key => key?,
        };
        // kryoptic says that it has one, and that it is empty.
        let shown = receiver.attribute(key, ck::CKA_CHECK_VALUE)?;
        if shown.is_none_or(|value| value.is_empty()) {
            receiver.destroy(key)?;
            kept.encrypts = true;
            key = unwrap(receiver, kept)?;
        }
        Ok(Received {
            key,
            extractable: kept.extractable,
            untrusted: None,
        })
    }
}

const fn oaep() -> Mechanism<'static> {
    Mechanism {
        kind: ck::CKM_RSA_PKCS_OAEP,
        parameter: Parameter::Fields(List::Items(OAEP)),
    }
}
