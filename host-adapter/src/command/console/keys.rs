//! Entries that make keys, and carry them wrapped.

use std::fs;

use cryptoki_sys::*;
use everslot_core::ckr;
use everslot_protocol::{Body, Request};

use super::Console;
use super::failure::{Done, Failure};
use super::mechanism::Chosen;
use crate::domain::Attributes;

/// `secp256r1` and `secp384r1` as `CKA_EC_PARAMS` has them (RFC 5480).
const P256: &[u8] = &[0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
const P384: &[u8] = &[0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x22];

const KINDS: &str = "\
[1] AES-128    [2] AES-256    [3] DES3
[4] RSA-2048   [5] RSA-3072   [6] RSA-4096
[7] EC P-256   [8] EC P-384   [9] Generic secret, 32 bytes";

impl Console {
    /// (45)
    pub(super) fn generate_key(&mut self) -> Done {
        self.session()?;
        self.line(KINDS)?;
        match self.input.number("Kind of key: ")? {
            1 => self.generate_secret(CKM_AES_KEY_GEN, Some(16)),
            2 => self.generate_secret(CKM_AES_KEY_GEN, Some(32)),
            3 => self.generate_secret(CKM_DES3_KEY_GEN, None),
            4 => self.generate_rsa(2048),
            5 => self.generate_rsa(3072),
            6 => self.generate_rsa(4096),
            7 => self.generate_ec(P256),
            8 => self.generate_ec(P384),
            9 => self.generate_secret(CKM_GENERIC_SECRET_KEY_GEN, Some(32)),
            _ => Err(Failure::said("there is no such kind")),
        }
    }

    fn generate_secret(&mut self, mechanism: u64, length: Option<u64>) -> Done {
        let mut attributes = self.secret_uses()?;
        if let Some(length) = length {
            attributes = attributes.number(CKA_VALUE_LEN, length);
        }
        let key = self.token()?.generate(mechanism, &attributes)?;
        self.made(key)
    }

    /// What a secret key is for; it stays in the token, and may be wrapped if it is said to be extractable.
    fn secret_uses(&mut self) -> Result<Attributes, Failure> {
        let attributes = self.labelled()?;
        let extractable = self.input.yes("Extractable (1 = yes, 0 = no)? ")?;
        let uses = [
            CKA_ENCRYPT,
            CKA_DECRYPT,
            CKA_SIGN,
            CKA_VERIFY,
            CKA_WRAP,
            CKA_UNWRAP,
            CKA_DERIVE,
            CKA_SENSITIVE,
            CKA_PRIVATE,
        ];
        Ok(attributes
            .flags(&uses, true)
            .flags(&[CKA_EXTRACTABLE], extractable))
    }

    fn generate_rsa(&mut self, bits: u64) -> Done {
        let public = Attributes::new()
            .number(CKA_MODULUS_BITS, bits)
            .bytes(CKA_PUBLIC_EXPONENT, &[1, 0, 1])
            .flags(&[CKA_VERIFY, CKA_ENCRYPT, CKA_WRAP], true);
        let uses = [CKA_SIGN, CKA_DECRYPT, CKA_UNWRAP];
        self.generate_pair(CKM_RSA_PKCS_KEY_PAIR_GEN, public, &uses)
    }

    fn generate_ec(&mut self, parameters: &[u8]) -> Done {
        let public = Attributes::new()
            .bytes(CKA_EC_PARAMS, parameters)
            .flags(&[CKA_VERIFY], true);
        self.generate_pair(CKM_EC_KEY_PAIR_GEN, public, &[CKA_SIGN, CKA_DERIVE])
    }

    fn generate_pair(&mut self, mechanism: u64, mut public: Attributes, uses: &[u64]) -> Done {
        let mut private = self.labelled()?;
        let extractable = self.input.yes("Extractable (1 = yes, 0 = no)? ")?;
        for kind in [CKA_LABEL, CKA_TOKEN] {
            public.set(kind, private.get(kind).unwrap_or_default());
        }
        // By which the two, and their copies on other members, are found to belong together.
        let id: [u8; 8] = self.token()?.random()?;
        public.set(CKA_ID, &id);
        private = private
            .bytes(CKA_ID, &id)
            .flags(uses, true)
            .flags(&[CKA_PRIVATE, CKA_SENSITIVE], true)
            .flags(&[CKA_EXTRACTABLE], extractable);
        let (public, private) = self.token()?.generate_pair(mechanism, &public, &private)?;
        self.made(public)?;
        self.made(private)
    }

    /// (67): the curve's `ECParameters`, in a file in DER.
    pub(super) fn generate_on_curve(&mut self) -> Done {
        self.session()?;
        let path = self
            .input
            .path("File with the curve's ECParameters in DER: ")?;
        let parameters = fs::read(&path).map_err(|error| Failure::file(&path, &error))?;
        self.generate_ec(&parameters)
    }

    /// (60)
    pub(super) fn wrap_key(&mut self) -> Done {
        let mechanism = self.mechanism()?;
        let wrapping = self.object("Wrapping key: ", &[CKO_SECRET_KEY, CKO_PUBLIC_KEY])?;
        let key = self.object("Key to wrap: ", &[CKO_SECRET_KEY, CKO_PRIVATE_KEY])?;
        let wrapped = mechanism.with(|mechanism| {
            self.token()?
                .wrap(mechanism, wrapping, key)
                .map_err(Failure::from)
        })?;
        let path = self.input.path("Output file: ")?;
        fs::write(&path, &wrapped).map_err(|error| Failure::file(&path, &error))?;
        self.line(&format!("{} bytes written to {path}", wrapped.len()))
    }

    /// (61)
    pub(super) fn unwrap_key(&mut self) -> Done {
        let mechanism = self.mechanism()?;
        let unwrapping = self.object("Unwrapping key: ", &[CKO_SECRET_KEY, CKO_PRIVATE_KEY])?;
        let path = self.input.path("File with the wrapped key: ")?;
        let wrapped = fs::read(&path).map_err(|error| Failure::file(&path, &error))?;
        let attributes = self.unwrapped()?;
        let key = mechanism.with(|mechanism| {
            let key = self
                .token()?
                .unwrap(mechanism, unwrapping, &wrapped, &attributes);
            key.map_err(Failure::from)
        })?;
        self.made(key)
    }

    fn unwrapped(&mut self) -> Result<Attributes, Failure> {
        self.line(
            "[1] AES  [2] DES3  [3] Generic secret  [4] RSA private key  [5] EC private key",
        )?;
        let (class, kind) = match self.input.number("Kind of key: ")? {
            1 => (CKO_SECRET_KEY, CKK_AES),
            2 => (CKO_SECRET_KEY, CKK_DES3),
            3 => (CKO_SECRET_KEY, CKK_GENERIC_SECRET),
            4 => (CKO_PRIVATE_KEY, CKK_RSA),
            5 => (CKO_PRIVATE_KEY, CKK_EC),
            _ => return Err(Failure::said("there is no such kind")),
        };
        let uses: &[u64] = match (class, kind) {
            (CKO_SECRET_KEY, _) => &[CKA_ENCRYPT, CKA_DECRYPT],
            (_, CKK_RSA) => &[CKA_SIGN, CKA_DECRYPT],
            _ => &[CKA_SIGN, CKA_DERIVE],
        };
        Ok(self
            .labelled()?
            .number(CKA_CLASS, class)
            .number(CKA_KEY_TYPE, kind)
            .flags(uses, true)
            .flags(&[CKA_PRIVATE, CKA_SENSITIVE], true)
            .flags(&[CKA_EXTRACTABLE], false))
    }

    /// (63): a generic secret of 32 bytes from another key.
    pub(super) fn derive_key(&mut self) -> Done {
        let mechanism = self.mechanism()?;
        let base_key = self.object("Base key: ", &[CKO_SECRET_KEY, CKO_PRIVATE_KEY])?;
        let attributes = self
            .secret_uses()?
            .number(CKA_CLASS, CKO_SECRET_KEY)
            .number(CKA_KEY_TYPE, CKK_GENERIC_SECRET)
            .number(CKA_VALUE_LEN, 32);
        let session = self.session()?.handle;
        let made = mechanism.with(|mechanism| {
            attributes.with_template(|template| {
                let request = Request::DeriveKey {
                    session,
                    mechanism,
                    base_key,
                    template,
                };
                self.ask(&request, &mut [])
            })
        });
        match made? {
            Body::Object(key) => self.made(key),
            _ => Err(Failure::Code(ckr::DEVICE_ERROR)),
        }
    }

    /// (64): an AES-256 key from a password (PBKDF2 with HMAC-SHA-256).
    pub(super) fn generate_password_key(&mut self) -> Done {
        self.session()?;
        let mechanism: Chosen = self.password_based(CKM_PKCS5_PBKD2)?;
        let attributes = self
            .secret_uses()?
            .number(CKA_CLASS, CKO_SECRET_KEY)
            .number(CKA_KEY_TYPE, CKK_AES)
            .number(CKA_VALUE_LEN, 32);
        let session = self.session()?.handle;
        let made = mechanism.with(|mechanism| {
            attributes.with_template(|template| {
                let request = Request::GenerateKey {
                    session,
                    mechanism,
                    template,
                };
                self.ask(&request, &mut [])
            })
        });
        match made? {
            Body::Object(key) => self.made(key),
            _ => Err(Failure::Code(ckr::DEVICE_ERROR)),
        }
    }
}
