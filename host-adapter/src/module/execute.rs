//! One request, executed by a module on the caller's thread.

mod attributes;
mod info;
mod later;
mod list;
mod message;

use cryptoki_sys::{
    CKF_RW_SESSION, CKF_SERIAL_SESSION, CKR_ARGUMENTS_BAD, CKR_BUFFER_TOO_SMALL, CKR_OK,
};
use everslot_protocol::{
    Body, Mechanism, ObjectHandle, Operation, Reply, Request, Room, Rv, SessionHandle, Template,
    wire,
};

use super::Scratch;
use super::functions::{Functions, Gave};
use super::parameter::CMechanism;
use super::template::CTemplate;

/// Executes `request`; bytes that the call puts out are at the start of `output` afterwards.
///
/// Room that the request says there is beyond the end of `output` is not given to the member. A function that the module does not have
/// is answered with `CKR_FUNCTION_NOT_SUPPORTED`, a request that no function can execute with `CKR_ARGUMENTS_BAD`.
pub fn execute(functions: Functions, request: &Request<'_>, output: &mut [u8]) -> Reply {
    match *request {
        Request::ModuleInfo => describe(functions.info(), info::module, output),
        Request::Slots { token_present } => list::slots(functions, token_present, output),
        Request::SlotInfo { slot } => describe(functions.slot_info(slot.0), info::slot, output),
        Request::TokenInfo { slot } => describe(functions.token_info(slot.0), info::token, output),
        Request::Mechanisms { slot } => list::mechanisms(functions, slot.0, output),
        Request::MechanismInfo { slot, mechanism } => {
            described(functions.mechanism_info(slot.0, mechanism), |value| {
                Body::Mechanism(info::mechanism(&value))
            })
        }
        Request::InitToken { slot, pin, label } => match label.as_array() {
            Some(label) => bare(functions.init_token(slot.0, pin.as_deref(), label)),
            None => bare(Rv(CKR_ARGUMENTS_BAD)),
        },
        Request::OpenSession { slot, read_write } => {
            let flags = CKF_SERIAL_SESSION | if read_write { CKF_RW_SESSION } else { 0 };
            described(functions.open_session(slot.0, flags), |session| {
                Body::Session(SessionHandle(session))
            })
        }
        Request::CloseSession { session } => bare(functions.close_session(session.0)),
        Request::CloseAllSessions { slot } => bare(functions.close_all_sessions(slot.0)),
        Request::SessionInfo { session } => described(functions.session_info(session.0), |value| {
            Body::SessionInfo(info::session(&value))
        }),
        Request::OperationState { session, room } => put_out(room, output, |output| {
            functions.operation_state(session.0, output)
        }),
        Request::SetOperationState {
            session,
            state,
            encryption_key,
            authentication_key,
        } => bare(functions.set_operation_state(
            session.0,
            &state,
            encryption_key.0,
            authentication_key.0,
        )),
        Request::Login { session, user, pin } => {
            bare(functions.login(session.0, user, pin.as_deref()))
        }
        Request::Logout { session } => bare(functions.logout(session.0)),
        Request::InitPin { session, pin } => bare(functions.init_pin(session.0, pin.as_deref())),
        Request::SetPin { session, old, new } => {
            bare(functions.set_pin(session.0, old.as_deref(), new.as_deref()))
        }
        Request::CreateObject { session, template } => with_template(template, |template| {
            described(functions.create_object(session.0, template), object)
        }),
        Request::CopyObject {
            session,
            object: from,
            template,
        } => with_template(template, |template| {
            described(functions.copy_object(session.0, from.0, template), object)
        }),
        Request::DestroyObject { session, object } => {
            bare(functions.destroy_object(session.0, object.0))
        }
        Request::ObjectSize { session, object } => {
            described(functions.object_size(session.0, object.0), Body::Length)
        }
        Request::AttributeValues {
            session,
            object,
            wanted,
        } => attributes::values(functions, session.0, object.0, wanted, output),
        Request::SetAttributes {
            session,
            object,
            template,
        } => with_template(template, |template| {
            bare(functions.set_attributes(session.0, object.0, template))
        }),
        Request::FindObjects { session, template } => with_template(template, |template| {
            list::objects(functions, session.0, template, output)
        }),
        Request::Begin {
            session,
            operation,
            ref mechanism,
            key,
        } => with_mechanism(mechanism, |mechanism| {
            bare(functions.begin(operation, session.0, mechanism, key.map_or(0, |key| key.0)))
        }),
        Request::Whole {
            session,
            operation,
            data,
            room,
        } => put_out(room, output, |output| {
            functions.whole(operation, session.0, &data, output)
        }),
        Request::Verify {
            session,
            data,
            signature,
        } => bare(functions.verify(session.0, &data, &signature)),
        Request::Update {
            session,
            operation: operation @ (Operation::Encrypt | Operation::Decrypt),
            data,
            room,
        } => put_out(room, output, |output| {
            functions.update(operation, session.0, &data, output)
        }),
        Request::Update {
            session,
            operation,
            data,
            room: _,
        } => bare(functions.absorb(operation, session.0, &data)),
        Request::DigestKey { session, key } => bare(functions.digest_key(session.0, key.0)),
        Request::Finish {
            session,
            operation,
            room,
        } => put_out(room, output, |output| {
            functions.finish(operation, session.0, output)
        }),
        Request::VerifyFinish { session, signature } => {
            bare(functions.verify_finish(session.0, &signature))
        }
        Request::DualUpdate {
            session,
            dual,
            data,
            room,
        } => put_out(room, output, |output| {
            functions.dual_update(dual, session.0, &data, output)
        }),
        Request::GenerateKey {
            session,
            ref mechanism,
            template,
        } => with_both(mechanism, template, |mechanism, template| {
            keys(mechanism, output, |mechanism| {
                functions.generate_key(session.0, mechanism, template)
            })
        }),
        Request::GenerateKeyPair {
            session,
            ref mechanism,
            public,
            private,
        } => with_both(mechanism, public, |mechanism, public| {
            with_template(private, |private| {
                described(
                    functions.generate_key_pair(session.0, mechanism, public, private),
                    key_pair,
                )
            })
        }),
        Request::WrapKey {
            session,
            ref mechanism,
            wrapping_key,
            key,
            room,
        } => with_mechanism(mechanism, |mechanism| {
            put_out(room, output, |output| {
                functions.wrap_key(session.0, mechanism, wrapping_key.0, key.0, output)
            })
        }),
        Request::UnwrapKey {
            session,
            ref mechanism,
            unwrapping_key,
            wrapped,
            template,
        } => with_both(mechanism, template, |mechanism, template| {
            described(
                functions.unwrap_key(session.0, mechanism, unwrapping_key.0, &wrapped, template),
                object,
            )
        }),
        Request::DeriveKey {
            session,
            ref mechanism,
            base_key,
            template,
        } => with_both(mechanism, template, |mechanism, template| {
            keys(mechanism, output, |mechanism| {
                functions.derive_key(session.0, mechanism, base_key.0, template)
            })
        }),
        Request::SeedRandom { session, seed } => bare(functions.seed_random(session.0, &seed)),
        Request::GenerateRandom { session, length } => random(functions, session, length, output),
        Request::LoginUser {
            session,
            user,
            pin,
            name,
        } => bare(functions.login_user(session.0, user, pin.as_deref(), &name)),
        Request::Message {
            session,
            operation,
            ref call,
        } => message::message(functions, session.0, operation, call, output),
        Request::VerifySignature { session, ref call } => {
            message::verify_signature(functions, session.0, call)
        }
        Request::EncapsulateKey {
            session,
            ref mechanism,
            public_key,
            template,
            room,
        } => {
            let made_with = (public_key, template);
            later::encapsulate(functions, session.0, mechanism, made_with, room, output)
        }
        Request::DecapsulateKey {
            session,
            ref mechanism,
            private_key,
            template,
            ciphertext: text,
        } => with_both(mechanism, template, |mechanism, template| {
            described(
                functions.decapsulate_key(session.0, mechanism, private_key.0, template, &text),
                object,
            )
        }),
        Request::WrapKeyAuthenticated {
            session,
            ref mechanism,
            wrapping_key,
            key,
            associated,
            room,
        } => {
            let keys = (wrapping_key, key);
            later::wrap(
                functions, session.0, mechanism, keys, associated, room, output,
            )
        }
        Request::UnwrapKeyAuthenticated {
            session,
            ref mechanism,
            unwrapping_key: key,
            wrapped,
            template,
            associated,
        } => with_both(mechanism, template, |mechanism, template| {
            let (session, key) = (session.0, key.0);
            described(
                functions.unwrap_key_authenticated(
                    session,
                    mechanism,
                    key,
                    &wrapped,
                    template,
                    &associated,
                ),
                object,
            )
        }),
        Request::ValidationFlags { session, kind } => {
            described(functions.validation_flags(session.0, kind), Body::Flags)
        }
    }
}

