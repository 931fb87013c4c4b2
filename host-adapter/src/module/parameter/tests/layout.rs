//! Every shape has the layout of the C structure that it is the shape of.

use std::mem::offset_of;

use cryptoki_sys::*;

use crate::module::parameter::shape::Structure;
use crate::module::parameter::structures::*;

fn check(name: &str, structure: &Structure, size: usize, offsets: &[usize]) {
    assert_eq!(structure.size, size, "{name}");
    assert_eq!(structure.parts.len(), offsets.len(), "{name}");
    let places: Vec<usize> = structure.places().map(|(offset, _)| offset).collect();
    assert_eq!(places, offsets, "{name}");
}

macro_rules! layouts {
    ($($shape:ident = $c:ident { $($member:ident),* $(,)? })*) => {
        $(check(stringify!($c), &$shape, size_of::<$c>(), &[$(offset_of!($c, $member)),*]);)*
    };
}

#[test]
fn of_ciphers_and_wrapping() {
    layouts! {
        STRING_DATA = CK_KEY_DERIVATION_STRING_DATA { pData, ulLen }
        RSA_OAEP = CK_RSA_PKCS_OAEP_PARAMS { hashAlg, mgf, source, pSourceData, ulSourceDataLen }
        RSA_AES_KEY_WRAP = CK_RSA_AES_KEY_WRAP_PARAMS { ulAESKeyBits, pOAEPParams }
        ECDH_AES_KEY_WRAP = CK_ECDH_AES_KEY_WRAP_PARAMS { ulAESKeyBits, kdf, ulSharedDataLen, pSharedData }
        KEY_WRAP_SET_OAEP = CK_KEY_WRAP_SET_OAEP_PARAMS { bBC, pX, ulXLen }
        GCM = CK_GCM_PARAMS { pIv, ulIvLen, ulIvBits, pAAD, ulAADLen, ulTagBits }
        CCM = CK_CCM_PARAMS { ulDataLen, pNonce, ulNonceLen, pAAD, ulAADLen, ulMACLen }
        GCM_WRAP = CK_GCM_WRAP_PARAMS { pIv, ulIvLen, ulIvFixedBits, ivGenerator, pAAD, ulAADLen, ulTagBits }
        CCM_WRAP = CK_CCM_WRAP_PARAMS {
            ulDataLen, pNonce, ulNonceLen, ulNonceFixedBits, nonceGenerator, pAAD, ulAADLen, ulMACLen,
        }
        CHACHA20 = CK_CHACHA20_PARAMS { pBlockCounter, blockCounterBits, pNonce, ulNonceBits }
        SALSA20 = CK_SALSA20_PARAMS { pBlockCounter, pNonce, ulNonceBits }
        POLY1305 = CK_SALSA20_CHACHA20_POLY1305_PARAMS { pNonce, ulNonceLen, pAAD, ulAADLen }
        RC5_CBC = CK_RC5_CBC_PARAMS { ulWordsize, ulRounds, pIv, ulIvLen }
        DES_CBC_DATA = CK_DES_CBC_ENCRYPT_DATA_PARAMS { iv, pData, length }
        CBC_DATA = CK_AES_CBC_ENCRYPT_DATA_PARAMS { iv, pData, length }
        CBC_DATA = CK_ARIA_CBC_ENCRYPT_DATA_PARAMS { iv, pData, length }
        CBC_DATA = CK_CAMELLIA_CBC_ENCRYPT_DATA_PARAMS { iv, pData, length }
        CBC_DATA = CK_SEED_CBC_ENCRYPT_DATA_PARAMS { iv, pData, length }
    }
    assert_eq!(KEY.size, size_of::<CK_OBJECT_HANDLE>());
}

