use std::path::{Path, PathBuf};
use std::process::Command;

use crate::artifact::build_directory;
use crate::client::{Module, Session};
use crate::softhsm::{Pins, Store, checked};
use crate::{PIN, SO_PIN, SOFTHSM, process};

/// Who makes a token.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Make {
    /// SoftHSM, as Debian installs it.
    SoftHsm,
    /// kryoptic, which `make test-members` builds.
    Kryoptic,
    /// The token of NSS that keeps certificates and keys.
    Nss,
}

impl Make {
    /// Whether such a token can be made here.
    #[must_use]
    pub fn is_here(self) -> bool {
        let program = match self {
            Self::SoftHsm => "softhsm2-util",
            Self::Kryoptic => "pkcs11-tool",
            Self::Nss => "certutil",
        };
        self.module().is_file() && Command::new(program).arg("--help").output().is_ok()
    }

    /// Its name, which its member has in the configuration too.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::SoftHsm => "softhsm",
            Self::Kryoptic => "kryoptic",
            Self::Nss => "nss",
        }
    }

    fn module(self) -> PathBuf {
        match self {
            Self::SoftHsm => SOFTHSM.into(),
            Self::Kryoptic => build_directory().join("kryoptic/debug/libeverslot_kryoptic.so"),
            Self::Nss => {
                let libraries = format!("/usr/lib/{}-linux-gnu", std::env::consts::ARCH);
                Path::new(&libraries).join("libsoftokn3.so")
            }
        }
    }

    /// The token's label; NSS does not let it be chosen.
    const fn label(self) -> &'static str {
        match self {
            Self::SoftHsm | Self::Kryoptic => self.name(),
            Self::Nss => "NSS Certificate DB",
        }
    }
}

/// An empty token of some make, whose PINs are [`PIN`] and [`SO_PIN`].
#[derive(Debug)]
pub struct OtherMember {
    make: Make,
    directory: PathBuf,
}

impl OtherMember {
    /// Makes one in a directory of its own below `directory`.
    pub(super) fn new(make: Make, directory: &Path) -> Self {
        let directory = directory.join(make.name());
        std::fs::create_dir_all(&directory).expect("the lab's directory is writable");
        let member = Self { make, directory };
        match make {
            Make::SoftHsm => {
                Store::new(&member.directory, Pins::default()).add_empty_token(make.label());
            }
            Make::Kryoptic => member.initialise_kryoptic(),
            Make::Nss => member.initialise_nss(),
        }
        member
    }

    /// Its make.
    #[must_use]
    pub const fn make(&self) -> Make {
        self.make
    }

    /// A session with its own token, past everslot, in which the user is logged in. The process must have finalised everslot, so that no thread
    /// of its own is left that might look at the environment.
    pub fn alone<T>(&self, work: impl FnOnce(Session) -> T) -> T {
        if let Some((name, value)) = self.environment() {
            process::set_variable(name, value);
        }
        let module = Module::load(&self.make.module());
        match self.init_string() {
            Some(string) => module.initialize_with_string(&string),
            None => module.initialize(),
        }
        .expect("the token is there");
        let session = module
            .open(module.slot_of(self.make.label()))
            .expect("the token is there");
        session.login(PIN).expect("the PIN is right");
        let done = work(session);
        module.finalize().expect("it is initialised");
        done
    }

    /// Its part of the configuration; the PINs stand in files beside that.
    pub(super) fn config(&self, role: &str) -> String {
        let mut lines = vec![
            "[[group.member]]".to_owned(),
            format!("name = \"{}\"", self.make.name()),
            format!("module = \"{}\"", self.make.module().display()),
            format!("token = \"{}\"", self.make.label()),
            format!("role = \"{role}\""),
            "deadline = \"10s\"".to_owned(),
            "pin = { file = \"pin\" }".to_owned(),
        ];
        if self.make != Make::Nss {
            // Where there is no officer, nobody has the domain key trusted.
            lines.push("so_pin = { file = \"so-pin\" }".to_owned());
        }
        if let Some((name, value)) = self.environment() {
            lines.push(format!(
                "environment = {{ {name} = \"{}\" }}",
                value.display()
            ));
        }
        if let Some(string) = self.init_string() {
            lines.push(format!("init_string = \"{string}\""));
        }
        lines.join("\n") + "\n"
    }

    fn environment(&self) -> Option<(&'static str, PathBuf)> {
        match self.make {
            Make::SoftHsm => Some(("SOFTHSM2_CONF", self.directory.join("softhsm2.conf"))),
            Make::Kryoptic => Some(("KRYOPTIC_CONF", self.directory.join("kryoptic.conf"))),
            Make::Nss => None,
        }
    }

    fn init_string(&self) -> Option<String> {
        let at = self.directory.display();
        (self.make == Make::Nss).then(|| {
            format!("configdir='sql:{at}' certPrefix='' keyPrefix='' secmod='secmod.db' flags=")
        })
    }

    fn initialise_kryoptic(&self) {
        let text = format!(
            "[[slots]]\nslot = 0\ndbtype = \"sqlite\"\ndbargs = \"{}\"\n",
            self.directory.join("token.sql").display()
        );
        std::fs::write(self.directory.join("kryoptic.conf"), text)
            .expect("the lab's directory is writable");
        let init_token = ["--init-token", "--slot-index", "0", "--label"];
        let init_pin = [
            "--init-pin",
            "--login",
            "--login-type",
            "so",
            "--token-label",
        ];
        for (deed, pins) in [
            (init_token.as_slice(), ["--so-pin", SO_PIN].as_slice()),
            (init_pin.as_slice(), &["--so-pin", SO_PIN, "--pin", PIN]),
        ] {
            let mut tool = Command::new("pkcs11-tool");
            tool.arg("--module").arg(self.make.module());
            tool.args(deed).arg(self.make.label()).args(pins);
            checked(tool.envs(self.environment()));
        }
    }

    fn initialise_nss(&self) {
        let password = self.directory.join("password");
        std::fs::write(&password, format!("{PIN}\n")).expect("the lab's directory is writable");
        let database = format!("sql:{}", self.directory.display());
        let mut tool = Command::new("certutil");
        checked(tool.args(["-N", "-d", &database, "-f"]).arg(password));
    }
}
