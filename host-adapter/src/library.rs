//! The library as an application has it: from `C_Initialize` to `C_Finalize`, in one process.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use arc_swap::ArcSwapOption;
use everslot_core::{Rv, ckr};
use everslot_protocol::{ModuleInfo, Version};

use crate::config::{Config, GroupConfig, kept_until_restart};
use crate::fork::PerProcess;
use crate::group::GroupDriver;
use crate::hosted;
use crate::reload::{self, Taker, Watch};
use crate::slot::{Behind, Session, Sessions, VirtualSlot, padded, version};
use crate::slot_events::{EventFlag, SlotEvents};
use crate::status::{Process, Server, Source};

mod last;
mod slots;
mod told;

use last::Life;
use slots::Planned;
use told::Told;

/// What `C_Initialize` was given.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct InitialiseArguments {
    /// `CKF_LIBRARY_CANT_CREATE_OS_THREADS`: recovery then runs inside calls, and there is no status socket.
    pub threads_forbidden: bool,
}

/// The initialised library.
pub struct Library {
    slots: Vec<Arc<VirtualSlot>>,
    sessions: Arc<Sessions>,
    events: Arc<SlotEvents>,
    life: Arc<Life>,
    status: Mutex<Option<Server>>,
    watch: Mutex<Option<Watch>>,
    process: Process,
}

/// How long `C_Initialize` waits for members' own slots, once the groups serve that it is mostly called for.
const MEMBER_PATIENCE: Duration = Duration::from_millis(500);

/// The library that calls go to, if it is initialised.
static CURRENT: ArcSwapOption<Library> = ArcSwapOption::const_empty();

/// One `C_Initialize` or `C_Finalize` at a time.
static TURN: PerProcess<Mutex<()>> = PerProcess::new();

impl Library {
    /// Reads the configuration and brings the groups up; returns when all members have been tried, half a second after the first of
    /// a group serves, or when the longest deadline has passed.
    ///
    /// # Errors
    /// `CKR_CRYPTOKI_ALREADY_INITIALIZED`; `CKR_GENERAL_ERROR` for a configuration that does not hold together, with one line on
    /// standard error.
    pub fn initialise(arguments: InitialiseArguments) -> Result<(), Rv> {
        let turn = TURN.value();
        let _turn = turn.lock().unwrap_or_else(PoisonError::into_inner);
        if Self::current().is_ok() {
            return Err(ckr::CRYPTOKI_ALREADY_INITIALIZED);
        }
        let config = Config::load_for_application().map_err(refuse)?;
        crate::log::start(&config.log).map_err(refuse)?;
        let library = Arc::new(Self::start(&config, arguments)?);
        if !arguments.threads_forbidden {
            library.serve_status(config.metrics);
            library.watch_configuration(config);
        }
        // What was current before a fork belongs to the parent, which goes on using it.
        if let Some(parents) = CURRENT.swap(Some(library)) {
            std::mem::forget(parents);
        }
        Ok(())
    }

    /// Ends everything. Calls that are under way in other threads end with an error.
    ///
    /// # Errors
    /// `CKR_CRYPTOKI_NOT_INITIALIZED`
    pub fn finalise() -> Result<(), Rv> {
        let turn = TURN.value();
        let _turn = turn.lock().unwrap_or_else(PoisonError::into_inner);
        drop(Self::current()?);
        let Some(library) = CURRENT.swap(None) else {
            return Err(ckr::CRYPTOKI_NOT_INITIALIZED);
        };
        library.life.end();
        library.events.end();
        let watch = std::mem::take(&mut *library.watch());
        watch.iter().for_each(Watch::begin_to_stop);
        drop(
            library
                .status
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .take(),
        );
        // All at once, so that however many members hang, it takes one's grace.
        let until = GroupDriver::grace();
        for slot in &library.slots {
            slot.driver.begin_to_stop();
        }
        for slot in &library.slots {
            slot.driver.stop(until);
        }
        if let Some(watch) = watch {
            watch.stop(until + reload::GRACE);
        }
        library.sessions.clear();
        Ok(())
    }

    /// What `of` finds in the library. For a look-up at the begin of a call: what takes longer holds the [library](Self::current).
    ///
    /// # Errors
    /// `CKR_CRYPTOKI_NOT_INITIALIZED`, also in the child of a fork (PKCS#11 v3.1 §5.4.1); what `of` says.
    pub fn with<R>(of: impl FnOnce(&Arc<Self>) -> Result<R, Rv>) -> Result<R, Rv> {
        match &*CURRENT.load() {
            Some(library) if library.life.goes_on() => of(library),
            Some(_) | None => Err(ckr::CRYPTOKI_NOT_INITIALIZED),
        }
    }

