//! Mechanisms of all kinds, with parameters that are right, wrong and absurd.

use std::ffi::c_void;
use std::ptr::null_mut;

use cryptoki_sys::*;

use crate::choice::Choice;
use crate::memory::Memory;
use crate::world::World;

/// Mechanisms whose parameter is plain bytes, or that have none: any bytes will do for them.
const FLAT: [CK_MECHANISM_TYPE; 16] = [
    CKM_AES_CBC,
    CKM_AES_CBC_PAD,
    CKM_AES_ECB,
    CKM_DES3_CBC,
    CKM_ECDSA,
    CKM_ECDSA_SHA256,
    CKM_SHA256,
    CKM_SHA512,
    CKM_SHA256_HMAC,
    CKM_RSA_PKCS,
    CKM_SHA256_RSA_PKCS,
    CKM_RSA_X_509,
    CKM_AES_KEY_WRAP,
    CKM_AES_KEY_GEN,
    CKM_EC_KEY_PAIR_GEN,
    CKM_AES_CMAC,
];

/// A mechanism; now and then none.
pub(crate) fn mechanism(
    choice: &mut Choice,
    world: &World,
    memory: &mut Memory,
) -> *mut CK_MECHANISM {
    if choice.one_in(24) {
        return null_mut();
    }
    let (kind, (parameter, length)) = match choice.below(8) {
        0..4 => {
            let kind = *choice.of(&FLAT).unwrap_or(&CKM_ECDSA);
            (kind, flat(choice, memory))
        }
        4 | 5 => structured(choice, world, memory),
        6 => {
            let kind = choice.of(&world.mechanisms).copied();
            (kind.unwrap_or(CKM_ECDSA), harmless(choice, memory))
        }
        _ => (choice.number() & 0x1_2fff, harmless(choice, memory)),
    };
    memory.keep_all(&[CK_MECHANISM {
        mechanism: kind,
        pParameter: parameter.cast(),
        ulParameterLen: length,
    }])
}

/// A mechanism that message-based operations have.
pub(crate) fn message_mechanism(choice: &mut Choice, memory: &mut Memory) -> *mut CK_MECHANISM {
    let kind = *choice
        .of(&[CKM_AES_GCM, CKM_AES_GCM, CKM_ECDSA, CKM_ECDSA_SHA256])
        .unwrap_or(&CKM_AES_GCM);
    memory.keep_all(&[CK_MECHANISM {
        mechanism: kind,
        pParameter: null_mut(),
        ulParameterLen: 0,
    }])
}

/// What a message has beside its data: the structure of GCM, mostly.
pub(crate) fn message_parameter(
    choice: &mut Choice,
    memory: &mut Memory,
) -> (*mut c_void, CK_ULONG) {
    if choice.one_in(4) {
        let (parameter, length) = harmless(choice, memory);
        return (parameter.cast(), length);
    }
    let (iv, length) = part(choice, memory, 12);
    let parameter = CK_GCM_MESSAGE_PARAMS {
        pIv: iv,
        ulIvLen: length,
        ulIvFixedBits: *choice.of(&[0, 0, 32, 96, CK_ULONG::MAX]).unwrap_or(&0),
        ivGenerator: choice.below(6) as CK_ULONG,
        // As long as any tag may be.
        pTag: if choice.one_in(8) {
            null_mut()
        } else {
            memory.keep(&choice.bytes(64))
        },
        ulTagBits: *choice.of(&[128, 128, 96, 7, 0, 1000]).unwrap_or(&128),
    };
    let (parameter, length) = whole(memory, parameter);
    (parameter.cast(), length)
}

fn flat(choice: &mut Choice, memory: &mut Memory) -> (*mut u8, CK_ULONG) {
    match choice.below(8) {
        0 => {
            let length = choice.below(64);
            (memory.keep(&choice.bytes(length)), length as CK_ULONG)
        }
        1 => (null_mut(), 16),
        2 => (memory.keep(&choice.bytes(16)), Memory::endless(choice)),
        3..6 => (memory.keep(&choice.bytes(16)), 16),
        _ => (null_mut(), 0),
    }
}

