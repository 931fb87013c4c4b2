use cryptoki_sys::*;
use everslot_protocol::{Body, Bytes, Field, Mechanism, Operation, Parameter, Request};

use super::token::{Token, fields, plain, with_token};
use crate::module::Scratch;
use crate::module::parameter::{crosses_process_border, read_mechanism};

#[test]
fn an_ec_signature_verifies() {
    with_token("operations::an_ec_signature_verifies", |token| {
        token.both_ways(|token| {
            let session = token.session;
            let [public, private] = token.ec_pair();
            let data = [7; 32];
            token.begin(Operation::Sign, plain(CKM_ECDSA), private);
            let sign = |room| Request::Whole {
                session,
                operation: Operation::Sign,
                data: Bytes(&data),
                room,
            };
            assert_eq!(token.ok(&sign(None)).body, Body::Length(64));
            let reply = token.call(&sign(Some(10)), &mut [0; 64]);
            assert_eq!(
                (reply.rv.0, reply.body),
                (CKR_BUFFER_TOO_SMALL, Body::Length(64))
            );
            // Room beyond the end of the output is not given to the member.
            let reply = token.call(&sign(Some(1 << 40)), &mut [0; 10]);
            assert_eq!(
                (reply.rv.0, reply.body),
                (CKR_BUFFER_TOO_SMALL, Body::Length(64))
            );
            let signature = token.output(&sign(Some(64)));
            assert_eq!(signature.len(), 64);

            token.begin(Operation::Verify, plain(CKM_ECDSA), public);
            let signature = Bytes(&signature);
            token.ok(&Request::Verify {
                session,
                data: Bytes(&data),
                signature,
            });
            token.begin(Operation::Verify, plain(CKM_ECDSA), public);
            let other = Request::Verify {
                session,
                data: Bytes(&[8; 32]),
                signature,
            };
            assert_eq!(token.rv(&other), CKR_SIGNATURE_INVALID);
        });
    });
}

#[test]
fn a_pss_signature_in_parts_verifies_in_parts() {
    with_token(
        "operations::a_pss_signature_in_parts_verifies_in_parts",
        |token| {
            token.both_ways(|token| {
                let session = token.session;
                let [public, private] = token.rsa_pair();
                let numbers: [u64; 3] = [CKM_SHA256, CKG_MGF1_SHA256, 32];
                let parameter: Vec<u8> = numbers
                    .iter()
                    .flat_map(|number| number.to_ne_bytes())
                    .collect();
                let parameter = Parameter::Flat(Bytes(&parameter));
                let pss = Mechanism {
                    kind: CKM_SHA256_RSA_PKCS_PSS,
                    parameter,
                };
                let feed = |token: &mut Token, operation| {
                    for part in [b"first ".as_slice(), b"", b"second"] {
                        token.ok(&Request::Update {
                            session,
                            operation,
                            data: Bytes(part),
                            room: None,
                        });
                    }
                };
                token.begin(Operation::Sign, pss, private);
                feed(token, Operation::Sign);
                let finish = |room| Request::Finish {
                    session,
                    operation: Operation::Sign,
                    room,
                };
                assert_eq!(token.ok(&finish(None)).body, Body::Length(256));
                let signature = token.output(&finish(Some(256)));
                token.begin(Operation::Verify, pss, public);
                feed(token, Operation::Verify);
                token.ok(&Request::VerifyFinish {
                    session,
                    signature: Bytes(&signature),
                });
            });
        },
    );
}

#[test]
fn gcm_with_the_applications_structure_authenticates() {
    with_token(
        "operations::gcm_with_the_applications_structure_authenticates",
        |token| {
            token.both_ways(|token| {
                let key = token.aes_key();
                let (mut iv, mut associated, mut other) =
                    ([3; 12], *b"who and whom", *b"someone else");
                let mut encrypted = Vec::new();
                with_gcm(&mut iv, &mut associated, |gcm| {
                    token.begin(Operation::Encrypt, gcm, key);
                    encrypted = token.whole(Operation::Encrypt, b"the message");
                    assert_eq!(encrypted.len(), 11 + 16);
                    token.begin(Operation::Decrypt, gcm, key);
                    assert_eq!(token.whole(Operation::Decrypt, &encrypted), b"the message");
                });
                with_gcm(&mut iv, &mut other, |gcm| {
                    token.begin(Operation::Decrypt, gcm, key);
                    let (session, data) = (token.session, Bytes(&encrypted));
                    let decrypt = Request::Whole {
                        session,
                        operation: Operation::Decrypt,
                        data,
                        room: Some(64),
                    };
                    assert_ne!(
                        token.rv(&decrypt),
                        CKR_OK,
                        "it was not encrypted for someone else"
                    );
                });
            });
        },
    );
}

