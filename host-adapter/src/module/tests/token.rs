//! A SoftHSM token in a directory of its own.

use std::env;
use std::fs;
use std::path::Path;
use std::process::Command;

use cryptoki_sys::*;
use everslot_protocol::{
    Attribute, Body, Bytes, Deadline, Field, List, Mechanism, ObjectHandle, Operation, Parameter,
    Reply, Request, Rv, SessionHandle, SlotId, Template, TokenInfo, Value, wire,
};

use crate::module::{InProcess, Instance, Isolation, Link, ModuleSettings};

pub(super) const SOFTHSM: &str = "/usr/lib/softhsm/libsofthsm2.so";
pub(super) const SO_PIN: &[u8] = b"12345678";
pub(super) const PIN: &[u8] = b"8765";
const LABEL: &str = "everslot module test";
const CHILD: &str = "EVERSLOT_MODULE_TEST_CHILD";

/// Runs `body` with a fresh token in a process of its own: this test program, told to run only the test `name`.
#[track_caller]
pub(super) fn with_token(name: &str, body: impl FnOnce(Token)) {
    if env::var_os(CHILD).is_some_and(|child| child == name) {
        return body(Token::open());
    }
    let directory = tempfile::tempdir().expect("a temporary directory");
    let configuration = directory.path().join("softhsm2.conf");
    let tokens = directory.path().join("tokens");
    fs::create_dir(&tokens).expect("a directory for the tokens");
    fs::write(
        &configuration,
        format!(
            "directories.tokendir = {}\nlog.level = ERROR\n",
            tokens.display()
        ),
    )
    .expect("a configuration");
    make_token(&configuration);
    let child = Command::new(env::current_exe().expect("this program"))
        .args([
            "--nocapture",
            "--test-threads=1",
            &format!("module::tests::{name}"),
        ])
        .env("SOFTHSM2_CONF", &configuration)
        .env(CHILD, name)
        .output()
        .expect("the test program starts");
    let told = format!(
        "{}{}",
        String::from_utf8_lossy(&child.stdout),
        String::from_utf8_lossy(&child.stderr)
    );
    assert!(
        child.status.success() && told.contains("1 passed"),
        "{name} in its own process:\n{told}"
    );
}

fn make_token(configuration: &Path) {
    let made = Command::new("softhsm2-util")
        .args(["--init-token", "--free", "--label", LABEL])
        .args(["--so-pin", "12345678", "--pin", "8765"])
        .env("SOFTHSM2_CONF", configuration)
        .output()
        .expect("softhsm2-util runs; install the package softhsm2");
    assert!(
        made.status.success(),
        "{}",
        String::from_utf8_lossy(&made.stderr)
    );
}

pub(super) fn settings(path: &str) -> ModuleSettings {
    ModuleSettings {
        path: path.into(),
        environment: Default::default(),
        init_string: None,
        isolation: Isolation::None,
    }
}

/// A session with the token, logged in.
pub(super) struct Token {
    pub(super) instance: InProcess,
    pub(super) slot: SlotId,
    pub(super) session: SessionHandle,
    /// Whether requests go through their wire form, as they do to a member host.
    pub(super) by_wire: bool,
    link: Box<dyn Link>,
}

impl Token {
    fn open() -> Self {
        let instance = InProcess::load(&settings(SOFTHSM))
            .expect("SoftHSM loads; install the package softhsm2");
        let link = instance.link().expect("a link");
        let mut token = Self {
            instance,
            slot: SlotId(0),
            session: SessionHandle(0),
            by_wire: false,
            link,
        };
        token.slot = token
            .slots(true)
            .into_iter()
            .find(|&slot| token.label(slot) == LABEL)
            .expect("our token");
        token.session = token.open_session();
        token.ok(&Request::Login {
            session: token.session,
            user: CKU_USER,
            pin: Some(Bytes(PIN)),
        });
        token
    }

    /// Every step twice: with the request as it is, and with what comes out of its wire form.
    pub(super) fn both_ways(mut self, steps: impl Fn(&mut Self)) {
        for by_wire in [false, true] {
            self.by_wire = by_wire;
            steps(&mut self);
        }
    }

    pub(super) fn open_session(&mut self) -> SessionHandle {
        let reply = self.ok(&Request::OpenSession {
            slot: self.slot,
            read_write: true,
        });
        let Body::Session(session) = reply.body else {
            panic!("{reply:?}")
        };
        session
    }

    pub(super) fn slots(&mut self, token_present: bool) -> Vec<SlotId> {
        numbers(&self.output(&Request::Slots { token_present }))
            .into_iter()
            .map(SlotId)
            .collect()
    }

    pub(super) fn label(&mut self, slot: SlotId) -> String {
        let info: TokenInfo = self.info(&Request::TokenInfo { slot });
        String::from_utf8_lossy(&info.label).trim_end().to_owned()
    }

    pub(super) fn call(&mut self, request: &Request<'_>, output: &mut [u8]) -> Reply {
        if !self.by_wire {
            return self
                .link
                .call(request, output, Deadline::None)
                .expect("a call in process has an answer");
        }
        let mut bytes = vec![0; wire::request_size(request)];
        wire::encode_request(request, &mut bytes).expect("fits");
        let decoded = wire::decode_request(&bytes).expect("decodes");
        self.link
            .call(&decoded, output, Deadline::None)
            .expect("a call in process has an answer")
    }

