//! Which parameter a mechanism has (PKCS#11 v3.2 §6).

use cryptoki_sys::*;

use super::shape::Structure;
use super::structures::*;

/// What a mechanism's parameter is.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    /// Bytes without an address in them, or a structure of integers.
    Flat,
    /// A structure with addresses or objects in it.
    Structure,
    /// One of these structures, or flat bytes of another length.
    StructureOrFlat(&'static [&'static Structure]),
    /// The mechanism has no parameter, or it is not known which.
    Unknown,
}

impl Kind {
    /// The parameter of `mechanism` (`CKM_…`).
    pub(super) const fn of(mechanism: u64) -> Self {
        match structures_of(mechanism) {
            Some(structures) if mechanism == CKM_AES_GMAC => Self::StructureOrFlat(structures),
            Some(_) => Self::Structure,
            None if is_flat(mechanism) => Self::Flat,
            None => Self::Unknown,
        }
    }
}

/// The structures that the parameter of `mechanism` may be, told apart by their sizes and by how many fields they have.
pub(super) fn structures(mechanism: u64) -> &'static [&'static Structure] {
    structures_of(mechanism).unwrap_or_default()
}

const fn structures_of(mechanism: u64) -> Option<&'static [&'static Structure]> {
    match of_ciphers(mechanism) {
        None => match of_key_agreement(mechanism) {
            None => match of_key_derivation(mechanism) {
                None => match of_tls(mechanism) {
                    None => of_signatures(mechanism),
                    found => found,
                },
                found => found,
            },
            found => found,
        },
        found => found,
    }
}

const fn of_ciphers(mechanism: u64) -> Option<&'static [&'static Structure]> {
    Some(match mechanism {
        // SoftHSM and others take its form before v2.40 for GMAC as well.
        CKM_AES_GMAC => &[&GCM, &GCM_WITHOUT_IV_BITS],
        CKM_AES_GCM => &[&GCM, &GCM_WITHOUT_IV_BITS, &GCM_WRAP],
        CKM_AES_CCM => &[&CCM, &CCM_WRAP],
        CKM_CHACHA20 => &[&CHACHA20],
        CKM_SALSA20 => &[&SALSA20],
        CKM_CHACHA20_POLY1305 | CKM_SALSA20_POLY1305 => &[&POLY1305],
        CKM_RC5_CBC | CKM_RC5_CBC_PAD => &[&RC5_CBC],
        CKM_RSA_PKCS_OAEP => &[&RSA_OAEP],
        CKM_RSA_AES_KEY_WRAP => &[&RSA_AES_KEY_WRAP],
        CKM_ECDH_AES_KEY_WRAP | CKM_ECDH_X_AES_KEY_WRAP | CKM_ECDH_COF_AES_KEY_WRAP => {
            &[&ECDH_AES_KEY_WRAP]
        }
        CKM_KEY_WRAP_SET_OAEP => &[&KEY_WRAP_SET_OAEP],
        CKM_SKIPJACK_PRIVATE_WRAP => &[&SKIPJACK_PRIVATE_WRAP],
        CKM_SKIPJACK_RELAYX => &[&SKIPJACK_RELAYX],
        CKM_GOSTR3410_KEY_WRAP => &[&GOST_KEY_WRAP],
        _ => return None,
    })
}

const fn of_key_agreement(mechanism: u64) -> Option<&'static [&'static Structure]> {
    Some(match mechanism {
        CKM_ECDH1_DERIVE | CKM_ECDH1_COFACTOR_DERIVE => &[&ECDH1],
        CKM_ECMQV_DERIVE => &[&ECMQV],
        CKM_X9_42_DH_DERIVE => &[&X9_42_DH1],
        CKM_X9_42_DH_HYBRID_DERIVE => &[&X9_42_DH2],
        CKM_X9_42_MQV_DERIVE => &[&X9_42_MQV],
        CKM_KEA_DERIVE | CKM_KEA_KEY_DERIVE => &[&KEA],
        CKM_GOSTR3410_DERIVE => &[&GOST_DERIVE],
        CKM_X3DH_INITIALIZE => &[&X3DH_INITIATE],
        CKM_X3DH_RESPOND => &[&X3DH_RESPOND],
        CKM_X2RATCHET_INITIALIZE => &[&X2RATCHET_INITIALIZE],
        CKM_X2RATCHET_RESPOND => &[&X2RATCHET_RESPOND],
        _ => return None,
    })
}

