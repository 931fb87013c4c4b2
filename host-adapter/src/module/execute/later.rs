//! Requests of PKCS#11 3.2 that put something out beside their output.

use everslot_protocol::{Body, Bytes, Mechanism, ObjectHandle, Reply, Room, Sealed, Template};

use super::{put_out, with_both, with_mechanism};
use crate::module::functions::Functions;

pub(super) fn encapsulate(
    functions: Functions,
    session: u64,
    mechanism: &Mechanism<'_>,
    (public_key, template): (ObjectHandle, Template<'_>),
    room: Room,
    output: &mut [u8],
) -> Reply {
    with_both(mechanism, template, |mechanism, template| {
        let mut made = 0;
        let reply = put_out(room, output, |output| {
            let (rv, (length, key)) =
                functions.encapsulate_key(session, mechanism, public_key.0, template, output);
            made = key;
            (rv, length)
        });
        if let Body::Written(written) = reply.body {
            let body = Body::Encapsulated(written, ObjectHandle(made));
            return Reply { body, ..reply };
        }
        reply
    })
}

pub(super) fn wrap(
    functions: Functions,
    session: u64,
    mechanism: &Mechanism<'_>,
    (wrapping_key, key): (ObjectHandle, ObjectHandle),
    associated: Bytes<'_>,
    room: Room,
    output: &mut [u8],
) -> Reply {
    with_mechanism(mechanism, |mechanism| {
        let keys = (wrapping_key.0, key.0);
        let reply = put_out(room, output, |output| {
            functions.wrap_key_authenticated(session, mechanism, keys, &associated, output)
        });
        if let (Body::Written(written), Some(iv)) = (reply.body, mechanism.made()) {
            let body = Body::Sealed(Sealed::new(written, &iv, &[]));
            return Reply { body, ..reply };
        }
        reply
    })
}
