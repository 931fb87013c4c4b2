use serde::{Deserialize, Serialize};

/// `CK_VERSION`
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct Version {
    /// Before the point.
    pub major: u8,
    /// Hundredths after the point.
    pub minor: u8,
}

/// `CK_INFO`
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct ModuleInfo {
    /// Of the interface.
    pub cryptoki: Version,
    /// Blank-padded UTF-8.
    pub manufacturer: [u8; 32],
    /// None are defined.
    pub flags: u64,
    /// Blank-padded UTF-8.
    pub description: [u8; 32],
    /// Of the module.
    pub library: Version,
}

/// `CK_SLOT_INFO`; `description` is 64 bytes in two halves since serde has no longer arrays.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct SlotInfo {
    /// Blank-padded UTF-8, two times 32 bytes.
    pub description: [[u8; 32]; 2],
    /// Blank-padded UTF-8.
    pub manufacturer: [u8; 32],
    /// `CKF_TOKEN_PRESENT`, …
    pub flags: u64,
    /// Of the slot's hardware.
    pub hardware: Version,
    /// Of its firmware.
    pub firmware: Version,
}

/// `CK_TOKEN_INFO`; `CK_UNAVAILABLE_INFORMATION` and `CK_EFFECTIVELY_INFINITE` are passed as they are.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct TokenInfo {
    /// Blank-padded UTF-8.
    pub label: [u8; 32],
    /// Blank-padded UTF-8.
    pub manufacturer: [u8; 32],
    /// Blank-padded UTF-8.
    pub model: [u8; 16],
    /// Blank-padded.
    pub serial: [u8; 16],
    /// `CKF_TOKEN_INITIALIZED`, …
    pub flags: u64,
    /// Sessions that one application may open.
    pub max_sessions: u64,
    /// Sessions that this application has open.
    pub sessions: u64,
    /// Read-write sessions that one application may open.
    pub max_rw_sessions: u64,
    /// Read-write sessions that this application has open.
    pub rw_sessions: u64,
    /// Bytes.
    pub max_pin: u64,
    /// Bytes.
    pub min_pin: u64,
    /// Bytes.
    pub total_public_memory: u64,
    /// Bytes.
    pub free_public_memory: u64,
    /// Bytes.
    pub total_private_memory: u64,
    /// Bytes.
    pub free_private_memory: u64,
    /// Of the hardware.
    pub hardware: Version,
    /// Of the firmware.
    pub firmware: Version,
    /// `YYYYMMDDhhmmss00`, when the token has a clock.
    pub utc_time: [u8; 16],
}

/// `CK_SESSION_INFO`
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct SessionInfo {
    /// The slot of the session.
    pub slot: u64,
    /// `CKS_…`
    pub state: u64,
    /// `CKF_RW_SESSION`, `CKF_SERIAL_SESSION`
    pub flags: u64,
    /// The token's own error code.
    pub device_error: u64,
}

/// `CK_MECHANISM_INFO`
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct MechanismInfo {
    /// In the mechanism's own unit, bits or bytes.
    pub min_key_size: u64,
    /// In the mechanism's own unit, bits or bytes.
    pub max_key_size: u64,
    /// `CKF_SIGN`, …
    pub flags: u64,
}
