//! The keys that all tokens hold.
//!
//! A key pair is made on the first token and carried to every token, the first included, under an AES key that lives for the
//! sessions only: so no private key is ever in the clear outside a token, and all tokens hold it in the same way.

use std::error::Error;

use cryptoki_sys::{
    CK_ULONG, CKA_CLASS, CKA_DECRYPT, CKA_EC_PARAMS, CKA_EC_POINT, CKA_ENCRYPT, CKA_EXTRACTABLE,
    CKA_ID, CKA_KEY_TYPE, CKA_LABEL, CKA_MODULUS, CKA_MODULUS_BITS, CKA_PRIVATE,
    CKA_PUBLIC_EXPONENT, CKA_SENSITIVE, CKA_SIGN, CKA_TOKEN, CKA_UNWRAP, CKA_VALUE, CKA_VERIFY,
    CKA_WRAP, CKK_AES, CKK_EC, CKK_RSA, CKM_AES_ECB, CKM_AES_KEY_WRAP_PAD, CKM_EC_KEY_PAIR_GEN,
    CKM_ECDSA, CKM_RSA_PKCS_KEY_PAIR_GEN, CKM_SHA256_RSA_PKCS, CKO_PRIVATE_KEY, CKO_PUBLIC_KEY,
    CKO_SECRET_KEY,
};
use everslot_protocol::ObjectHandle;
use zeroize::Zeroizing;

use super::token::NewToken;
use crate::domain::CallError;
use crate::domain::{Attributes, plain};

/// What is told of a key.
pub(super) struct KeyName {
    /// `CKA_LABEL`
    pub(super) label: &'static str,
    /// For people.
    pub(super) kind: &'static str,
    /// `CKA_ID`, one byte in hexadecimal.
    pub(super) id: &'static str,
    id_byte: u8,
}

pub(super) const EC: KeyName = KeyName {
    label: "demo-ec",
    kind: "EC P-256",
    id: "01",
    id_byte: 1,
};
pub(super) const RSA: KeyName = KeyName {
    label: "demo-rsa",
    kind: "RSA-2048",
    id: "02",
    id_byte: 2,
};
pub(super) const AES: KeyName = KeyName {
    label: "demo-aes",
    kind: "AES-256",
    id: "03",
    id_byte: 3,
};
pub(super) const ALL: [KeyName; 3] = [EC, RSA, AES];