const fn of_key_derivation(mechanism: u64) -> Option<&'static [&'static Structure]> {
    Some(match mechanism {
        CKM_CONCATENATE_BASE_AND_KEY => &[&KEY],
        CKM_CONCATENATE_BASE_AND_DATA | CKM_CONCATENATE_DATA_AND_BASE | CKM_XOR_BASE_AND_DATA => {
            &[&STRING_DATA]
        }
        CKM_DES_ECB_ENCRYPT_DATA
        | CKM_DES3_ECB_ENCRYPT_DATA
        | CKM_AES_ECB_ENCRYPT_DATA
        | CKM_ARIA_ECB_ENCRYPT_DATA
        | CKM_CAMELLIA_ECB_ENCRYPT_DATA
        | CKM_SEED_ECB_ENCRYPT_DATA => &[&STRING_DATA],
        CKM_DES_CBC_ENCRYPT_DATA | CKM_DES3_CBC_ENCRYPT_DATA => &[&DES_CBC_DATA],
        CKM_AES_CBC_ENCRYPT_DATA
        | CKM_ARIA_CBC_ENCRYPT_DATA
        | CKM_CAMELLIA_CBC_ENCRYPT_DATA
        | CKM_SEED_CBC_ENCRYPT_DATA => &[&CBC_DATA],
        CKM_HKDF_DERIVE | CKM_HKDF_DATA => &[&HKDF],
        CKM_PKCS5_PBKD2 => &[&PBKD2],
        CKM_PBE_MD2_DES_CBC..=CKM_PBE_SHA1_RC2_40_CBC | CKM_PBA_SHA1_WITH_SHA1_HMAC => &[&PBE],
        CKM_SP800_108_COUNTER_KDF | CKM_SP800_108_DOUBLE_PIPELINE_KDF => &[&SP800_108],
        CKM_SP800_108_FEEDBACK_KDF => &[&SP800_108_FEEDBACK],
        CKM_IKE2_PRF_PLUS_DERIVE => &[&IKE2_PRF_PLUS],
        CKM_IKE_PRF_DERIVE => &[&IKE_PRF],
        CKM_IKE1_PRF_DERIVE => &[&IKE1_PRF],
        CKM_IKE1_EXTENDED_DERIVE => &[&IKE1_EXTENDED],
        CKM_KIP_DERIVE => &[&KIP],
        CKM_DSA_PROBABILISTIC_PARAMETER_GEN
        | CKM_DSA_SHAWE_TAYLOR_PARAMETER_GEN
        | CKM_DSA_FIPS_G_GEN => &[&DSA_PARAMETER_GEN],
        _ => return None,
    })
}

