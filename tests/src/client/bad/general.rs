//! General-purpose functions, slots and tokens (§5.4, §5.5).

use std::ptr::null_mut;

use cryptoki_sys::{CK_C_INITIALIZE_ARGS, CK_FUNCTION_LIST, CKF_DONT_BLOCK, CKM_ECDSA};

use super::{BadCall, Bare, NOTHING, bad, rv};

pub(super) const CALLS: &[BadCall] = &[
    bad!("C_Initialize again", CRYPTOKI_ALREADY_INITIALIZED, |g| rv!(
        g,
        C_Initialize(null_mut())
    )),
    bad!(
        "C_Initialize with something reserved",
        ARGUMENTS_BAD,
        Bare::Other(
            everslot_core::ckr::CRYPTOKI_ALREADY_INITIALIZED,
            "whichever is complained of first"
        ),
        |g| {
            let mut something = 0_u64;
            let mut arguments = CK_C_INITIALIZE_ARGS {
                pReserved: (&raw mut something).cast(),
                ..Default::default()
            };
            rv!(g, C_Initialize((&raw mut arguments).cast()))
        }
    ),
    bad!("C_Finalize with something reserved", ARGUMENTS_BAD, |g| {
        let mut something = 0_u64;
        rv!(g, C_Finalize((&raw mut something).cast()))
    }),
    bad!("C_GetInfo to nowhere", ARGUMENTS_BAD, |g| rv!(
        g,
        C_GetInfo(null_mut())
    )),
    bad!("C_GetFunctionList to nowhere", ARGUMENTS_BAD, |g| rv!(
        g,
        C_GetFunctionList(null_mut::<*mut CK_FUNCTION_LIST>())
    )),
    bad!("C_GetFunctionStatus", FUNCTION_NOT_PARALLEL, |g| rv!(
        g,
        C_GetFunctionStatus(g.session)
    )),
    bad!("C_CancelFunction", FUNCTION_NOT_PARALLEL, |g| rv!(
        g,
        C_CancelFunction(g.session)
    )),
    bad!("C_GetSlotList without a count", ARGUMENTS_BAD, |g| {
        let mut slot = 0;
        rv!(g, C_GetSlotList(1, &raw mut slot, null_mut()))
    }),
    bad!("C_GetSlotList with no room", BUFFER_TOO_SMALL, |g| {
        let (mut slot, mut count) = (0, 0);
        rv!(g, C_GetSlotList(1, &raw mut slot, &raw mut count))
    }),
    bad!("C_GetSlotInfo to nowhere", ARGUMENTS_BAD, |g| rv!(
        g,
        C_GetSlotInfo(g.slot, null_mut())
    )),
    bad!("C_GetSlotInfo of no slot", SLOT_ID_INVALID, |g| {
        let mut info = Default::default();
        rv!(g, C_GetSlotInfo(NOTHING, &raw mut info))
    }),
    bad!("C_GetTokenInfo to nowhere", ARGUMENTS_BAD, |g| rv!(
        g,
        C_GetTokenInfo(g.slot, null_mut())
    )),
    bad!("C_GetTokenInfo of no slot", SLOT_ID_INVALID, |g| {
        let mut info = Default::default();
        rv!(g, C_GetTokenInfo(NOTHING, &raw mut info))
    }),
    bad!(
        "C_GetTokenInfo of no slot to nowhere",
        SLOT_ID_INVALID,
        Bare::Same,
        |g| rv!(g, C_GetTokenInfo(NOTHING, null_mut()))
    ),
    bad!(
        "C_GetMechanismList without a count",
        ARGUMENTS_BAD,
        |g| rv!(g, C_GetMechanismList(g.slot, null_mut(), null_mut()))
    ),
    bad!("C_GetMechanismList of no slot", SLOT_ID_INVALID, |g| {
        let mut count = 0;
        rv!(g, C_GetMechanismList(NOTHING, null_mut(), &raw mut count))
    }),
    bad!(
        "C_GetMechanismList with too little room",
        BUFFER_TOO_SMALL,
        |g| {
            let (mut kind, mut count) = (0, 1);
            rv!(g, C_GetMechanismList(g.slot, &raw mut kind, &raw mut count))
        }
    ),
    bad!("C_GetMechanismInfo to nowhere", ARGUMENTS_BAD, |g| rv!(
        g,
        C_GetMechanismInfo(g.slot, CKM_ECDSA, null_mut())
    )),
    bad!("C_GetMechanismInfo of no slot", SLOT_ID_INVALID, |g| {
        let mut info = Default::default();
        rv!(g, C_GetMechanismInfo(NOTHING, CKM_ECDSA, &raw mut info))
    }),
    bad!(
        "C_GetMechanismInfo of an unknown mechanism",
        MECHANISM_INVALID,
        |g| {
            let mut info = Default::default();
            rv!(g, C_GetMechanismInfo(g.slot, NOTHING, &raw mut info))
        }
    ),
    bad!("C_InitToken of no slot", SLOT_ID_INVALID, |g| {
        let (mut pin, mut label) = ([b'1'; 4], [b' '; 32]);
        rv!(
            g,
            C_InitToken(NOTHING, pin.as_mut_ptr(), 4, label.as_mut_ptr())
        )
    }),
    bad!(
        "C_InitToken without a label",
        ARGUMENTS_BAD,
        Bare::NotAsked,
        |g| {
            let mut pin = [b'1'; 4];
            rv!(g, C_InitToken(g.slot, pin.as_mut_ptr(), 4, null_mut()))
        }
    ),
    bad!(
        "C_WaitForSlotEvent to nowhere",
        ARGUMENTS_BAD,
        Bare::NotAsked,
        |g| rv!(
            g,
            C_WaitForSlotEvent(CKF_DONT_BLOCK, null_mut(), null_mut())
        )
    ),
    bad!(
        "C_WaitForSlotEvent with something reserved",
        ARGUMENTS_BAD,
        Bare::NotAsked,
        |g| {
            let mut slot = 0;
            rv!(
                g,
                C_WaitForSlotEvent(CKF_DONT_BLOCK, &raw mut slot, (&raw mut slot).cast())
            )
        }
    ),
];
