//! Tokens of different makes, each fresh, in a member host: SoftHSM, kryoptic (`make test-members` builds it) and NSS.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use cryptoki_sys::{CKF_TOKEN_INITIALIZED, CKU_SO, CKU_USER};
use everslot::domain::{Deadlines, Token};
use everslot::hosted::Hosted;
use everslot::module::{Instance, Isolation, Link, ModuleSettings};
use everslot_protocol::wire::{INFO_SIZE_MAX, decode_info};
use everslot_protocol::{Body, Bytes, Reply, Request, Rv, SessionHandle, SlotId, TokenInfo};
use tempfile::TempDir;

/// The user's PIN of every token.
pub(crate) const PIN: &str = "12345678";
/// The officer's PIN of every token that has an officer.
pub(crate) const OFFICER_PIN: &str = "87654321";
/// Longer than any call takes, also on a machine that is busy with other tests.
pub(crate) const DEADLINES: Deadlines = Deadlines {
    call: Duration::from_secs(30),
    generation: Duration::from_secs(120),
};

/// Who made a token.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Make {
    SoftHsm,
    Kryoptic,
    Nss,
}

impl Make {
    /// Those that are here; says which are not.
    pub(crate) fn installed() -> Vec<Self> {
        [Self::SoftHsm, Self::Kryoptic, Self::Nss]
            .into_iter()
            .filter(|make| {
                let here = make.module().is_file() && (*make != Self::Nss || runs("certutil"));
                if !here {
                    eprintln!(
                        "skipped: {make:?} is not here; `make test-members` gets the test members"
                    );
                }
                here
            })
            .collect()
    }

    #[allow(dead_code, reason = "not every test names them")]
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::SoftHsm => "softhsm",
            Self::Kryoptic => "kryoptic",
            Self::Nss => "nss",
        }
    }

    pub(crate) fn module(self) -> PathBuf {
        let libraries = format!("/usr/lib/{}-linux-gnu", std::env::consts::ARCH);
        match self {
            Self::SoftHsm => "/usr/lib/softhsm/libsofthsm2.so".into(),
            Self::Nss => Path::new(&libraries).join("libsoftokn3.so"),
            Self::Kryoptic => Path::new(env!("CARGO_BIN_EXE_everslot"))
                .parent()
                .and_then(Path::parent)
                .expect("programs stand in a profile's directory")
                .join("kryoptic/debug/libeverslot_kryoptic.so"),
        }
    }

    /// The token's label where it cannot be chosen.
    pub(crate) const fn label(self) -> &'static str {
        match self {
            Self::SoftHsm | Self::Kryoptic => "member",
            Self::Nss => "NSS Certificate DB",
        }
    }

    /// What loads a fresh token of this make, in `directory`.
    pub(crate) fn settings(self, directory: &Path) -> ModuleSettings {
        let at = directory.display();
        let mut environment = BTreeMap::new();
        let mut init_string = None;
        match self {
            Self::SoftHsm => {
                std::fs::create_dir_all(directory.join("tokens")).unwrap();
                let text = format!("directories.tokendir = {at}/tokens\nlog.level = ERROR\n");
                std::fs::write(directory.join("softhsm2.conf"), text).unwrap();
                environment.insert("SOFTHSM2_CONF".to_owned(), format!("{at}/softhsm2.conf"));
            }
            Self::Kryoptic => {
                let text = format!(
                    "[[slots]]\nslot = 0\ndbtype = \"sqlite\"\ndbargs = \"{at}/token.sql\"\n"
                );
                std::fs::write(directory.join("kryoptic.conf"), text).unwrap();
                environment.insert("KRYOPTIC_CONF".to_owned(), format!("{at}/kryoptic.conf"));
            }
            Self::Nss => {
                std::fs::write(directory.join("pin"), format!("{PIN}\n")).unwrap();
                let made = Command::new("certutil")
                    .args(["-N", "-d", &format!("sql:{at}"), "-f"])
                    .arg(directory.join("pin"))
                    .status();
                assert!(made.expect("certutil runs").success());
                init_string = Some(format!(
                    "configdir='sql:{at}' certPrefix='' keyPrefix='' secmod='secmod.db' flags="
                ));
            }
        }
        ModuleSettings {
            path: self.module(),
            environment,
            init_string,
            isolation: Isolation::Process,
        }
    }
}

