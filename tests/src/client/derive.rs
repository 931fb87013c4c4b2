//! `C_DeriveKey` with mechanisms in whose parameter more comes back than a handle (PKCS#11 v3.1 §6.40).

use std::ptr;

use cryptoki_sys::{
    CK_DERIVED_KEY, CK_MECHANISM, CK_MECHANISM_TYPE, CK_SP800_108_KDF_PARAMS, CK_SSL3_KEY_MAT_OUT,
    CK_SSL3_RANDOM_DATA, CK_TLS_PRF_PARAMS, CK_TLS12_KEY_MAT_PARAMS,
    CK_TLS12_MASTER_KEY_DERIVE_PARAMS, CK_ULONG, CK_VERSION, CKM_SHA256, CKM_SHA256_HMAC,
    CKM_SP800_108_COUNTER_KDF, CKM_TLS_PRF, CKM_TLS12_KEY_AND_MAC_DERIVE,
    CKM_TLS12_MASTER_KEY_DERIVE,
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

impl Session {
    /// `C_DeriveKey` with `CKM_TLS_PRF`: what it puts out, at most `length` bytes, and no key.
    ///
    /// # Errors
    /// As the module says.
    pub fn pseudo_random(self, base: Object, length: usize) -> Result<Vec<u8>, Failure> {
        let (mut seed, mut label) = (*b"a seed", *b"a label");
        let mut output = vec![0; length];
        let mut written = length as CK_ULONG;
        let mut parameter = CK_TLS_PRF_PARAMS {
            pSeed: seed.as_mut_ptr(),
            ulSeedLen: seed.len() as CK_ULONG,
            pLabel: label.as_mut_ptr(),
            ulLabelLen: label.len() as CK_ULONG,
            pOutput: output.as_mut_ptr(),
            pulOutputLen: &raw mut written,
        };
        let mut mechanism = mechanism(CKM_TLS_PRF, &mut parameter);
        call!(
            self.module,
            C_DeriveKey(
                self.handle,
                &raw mut mechanism,
                base.0,
                ptr::null_mut(),
                0,
                ptr::null_mut()
            )
        )?;
        output.truncate(usize::try_from(written).unwrap_or(length));
        Ok(output)
    }

    /// `C_DeriveKey` with `CKM_SP800_108_COUNTER_KDF`: a key, and one of each further template.
    ///
    /// # Errors
    /// As the module says.
    pub fn derive_keys<const FURTHER: usize>(
        self,
        base: Object,
        template: &Template,
        further: [&Template; FURTHER],
    ) -> Result<(Object, [Object; FURTHER]), Failure> {
        let (mut key, mut handles) = (0, [0; FURTHER]);
        let mut templates = further.map(Template::attributes);
        let mut keys = [CK_DERIVED_KEY::default(); FURTHER];
        for ((key, template), handle) in keys.iter_mut().zip(&mut templates).zip(&mut handles) {
            *key = CK_DERIVED_KEY {
                pTemplate: template.as_mut_ptr(),
                ulAttributeCount: template.len() as CK_ULONG,
                phKey: handle,
            };
        }
        let mut parameter = CK_SP800_108_KDF_PARAMS {
            prfType: CKM_SHA256_HMAC,
            ulAdditionalDerivedKeys: FURTHER as CK_ULONG,
            pAdditionalDerivedKeys: keys.as_mut_ptr(),
            ..Default::default()
        };
        let mut mechanism = mechanism(CKM_SP800_108_COUNTER_KDF, &mut parameter);
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
        Ok((Object(key), handles.map(Object)))
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