    /// The library, for one call.
    ///
    /// # Errors
    /// `CKR_CRYPTOKI_NOT_INITIALIZED`, also in the child of a fork (PKCS#11 v3.1 §5.4.1).
    pub fn current() -> Result<Arc<Self>, Rv> {
        Self::with(|library| Ok(Arc::clone(library)))
    }

    /// `C_GetInfo` of the interface of version `cryptoki`.
    pub fn info(&self, cryptoki: Version) -> ModuleInfo {
        ModuleInfo {
            cryptoki,
            manufacturer: padded("everslot"),
            flags: 0,
            description: padded("One slot over many tokens"),
            library: version(),
        }
    }

    /// `C_GetSlotList`: one slot a group, then one for each member that is exposed; the ids never change.
    pub fn slots(&self, token_present: bool) -> Vec<u64> {
        let listed = self
            .slots
            .iter()
            .filter(|slot| !token_present || slot.is_present());
        listed.map(|slot| slot.id).collect()
    }

    /// The slot of an id.
    ///
    /// # Errors
    /// `CKR_SLOT_ID_INVALID`
    pub fn slot(&self, id: u64) -> Result<Arc<VirtualSlot>, Rv> {
        self.slots
            .iter()
            .find(|slot| slot.id == id)
            .cloned()
            .ok_or(ckr::SLOT_ID_INVALID)
    }

    /// The slot of a group; that of a member is none.
    ///
    /// # Errors
    /// `CKR_SLOT_ID_INVALID`
    pub fn group(&self, id: u64) -> Result<Arc<VirtualSlot>, Rv> {
        let slot = self.slot(id)?;
        slot.is_group().then_some(slot).ok_or(ckr::SLOT_ID_INVALID)
    }

    /// The session of a handle, for one call.
    ///
    /// # Errors
    /// `CKR_CRYPTOKI_NOT_INITIALIZED`, `CKR_SESSION_HANDLE_INVALID`
    pub fn session(handle: u64) -> Result<Arc<Session>, Rv> {
        last::session(handle).map_or_else(|| Self::find_session(handle), Ok)
    }

    #[cold]
    fn find_session(handle: u64) -> Result<Arc<Session>, Rv> {
        Self::with(|library| {
            let session = library.sessions.session(handle);
            let session = session.ok_or(ckr::SESSION_HANDLE_INVALID)?;
            last::note(handle, &session, &library.life);
            Ok(session)
        })
    }

    /// `C_WaitForSlotEvent`: a slot whose token has come or gone since that was last reported. Where recovery runs inside calls, a
    /// call that waits makes the attempts that are due meanwhile.
    ///
    /// # Errors
    /// `CKR_NO_EVENT` when there is none and the call must not wait; `CKR_CRYPTOKI_NOT_INITIALIZED` when `C_Finalize` is called
    /// while it waits (PKCS#11 v3.1 §5.5.4).
    pub fn wait_for_slot_event(&self, dont_block: bool) -> Result<u64, Rv> {
        loop {
            let turn = self.events.turn();
            for slot in &self.slots {
                slot.driver.recover_in_call();
            }
            match self.events.take()? {
                Some(slot) => return Ok(slot),
                None if dont_block => return Err(ckr::NO_EVENT),
                None => {}
            }
            let attempts = self.slots.iter();
            let next = attempts
                .filter_map(|slot| slot.driver.next_attempt_in_call())
                .min();
            self.events.wait(turn, next);
        }
    }

    fn start(config: &Config, arguments: InitialiseArguments) -> Result<Self, Rv> {
        let host_program = host_program(config).map_err(refuse)?;
        let sessions = Arc::new(Sessions::default());
        let events = Arc::new(SlotEvents::default());
        let of_plan = |plan: Planned| {
            let driver = GroupDriver::start(
                plan.group,
                host_program.clone(),
                arguments.threads_forbidden,
                EventFlag::new(plan.id, &events),
            );
            let sessions = Arc::downgrade(&sessions);
            Arc::new(VirtualSlot::new(plan.id, plan.behind, driver, sessions))
        };
        let slots: Vec<_> = slots::planned(config).into_iter().map(of_plan).collect();
        let (groups, members): (Vec<_>, Vec<_>) = slots.iter().partition(|slot| slot.is_group());
        for slot in groups {
            let driver = &slot.driver;
            driver.wait_until_serving(startup_deadline(driver));
        }
        // All together, so that however many members are away, it is waited once.
        let until = Instant::now() + MEMBER_PATIENCE;
        for slot in members {
            let left = until.saturating_duration_since(Instant::now());
            slot.driver.wait_until_serving(left);
        }
        events.begin();
        let life = Arc::new(Life::begin().map_err(refuse)?);
        Ok(Self {
            slots,
            sessions,
            events,
            life,
            status: Mutex::new(None),
            watch: Mutex::new(None),
            process: Process::this(),
        })
    }

