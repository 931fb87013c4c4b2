//! The parameter structures of PKCS#11 v3.2 that hold an address or an object. Those of mere numbers travel as flat bytes.

use cryptoki_sys::{CK_SP800_108_KEY_HANDLE, CK_TRUE, CKF_HKDF_SALT_KEY};

use super::shape::Part::{
    Array, Bits, Byte, Bytes, BytesOrObject, DerivedKeys, Fixed, Inline, Integer, KeyMaterial,
    MadeBytes, Mechanism, NewKey, Nonce, Null, Object, ObjectWhen, Output, OutputLength, Reference,
    Size, SizeOrAddress, Structure as Inner, Text, Value, Written,
};
use super::shape::{Part, Structure, fields, offsets, size};

macro_rules! structures {
    ($($(#[$doc:meta])* $name:ident = $c:ident { $($part:expr),* $(,)? })*) => {
        $(
            #[doc = concat!("`", stringify!($c), "`.")]
            $(#[$doc])*
            pub(super) const $name: Structure = {
                const PARTS: &[Part] = &[$($part),*];
                const OFFSETS: [usize; PARTS.len()] = offsets(PARTS);
                Structure { parts: PARTS, offsets: &OFFSETS, size: size(PARTS, &OFFSETS), fields: fields(PARTS) }
            };
        )*
    };
}

const YES: u64 = CK_TRUE as u64;

// General, RSA and wrapping.
structures! {
    /// The parameter of `CKM_CONCATENATE_BASE_AND_KEY` is a handle and nothing else.
    KEY = CK_OBJECT_HANDLE { Object }
    STRING_DATA = CK_KEY_DERIVATION_STRING_DATA { Bytes { size: 1 }, Size }
    RSA_OAEP = CK_RSA_PKCS_OAEP_PARAMS { Integer, Integer, Integer, Bytes { size: 4 }, Size }
    RSA_AES_KEY_WRAP = CK_RSA_AES_KEY_WRAP_PARAMS { Integer, Reference(&RSA_OAEP) }
    ECDH_AES_KEY_WRAP = CK_ECDH_AES_KEY_WRAP_PARAMS { Integer, Integer, Size, Bytes { size: 2 } }
    KEY_WRAP_SET_OAEP = CK_KEY_WRAP_SET_OAEP_PARAMS { Byte, Bytes { size: 2 }, Size }
}

// Ciphers.
structures! {
    GCM = CK_GCM_PARAMS { Bytes { size: 1 }, Size, Integer, Bytes { size: 4 }, Size, Integer }
    /// Its form before v2.40, without `ulIvBits`, which some applications still have.
    GCM_WITHOUT_IV_BITS = CK_GCM_PARAMS { Bytes { size: 1 }, Size, Bytes { size: 3 }, Size, Integer }
    CCM = CK_CCM_PARAMS { Integer, Bytes { size: 2 }, Size, Bytes { size: 4 }, Size, Integer }
    /// Of `C_WrapKeyAuthenticated` and `C_UnwrapKeyAuthenticated`.
    GCM_WRAP = CK_GCM_WRAP_PARAMS {
        MadeBytes { size: 1, generator: 3 }, Size, Integer, Integer, Bytes { size: 5 }, Size, Integer,
    }
    CCM_WRAP = CK_CCM_WRAP_PARAMS {
        Integer, MadeBytes { size: 2, generator: 4 }, Size, Integer, Integer, Bytes { size: 6 }, Size, Integer,
    }
    CHACHA20 = CK_CHACHA20_PARAMS { Bits { size: 1 }, Integer, Bits { size: 3 }, Integer }
    SALSA20 = CK_SALSA20_PARAMS { Fixed(8), Bits { size: 2 }, Integer }
    POLY1305 = CK_SALSA20_CHACHA20_POLY1305_PARAMS { Nonce { size: 1 }, Integer, Bytes { size: 3 }, Size }
    RC5_CBC = CK_RC5_CBC_PARAMS { Integer, Integer, Bytes { size: 3 }, Size }
    DES_CBC_DATA = CK_DES_CBC_ENCRYPT_DATA_PARAMS { Inline(8), Bytes { size: 2 }, Size }
    /// That of AES, ARIA, Camellia and SEED alike.
    CBC_DATA = CK_AES_CBC_ENCRYPT_DATA_PARAMS { Inline(16), Bytes { size: 2 }, Size }
}

// Key agreement.
structures! {
    ECDH1 = CK_ECDH1_DERIVE_PARAMS { Integer, Size, Bytes { size: 1 }, Size, Bytes { size: 3 } }
    ECMQV = CK_ECMQV_DERIVE_PARAMS {
        Integer, Size, Bytes { size: 1 }, Size, Bytes { size: 3 }, Integer, Object, Size, Bytes { size: 7 }, Object,
    }
    X9_42_DH1 = CK_X9_42_DH1_DERIVE_PARAMS { Integer, Size, Bytes { size: 1 }, Size, Bytes { size: 3 } }
    X9_42_DH2 = CK_X9_42_DH2_DERIVE_PARAMS {
        Integer, Size, Bytes { size: 1 }, Size, Bytes { size: 3 }, Integer, Object, Size, Bytes { size: 7 },
    }
    X9_42_MQV = CK_X9_42_MQV_DERIVE_PARAMS {
        Integer, Size, Bytes { size: 1 }, Size, Bytes { size: 3 }, Integer, Object, Size, Bytes { size: 7 }, Object,
    }
    KEA = CK_KEA_DERIVE_PARAMS { Byte, Size, Bytes { size: 1 }, Bytes { size: 1 }, Size, Bytes { size: 4 } }
    GOST_DERIVE = CK_GOSTR3410_DERIVE_PARAMS { Integer, Bytes { size: 2 }, Size, Bytes { size: 4 }, Size }
    GOST_KEY_WRAP = CK_GOSTR3410_KEY_WRAP_PARAMS { Bytes { size: 1 }, Size, Bytes { size: 3 }, Size, Object }
    X3DH_INITIATE = CK_X3DH_INITIATE_PARAMS { Integer, Object, Object, Null, Null, Object, Object }
    X3DH_RESPOND = CK_X3DH_RESPOND_PARAMS { Integer, Null, Null, Null, Object, Null }
    X2RATCHET_INITIALIZE = CK_X2RATCHET_INITIALIZE_PARAMS { Null, Object, Object, Object, Byte, Integer, Integer, Integer }
    X2RATCHET_RESPOND = CK_X2RATCHET_RESPOND_PARAMS { Null, Object, Object, Object, Byte, Integer, Integer, Integer }
    SKIPJACK_PRIVATE_WRAP = CK_SKIPJACK_PRIVATE_WRAP_PARAMS {
        Size, Bytes { size: 0 }, Size, Bytes { size: 2 }, Size, Size, Size,
        Bytes { size: 6 }, Bytes { size: 4 }, Bytes { size: 4 }, Bytes { size: 5 },
    }
    SKIPJACK_RELAYX = CK_SKIPJACK_RELAYX_PARAMS {
        Size, Bytes { size: 0 }, Size, Bytes { size: 2 }, Size, Bytes { size: 4 }, Size, Bytes { size: 6 },
        Size, Bytes { size: 8 }, Size, Bytes { size: 10 }, Size, Bytes { size: 12 },
    }
}

// Key derivation.
structures! {
    HKDF = CK_HKDF_PARAMS {
        Byte, Byte, Integer, Integer, Bytes { size: 5 }, Size, ObjectWhen { tag: 3, is: CKF_HKDF_SALT_KEY },
        Bytes { size: 8 }, Size,
    }
    PBKD2 = CK_PKCS5_PBKD2_PARAMS2 {
        Integer, Bytes { size: 2 }, Size, Integer, Integer, Bytes { size: 6 }, Size, Bytes { size: 8 }, SizeOrAddress,
    }
    /// The first address is where the member puts the IV.
    PBE = CK_PBE_PARAMS { Written(8), Bytes { size: 2 }, Size, Bytes { size: 4 }, Size, Integer }
    PRF_DATA = CK_PRF_DATA_PARAM {
        Integer, BytesOrObject { size: 2, tag: 0, is: CK_SP800_108_KEY_HANDLE }, Size,
    }
    ATTRIBUTE = CK_ATTRIBUTE { Integer, Value { size: 2, kind: 0 }, Size }
    DERIVED_KEY = CK_DERIVED_KEY { Array { of: &ATTRIBUTE, count: 1 }, Size, NewKey }
    /// The handles of the keys that are derived beside the first one are given back in the structure.
    SP800_108 = CK_SP800_108_KDF_PARAMS {
        Integer, Size, Array { of: &PRF_DATA, count: 1 }, Size, DerivedKeys { count: 3 },
    }
    SP800_108_FEEDBACK = CK_SP800_108_FEEDBACK_KDF_PARAMS {
        Integer, Size, Array { of: &PRF_DATA, count: 1 }, Size, Bytes { size: 3 }, Size, DerivedKeys { count: 5 },
    }
    IKE2_PRF_PLUS = CK_IKE2_PRF_PLUS_DERIVE_PARAMS {
        Integer, Byte, ObjectWhen { tag: 1, is: YES }, Bytes { size: 4 }, Size,
    }
    IKE_PRF = CK_IKE_PRF_DERIVE_PARAMS {
        Integer, Byte, Byte, Bytes { size: 4 }, Size, Bytes { size: 6 }, Size, ObjectWhen { tag: 2, is: YES },
    }
    IKE1_PRF = CK_IKE1_PRF_DERIVE_PARAMS {
        Integer, Byte, Object, ObjectWhen { tag: 1, is: YES }, Bytes { size: 5 }, Size, Bytes { size: 7 }, Size, Byte,
    }
    IKE1_EXTENDED = CK_IKE1_EXTENDED_DERIVE_PARAMS {
        Integer, Byte, ObjectWhen { tag: 1, is: YES }, Bytes { size: 4 }, Size,
    }
    DSA_PARAMETER_GEN = CK_DSA_PARAMETER_GEN_PARAM { Integer, Bytes { size: 2 }, Size, Integer }
}

// TLS and its kin; the member's word on the version and its key material are given back in the structure.
structures! {
    SSL3_RANDOM = CK_SSL3_RANDOM_DATA { Bytes { size: 1 }, Size, Bytes { size: 3 }, Size }
    SSL3_MASTER_KEY = CK_SSL3_MASTER_KEY_DERIVE_PARAMS { Inner(&SSL3_RANDOM), Written(2) }
    SSL3_KEY_MATERIAL = CK_SSL3_KEY_MAT_PARAMS {
        Integer, Integer, Integer, Byte, Inner(&SSL3_RANDOM), KeyMaterial { keys: 4, ivs: 2, iv_bits: 2 },
    }
    TLS12_MASTER_KEY = CK_TLS12_MASTER_KEY_DERIVE_PARAMS { Inner(&SSL3_RANDOM), Written(2), Integer }
    TLS12_EXTENDED_MASTER_KEY = CK_TLS12_EXTENDED_MASTER_KEY_DERIVE_PARAMS { Integer, Bytes { size: 2 }, Size, Written(2) }
    TLS12_KEY_MATERIAL = CK_TLS12_KEY_MAT_PARAMS {
        Integer, Integer, Integer, Byte, Inner(&SSL3_RANDOM), KeyMaterial { keys: 4, ivs: 2, iv_bits: 2 }, Integer,
    }
    /// What it puts out is given back in the structure, and nothing else.
    TLS_PRF = CK_TLS_PRF_PARAMS { Bytes { size: 1 }, Size, Bytes { size: 3 }, Size, Output, OutputLength { output: 4 } }
    TLS_KDF = CK_TLS_KDF_PARAMS { Integer, Bytes { size: 2 }, Size, Inner(&SSL3_RANDOM), Bytes { size: 5 }, Size }
    WTLS_MASTER_KEY = CK_WTLS_MASTER_KEY_DERIVE_PARAMS { Integer, Inner(&SSL3_RANDOM), Written(1) }
    WTLS_KEY_MATERIAL = CK_WTLS_KEY_MAT_PARAMS {
        Integer, Integer, Integer, Integer, Integer, Byte, Inner(&SSL3_RANDOM), KeyMaterial { keys: 2, ivs: 1, iv_bits: 3 },
    }
    WTLS_PRF = CK_WTLS_PRF_PARAMS {
        Integer, Bytes { size: 2 }, Size, Bytes { size: 4 }, Size, Output, OutputLength { output: 5 },
    }
}

// Signatures.
structures! {
    EDDSA = CK_EDDSA_PARAMS { Byte, Size, Bytes { size: 1 } }
    SIGN_CONTEXT = CK_SIGN_ADDITIONAL_CONTEXT { Integer, Bytes { size: 2 }, Size }
    HASH_SIGN_CONTEXT = CK_HASH_SIGN_ADDITIONAL_CONTEXT { Integer, Bytes { size: 2 }, Size, Integer }
    CMS_SIG = CK_CMS_SIG_PARAMS {
        Object, Mechanism, Mechanism, Text, Bytes { size: 5 }, Size, Bytes { size: 7 }, Size,
    }
    KIP = CK_KIP_PARAMS { Mechanism, Object, Bytes { size: 3 }, Size }
    OTP_PARAM = CK_OTP_PARAM { Integer, Bytes { size: 2 }, Size }
    OTP = CK_OTP_PARAMS { Array { of: &OTP_PARAM, count: 1 }, Size }
}
