use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use super::sync::{Condvar, Mutex, MutexGuard};
use crate::hosted::Hosted;
use crate::module::{
    Delivery, InProcess, Instance, Isolation, LinkCause, LinkFailure, ModuleSettings,
};

/// How long a member host may take to finish before it is killed.
pub(super) const GRACE: Duration = Duration::from_millis(500);

/// One load of a module, shared by the members whose module settings are equal.
pub(crate) struct Load {
    settings: ModuleSettings,
    host_program: Option<PathBuf>,
    channels: u32,
    threads_forbidden: bool,
    #[cfg(test)]
    scripted: Option<Scripted>,
    state: Mutex<State>,
    /// Signalled when an attempt to load has ended.
    loaded: Condvar,
}

/// What there is of a load.
#[derive(Default)]
struct State {
    stage: Stage,
    /// The library is finalised: an attempt that is still under way must not load the module again.
    closed: bool,
}

/// How far a load is.
#[derive(Default)]
enum Stage {
    #[default]
    Absent,
    /// A thread is loading it; in this host, if it is one of ours.
    Loading(Option<Arc<Hosted>>),
    Present(Arc<dyn Instance>),
}

impl Stage {
    fn instance(&self) -> Option<&Arc<dyn Instance>> {
        match self {
            Self::Present(instance) => Some(instance),
            Self::Absent | Self::Loading(_) => None,
        }
    }

    fn take_instance(&mut self) -> Option<Arc<dyn Instance>> {
        match std::mem::take(self) {
            Self::Present(instance) => Some(instance),
            other @ (Self::Absent | Self::Loading(_)) => {
                *self = other;
                None
            }
        }
    }
}

impl Load {
    /// The program that member hosts run; none where there is none.
    pub(super) fn host_program(&self) -> Option<&Path> {
        self.host_program.as_deref()
    }

    /// The load as it stands, if it can still be asked.
    pub(crate) fn running(&self) -> Option<Arc<dyn Instance>> {
        let state = self.state();
        let instance = state.stage.instance();
        instance.filter(|instance| instance.is_alive()).cloned()
    }

    /// Loads the module unless it is loaded and alive. Another thread that loads it already is waited for.
    pub(crate) fn start(&self, deadline: Duration) -> Result<Arc<dyn Instance>, LinkFailure> {
        let mut state = self.state();
        loop {
            if state.closed {
                return Err(NOT_STARTED);
            }
            match &state.stage {
                Stage::Present(instance) if instance.is_alive() => return Ok(Arc::clone(instance)),
                Stage::Loading(_) => {
                    let waited = self.loaded.wait(state);
                    state = waited.unwrap_or_else(PoisonError::into_inner);
                }
                Stage::Absent | Stage::Present(_) => break,
            }
        }
        state.stage = Stage::Loading(None);
        drop(state);
        let attempt = Attempt(self);
        let loaded = self.load(deadline);
        attempt.end(loaded)
    }

    /// Loads the module anew, whatever state the present load is in: the last resort, since every member of it is lost.
    pub(crate) fn restart(&self, deadline: Duration) -> Result<Arc<dyn Instance>, LinkFailure> {
        let instance = self.state().stage.take_instance();
        instance.iter().for_each(|instance| instance.stop(GRACE));
        self.start(deadline)
    }

    /// Ends `instance`: nothing that a member of it does will ever be answered. `report` is run when no attempt can find it any more, and
    /// nobody can see yet that it has ended.
    pub(crate) fn give_up<T>(&self, instance: &Arc<dyn Instance>, report: impl FnOnce() -> T) -> T {
        let mut state = self.state();
        let current = state.stage.instance();
        if current.is_some_and(|current| Arc::ptr_eq(current, instance)) {
            state.stage = Stage::Absent;
        }
        let reported = report();
        drop(state);
        instance.stop(Duration::ZERO);
        reported
    }

    /// Begins to end the load for good: its host is asked to finish within `grace`, a host that is being started is killed.
    pub(crate) fn begin_to_close(&self, grace: Duration) {
        let mut state = self.state();
        state.closed = true;
        match &state.stage {
            Stage::Absent | Stage::Loading(None) => {}
            Stage::Loading(Some(host)) => host.kill(),
            Stage::Present(instance) => instance.begin_to_stop(grace),
        }
    }

    /// Ends the load for good, in good order if that is possible by then.
    pub(crate) fn close(&self, until: Instant) {
        let mut state = self.state();
        state.closed = true;
        let instance = state.stage.take_instance();
        drop(state);
        let grace = until.saturating_duration_since(Instant::now());
        instance.iter().for_each(|instance| instance.stop(grace));
    }