/// A parameter for a mechanism that may have a structure: zeros of any length, so that a structure read from it has no address; or
/// anything of a length that no structure has.
fn harmless(choice: &mut Choice, memory: &mut Memory) -> (*mut u8, CK_ULONG) {
    match choice.below(4) {
        0 => (null_mut(), 0),
        1 => {
            let length = choice.below(200);
            (memory.keep(&vec![0; length]), length as CK_ULONG)
        }
        2 => {
            let length = 2 * choice.below(40) + 41;
            (memory.keep(&choice.bytes(length)), length as CK_ULONG)
        }
        _ => (null_mut(), Memory::endless(choice)),
    }
}

/// A pointer and a length of a structure: right, null with a length, or endless.
fn part(choice: &mut Choice, memory: &mut Memory, length: usize) -> (*mut u8, CK_ULONG) {
    match choice.below(12) {
        0 => (null_mut(), length as CK_ULONG),
        1 => (memory.keep(&choice.bytes(length)), Memory::endless(choice)),
        2 => (null_mut(), 0),
        3 => {
            let length = choice.below(300);
            (memory.keep(&choice.bytes(length)), length as CK_ULONG)
        }
        _ => (memory.keep(&choice.bytes(length)), length as CK_ULONG),
    }
}

fn structured(
    choice: &mut Choice,
    world: &World,
    memory: &mut Memory,
) -> (CK_MECHANISM_TYPE, (*mut u8, CK_ULONG)) {
    let hash = *choice
        .of(&[CKM_SHA_1, CKM_SHA256, CKM_SHA512, 0x4242])
        .unwrap_or(&CKM_SHA_1);
    match choice.below(6) {
        0 => {
            let ((iv, iv_length), (aad, aad_length)) =
                (part(choice, memory, 12), part(choice, memory, 20));
            let parameter = CK_GCM_PARAMS {
                pIv: iv,
                ulIvLen: iv_length,
                ulIvBits: *choice.of(&[96, 0, 128, 7]).unwrap_or(&96),
                pAAD: aad,
                ulAADLen: aad_length,
                ulTagBits: *choice.of(&[128, 96, 0, 1000]).unwrap_or(&128),
            };
            (CKM_AES_GCM, whole(memory, parameter))
        }
        1 => {
            let parameter = CK_RSA_PKCS_PSS_PARAMS {
                hashAlg: hash,
                mgf: choice.below(7) as CK_ULONG,
                sLen: *choice.of(&[20, 32, 0, CK_ULONG::MAX]).unwrap_or(&20),
            };
            let kind = *choice
                .of(&[CKM_RSA_PKCS_PSS, CKM_SHA256_RSA_PKCS_PSS])
                .unwrap_or(&CKM_RSA_PKCS_PSS);
            (kind, whole(memory, parameter))
        }
        2 => {
            let (source, length) = part(choice, memory, 10);
            let parameter = CK_RSA_PKCS_OAEP_PARAMS {
                hashAlg: hash,
                mgf: choice.below(3) as CK_ULONG,
                source: choice.below(2) as CK_ULONG,
                pSourceData: source.cast(),
                ulSourceDataLen: length,
            };
            (CKM_RSA_PKCS_OAEP, whole(memory, parameter))
        }
        3 => {
            let ((public, public_length), (shared, shared_length)) =
                (part(choice, memory, 65), part(choice, memory, 4));
            let parameter = CK_ECDH1_DERIVE_PARAMS {
                kdf: choice.below(4) as CK_ULONG,
                ulSharedDataLen: shared_length,
                pSharedData: shared,
                ulPublicDataLen: public_length,
                pPublicData: public,
            };
            (CKM_ECDH1_DERIVE, whole(memory, parameter))
        }
        4 => {
            let mut counter = [0; 16];
            counter.copy_from_slice(&choice.bytes(16));
            let parameter = CK_AES_CTR_PARAMS {
                ulCounterBits: *choice.of(&[128, 32, 0, 129]).unwrap_or(&128),
                cb: counter,
            };
            (CKM_AES_CTR, whole(memory, parameter))
        }
        _ => {
            let key = world.object(choice);
            (CKM_CONCATENATE_BASE_AND_KEY, whole(memory, key))
        }
    }
}

fn whole<T: Copy>(memory: &mut Memory, parameter: T) -> (*mut u8, CK_ULONG) {
    let length = size_of::<T>() as CK_ULONG;
    (memory.keep_all(&[parameter]).cast(), length)
}
