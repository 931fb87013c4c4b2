//! A mechanism and its parameter, asked for.

use cryptoki_sys::*;
use everslot_core::ckr;
use everslot_protocol::{Bytes, Field, List, Mechanism, ObjectHandle, Parameter, Request, SlotId};
use secrecy::ExposeSecret;
use zeroize::Zeroizing;

use super::failure::Failure;
use super::{Console, input, names};

/// A mechanism with its parameter, kept until it is used.
pub(super) struct Chosen {
    pub(super) kind: u64,
    parameter: Kept,
}

enum Kept {
    None,
    Flat(Vec<u8>),
    Fields(Vec<KeptField>),
}

enum KeptField {
    Integer(u64),
    Pointer(Zeroizing<Vec<u8>>),
    Null,
}

impl Chosen {
    pub(super) const fn plain(kind: u64) -> Self {
        Self {
            kind,
            parameter: Kept::None,
        }
    }

    const fn flat(kind: u64, bytes: Vec<u8>) -> Self {
        Self {
            kind,
            parameter: Kept::Flat(bytes),
        }
    }

    const fn fields(kind: u64, fields: Vec<KeptField>) -> Self {
        Self {
            kind,
            parameter: Kept::Fields(fields),
        }
    }

    /// Gives `work` the mechanism as a request takes it.
    pub(super) fn with<T>(&self, work: impl FnOnce(Mechanism<'_>) -> T) -> T {
        let kind = self.kind;
        let fields: Vec<Field<'_>>;
        let parameter = match &self.parameter {
            Kept::None => Parameter::None,
            Kept::Flat(bytes) => Parameter::Flat(Bytes(bytes)),
            Kept::Fields(kept) => {
                fields = kept.iter().map(KeptField::field).collect();
                Parameter::Fields(List::Items(&fields))
            }
        };
        work(Mechanism { kind, parameter })
    }
}

impl KeptField {
    fn field(&self) -> Field<'_> {
        match self {
            Self::Integer(number) => Field::Integer(*number),
            Self::Pointer(bytes) => Field::Pointer(Some(Bytes(bytes))),
            Self::Null => Field::Pointer(None),
        }
    }

    fn pointer(bytes: Vec<u8>) -> Self {
        Self::Pointer(Zeroizing::new(bytes))
    }
}

impl Console {
    /// A mechanism by its name, with or without `CKM_`, or its number; those of the slot are offered.
    pub(super) fn mechanism_kind(&mut self, slot: SlotId) -> Result<u64, Failure> {
        let kinds = self.numbers(&Request::Mechanisms { slot })?;
        let offered: Vec<_> = kinds.iter().map(|kind| names::mechanism(*kind)).collect();
        let text = self
            .input
            .word("Mechanism (tab shows them): ", offered.clone())?;
        let name = text.to_uppercase();
        let is_named =
            |offered: &String| *offered == name || offered.strip_prefix("CKM_") == Some(&name);
        match kinds
            .iter()
            .zip(&offered)
            .find(|(_, offered)| is_named(offered))
        {
            Some((kind, _)) => Ok(*kind),
            None => input::number(&text).ok_or(Failure::Code(ckr::MECHANISM_INVALID)),
        }
    }

    /// A mechanism of the current session's slot, with its parameter.
    pub(super) fn mechanism(&mut self) -> Result<Chosen, Failure> {
        let slot = self.session()?.slot;
        let kind = self.mechanism_kind(slot)?;
        self.parameter(kind)
    }