    pub(super) fn rv(&mut self, request: &Request<'_>) -> u64 {
        self.call(request, &mut [0; 4096]).rv.0
    }

    #[track_caller]
    pub(super) fn ok(&mut self, request: &Request<'_>) -> Reply {
        let reply = self.call(request, &mut [0; 4096]);
        assert_eq!(reply.rv, Rv::OK, "{request:?}");
        reply
    }

    /// The description that the call puts out.
    #[track_caller]
    pub(super) fn info<I: wire::Info>(&mut self, request: &Request<'_>) -> I {
        wire::decode_info(&self.output(request)).expect("a description")
    }

    /// What the call puts out.
    #[track_caller]
    pub(super) fn output(&mut self, request: &Request<'_>) -> Vec<u8> {
        let mut output = vec![0; 64 * 1024];
        let reply = self.call(request, &mut output);
        let (Rv::OK, Body::Written(length)) = (reply.rv, reply.body) else {
            panic!("{request:?}: {reply:?}")
        };
        output.truncate(length as usize);
        output
    }

    #[track_caller]
    pub(super) fn object(&mut self, request: &Request<'_>) -> ObjectHandle {
        let reply = self.ok(request);
        let Body::Object(object) = reply.body else {
            panic!("{reply:?}")
        };
        object
    }

    #[track_caller]
    pub(super) fn key_pair(
        &mut self,
        kind: u64,
        public: Template<'_>,
        private: Template<'_>,
    ) -> [ObjectHandle; 2] {
        let session = self.session;
        let reply = self.ok(&Request::GenerateKeyPair {
            session,
            mechanism: plain(kind),
            public,
            private,
        });
        let Body::KeyPair(public, private) = reply.body else {
            panic!("{reply:?}")
        };
        [public, private]
    }

    pub(super) fn ec_pair(&mut self) -> [ObjectHandle; 2] {
        let public = [bytes(CKA_EC_PARAMS, P256), yes(CKA_VERIFY)];
        let private = [yes(CKA_SIGN), yes(CKA_DERIVE), bytes(CKA_LABEL, b"ec")];
        self.key_pair(
            CKM_EC_KEY_PAIR_GEN,
            List::Items(&public),
            List::Items(&private),
        )
    }

    pub(super) fn rsa_pair(&mut self) -> [ObjectHandle; 2] {
        let bits = 2048_u64.to_ne_bytes();
        let public = [
            bytes(CKA_MODULUS_BITS, &bits),
            yes(CKA_ENCRYPT),
            yes(CKA_VERIFY),
        ];
        let private = [yes(CKA_DECRYPT), yes(CKA_SIGN)];
        self.key_pair(
            CKM_RSA_PKCS_KEY_PAIR_GEN,
            List::Items(&public),
            List::Items(&private),
        )
    }

    pub(super) fn aes_key(&mut self) -> ObjectHandle {
        let length = 32_u64.to_ne_bytes();
        let template = [
            bytes(CKA_VALUE_LEN, &length),
            yes(CKA_ENCRYPT),
            yes(CKA_DECRYPT),
            yes(CKA_WRAP),
            yes(CKA_UNWRAP),
            yes(CKA_EXTRACTABLE),
        ];
        let session = self.session;
        let mechanism = plain(CKM_AES_KEY_GEN);
        self.object(&Request::GenerateKey {
            session,
            mechanism,
            template: List::Items(&template),
        })
    }

    #[track_caller]
    pub(super) fn begin(
        &mut self,
        operation: Operation,
        mechanism: Mechanism<'_>,
        key: ObjectHandle,
    ) {
        self.ok(&Request::Begin {
            session: self.session,
            operation,
            mechanism,
            key: Some(key),
        });
    }

    #[track_caller]
    pub(super) fn whole(&mut self, operation: Operation, data: &[u8]) -> Vec<u8> {
        self.output(&Request::Whole {
            session: self.session,
            operation,
            data: Bytes(data),
            room: Some(4096),
        })
    }
}

/// The DER of the OID of the curve P-256.
pub(super) const P256: &[u8] = &[0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];

pub(super) const fn bytes(kind: u64, value: &[u8]) -> Attribute<'_> {
    Attribute {
        kind,
        value: Value::Bytes(Bytes(value)),
    }
}

pub(super) const fn yes(kind: u64) -> Attribute<'static> {
    bytes(kind, &[CK_TRUE])
}

pub(super) const fn no(kind: u64) -> Attribute<'static> {
    bytes(kind, &[CK_FALSE])
}

pub(super) const fn plain(kind: u64) -> Mechanism<'static> {
    Mechanism {
        kind,
        parameter: Parameter::None,
    }
}

pub(super) const fn fields<'a>(kind: u64, fields: &'a [Field<'a>]) -> Mechanism<'a> {
    Mechanism {
        kind,
        parameter: Parameter::Fields(List::Items(fields)),
    }
}

pub(super) const fn pointer(bytes: &[u8]) -> Field<'_> {
    Field::Pointer(Some(Bytes(bytes)))
}

pub(super) fn numbers(bytes: &[u8]) -> Vec<u64> {
    bytes
        .as_chunks()
        .0
        .iter()
        .map(|number| u64::from_ne_bytes(*number))
        .collect()
}