/// The answer of a call that gives nothing but its code.
const fn bare(rv: Rv) -> Reply {
    Reply {
        rv,
        body: Body::Empty,
    }
}

/// The answer of a call that gives a value when it is `CKR_OK`.
fn described<T>((rv, value): Gave<T>, body: impl FnOnce(T) -> Body) -> Reply {
    match rv {
        Rv::OK => Reply {
            rv,
            body: body(value),
        },
        Rv(_) => bare(rv),
    }
}

/// The answer of a call that describes a module, a slot or a token.
#[inline(never)]
fn describe<T, I: wire::Info>(
    gave: Gave<T>,
    info: impl FnOnce(&T) -> I,
    output: &mut [u8],
) -> Reply {
    let (rv, value) = gave;
    if rv != Rv::OK {
        return bare(rv);
    }
    match wire::encode_info(&info(&value), output) {
        Ok(length) => Reply {
            rv,
            body: Body::Written(length as u64),
        },
        Err(wire::TooSmall) => bare(Rv(CKR_ARGUMENTS_BAD)),
    }
}

fn object(handle: u64) -> Body {
    Body::Object(ObjectHandle(handle))
}

fn key_pair([public, private]: [u64; 2]) -> Body {
    Body::KeyPair(ObjectHandle(public), ObjectHandle(private))
}