    /// A process without a status socket works all the same; `everslot status` cannot see it.
    fn serve_status(self: &Arc<Self>, metrics: Option<SocketAddr>) {
        let source: Arc<dyn Source> = Arc::new(Told(Arc::downgrade(self)));
        match Server::start(Arc::clone(&source)) {
            Ok(mut server) => {
                if let Some(address) = metrics
                    && let Err(error) = server.serve_http(address, source)
                {
                    tracing::warn!(%address, %error, "this process's metrics are not there: `everslot metrics` has those of all processes");
                }
                *self.status.lock().unwrap_or_else(PoisonError::into_inner) = Some(server)
            }
            Err(error) => {
                tracing::warn!(%error, "no status socket: `everslot status` cannot see this process")
            }
        }
    }

    /// A process that cannot watch its configuration works all the same; it takes changes when it starts again.
    fn watch_configuration(self: &Arc<Self>, started: Config) {
        let path = started.path.clone();
        let taker = Arc::new(Reconfigured {
            library: Arc::downgrade(self),
            started,
            told: Mutex::default(),
        });
        match Watch::start(&path, taker) {
            Ok(watch) => *self.watch() = Some(watch),
            Err(error) => {
                tracing::warn!(%error, "the configuration is not watched: changes are not taken before the application starts again")
            }
        }
    }

    fn watch(&self) -> MutexGuard<'_, Option<Watch>> {
        self.watch.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The library as the watch of its configuration sees it; it does not keep it alive.
struct Reconfigured {
    library: Weak<Library>,
    /// What the application started with: what cannot be changed while it runs stays as it is here.
    started: Config,
    /// What was said to wait for its next start.
    told: Mutex<Vec<String>>,
}

impl Taker for Reconfigured {
    fn take(&self, config: Config) -> bool {
        let Some(library) = self.library.upgrade() else {
            return false;
        };
        let waits = kept_until_restart(&self.started, &config);
        let before = std::mem::replace(
            &mut *self.told.lock().unwrap_or_else(PoisonError::into_inner),
            waits.clone(),
        );
        for line in waits.iter().filter(|line| !before.contains(line)) {
            tracing::warn!("{line}");
        }
        let host_program = host_program(&config)
            .inspect_err(|error| tracing::error!(%error, "members that join cannot be hosted"))
            .unwrap_or_default();
        for planned in slots::planned(&config) {
            let driver_of = |slot: &&Arc<VirtualSlot>| {
                slot.driver.config.serial == planned.group.serial
                    && slot.is_group() == (planned.behind == Behind::Group)
            };
            if let Some(slot) = library.slots.iter().find(driver_of) {
                host_program
                    .iter()
                    .for_each(|program| slot.driver.set_host_program(program));
                slot.driver.reconfigure(&planned.group);
            }
        }
        true
    }
}

/// The program that hosts members, if any member is to be hosted.
fn host_program(config: &Config) -> Result<Option<PathBuf>, hosted::NoHostProgram> {
    let hosted = |member: &crate::config::MemberConfig| {
        member.settings().isolation == crate::module::Isolation::Process
    };
    let is_needed = |group: &GroupConfig| group.expose_members || group.members.iter().any(hosted);
    if config.groups.iter().any(is_needed) {
        hosted::find_host_program(config.host_program.as_deref()).map(Some)
    } else {
        Ok(None)
    }
}

/// A module may take longer to load than its token takes to answer.
fn startup_deadline(driver: &GroupDriver) -> Duration {
    let longest = driver
        .config
        .members
        .iter()
        .map(|member| member.deadline)
        .max()
        .unwrap_or_default();
    longest.max(Duration::from_secs(5))
}

fn refuse(error: impl std::fmt::Display) -> Rv {
    eprintln!("everslot: {error}");
    ckr::GENERAL_ERROR
}
