use cryptoki_sys::*;
use everslot_protocol::{Body, Bytes, ModuleInfo, Operation, Request, Rv, SlotInfo, TokenInfo};

use super::token::{PIN, SO_PIN, Token, numbers, with_token};

#[test]
fn a_module_tells_of_itself() {
    with_token("slots::a_module_tells_of_itself", |token| {
        token.both_ways(|token| {
            let module: ModuleInfo = token.info(&Request::ModuleInfo);
            assert_eq!(module.cryptoki.major, 2);
            assert!(module.manufacturer.starts_with(b"SoftHSM"));
            // SoftHSM has one slot more, with a token that waits to be initialised.
            assert_eq!(token.slots(false).len(), 2);
            assert_eq!(token.slots(true).len(), 2);
            let slot: SlotInfo = token.info(&Request::SlotInfo { slot: token.slot });
            assert!(slot.description[0].starts_with(b"SoftHSM slot"));
            assert_ne!(slot.flags & CKF_TOKEN_PRESENT, 0);
            let info: TokenInfo = token.info(&Request::TokenInfo { slot: token.slot });
            assert!(info.label.starts_with(b"everslot module test   "));
            assert_ne!(info.flags & CKF_TOKEN_INITIALIZED, 0);
            let mechanisms = numbers(&token.output(&Request::Mechanisms { slot: token.slot }));
            assert!(
                mechanisms.contains(&CKM_ECDSA) && mechanisms.contains(&CKM_AES_GCM),
                "{mechanisms:x?}"
            );
            let request = Request::MechanismInfo {
                slot: token.slot,
                mechanism: CKM_RSA_PKCS,
            };
            let Body::Mechanism(info) = token.ok(&request).body else {
                panic!("mechanism info")
            };
            assert!(info.flags & CKF_SIGN != 0 && info.max_key_size >= 2048);
        });
    });
}

#[test]
fn a_list_that_does_not_fit_tells_its_length() {
    with_token(
        "slots::a_list_that_does_not_fit_tells_its_length",
        |mut token| {
            let reply = token.call(
                &Request::Slots {
                    token_present: true,
                },
                &mut [0; 15],
            );
            assert_eq!(
                (reply.rv.0, reply.body),
                (CKR_BUFFER_TOO_SMALL, Body::Length(16))
            );
            let reply = token.call(&Request::Mechanisms { slot: token.slot }, &mut []);
            let Body::Length(length) = reply.body else {
                panic!("{reply:?}")
            };
            assert_eq!(reply.rv.0, CKR_BUFFER_TOO_SMALL);
            assert_eq!(
                token
                    .output(&Request::Mechanisms { slot: token.slot })
                    .len() as u64,
                length
            );
        },
    );
}

fn state(token: &mut Token) -> u64 {
    let request = Request::SessionInfo {
        session: token.session,
    };
    let Body::SessionInfo(info) = token.ok(&request).body else {
        panic!("session info")
    };
    assert_eq!(info.slot, token.slot.0);
    info.state
}

#[test]
fn sessions_log_in_and_out() {
    with_token("slots::sessions_log_in_and_out", |token| {
        token.both_ways(|token| {
            let session = token.session;
            assert_eq!(state(token), CKS_RW_USER_FUNCTIONS);
            token.ok(&Request::Logout { session });
            assert_eq!(state(token), CKS_RW_PUBLIC_SESSION);
            let login = |user, pin| Request::Login {
                session,
                user,
                pin: Some(Bytes(pin)),
            };
            assert_eq!(token.rv(&login(CKU_USER, b"wrong")), CKR_PIN_INCORRECT);
            assert_eq!(
                token.rv(&Request::Login {
                    session,
                    user: CKU_USER,
                    pin: None
                }),
                CKR_ARGUMENTS_BAD
            );
            token.ok(&login(CKU_SO, SO_PIN));
            assert_eq!(state(token), CKS_RW_SO_FUNCTIONS);
            token.ok(&Request::InitPin {
                session,
                pin: Some(Bytes(b"another")),
            });
            token.ok(&Request::Logout { session });
            token.ok(&login(CKU_USER, b"another"));
            let (old, new) = (Some(Bytes(b"another")), Some(Bytes(PIN)));
            token.ok(&Request::SetPin { session, old, new });
            assert_eq!(state(token), CKS_RW_USER_FUNCTIONS);
            let second = token.open_session();
            token.ok(&Request::CloseSession { session: second });
            assert_eq!(
                token.rv(&Request::SessionInfo { session: second }),
                CKR_SESSION_HANDLE_INVALID
            );
        });
    });
}

#[test]
fn a_token_is_initialised() {
    with_token("slots::a_token_is_initialised", |token| {
        token.both_ways(|token| {
            let slots = token.slots(true);
            let free = slots
                .into_iter()
                .find(|&slot| slot != token.slot && token.label(slot).is_empty());
            let slot = free.expect("SoftHSM has a free slot");
            let pin = Some(Bytes(SO_PIN));
            let label = Bytes(b"a further token                 ");
            token.ok(&Request::InitToken { slot, pin, label });
            assert_eq!(token.label(slot), "a further token");
            let label = Bytes(b"not padded");
            assert_eq!(
                token.rv(&Request::InitToken { slot, pin, label }),
                CKR_ARGUMENTS_BAD
            );
        });
    });
}

#[test]
fn random_bytes_fill_what_was_asked_for() {
    with_token("slots::random_bytes_fill_what_was_asked_for", |token| {
        token.both_ways(|token| {
            let session = token.session;
            token.ok(&Request::SeedRandom {
                session,
                seed: Bytes(b"some seed"),
            });
            let mut output = [0; 64];
            let reply = token.call(
                &Request::GenerateRandom {
                    session,
                    length: 32,
                },
                &mut output,
            );
            assert_eq!((reply.rv, reply.body), (Rv::OK, Body::Written(32)));
            assert!(output[..32] != [0; 32] && output[32..] == [0; 32]);
            let reply = token.call(
                &Request::GenerateRandom {
                    session,
                    length: 65,
                },
                &mut output,
            );
            assert_eq!((reply.rv.0, reply.body), (CKR_ARGUMENTS_BAD, Body::Empty));
        });
    });
}

#[test]
fn closing_all_sessions_closes_ours() {
    with_token("slots::closing_all_sessions_closes_ours", |mut token| {
        let (session, slot) = (token.session, token.slot);
        token.ok(&Request::CloseAllSessions { slot });
        let data = Bytes(b"x");
        let digest = Request::Whole {
            session,
            operation: Operation::Digest,
            data,
            room: Some(64),
        };
        assert_eq!(token.rv(&digest), CKR_SESSION_HANDLE_INVALID);
    });
}