/// `CK_GCM_PARAMS` as an application has them, read as the C ABI reads them.
fn with_gcm(iv: &mut [u8; 12], associated: &mut [u8; 12], work: impl FnOnce(Mechanism<'_>)) {
    let mut parameter = CK_GCM_PARAMS {
        pIv: iv.as_mut_ptr(),
        ulIvLen: 12,
        ulIvBits: 96,
        pAAD: associated.as_mut_ptr(),
        ulAADLen: 12,
        ulTagBits: 128,
    };
    let mechanism = CK_MECHANISM {
        mechanism: CKM_AES_GCM,
        pParameter: (&raw mut parameter).cast(),
        ulParameterLen: size_of::<CK_GCM_PARAMS>() as u64,
    };
    Scratch::with(|scratch| {
        // SAFETY: the structure's addresses are those of the two arrays, which outlive the scratch.
        let read = unsafe { read_mechanism(&mechanism, scratch) }.expect("readable");
        assert!(matches!(read.parameter, Parameter::Fields(_)) && crosses_process_border(&read));
        work(read);
    });
}

#[test]
fn oaep_decrypts_what_it_encrypted() {
    with_token("operations::oaep_decrypts_what_it_encrypted", |token| {
        token.both_ways(|token| {
            let [public, private] = token.rsa_pair();
            // SoftHSM wants no label at all.
            let parameter = [
                Field::Integer(CKM_SHA_1),
                Field::Integer(CKG_MGF1_SHA1),
                Field::Integer(CKZ_DATA_SPECIFIED),
                Field::Pointer(None),
            ];
            let oaep = fields(CKM_RSA_PKCS_OAEP, &parameter);
            token.begin(Operation::Encrypt, oaep, public);
            let encrypted = token.whole(Operation::Encrypt, b"a secret");
            token.begin(Operation::Decrypt, oaep, private);
            assert_eq!(token.whole(Operation::Decrypt, &encrypted), b"a secret");
            let mechanism = fields(CKM_RSA_PKCS_OAEP, &parameter[..3]);
            let (session, operation, key) = (token.session, Operation::Encrypt, Some(public));
            let too_few = Request::Begin {
                session,
                operation,
                mechanism,
                key,
            };
            assert_eq!(token.rv(&too_few), CKR_MECHANISM_PARAM_INVALID);
        });
    });
}

#[test]
fn a_cipher_in_parts_puts_out_what_it_has() {
    with_token(
        "operations::a_cipher_in_parts_puts_out_what_it_has",
        |token| {
            token.both_ways(|token| {
                let (session, key) = (token.session, token.aes_key());
                let cbc = Mechanism {
                    kind: CKM_AES_CBC_PAD,
                    parameter: Parameter::Flat(Bytes(&[9; 16])),
                };
                let run = |token: &mut Token, operation, data: &[u8]| {
                    token.begin(operation, cbc, key);
                    let mut all = Vec::new();
                    for part in data.chunks(20) {
                        let data = Bytes(part);
                        all.extend(token.output(&Request::Update {
                            session,
                            operation,
                            data,
                            room: Some(64),
                        }));
                    }
                    all.extend(token.output(&Request::Finish {
                        session,
                        operation,
                        room: Some(64),
                    }));
                    all
                };
                let message = [5; 50];
                let encrypted = run(token, Operation::Encrypt, &message);
                assert_eq!(encrypted.len(), 64);
                assert_eq!(run(token, Operation::Decrypt, &encrypted), message);
            });
        },
    );
}

#[test]
fn a_digest_is_the_same_whole_and_in_parts() {
    with_token(
        "operations::a_digest_is_the_same_whole_and_in_parts",
        |token| {
            token.both_ways(|token| {
                let (session, operation) = (token.session, Operation::Digest);
                let begin = Request::Begin {
                    session,
                    operation,
                    mechanism: plain(CKM_SHA256),
                    key: None,
                };
                token.ok(&begin);
                let whole = token.whole(operation, b"abc");
                assert_eq!(
                    whole[..4],
                    [0xba, 0x78, 0x16, 0xbf],
                    "FIPS 180-4, example of SHA-256"
                );
                token.ok(&begin);
                for part in [b"a".as_slice(), b"bc"] {
                    token.ok(&Request::Update {
                        session,
                        operation,
                        data: Bytes(part),
                        room: None,
                    });
                }
                assert_eq!(
                    token.output(&Request::Finish {
                        session,
                        operation,
                        room: Some(32)
                    }),
                    whole
                );
                token.ok(&begin);
                let key = token.aes_key();
                token.ok(&Request::DigestKey { session, key });
                assert_eq!(
                    token
                        .output(&Request::Finish {
                            session,
                            operation,
                            room: Some(32)
                        })
                        .len(),
                    32
                );
            });
        },
    );
}

#[test]
fn a_request_that_no_function_executes_is_not_supported() {
    with_token(
        "operations::a_request_that_no_function_executes_is_not_supported",
        |mut token| {
            let (session, data, room) = (token.session, Bytes(b"x"), Some(64));
            for operation in [Operation::SignRecover, Operation::VerifyRecover] {
                let update = Request::Update {
                    session,
                    operation,
                    data,
                    room,
                };
                assert_eq!(token.rv(&update), CKR_FUNCTION_NOT_SUPPORTED);
            }
            let whole = Request::Whole {
                session,
                operation: Operation::Verify,
                data,
                room,
            };
            assert_eq!(token.rv(&whole), CKR_FUNCTION_NOT_SUPPORTED);
            // SoftHSM has this function, which says so itself.
            assert_eq!(
                token.rv(&Request::OperationState {
                    session,
                    room: None
                }),
                CKR_FUNCTION_NOT_SUPPORTED
            );
        },
    );
}
