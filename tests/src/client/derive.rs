//! `C_DeriveKey` for TLS 1.2, in whose parameter more comes back than a handle (PKCS#11 v3.1 §6.40).

use std::ptr;

use cryptoki_sys::{
    CK_MECHANISM, CK_MECHANISM_TYPE, CK_SSL3_KEY_MAT_OUT, CK_SSL3_RANDOM_DATA,
    CK_TLS12_KEY_MAT_PARAMS, CK_TLS12_MASTER_KEY_DERIVE_PARAMS, CK_ULONG, CK_VERSION, CKM_SHA256,
    CKM_TLS12_KEY_AND_MAC_DERIVE, CKM_TLS12_MASTER_KEY_DERIVE,
};

use super::{Failure, Object, Session, Template, call};

/// What both sides of a connection have from a master key.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct KeyMaterial {
    /// For the MACs of the client and of the server.
    pub macs: [Object; 2],
    /// The keys of the client and of the server.
    pub keys: [Object; 2],
    /// Their IVs.
    pub ivs: [[u8; 16]; 2],
}

impl Session {
    /// `C_DeriveKey` with `CKM_TLS12_MASTER_KEY_DERIVE`: the master key and the version in the pre-master key.
    ///
    /// # Errors
    /// As the module says.
    pub fn derive_master_key(
        self,
        base: Object,
        template: &Template,
    ) -> Result<(Object, (u8, u8)), Failure> {
        let (mut client, mut server) = ([1; 32], [2; 32]);
        let mut version = CK_VERSION::default();
        let mut parameter = CK_TLS12_MASTER_KEY_DERIVE_PARAMS {
            RandomInfo: random(&mut client, &mut server),
            pVersion: &raw mut version,
            prfHashMechanism: CKM_SHA256,
        };
        let mut mechanism = mechanism(CKM_TLS12_MASTER_KEY_DERIVE, &mut parameter);
        let mut key = 0;
        template.with(|template, count| {
            let mechanism = &raw mut mechanism;
            call!(
                self.module,
                C_DeriveKey(
                    self.handle,
                    mechanism,
                    base.0,
                    template,
                    count,
                    &raw mut key
                )
            )
        })?;
        Ok((Object(key), (version.major, version.minor)))
    }

    /// `C_DeriveKey` with `CKM_TLS12_KEY_AND_MAC_DERIVE`, for AES-128-CBC with HMAC-SHA-256.
    ///
    /// # Errors
    /// As the module says.
    pub fn derive_key_material(
        self,
        base: Object,
        template: &Template,
    ) -> Result<KeyMaterial, Failure> {
        let (mut client, mut server) = ([1; 32], [2; 32]);
        let mut ivs = [[0; 16]; 2];
        let [client_iv, server_iv] = &mut ivs;
        let mut out = CK_SSL3_KEY_MAT_OUT {
            pIVClient: client_iv.as_mut_ptr(),
            pIVServer: server_iv.as_mut_ptr(),
            ..Default::default()
        };
        let mut parameter = CK_TLS12_KEY_MAT_PARAMS {
            ulMacSizeInBits: 256,
            ulKeySizeInBits: 128,
            ulIVSizeInBits: 128,
            bIsExport: 0,
            RandomInfo: random(&mut client, &mut server),
            pReturnedKeyMaterial: &raw mut out,
            prfHashMechanism: CKM_SHA256,
        };
        let mut mechanism = mechanism(CKM_TLS12_KEY_AND_MAC_DERIVE, &mut parameter);
        template.with(|template, count| {
            let mechanism = &raw mut mechanism;
            call!(
                self.module,
                C_DeriveKey(
                    self.handle,
                    mechanism,
                    base.0,
                    template,
                    count,
                    ptr::null_mut()
                )
            )
        })?;
        Ok(KeyMaterial {
            macs: [out.hClientMacSecret, out.hServerMacSecret].map(Object),
            keys: [out.hClientKey, out.hServerKey].map(Object),
            ivs,
        })
    }
}

fn mechanism<T>(kind: CK_MECHANISM_TYPE, parameter: &mut T) -> CK_MECHANISM {
    CK_MECHANISM {
        mechanism: kind,
        pParameter: ptr::from_mut(parameter).cast(),
        ulParameterLen: size_of::<T>() as CK_ULONG,
    }
}

fn random(client: &mut [u8; 32], server: &mut [u8; 32]) -> CK_SSL3_RANDOM_DATA {
    CK_SSL3_RANDOM_DATA {
        pClientRandom: client.as_mut_ptr(),
        ulClientRandomLen: 32,
        pServerRandom: server.as_mut_ptr(),
        ulServerRandomLen: 32,
    }
}