#[test]
fn of_key_agreement() {
    layouts! {
        ECDH1 = CK_ECDH1_DERIVE_PARAMS { kdf, ulSharedDataLen, pSharedData, ulPublicDataLen, pPublicData }
        ECMQV = CK_ECMQV_DERIVE_PARAMS {
            kdf, ulSharedDataLen, pSharedData, ulPublicDataLen, pPublicData, ulPrivateDataLen, hPrivateData,
            ulPublicDataLen2, pPublicData2, publicKey,
        }
        X9_42_DH1 = CK_X9_42_DH1_DERIVE_PARAMS { kdf, ulOtherInfoLen, pOtherInfo, ulPublicDataLen, pPublicData }
        X9_42_DH2 = CK_X9_42_DH2_DERIVE_PARAMS {
            kdf, ulOtherInfoLen, pOtherInfo, ulPublicDataLen, pPublicData, ulPrivateDataLen, hPrivateData,
            ulPublicDataLen2, pPublicData2,
        }
        X9_42_MQV = CK_X9_42_MQV_DERIVE_PARAMS {
            kdf, ulOtherInfoLen, OtherInfo, ulPublicDataLen, PublicData, ulPrivateDataLen, hPrivateData,
            ulPublicDataLen2, PublicData2, publicKey,
        }
        KEA = CK_KEA_DERIVE_PARAMS { isSender, ulRandomLen, RandomA, RandomB, ulPublicDataLen, PublicData }
        GOST_DERIVE = CK_GOSTR3410_DERIVE_PARAMS { kdf, pPublicData, ulPublicDataLen, pUKM, ulUKMLen }
        GOST_KEY_WRAP = CK_GOSTR3410_KEY_WRAP_PARAMS { pWrapOID, ulWrapOIDLen, pUKM, ulUKMLen, hKey }
        X3DH_INITIATE = CK_X3DH_INITIATE_PARAMS {
            kdf, pPeer_identity, pPeer_prekey, pPrekey_signature, pOnetime_key, pOwn_identity, pOwn_ephemeral,
        }
        X3DH_RESPOND = CK_X3DH_RESPOND_PARAMS {
            kdf, pIdentity_id, pPrekey_id, pOnetime_id, pInitiator_identity, pInitiator_ephemeral,
        }
        X2RATCHET_INITIALIZE = CK_X2RATCHET_INITIALIZE_PARAMS {
            sk, peer_public_prekey, peer_public_identity, own_public_identity, bEncryptedHeader, eCurve,
            aeadMechanism, kdfMechanism,
        }
        X2RATCHET_RESPOND = CK_X2RATCHET_RESPOND_PARAMS {
            sk, own_prekey, initiator_identity, own_public_identity, bEncryptedHeader, eCurve, aeadMechanism,
            kdfMechanism,
        }
        SKIPJACK_PRIVATE_WRAP = CK_SKIPJACK_PRIVATE_WRAP_PARAMS {
            ulPasswordLen, pPassword, ulPublicDataLen, pPublicData, ulPAndGLen, ulQLen, ulRandomLen, pRandomA,
            pPrimeP, pBaseG, pSubprimeQ,
        }
        SKIPJACK_RELAYX = CK_SKIPJACK_RELAYX_PARAMS {
            ulOldWrappedXLen, pOldWrappedX, ulOldPasswordLen, pOldPassword, ulOldPublicDataLen, pOldPublicData,
            ulOldRandomLen, pOldRandomA, ulNewPasswordLen, pNewPassword, ulNewPublicDataLen, pNewPublicData,
            ulNewRandomLen, pNewRandomA,
        }
    }
}

#[test]
fn of_key_derivation() {
    layouts! {
        HKDF = CK_HKDF_PARAMS {
            bExtract, bExpand, prfHashMechanism, ulSaltType, pSalt, ulSaltLen, hSaltKey, pInfo, ulInfoLen,
        }
        PBKD2 = CK_PKCS5_PBKD2_PARAMS {
            saltSource, pSaltSourceData, ulSaltSourceDataLen, iterations, prf, pPrfData, ulPrfDataLen, pPassword,
            ulPasswordLen,
        }
        PBKD2 = CK_PKCS5_PBKD2_PARAMS2 {
            saltSource, pSaltSourceData, ulSaltSourceDataLen, iterations, prf, pPrfData, ulPrfDataLen, pPassword,
            ulPasswordLen,
        }
        PBE = CK_PBE_PARAMS { pInitVector, pPassword, ulPasswordLen, pSalt, ulSaltLen, ulIteration }
        PRF_DATA = CK_PRF_DATA_PARAM { type_, pValue, ulValueLen }
        SP800_108 = CK_SP800_108_KDF_PARAMS {
            prfType, ulNumberOfDataParams, pDataParams, ulAdditionalDerivedKeys, pAdditionalDerivedKeys,
        }
        SP800_108_FEEDBACK = CK_SP800_108_FEEDBACK_KDF_PARAMS {
            prfType, ulNumberOfDataParams, pDataParams, ulIVLen, pIV, ulAdditionalDerivedKeys, pAdditionalDerivedKeys,
        }
        IKE2_PRF_PLUS = CK_IKE2_PRF_PLUS_DERIVE_PARAMS { prfMechanism, bHasSeedKey, hSeedKey, pSeedData, ulSeedDataLen }
        IKE_PRF = CK_IKE_PRF_DERIVE_PARAMS {
            prfMechanism, bDataAsKey, bRekey, pNi, ulNiLen, pNr, ulNrLen, hNewKey,
        }
        IKE1_PRF = CK_IKE1_PRF_DERIVE_PARAMS {
            prfMechanism, bHasPrevKey, hKeygxy, hPrevKey, pCKYi, ulCKYiLen, pCKYr, ulCKYrLen, keyNumber,
        }
        IKE1_EXTENDED = CK_IKE1_EXTENDED_DERIVE_PARAMS {
            prfMechanism, bHasKeygxy, hKeygxy, pExtraData, ulExtraDataLen,
        }
        DSA_PARAMETER_GEN = CK_DSA_PARAMETER_GEN_PARAM { hash, pSeed, ulSeedLen, ulIndex }
    }
}

