use cryptoki_sys::{
    CK_GCM_PARAMS, CK_MECHANISM, CK_MECHANISM_TYPE, CK_ULONG, CKM_AES_CBC, CKM_AES_CBC_PAD,
    CKM_AES_GCM,
};

/// A mechanism with its parameter.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Mechanism {
    /// AES-CBC without padding.
    AesCbc([u8; 16]),
    /// AES-CBC with PKCS padding.
    AesCbcPad([u8; 16]),
    /// AES-GCM with a tag of 128 bits and no further data.
    AesGcm([u8; 12]),
    /// Any with a parameter of two bytes, such as a version.
    Flat(CK_MECHANISM_TYPE, [u8; 2]),
    /// A null pointer, which ends an operation.
    Null,
    /// Any that takes no parameter.
    Plain(CK_MECHANISM_TYPE),
}

impl Mechanism {
    /// Calls `action` with the mechanism as C has it.
    pub(super) fn with<T>(mut self, action: impl FnOnce(*mut CK_MECHANISM) -> T) -> T {
        let (mechanism, (parameter, length)) = match &mut self {
            Self::AesCbc(iv) => (CKM_AES_CBC, (iv.as_mut_ptr(), iv.len())),
            Self::AesCbcPad(iv) => (CKM_AES_CBC_PAD, (iv.as_mut_ptr(), iv.len())),
            Self::AesGcm(iv) => return with_gcm(iv, action),
            Self::Flat(mechanism, bytes) => (*mechanism, (bytes.as_mut_ptr(), bytes.len())),
            Self::Null => return action(std::ptr::null_mut()),
            Self::Plain(mechanism) => (*mechanism, (std::ptr::null_mut(), 0)),
        };
        let mut value = CK_MECHANISM {
            mechanism,
            pParameter: parameter.cast(),
            ulParameterLen: length as CK_ULONG,
        };
        action(&raw mut value)
    }
}

fn with_gcm<T>(iv: &mut [u8], action: impl FnOnce(*mut CK_MECHANISM) -> T) -> T {
    let mut parameter = CK_GCM_PARAMS {
        pIv: iv.as_mut_ptr(),
        ulIvLen: iv.len() as CK_ULONG,
        ulIvBits: 8 * iv.len() as CK_ULONG,
        pAAD: std::ptr::null_mut(),
        ulAADLen: 0,
        ulTagBits: 128,
    };
    let mut value = CK_MECHANISM {
        mechanism: CKM_AES_GCM,
        pParameter: (&raw mut parameter).cast(),
        ulParameterLen: size_of::<CK_GCM_PARAMS>() as CK_ULONG,
    };
    action(&raw mut value)
}