const fn of_tls(mechanism: u64) -> Option<&'static [&'static Structure]> {
    Some(match mechanism {
        CKM_SSL3_MASTER_KEY_DERIVE
        | CKM_SSL3_MASTER_KEY_DERIVE_DH
        | CKM_TLS_MASTER_KEY_DERIVE
        | CKM_TLS_MASTER_KEY_DERIVE_DH => &[&SSL3_MASTER_KEY],
        CKM_SSL3_KEY_AND_MAC_DERIVE | CKM_TLS_KEY_AND_MAC_DERIVE => &[&SSL3_KEY_MATERIAL],
        CKM_TLS12_MASTER_KEY_DERIVE | CKM_TLS12_MASTER_KEY_DERIVE_DH => &[&TLS12_MASTER_KEY],
        CKM_TLS12_EXTENDED_MASTER_KEY_DERIVE | CKM_TLS12_EXTENDED_MASTER_KEY_DERIVE_DH => {
            &[&TLS12_EXTENDED_MASTER_KEY]
        }
        CKM_TLS12_KEY_AND_MAC_DERIVE | CKM_TLS12_KEY_SAFE_DERIVE => &[&TLS12_KEY_MATERIAL],
        CKM_TLS_PRF => &[&TLS_PRF],
        CKM_TLS_KDF | CKM_TLS12_KDF => &[&TLS_KDF],
        CKM_WTLS_MASTER_KEY_DERIVE | CKM_WTLS_MASTER_KEY_DERIVE_DH_ECC => &[&WTLS_MASTER_KEY],
        CKM_WTLS_SERVER_KEY_AND_MAC_DERIVE | CKM_WTLS_CLIENT_KEY_AND_MAC_DERIVE => {
            &[&WTLS_KEY_MATERIAL]
        }
        CKM_WTLS_PRF => &[&WTLS_PRF],
        _ => return None,
    })
}

const fn of_signatures(mechanism: u64) -> Option<&'static [&'static Structure]> {
    Some(match mechanism {
        CKM_EDDSA => &[&EDDSA],
        CKM_ML_DSA | CKM_SLH_DSA => &[&SIGN_CONTEXT],
        CKM_HASH_ML_DSA | CKM_HASH_SLH_DSA => &[&HASH_SIGN_CONTEXT],
        CKM_HASH_ML_DSA_SHA224..=CKM_HASH_ML_DSA_SHAKE256
        | CKM_HASH_SLH_DSA_SHA224..=CKM_HASH_SLH_DSA_SHAKE256 => &[&SIGN_CONTEXT],
        CKM_CMS_SIG => &[&CMS_SIG],
        CKM_KIP_WRAP | CKM_KIP_MAC => &[&KIP],
        CKM_SECURID | CKM_HOTP | CKM_ACTI => &[&OTP],
        _ => return None,
    })
}

const fn is_flat(mechanism: u64) -> bool {
    is_flat_cipher(mechanism) || is_flat_mac_or_signature(mechanism) || is_flat_other(mechanism)
}

/// An IV, a counter block (`CK_AES_CTR_PARAMS`), an effective key size (`CK_RC2_CBC_PARAMS`, `CK_RC5_PARAMS`).
const fn is_flat_cipher(mechanism: u64) -> bool {
    matches!(
        mechanism,
        CKM_AES_CBC | CKM_AES_CBC_PAD | CKM_AES_CTR | CKM_AES_CTS | CKM_AES_XTS | CKM_AES_OFB..=CKM_AES_CFB1
            | CKM_AES_KEY_WRAP..=CKM_AES_KEY_WRAP_PKCS7
            | CKM_DES_CBC | CKM_DES_CBC_PAD | CKM_DES3_CBC | CKM_DES3_CBC_PAD | CKM_DES_OFB64..=CKM_DES_CFB8
            | CKM_CAMELLIA_CBC | CKM_CAMELLIA_CBC_PAD | CKM_CAMELLIA_CTR
            | CKM_ARIA_CBC | CKM_ARIA_CBC_PAD | CKM_SEED_CBC | CKM_SEED_CBC_PAD
            | CKM_BLOWFISH_CBC | CKM_BLOWFISH_CBC_PAD | CKM_TWOFISH_CBC | CKM_TWOFISH_CBC_PAD
            | CKM_CAST_CBC | CKM_CAST_CBC_PAD | CKM_CAST3_CBC | CKM_CAST3_CBC_PAD
            | CKM_CAST128_CBC | CKM_CAST128_CBC_PAD | CKM_IDEA_CBC | CKM_IDEA_CBC_PAD
            | CKM_CDMF_CBC | CKM_CDMF_CBC_PAD
            | CKM_RC2_ECB | CKM_RC2_CBC | CKM_RC2_CBC_PAD | CKM_RC5_ECB
            | CKM_GOST28147_ECB | CKM_GOST28147 | CKM_GOST28147_KEY_WRAP
            | CKM_SKIPJACK_ECB64..=CKM_SKIPJACK_CFB8
            | CKM_BATON_ECB128..=CKM_BATON_SHUFFLE | CKM_JUNIPER_ECB128..=CKM_JUNIPER_SHUFFLE
    )
}

