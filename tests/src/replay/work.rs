use std::hash::{DefaultHasher, Hasher};

use clap::ValueEnum;
use cryptoki_sys::{CKM_SHA256, CKM_SHA256_RSA_PKCS, CKO_PRIVATE_KEY};

use super::Load;
use crate::client::{Failure, Mechanism, Object, Session, Template};
use crate::{AES_LABEL, RSA_LABEL};

/// What is done in many parts.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub enum Work {
    /// `C_SignInit` … `C_SignFinal` with SHA-256 and RSA.
    Sign,
    /// `C_DigestInit` … `C_DigestFinal` with SHA-256.
    Digest,
    /// `C_EncryptInit` … `C_EncryptFinal` with AES-CBC.
    EncryptCbc,
    /// The same with AES-GCM and our own nonce.
    EncryptGcm,
    /// `C_DecryptInit` … `C_DecryptFinal` with AES-CBC.
    DecryptCbc,
}

/// The keys of the work.
#[derive(Clone, Copy, Debug)]
pub(super) struct Keys {
    rsa: Object,
    aes: Object,
}

impl Keys {
    /// Looks them up.
    pub(super) fn of(session: Session) -> Self {
        let private = Template::new().class(CKO_PRIVATE_KEY);
        Self {
            rsa: session.only(&private.label(RSA_LABEL)),
            aes: session.only(&Template::new().label(AES_LABEL)),
        }
    }
}

const RSA: Mechanism = Mechanism::Plain(CKM_SHA256_RSA_PKCS);
const CBC: Mechanism = Mechanism::AesCbc([7; 16]);
const GCM: Mechanism = Mechanism::AesGcm([7; 12]);

impl Work {
    /// All there is.
    pub const ALL: [Self; 5] = [
        Self::Sign,
        Self::Digest,
        Self::EncryptCbc,
        Self::EncryptGcm,
        Self::DecryptCbc,
    ];

    /// Does it; `before` is told the number of each part before that goes in. What comes out: the signature or digest; of a cipher's
    /// output, which is long, length and hash.
    pub(super) fn run(
        self,
        session: Session,
        keys: Keys,
        load: Load,
        mut before: impl FnMut(usize),
    ) -> Result<Vec<u8>, Failure> {
        self.begin(session, keys)?;
        let mut output = Summary::default();
        for number in 0..load.parts() {
            before(number);
            output.add(&self.update(session, &load.part(number))?);
        }
        let last = self.end(session)?;
        Ok(match self {
            Self::Sign | Self::Digest => last,
            Self::EncryptCbc | Self::EncryptGcm | Self::DecryptCbc => {
                output.add(&last);
                output.value()
            }
        })
    }

    fn begin(self, session: Session, keys: Keys) -> Result<(), Failure> {
        match self {
            Self::Sign => session.sign_init(RSA, keys.rsa),
            Self::Digest => session.digest_init(Mechanism::Plain(CKM_SHA256)),
            Self::EncryptCbc => session.encrypt_init(CBC, keys.aes),
            Self::EncryptGcm => session.encrypt_init(GCM, keys.aes),
            Self::DecryptCbc => session.decrypt_init(CBC, keys.aes),
        }
    }

    fn update(self, session: Session, part: &[u8]) -> Result<Vec<u8>, Failure> {
        match self {
            Self::Sign => session.sign_update(part).map(|()| Vec::new()),
            Self::Digest => session.digest_update(part).map(|()| Vec::new()),
            Self::EncryptCbc | Self::EncryptGcm => session.encrypt_update(part),
            Self::DecryptCbc => session.decrypt_update(part),
        }
    }

    fn end(self, session: Session) -> Result<Vec<u8>, Failure> {
        match self {
            Self::Sign => session.sign_final(),
            Self::Digest => session.digest_final(),
            Self::EncryptCbc | Self::EncryptGcm => session.encrypt_final(),
            Self::DecryptCbc => session.decrypt_final(),
        }
    }
}

/// Output that is too long to keep.
#[derive(Default)]
struct Summary {
    hasher: DefaultHasher,
    length: u64,
}

impl Summary {
    fn add(&mut self, output: &[u8]) {
        self.hasher.write(output);
        self.length += output.len() as u64;
    }

    fn value(&self) -> Vec<u8> {
        [self.length, self.hasher.finish()]
            .iter()
            .flat_map(|part| part.to_ne_bytes())
            .collect()
    }
}