fn runs(program: &str) -> bool {
    Command::new(program).arg("-H").output().is_ok()
}

/// A fresh token with a session in which its user is logged in.
pub(crate) struct Member {
    #[allow(dead_code, reason = "not every test asks")]
    pub(crate) make: Make,
    link: Box<dyn Link>,
    session: SessionHandle,
    _host: Hosted,
    _directory: TempDir,
}

impl Member {
    pub(crate) fn new(make: Make) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let settings = make.settings(directory.path());
        let program = Path::new(env!("CARGO_BIN_EXE_everslot"));
        let host = Hosted::start(&settings, program, 1, DEADLINES.call).expect("the module loads");
        let mut link = host.link().expect("a link");
        let slot = slot(&mut *link, make);
        let session = open(&mut *link, slot, make);
        Self {
            make,
            link,
            session,
            _host: host,
            _directory: directory,
        }
    }

    pub(crate) fn token(&mut self) -> Token<'_> {
        Token::new(&mut *self.link, self.session, DEADLINES)
    }
}

/// The slot of the token that is to be used.
fn slot(link: &mut dyn Link, make: Make) -> SlotId {
    let mut ids = [0; 64];
    let token_present = make != Make::Kryoptic;
    let reply = ok(link, &Request::Slots { token_present }, &mut ids);
    let Body::Written(written) = reply.body else {
        panic!("{reply:?}")
    };
    let (ids, _) = ids[..written as usize].as_chunks();
    let slots = ids.iter().map(|id| SlotId(u64::from_ne_bytes(*id)));
    for slot in slots {
        let mut described = [0; INFO_SIZE_MAX];
        let reply = ok(link, &Request::TokenInfo { slot }, &mut described);
        let info: TokenInfo = decode_info(reply.body.output(&described)).expect("a description");
        let label = everslot::config::text(&info.label);
        let initialised = info.flags & CKF_TOKEN_INITIALIZED != 0;
        match make {
            Make::Nss if label == make.label() => return slot,
            Make::Nss => {}
            Make::SoftHsm | Make::Kryoptic if !initialised => return slot,
            Make::SoftHsm | Make::Kryoptic => {}
        }
    }
    panic!("{make:?} has no such token")
}

/// Initialises the token where that is to be done, and logs its user in. SoftHSM moves a token that it initialises to another slot
/// only at its next start.
fn open(link: &mut dyn Link, slot: SlotId, make: Make) -> SessionHandle {
    let (officer, user) = (
        Some(Bytes(OFFICER_PIN.as_bytes())),
        Some(Bytes(PIN.as_bytes())),
    );
    if make != Make::Nss {
        let label = format!("{:<32}", make.label());
        let label = Bytes(label.as_bytes());
        let pin = officer;
        ok(link, &Request::InitToken { slot, pin, label }, &mut []);
    }
    let read_write = true;
    let reply = ok(link, &Request::OpenSession { slot, read_write }, &mut []);
    let Body::Session(session) = reply.body else {
        panic!("{reply:?}")
    };
    if make != Make::Nss {
        let (pin, user_type) = (officer, CKU_SO);
        let login = Request::Login {
            session,
            user: user_type,
            pin,
        };
        ok(link, &login, &mut []);
        ok(link, &Request::InitPin { session, pin: user }, &mut []);
        ok(link, &Request::Logout { session }, &mut []);
    }
    let login = Request::Login {
        session,
        user: CKU_USER,
        pin: user,
    };
    ok(link, &login, &mut []);
    session
}

#[track_caller]
fn ok(link: &mut dyn Link, request: &Request<'_>, output: &mut [u8]) -> Reply {
    let reply = link
        .call(request, output, Some(DEADLINES.call))
        .expect("an answer");
    assert_eq!(reply.rv, Rv::OK, "{request:?}");
    reply
}
