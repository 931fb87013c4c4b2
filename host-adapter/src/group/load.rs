use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::hosted::Hosted;
use crate::module::{
    Delivery, InProcess, Instance, Isolation, LinkCause, LinkFailure, ModuleSettings,
};

/// How long a member host may take to finish before it is killed.
const GRACE: Duration = Duration::from_millis(500);

/// One load of a module, shared by the members whose settings are equal.
pub(crate) struct Load {
    settings: ModuleSettings,
    host_program: Option<PathBuf>,
    channels: u32,
    state: Mutex<State>,
}

/// What there is of a load.
#[derive(Default)]
struct State {
    instance: Option<Arc<dyn Instance>>,
    /// The library is finalised: an attempt that is still under way must not load the module again.
    closed: bool,
}

impl Load {
    /// The load as it stands, if it can still be asked.
    pub(crate) fn running(&self) -> Option<Arc<dyn Instance>> {
        self.state()
            .instance
            .as_ref()
            .filter(|instance| instance.is_alive())
            .cloned()
    }

    /// Loads the module unless it is loaded and alive.
    pub(crate) fn start(&self, deadline: Duration) -> Result<Arc<dyn Instance>, LinkFailure> {
        let mut state = self.state();
        if state.closed {
            return Err(NOT_STARTED);
        }
        if let Some(instance) = state
            .instance
            .as_ref()
            .filter(|instance| instance.is_alive())
        {
            return Ok(Arc::clone(instance));
        }
        let instance = self.load(deadline)?;
        state.instance = Some(Arc::clone(&instance));
        Ok(instance)
    }

    /// Loads the module anew, whatever state the present load is in: the last resort, since every member of it is lost.
    pub(crate) fn restart(&self, deadline: Duration) -> Result<Arc<dyn Instance>, LinkFailure> {
        let instance = self.state().instance.take();
        instance.iter().for_each(|instance| instance.stop(GRACE));
        self.start(deadline)
    }

    /// Ends `instance`: nothing that a member of it does will ever be answered. `report` is run when no attempt can find it any more, and
    /// nobody can see yet that it has ended.
    pub(crate) fn give_up<T>(&self, instance: &Arc<dyn Instance>, report: impl FnOnce() -> T) -> T {
        let mut state = self.state();
        if state
            .instance
            .as_ref()
            .is_some_and(|current| Arc::ptr_eq(current, instance))
        {
            state.instance = None;
        }
        let reported = report();
        drop(state);
        instance.stop(Duration::ZERO);
        reported
    }

    /// Ends the load in good order and for good.
    pub(crate) fn close(&self) {
        let mut state = self.state();
        state.closed = true;
        let instance = state.instance.take();
        drop(state);
        instance.iter().for_each(|instance| instance.stop(GRACE));
    }

    fn load(&self, deadline: Duration) -> Result<Arc<dyn Instance>, LinkFailure> {
        match self.settings.isolation {
            Isolation::None => Ok(Arc::new(InProcess::load(&self.settings)?)),
            Isolation::Process => {
                let program = self.host_program.as_deref().ok_or(NOT_STARTED)?;
                Ok(Arc::new(Hosted::start(
                    &self.settings,
                    program,
                    self.channels,
                    deadline,
                )?))
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

const NOT_STARTED: LinkFailure = LinkFailure {
    delivery: Delivery::None,
    cause: LinkCause::HostNotStarted,
};

/// The loads of a group by their settings.
pub(crate) struct Loads {
    host_program: Option<PathBuf>,
    loads: BTreeMap<ModuleSettings, Arc<Load>>,
}

impl Loads {
    pub(crate) fn new(host_program: Option<PathBuf>) -> Self {
        Self {
            host_program,
            loads: BTreeMap::new(),
        }
    }

    /// The load for `settings`; `channels` more real sessions may be open on it at once.
    pub(crate) fn share(&mut self, settings: ModuleSettings, channels: u32) -> Arc<Load> {
        let host_program = self.host_program.clone();
        let load = self.loads.entry(settings.clone()).or_insert_with(|| {
            Arc::new(Load {
                settings,
                host_program,
                channels,
                state: Mutex::default(),
            })
        });
        Arc::clone(load)
    }
}