/// The answer of a call that makes a key, and perhaps gives more back in the mechanism's parameter.
fn keys(
    mechanism: &mut CMechanism<'_>,
    output: &mut [u8],
    call: impl FnOnce(&mut CMechanism<'_>) -> Gave<u64>,
) -> Reply {
    let size = mechanism.returned_size();
    if size == 0 {
        return described(call(mechanism), object);
    }
    let Some(output) = output.get_mut(..size) else {
        return bare(Rv(CKR_ARGUMENTS_BAD));
    };
    described(call(mechanism), |key| {
        mechanism.copy_returned(output);
        Body::KeyAndMaterial(ObjectHandle(key), size as u64)
    })
}

/// The answer of a call with an output of variable length (PKCS#11 v3.1 §5.2).
#[inline]
fn put_out(
    room: Room,
    output: &mut [u8],
    call: impl FnOnce(Option<&mut [u8]>) -> Gave<u64>,
) -> Reply {
    let room =
        room.map(|room| usize::try_from(room).map_or(output.len(), |room| room.min(output.len())));
    let (rv, length) = call(room.map(|room| &mut output[..room]));
    let body = match (rv.0, room) {
        (CKR_OK, None) | (CKR_BUFFER_TOO_SMALL, _) => Body::Length(length),
        (CKR_OK, Some(room)) => Body::Written(length.min(room as u64)),
        (_, _) => Body::Empty,
    };
    Reply { rv, body }
}

fn random(functions: Functions, session: SessionHandle, length: u64, output: &mut [u8]) -> Reply {
    let Some(output) = usize::try_from(length)
        .ok()
        .and_then(|length| output.get_mut(..length))
    else {
        return bare(Rv(CKR_ARGUMENTS_BAD));
    };
    described(
        (functions.generate_random(session.0, output), length),
        Body::Written,
    )
}

fn with_mechanism(
    mechanism: &Mechanism<'_>,
    call: impl FnOnce(&mut CMechanism<'_>) -> Reply,
) -> Reply {
    match CMechanism::plain(mechanism) {
        Some(mut plain) => call(&mut plain),
        None => Scratch::with(|scratch| match CMechanism::new(mechanism, scratch) {
            Ok(mut mechanism) => call(&mut mechanism),
            Err(rv) => bare(rv),
        }),
    }
}

fn with_template(template: Template<'_>, call: impl FnOnce(&mut CTemplate<'_>) -> Reply) -> Reply {
    Scratch::with(|scratch| call(&mut CTemplate::new(template, scratch)))
}

fn with_both(
    mechanism: &Mechanism<'_>,
    template: Template<'_>,
    call: impl FnOnce(&mut CMechanism<'_>, &mut CTemplate<'_>) -> Reply,
) -> Reply {
    with_mechanism(mechanism, |mechanism| {
        with_template(template, |template| call(mechanism, template))
    })
}
