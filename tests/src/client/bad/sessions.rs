//! Sessions and logins (§5.6), and PINs.

use std::ptr::null_mut;

use cryptoki_sys::{CKF_RW_SESSION, CKF_SERIAL_SESSION, CKU_CONTEXT_SPECIFIC, CKU_SO, CKU_USER};

use super::{BadCall, Bare, ENDLESS, NOTHING, bad, rv};

pub(super) const CALLS: &[BadCall] = &[
    bad!("C_OpenSession to nowhere", ARGUMENTS_BAD, |g| rv!(
        g,
        C_OpenSession(g.slot, CKF_SERIAL_SESSION, null_mut(), None, null_mut())
    )),
    bad!("C_OpenSession of no slot", SLOT_ID_INVALID, |g| {
        let mut session = 0;
        rv!(
            g,
            C_OpenSession(
                NOTHING,
                CKF_SERIAL_SESSION,
                null_mut(),
                None,
                &raw mut session
            )
        )
    }),
    bad!(
        "C_OpenSession in parallel",
        SESSION_PARALLEL_NOT_SUPPORTED,
        |g| {
            let mut session = 0;
            rv!(
                g,
                C_OpenSession(g.slot, CKF_RW_SESSION, null_mut(), None, &raw mut session)
            )
        }
    ),
    bad!(
        "C_CloseSession of nothing",
        SESSION_HANDLE_INVALID,
        |g| rv!(g, C_CloseSession(NOTHING))
    ),
    bad!(
        "C_CloseSession of the null handle",
        SESSION_HANDLE_INVALID,
        |g| rv!(g, C_CloseSession(0))
    ),
    bad!("C_CloseSession twice", SESSION_HANDLE_INVALID, |g| {
        let mut session = 0;
        rv!(
            g,
            C_OpenSession(
                g.slot,
                CKF_SERIAL_SESSION,
                null_mut(),
                None,
                &raw mut session
            )
        );
        rv!(g, C_CloseSession(session));
        rv!(g, C_CloseSession(session))
    }),
    bad!(
        "C_GetSessionInfo of a session that was closed",
        SESSION_HANDLE_INVALID,
        |g| {
            let (mut session, mut info) = (0, Default::default());
            rv!(
                g,
                C_OpenSession(
                    g.slot,
                    CKF_SERIAL_SESSION,
                    null_mut(),
                    None,
                    &raw mut session
                )
            );
            rv!(g, C_CloseSession(session));
            rv!(g, C_GetSessionInfo(session, &raw mut info))
        }
    ),
    bad!("C_CloseAllSessions of no slot", SLOT_ID_INVALID, |g| rv!(
        g,
        C_CloseAllSessions(NOTHING)
    )),
    bad!("C_GetSessionInfo to nowhere", ARGUMENTS_BAD, |g| rv!(
        g,
        C_GetSessionInfo(g.session, null_mut())
    )),
    bad!("C_GetSessionInfo of nothing", SESSION_HANDLE_INVALID, |g| {
        let mut info = Default::default();
        rv!(g, C_GetSessionInfo(NOTHING, &raw mut info))
    }),
    bad!(
        "C_GetOperationState without a length",
        ARGUMENTS_BAD,
        Bare::NotAsked,
        |g| rv!(g, C_GetOperationState(g.session, null_mut(), null_mut()))
    ),
    bad!(
        "C_SetOperationState from nowhere",
        ARGUMENTS_BAD,
        Bare::NotAsked,
        |g| rv!(g, C_SetOperationState(g.session, null_mut(), 8, 0, 0))
    ),
    bad!(
        "C_SetOperationState of rubbish",
        SAVED_STATE_INVALID,
        Bare::NotAsked,
        |g| {
            let mut state = [0x55; 48];
            rv!(
                g,
                C_SetOperationState(g.session, state.as_mut_ptr(), 48, 0, 0)
            )
        }
    ),
    bad!(
        "C_Login with a null PIN of some length",
        USER_ALREADY_LOGGED_IN,
        Bare::Other(
            everslot_core::ckr::ARGUMENTS_BAD,
            "a null PIN stands for the token's own way of asking, and the login is complained of first"
        ),
        |g| rv!(g, C_Login(g.session, CKU_USER, null_mut(), 4))
    ),
    bad!("C_Login as nobody there is", USER_TYPE_INVALID, |g| {
        let mut pin = *b"123456";
        rv!(g, C_Login(g.session, NOTHING, pin.as_mut_ptr(), 6))
    }),
    bad!("C_Login again", USER_ALREADY_LOGGED_IN, |g| {
        let mut pin = *b"123456";
        rv!(g, C_Login(g.session, CKU_USER, pin.as_mut_ptr(), 6))
    }),
    bad!(
        "C_Login as the other",
        USER_ANOTHER_ALREADY_LOGGED_IN,
        |g| {
            let mut pin = *b"654321";
            rv!(g, C_Login(g.session, CKU_SO, pin.as_mut_ptr(), 6))
        }
    ),
    bad!("C_Login for no operation", OPERATION_NOT_INITIALIZED, |g| {
        let mut pin = *b"123456";
        rv!(
            g,
            C_Login(g.session, CKU_CONTEXT_SPECIFIC, pin.as_mut_ptr(), 6)
        )
    }),
    bad!(
        "C_Login with an endless PIN",
        ARGUMENTS_BAD,
        Bare::NotAsked,
        |g| {
            let mut pin = *b"123456";
            rv!(g, C_Login(g.session, CKU_USER, pin.as_mut_ptr(), ENDLESS))
        }
    ),
    bad!("C_Login of nothing", SESSION_HANDLE_INVALID, |g| {
        let mut pin = *b"123456";
        rv!(g, C_Login(NOTHING, CKU_USER, pin.as_mut_ptr(), 6))
    }),
    bad!("C_Logout of nothing", SESSION_HANDLE_INVALID, |g| rv!(
        g,
        C_Logout(NOTHING)
    )),
    bad!("C_InitPIN as the user", USER_NOT_LOGGED_IN, |g| {
        let mut pin = *b"123456";
        rv!(g, C_InitPIN(g.session, pin.as_mut_ptr(), 6))
    }),
    bad!("C_InitPIN of nothing", SESSION_HANDLE_INVALID, |g| {
        let mut pin = *b"123456";
        rv!(g, C_InitPIN(NOTHING, pin.as_mut_ptr(), 6))
    }),
    bad!(
        "C_SetPIN with an endless PIN",
        ARGUMENTS_BAD,
        Bare::NotAsked,
        |g| {
            let mut pin = *b"123456";
            rv!(
                g,
                C_SetPIN(g.session, pin.as_mut_ptr(), 6, pin.as_mut_ptr(), ENDLESS)
            )
        }
    ),
    bad!("C_SetPIN of nothing", SESSION_HANDLE_INVALID, |g| {
        let mut pin = *b"123456";
        rv!(
            g,
            C_SetPIN(NOTHING, pin.as_mut_ptr(), 6, pin.as_mut_ptr(), 6)
        )
    }),
    bad!("C_SeedRandom from nowhere", ARGUMENTS_BAD, |g| rv!(
        g,
        C_SeedRandom(g.session, null_mut(), 8)
    )),
    bad!("C_SeedRandom of nothing", SESSION_HANDLE_INVALID, |g| {
        let mut seed = [0; 8];
        rv!(g, C_SeedRandom(NOTHING, seed.as_mut_ptr(), 8))
    }),
    bad!("C_GenerateRandom to nowhere", ARGUMENTS_BAD, |g| rv!(
        g,
        C_GenerateRandom(g.session, null_mut(), 8)
    )),
    bad!("C_GenerateRandom of nothing", SESSION_HANDLE_INVALID, |g| {
        let mut random = [0; 8];
        rv!(g, C_GenerateRandom(NOTHING, random.as_mut_ptr(), 8))
    }),
    bad!(
        "C_GenerateRandom without end",
        ARGUMENTS_BAD,
        Bare::NotAsked,
        |g| {
            let mut random = [0; 8];
            rv!(g, C_GenerateRandom(g.session, random.as_mut_ptr(), ENDLESS))
        }
    ),
];
