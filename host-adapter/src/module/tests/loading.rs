use std::time::Duration;

use cryptoki_sys::*;
use everslot_protocol::{Body, Deadline, Request, Rv, wire};

use super::requests::every_request;
use super::token::{SOFTHSM, settings, with_token};
use crate::module::execute::execute;
use crate::module::{Functions, InProcess, Instance, LinkCause, LinkFailure, LoadError};

#[test]
fn what_cannot_be_loaded_says_why() {
    let load = |path: &str| InProcess::load(&settings(path)).expect_err("not a module");
    let missing = load("/nonexistent/module.so");
    assert!(matches!(missing, LoadError::Open { .. }));
    assert!(
        missing
            .to_string()
            .starts_with("cannot load the PKCS#11 module /nonexistent/module.so: "),
        "{missing}"
    );
    assert!(
        missing.to_string().contains("No such file or directory"),
        "{missing}"
    );
    assert_eq!(LinkFailure::from(missing).cause, LinkCause::ModuleNotLoaded);

    let other = load("libc.so.6");
    assert!(matches!(other, LoadError::NoFunctionList { .. }), "{other}");

    let mut with_zero = settings(SOFTHSM);
    with_zero.init_string = Some("a\0b".to_owned());
    assert!(matches!(
        InProcess::load(&with_zero),
        Err(LoadError::InitString { .. })
    ));
}

#[test]
fn a_module_that_is_initialised_already_is_shared() {
    with_token(
        "loading::a_module_that_is_initialised_already_is_shared",
        |mut token| {
            let second = InProcess::load(&settings(SOFTHSM)).expect("loads again");
            assert!(second.is_shared() && !token.instance.is_shared());
            second.stop(Duration::ZERO);
            assert!(!second.is_alive() && token.instance.is_alive());
            token.ok(&Request::SessionInfo {
                session: token.session,
            });

            token.instance.stop(Duration::ZERO);
            assert_eq!(
                token.rv(&Request::SessionInfo {
                    session: token.session
                }),
                CKR_CRYPTOKI_NOT_INITIALIZED
            );
            let refused = token.instance.link().err().expect("stopped");
            assert_eq!(
                refused.cause,
                LinkCause::NotInitialized(Rv(CKR_CRYPTOKI_NOT_INITIALIZED))
            );
            assert_eq!(token.instance.process(), None);

            let again = InProcess::load(&settings(SOFTHSM)).expect("initialises again");
            assert!(!again.is_shared());
            let mut link = again.link().expect("a link");
            let reply = link
                .call(
                    &Request::ModuleInfo,
                    &mut [0; wire::INFO_SIZE_MAX],
                    Deadline::None,
                )
                .expect("answers");
            assert_eq!(reply.rv, Rv::OK);
        },
    );
}

#[test]
fn a_module_that_refuses_its_init_string_is_not_initialised() {
    with_token(
        "loading::a_module_that_refuses_its_init_string_is_not_initialised",
        |token| {
            token.instance.stop(Duration::ZERO);
            let mut with_string = settings(SOFTHSM);
            with_string.init_string = Some("configdir='sql:x'".to_owned());
            let refused = InProcess::load(&with_string).expect_err("SoftHSM wants no pReserved");
            assert!(
                matches!(
                    refused,
                    LoadError::Initialize {
                        rv: Rv(CKR_ARGUMENTS_BAD),
                        ..
                    }
                ),
                "{refused}"
            );
            assert_eq!(
                LinkFailure::from(refused).cause,
                LinkCause::NotInitialized(Rv(CKR_ARGUMENTS_BAD))
            );
        },
    );
}

#[test]
fn a_function_that_is_missing_is_not_supported() {
    let list = Box::leak(Box::new(CK_FUNCTION_LIST::default()));
    // SAFETY: a list without any function has none that could be called.
    let functions = unsafe { Functions::new(list) };
    for request in every_request() {
        let reply = execute(functions, &request, &mut [0; 64]);
        assert_eq!(
            (reply.rv.0, reply.body),
            (CKR_FUNCTION_NOT_SUPPORTED, Body::Empty),
            "{request:?}"
        );
    }
}