    fn parameter(&mut self, kind: u64) -> Result<Chosen, Failure> {
        let chosen = match kind {
            CKM_AES_CBC | CKM_AES_CBC_PAD | CKM_DES3_CBC | CKM_DES3_CBC_PAD => {
                Chosen::flat(kind, self.input.bytes("IV (hex): ")?)
            }
            CKM_AES_CTR => {
                let mut bytes = 128_u64.to_ne_bytes().to_vec();
                bytes.extend(self.input.bytes("Counter block (hex): ")?);
                Chosen::flat(kind, bytes)
            }
            CKM_AES_GCM => self.gcm(kind)?,
            CKM_RSA_PKCS_OAEP => Chosen::fields(kind, oaep()),
            CKM_RSA_PKCS_PSS
            | CKM_SHA1_RSA_PKCS_PSS
            | CKM_SHA256_RSA_PKCS_PSS
            | CKM_SHA384_RSA_PKCS_PSS
            | CKM_SHA512_RSA_PKCS_PSS => Chosen::flat(kind, pss(kind)),
            CKM_ECDH1_DERIVE | CKM_ECDH1_COFACTOR_DERIVE => {
                let public = self.object("Other side's public key: ", &[CKO_PUBLIC_KEY])?;
                self.ecdh(kind, public)?
            }
            CKM_AES_ECB_ENCRYPT_DATA
            | CKM_DES3_ECB_ENCRYPT_DATA
            | CKM_XOR_BASE_AND_DATA
            | CKM_CONCATENATE_BASE_AND_DATA
            | CKM_CONCATENATE_DATA_AND_BASE => {
                let data = self.input.bytes("Data (hex): ")?;
                Chosen::fields(kind, vec![KeptField::pointer(data)])
            }
            CKM_PKCS5_PBKD2 => self.password_based(kind)?,
            _ => Chosen::plain(kind),
        };
        Ok(chosen)
    }

    /// `CK_GCM_PARAMS`
    fn gcm(&mut self, kind: u64) -> Result<Chosen, Failure> {
        let iv = self.input.bytes("IV (hex): ")?;
        let associated = self.input.bytes("Associated data (hex): ")?;
        let bits = iv.len() as u64 * 8;
        let fields = vec![
            KeptField::pointer(iv),
            KeptField::Integer(bits),
            KeptField::pointer(associated),
            KeptField::Integer(128),
        ];
        Ok(Chosen::fields(kind, fields))
    }

    /// `CK_ECDH1_DERIVE_PARAMS`; the point stands in an octet string in `CKA_EC_POINT`, and SoftHSM wants it as it stands there.
    fn ecdh(&mut self, kind: u64, public: ObjectHandle) -> Result<Chosen, Failure> {
        let point = self.token()?.attribute(public, CKA_EC_POINT)?;
        let point = point.ok_or(Failure::Code(ckr::KEY_HANDLE_INVALID))?;
        let fields = vec![
            KeptField::Integer(CKD_NULL),
            KeptField::Null,
            KeptField::Pointer(point),
        ];
        Ok(Chosen::fields(kind, fields))
    }

    /// `CK_PKCS5_PBKD2_PARAMS2`
    pub(super) fn password_based(&mut self, kind: u64) -> Result<Chosen, Failure> {
        let password = self.input.pin("Enter password     : ")?;
        let salt = self.input.bytes("Salt (hex): ")?;
        let iterations = self.input.number("Iterations: ")?;
        let fields = vec![
            KeptField::Integer(CKZ_SALT_SPECIFIED),
            KeptField::pointer(salt),
            KeptField::Integer(iterations),
            KeptField::Integer(CKP_PKCS5_PBKD2_HMAC_SHA256),
            KeptField::Null,
            KeptField::pointer(password.expose_secret().as_bytes().to_vec()),
            // The length itself, not its address.
            KeptField::Integer(0),
        ];
        Ok(Chosen::fields(kind, fields))
    }
}

/// `CK_RSA_PKCS_OAEP_PARAMS` with SHA-1, which every token knows.
fn oaep() -> Vec<KeptField> {
    let source = CKZ_DATA_SPECIFIED;
    [CKM_SHA_1, CKG_MGF1_SHA1, source]
        .map(KeptField::Integer)
        .into_iter()
        .chain([KeptField::Null])
        .collect()
}

/// `CK_RSA_PKCS_PSS_PARAMS`, with a salt as long as the hash; a mechanism that does not hash is given one of SHA-256.
fn pss(kind: u64) -> Vec<u8> {
    let [hash, mask, salt] = match kind {
        CKM_SHA1_RSA_PKCS_PSS => [CKM_SHA_1, CKG_MGF1_SHA1, 20],
        CKM_SHA384_RSA_PKCS_PSS => [CKM_SHA384, CKG_MGF1_SHA384, 48],
        CKM_SHA512_RSA_PKCS_PSS => [CKM_SHA512, CKG_MGF1_SHA512, 64],
        _ => [CKM_SHA256, CKG_MGF1_SHA256, 32],
    };
    [hash, mask, salt].map(u64::to_ne_bytes).concat()
}