/// The length of a MAC, an IV, `CK_RSA_PKCS_PSS_PARAMS`, `CK_XEDDSA_PARAMS`, `CK_TLS_MAC_PARAMS`, the OID of a GOST parameter set.
const fn is_flat_mac_or_signature(mechanism: u64) -> bool {
    matches!(
        mechanism,
        CKM_RSA_PKCS_PSS | CKM_SHA1_RSA_PKCS_PSS | CKM_SHA224_RSA_PKCS_PSS
            | CKM_SHA256_RSA_PKCS_PSS..=CKM_SHA512_RSA_PKCS_PSS
            | CKM_SHA3_224_RSA_PKCS_PSS | CKM_SHA3_256_RSA_PKCS_PSS..=CKM_SHA3_512_RSA_PKCS_PSS
            | CKM_XEDDSA
            | CKM_MD2_HMAC_GENERAL | CKM_MD5_HMAC_GENERAL | CKM_SHA_1_HMAC_GENERAL
            | CKM_RIPEMD128_HMAC_GENERAL | CKM_RIPEMD160_HMAC_GENERAL
            | CKM_SHA224_HMAC_GENERAL | CKM_SHA256_HMAC_GENERAL | CKM_SHA384_HMAC_GENERAL | CKM_SHA512_HMAC_GENERAL
            | CKM_SHA512_224_HMAC_GENERAL | CKM_SHA512_256_HMAC_GENERAL
            | CKM_SHA512_T..=CKM_SHA512_T_KEY_DERIVATION
            | CKM_SHA3_224_HMAC_GENERAL | CKM_SHA3_256_HMAC_GENERAL
            | CKM_SHA3_384_HMAC_GENERAL | CKM_SHA3_512_HMAC_GENERAL
            | CKM_BLAKE2B_160_HMAC_GENERAL | CKM_BLAKE2B_256_HMAC_GENERAL
            | CKM_BLAKE2B_384_HMAC_GENERAL | CKM_BLAKE2B_512_HMAC_GENERAL
            | CKM_AES_MAC_GENERAL | CKM_AES_CMAC_GENERAL | CKM_DES_MAC_GENERAL | CKM_DES3_MAC_GENERAL
            | CKM_DES3_CMAC_GENERAL | CKM_CAMELLIA_MAC_GENERAL | CKM_ARIA_MAC_GENERAL | CKM_SEED_MAC_GENERAL
            | CKM_CAST_MAC_GENERAL | CKM_CAST3_MAC_GENERAL | CKM_CAST128_MAC_GENERAL | CKM_IDEA_MAC_GENERAL
            | CKM_CDMF_MAC_GENERAL | CKM_RC2_MAC | CKM_RC2_MAC_GENERAL | CKM_RC5_MAC | CKM_RC5_MAC_GENERAL
            | CKM_GOST28147_MAC | CKM_GOSTR3410_WITH_GOSTR3411 | CKM_GOSTR3411 | CKM_GOSTR3411_HMAC
            | CKM_SSL3_MD5_MAC | CKM_SSL3_SHA1_MAC
            | CKM_TLS10_MAC_SERVER | CKM_TLS10_MAC_CLIENT | CKM_TLS12_MAC | CKM_TLS_MAC
    )
}

/// A `CK_VERSION`, the first bit of the key, the other side's public value.
const fn is_flat_other(mechanism: u64) -> bool {
    matches!(
        mechanism,
        CKM_SSL3_PRE_MASTER_KEY_GEN
            | CKM_TLS_PRE_MASTER_KEY_GEN
            | CKM_WTLS_PRE_MASTER_KEY_GEN
            | CKM_EXTRACT_KEY_FROM_KEY
            | CKM_DH_PKCS_DERIVE
    )
}