/// The object identifier of P-256 (prime256v1), in DER.
const P256: [u8; 10] = [0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
const RSA_BITS: CK_ULONG = 2048;
const RSA_EXPONENT: [u8; 3] = [1, 0, 1];
const AES_BYTES: usize = 32;
/// As long as a SHA-256 hash, which is what ECDSA signs, and two blocks of AES.
const SAMPLE: [u8; 32] = *b"everslot compares its copies so.";

/// Gives all `tokens` the same three keys, and makes sure of it by using each.
///
/// # Errors
/// A token does not do its part, or holds another key than the first.
pub(super) fn share(tokens: &mut [NewToken]) -> Result<(), Box<dyn Error>> {
    let carrier = random()?;
    let carriers: Vec<_> = tokens
        .iter_mut()
        .map(|token| token.session().create(&carrier_key(&carrier)))
        .collect::<Result<_, _>>()?;
    for pair in [Pair::EC, Pair::RSA] {
        pair.share(tokens, &carriers)?;
    }
    let value = random()?;
    let samples: Vec<_> = tokens
        .iter_mut()
        .map(|token| {
            let mut token = token.session();
            let key = token.create(&secret_key(&value))?;
            token.encrypt(CKM_AES_ECB, key, &SAMPLE)
        })
        .collect::<Result<_, CallError>>()?;
    if samples.windows(2).any(|two| two[0] != two[1]) {
        return Err(differs(&AES));
    }
    Ok(())
}

/// How a key pair is made, carried and tried.
struct Pair {
    name: KeyName,
    key_type: CK_ULONG,
    generate: CK_ULONG,
    sign: CK_ULONG,
    /// Attributes of the public key by which the private key is made.
    seed: fn(Attributes) -> Attributes,
    /// Attributes that are the public key.
    public: &'static [CK_ULONG],
    /// What the public key may do, and the private key likewise.
    uses: (&'static [CK_ULONG], &'static [CK_ULONG]),
}

impl Pair {
    const EC: Self = Self {
        name: EC,
        key_type: CKK_EC,
        generate: CKM_EC_KEY_PAIR_GEN,
        sign: CKM_ECDSA,
        seed: |attributes| attributes.bytes(CKA_EC_PARAMS, &P256),
        public: &[CKA_EC_PARAMS, CKA_EC_POINT],
        uses: (&[CKA_VERIFY], &[CKA_SIGN]),
    };
    const RSA: Self = Self {
        name: RSA,
        key_type: CKK_RSA,
        generate: CKM_RSA_PKCS_KEY_PAIR_GEN,
        sign: CKM_SHA256_RSA_PKCS,
        seed: |attributes| {
            attributes
                .number(CKA_MODULUS_BITS, RSA_BITS)
                .bytes(CKA_PUBLIC_EXPONENT, &RSA_EXPONENT)
        },
        public: &[CKA_MODULUS, CKA_PUBLIC_EXPONENT],
        uses: (&[CKA_VERIFY, CKA_ENCRYPT], &[CKA_SIGN, CKA_DECRYPT]),
    };

    fn share(
        &self,
        tokens: &mut [NewToken],
        carriers: &[ObjectHandle],
    ) -> Result<(), Box<dyn Error>> {
        let (Some(first), Some(carrier)) = (tokens.first_mut(), carriers.first()) else {
            return Ok(());
        };
        let mut first = first.session();
        let public = (self.seed)(Attributes::new().flags(&[CKA_TOKEN], false));
        let private = Attributes::new()
            .flags(&[CKA_TOKEN], false)
            .flags(&[CKA_PRIVATE, CKA_SENSITIVE, CKA_EXTRACTABLE], true)
            .flags(self.uses.1, true);
        let (public, private) = first.generate_pair(self.generate, &public, &private)?;
        let wrapped = first.wrap(plain(CKM_AES_KEY_WRAP_PAD), *carrier, private)?;
        let parts = first.attributes(public, self.public)?;
        let mut signatures = Vec::new();
        let mut verifier = None;
        for (token, carrier) in tokens.iter_mut().zip(carriers) {
            let mut token = token.session();
            let public = token.create(&self.public_key(&parts))?;
            verifier.get_or_insert(public);
            let private = token.unwrap(
                plain(CKM_AES_KEY_WRAP_PAD),
                *carrier,
                &wrapped,
                &self.private_key(),
            )?;
            signatures.push(token.sign(self.sign, private, &SAMPLE)?);
        }
        for signature in &signatures {
            let (Some(first), Some(verifier)) = (tokens.first_mut(), verifier) else {
                return Ok(());
            };
            if !first
                .session()
                .verify(self.sign, verifier, &SAMPLE, signature)?
            {
                return Err(differs(&self.name));
            }
        }
        Ok(())
    }

    fn public_key(&self, parts: &Attributes) -> Attributes {
        let mut attributes =
            token_object(CKO_PUBLIC_KEY, self.key_type, &self.name).flags(self.uses.0, true);
        for (kind, value) in parts.iter() {
            attributes.set_content(kind, value.clone());
        }
        attributes
    }

    fn private_key(&self) -> Attributes {
        secret_object(CKO_PRIVATE_KEY, self.key_type, &self.name).flags(self.uses.1, true)
    }
}

fn secret_key(value: &[u8]) -> Attributes {
    secret_object(CKO_SECRET_KEY, CKK_AES, &AES)
        .flags(&[CKA_ENCRYPT, CKA_DECRYPT], true)
        .bytes(CKA_VALUE, value)
}

/// The key under which the others travel; it ends with the session.
fn carrier_key(value: &[u8]) -> Attributes {
    Attributes::new()
        .number(CKA_CLASS, CKO_SECRET_KEY)
        .number(CKA_KEY_TYPE, CKK_AES)
        .flags(&[CKA_TOKEN], false)
        .flags(&[CKA_PRIVATE, CKA_SENSITIVE, CKA_WRAP, CKA_UNWRAP], true)
        .bytes(CKA_VALUE, value)
}

fn secret_object(class: CK_ULONG, key_type: CK_ULONG, name: &KeyName) -> Attributes {
    token_object(class, key_type, name)
        .flags(&[CKA_PRIVATE, CKA_SENSITIVE], true)
        .flags(&[CKA_EXTRACTABLE], false)
}

fn token_object(class: CK_ULONG, key_type: CK_ULONG, name: &KeyName) -> Attributes {
    Attributes::new()
        .number(CKA_CLASS, class)
        .number(CKA_KEY_TYPE, key_type)
        .flags(&[CKA_TOKEN], true)
        .bytes(CKA_LABEL, name.label.as_bytes())
        .bytes(CKA_ID, &[name.id_byte])
}

fn random() -> Result<Zeroizing<Vec<u8>>, Box<dyn Error>> {
    let mut bytes = Zeroizing::new(vec![0; AES_BYTES]);
    getrandom::fill(&mut bytes).map_err(|error| format!("no random numbers: {error}"))?;
    Ok(bytes)
}

fn differs(name: &KeyName) -> Box<dyn Error> {
    format!("{} is not the same key on all tokens", name.label).into()
}