    fn load(&self, deadline: Duration) -> Result<Arc<dyn Instance>, LinkFailure> {
        #[cfg(test)]
        if let Some(scripted) = &self.scripted {
            return scripted(&self.settings);
        }
        match self.settings.isolation {
            Isolation::None => Ok(Arc::new(InProcess::load_with(
                &self.settings,
                self.threads_forbidden,
            )?)),
            Isolation::Process => {
                let program = self.host_program.as_deref().ok_or(NOT_STARTED)?;
                let host = Arc::new(Hosted::spawn(&self.settings, program, self.channels)?);
                let mut state = self.state();
                if state.closed {
                    return Err(NOT_STARTED);
                }
                state.stage = Stage::Loading(Some(Arc::clone(&host)));
                drop(state);
                host.wait_until_initialised(deadline)?;
                Ok(host)
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One thread's attempt to load the module; the others wait for its end.
struct Attempt<'a>(&'a Load);

impl Attempt<'_> {
    /// Notes what came of it.
    fn end(
        self,
        loaded: Result<Arc<dyn Instance>, LinkFailure>,
    ) -> Result<Arc<dyn Instance>, LinkFailure> {
        let instance = loaded?;
        let mut state = self.0.state();
        if state.closed {
            drop(state);
            instance.stop(GRACE);
            return Err(NOT_STARTED);
        }
        state.stage = Stage::Present(Arc::clone(&instance));
        Ok(instance)
    }
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        let mut state = self.0.state();
        if let Stage::Loading(_) = state.stage {
            state.stage = Stage::Absent;
        }
        drop(state);
        self.0.loaded.notify_all();
    }
}

const NOT_STARTED: LinkFailure = LinkFailure {
    delivery: Delivery::None,
    cause: LinkCause::HostNotStarted,
};

/// Loads a module that does what a test says.
#[cfg(test)]
pub(super) type Scripted =
    Arc<dyn Fn(&ModuleSettings) -> Result<Arc<dyn Instance>, LinkFailure> + Send + Sync>;

/// The loads of a group.
pub(crate) struct Loads {
    host_program: Option<PathBuf>,
    threads_forbidden: bool,
    #[cfg(test)]
    pub(super) scripted: Option<Scripted>,
    loads: Vec<Arc<Load>>,
}

impl Loads {
    /// `threads_forbidden` is for modules in the application: they may not start threads either.
    pub(crate) fn new(host_program: Option<PathBuf>, threads_forbidden: bool) -> Self {
        Self {
            host_program,
            threads_forbidden,
            #[cfg(test)]
            scripted: None,
            loads: Vec::new(),
        }
    }

    /// The load for `settings`, new if there is none; `channels` more real sessions may be open on it at once.
    pub(crate) fn share(&mut self, settings: &ModuleSettings, channels: u32) -> Arc<Load> {
        let known = self.loads.iter().find(|load| load.settings == *settings);
        match known {
            Some(load) => Arc::clone(load),
            None => self.add(settings, channels),
        }
    }

    /// The load for a member that joins later. A host has only as many channels as were asked for when it started, so the member gets one
    /// of its own; a module in the application can be initialised only once.
    pub(crate) fn share_later(&mut self, settings: &ModuleSettings, channels: u32) -> Arc<Load> {
        match settings.isolation {
            Isolation::None => self.share(settings, channels),
            Isolation::Process => self.add(settings, channels),
        }
    }

    /// Ends a load that no member has any more, in good order if that is possible by then. Nobody can get it meanwhile.
    pub(crate) fn end(&mut self, load: &Arc<Load>, until: Instant) {
        self.loads.retain(|known| !Arc::ptr_eq(known, load));
        load.begin_to_close(until.saturating_duration_since(Instant::now()));
        load.close(until);
    }

    /// Gives members that join the program that hosts them, if none was looked for before.
    pub(crate) fn set_host_program(&mut self, host_program: &Path) {
        self.host_program
            .get_or_insert_with(|| host_program.to_owned());
    }

    fn add(&mut self, settings: &ModuleSettings, channels: u32) -> Arc<Load> {
        let load = Arc::new(Load {
            settings: settings.clone(),
            host_program: self.host_program.clone(),
            channels,
            threads_forbidden: self.threads_forbidden,
            #[cfg(test)]
            scripted: self.scripted.clone(),
            state: Mutex::default(),
            loaded: Condvar::new(),
        });
        self.loads.push(Arc::clone(&load));
        load
    }
}
