//! The application: an ordinary PKCS#11 client that signs without a pause and verifies every signature.

use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};
use cryptoki::mechanism::Mechanism;
use cryptoki::object::{Attribute, AttributeType, KeyType, ObjectClass, ObjectHandle};
use cryptoki::session::{Session, UserType};
use cryptoki::slot::Slot;
use p256::ecdsa::signature::hazmat::PrehashVerifier;
use p256::ecdsa::{Signature, VerifyingKey};

use super::stage::Stage;
use crate::command::library::library;

/// After a failure, so that a group without members is not asked a million times.
const BREATH: Duration = Duration::from_millis(10);

/// What the threads have done so far, or at the end.
#[derive(Clone, Debug, Default)]
pub(super) struct Tally {
    /// Signatures that were made and are right.
    pub(super) signatures: u64,
    /// Calls that failed, and signatures that are wrong.
    pub(super) failed: u64,
    /// What the first failure was.
    pub(super) first_failure: Option<String>,
    /// The longest that any one signature took.
    pub(super) longest_stall: Duration,
}

/// The threads that sign.
pub(super) struct Signers {
    module: Pkcs11,
    /// Keeps the token logged in while the threads begin and end.
    _session: Session,
    threads: Vec<JoinHandle<()>>,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    stop: AtomicBool,
    signatures: AtomicU64,
    failed: AtomicU64,
    longest_stall_us: AtomicU64,
    first_failure: Mutex<Option<String>>,
}

impl Signers {
    /// Loads the library, logs in and starts `threads` threads.
    pub(super) fn start(stage: &Stage, threads: u8) -> Result<Self, Box<dyn Error>> {
        let library = library();
        let module =
            Pkcs11::new(&library).map_err(|error| format!("{}: {error}", library.display()))?;
        module.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK))?;
        let slot = slot_of(&module, stage.label())?;
        let session = module.open_rw_session(slot)?;
        let pin = stage.pin()?;
        session.login(UserType::User, Some(&super::stage::exposed(&pin).into()))?;
        let public = public_key(&session)?;
        let shared = Arc::<Shared>::default();
        let mut signers = Self {
            module,
            _session: session,
            threads: Vec::new(),
            shared,
        };
        for number in 0..threads {
            let session = signers.module.open_ro_session(slot)?;
            let signer = Signer {
                key: private_key(&session)?,
                session,
                public,
                number,
                shared: Arc::clone(&signers.shared),
            };
            signers.threads.push(
                std::thread::Builder::new()
                    .name(format!("signer {number}"))
                    .spawn(move || signer.run())?,
            );
        }
        Ok(signers)
    }

    /// What they have done so far.
    pub(super) fn tally(&self) -> Tally {
        self.shared.tally()
    }

    /// Ends the threads and unloads the library's state; what they have done in all.
    pub(super) fn stop(self) -> Tally {
        self.shared.stop.store(true, Relaxed);
        let panicked = self
            .threads
            .into_iter()
            .map(JoinHandle::join)
            .filter(Result::is_err)
            .count();
        let mut tally = self.shared.tally();
        tally.failed += panicked as u64;
        tally
    }
}

impl Shared {
    fn tally(&self) -> Tally {
        Tally {
            signatures: self.signatures.load(Relaxed),
            failed: self.failed.load(Relaxed),
            first_failure: self
                .first_failure
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .clone(),
            longest_stall: Duration::from_micros(self.longest_stall_us.load(Relaxed)),
        }
    }

    fn fail(&self, what: String) {
        self.failed.fetch_add(1, Relaxed);
        self.first_failure
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get_or_insert(what);
    }
}

struct Signer {
    session: Session,
    key: ObjectHandle,
    public: VerifyingKey,
    number: u8,
    shared: Arc<Shared>,
}

impl Signer {
    fn run(self) {
        let mut count = 0_u64;
        while !self.shared.stop.load(Relaxed) {
            count += 1;
            let start = Instant::now();
            let outcome = self.sign_and_verify(count);
            let taken =
                u64::try_from(outcome.1.duration_since(start).as_micros()).unwrap_or(u64::MAX);
            self.shared.longest_stall_us.fetch_max(taken, Relaxed);
            match outcome.0 {
                Ok(()) => _ = self.shared.signatures.fetch_add(1, Relaxed),
                Err(what) => {
                    self.shared.fail(what);
                    std::thread::park_timeout(BREATH);
                }
            }
        }
    }

    /// Signs a hash that no other signature is of; gives also the moment at which the token had answered.
    fn sign_and_verify(&self, count: u64) -> (Result<(), String>, Instant) {
        let mut hash = [self.number; 32];
        hash[..8].copy_from_slice(&count.to_be_bytes());
        let signed = self.session.sign(&Mechanism::Ecdsa, self.key, &hash);
        let answered = Instant::now();
        let verified = signed.map_err(|error| error.to_string()).and_then(|bytes| {
            let signature = Signature::from_slice(&bytes)
                .map_err(|error| format!("not a signature: {error}"))?;
            self.public
                .verify_prehash(&hash, &signature)
                .map_err(|error| format!("a wrong signature: {error}"))
        });
        (verified, answered)
    }
}

fn slot_of(module: &Pkcs11, label: &str) -> Result<Slot, Box<dyn Error>> {
    for slot in module.get_slots_with_token()? {
        if module.get_token_info(slot)?.label() == label {
            return Ok(slot);
        }
    }
    Err(format!("libeverslot.so shows no token {label:?}").into())
}

fn private_key(session: &Session) -> Result<ObjectHandle, Box<dyn Error>> {
    only_key(session, ObjectClass::PRIVATE_KEY)
}

/// The public key, read once: from here on, no token has a say in whether a signature is right.
fn public_key(session: &Session) -> Result<VerifyingKey, Box<dyn Error>> {
    let key = only_key(session, ObjectClass::PUBLIC_KEY)?;
    let attributes = session.get_attributes(key, &[AttributeType::EcPoint])?;
    let Some(Attribute::EcPoint(point)) = attributes.first() else {
        return Err("the public key has no EC point".into());
    };
    // DER: an octet string of 65 bytes (PKCS#11 v2.40 §2.3.3).
    let point = point.strip_prefix(&[0x04, 0x41]).unwrap_or(point);
    Ok(VerifyingKey::from_sec1_bytes(point)?)
}

fn only_key(session: &Session, class: ObjectClass) -> Result<ObjectHandle, Box<dyn Error>> {
    let found =
        session.find_objects(&[Attribute::Class(class), Attribute::KeyType(KeyType::EC)])?;
    found.first().copied().ok_or_else(|| {
        "the tokens hold no EC key; remove the demo's directory to begin afresh".into()
    })
}