#[test]
fn of_tls_and_its_kin() {
    layouts! {
        SSL3_RANDOM = CK_SSL3_RANDOM_DATA { pClientRandom, ulClientRandomLen, pServerRandom, ulServerRandomLen }
        SSL3_RANDOM = CK_WTLS_RANDOM_DATA { pClientRandom, ulClientRandomLen, pServerRandom, ulServerRandomLen }
        SSL3_MASTER_KEY = CK_SSL3_MASTER_KEY_DERIVE_PARAMS { RandomInfo, pVersion }
        SSL3_KEY_MATERIAL = CK_SSL3_KEY_MAT_PARAMS {
            ulMacSizeInBits, ulKeySizeInBits, ulIVSizeInBits, bIsExport, RandomInfo, pReturnedKeyMaterial,
        }
        TLS12_MASTER_KEY = CK_TLS12_MASTER_KEY_DERIVE_PARAMS { RandomInfo, pVersion, prfHashMechanism }
        TLS12_EXTENDED_MASTER_KEY = CK_TLS12_EXTENDED_MASTER_KEY_DERIVE_PARAMS {
            prfHashMechanism, pSessionHash, ulSessionHashLen, pVersion,
        }
        TLS12_KEY_MATERIAL = CK_TLS12_KEY_MAT_PARAMS {
            ulMacSizeInBits, ulKeySizeInBits, ulIVSizeInBits, bIsExport, RandomInfo, pReturnedKeyMaterial,
            prfHashMechanism,
        }
        TLS_PRF = CK_TLS_PRF_PARAMS { pSeed, ulSeedLen, pLabel, ulLabelLen, pOutput, pulOutputLen }
        TLS_KDF = CK_TLS_KDF_PARAMS {
            prfMechanism, pLabel, ulLabelLength, RandomInfo, pContextData, ulContextDataLength,
        }
        WTLS_MASTER_KEY = CK_WTLS_MASTER_KEY_DERIVE_PARAMS { DigestMechanism, RandomInfo, pVersion }
        WTLS_KEY_MATERIAL = CK_WTLS_KEY_MAT_PARAMS {
            DigestMechanism, ulMacSizeInBits, ulKeySizeInBits, ulIVSizeInBits, ulSequenceNumber, bIsExport,
            RandomInfo, pReturnedKeyMaterial,
        }
        WTLS_PRF = CK_WTLS_PRF_PARAMS {
            DigestMechanism, pSeed, ulSeedLen, pLabel, ulLabelLen, pOutput, pulOutputLen,
        }
    }
}

#[test]
fn of_signatures() {
    layouts! {
        EDDSA = CK_EDDSA_PARAMS { phFlag, ulContextDataLen, pContextData }
        SIGN_CONTEXT = CK_SIGN_ADDITIONAL_CONTEXT { hedgeVariant, pContext, ulContextLen }
        HASH_SIGN_CONTEXT = CK_HASH_SIGN_ADDITIONAL_CONTEXT { hedgeVariant, pContext, ulContextLen, hash }
        CMS_SIG = CK_CMS_SIG_PARAMS {
            certificateHandle, pSigningMechanism, pDigestMechanism, pContentType, pRequestedAttributes,
            ulRequestedAttributesLen, pRequiredAttributes, ulRequiredAttributesLen,
        }
        KIP = CK_KIP_PARAMS { pMechanism, hKey, pSeed, ulSeedLen }
        OTP_PARAM = CK_OTP_PARAM { type_, pValue, ulValueLen }
        OTP = CK_OTP_PARAMS { pParams, ulCount }
    }
}
