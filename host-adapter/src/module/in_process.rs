//! A module loaded in this process.

use std::error::Error as _;
use std::ffi::CString;
use std::fmt;
use std::mem;
use std::path::{Path, PathBuf};
use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use cryptoki_sys::{
    CK_FLAGS, CK_FUNCTION_LIST, CK_INTERFACE, CK_RV, CK_UTF8CHAR, CK_VERSION,
    CKR_CRYPTOKI_ALREADY_INITIALIZED, CKR_CRYPTOKI_NOT_INITIALIZED, CKR_OK,
};
use everslot_protocol::{Body, Deadline, Reply, Request, Rv, SlotId};
use libloading::os::unix::{Library, RTLD_LOCAL, RTLD_NOW};

use super::execute::execute;
use super::functions::{Functions, InitializeArguments};
use super::luna::{self, GetHaState, HaState};
use super::{Delivery, Instance, Link, LinkCause, LinkFailure, ModuleSettings};

/// A module that is loaded and initialised in this process.
///
/// The environment that its settings name is this process's own, whoever set it. The shared object is never unloaded: modules leave
/// threads and exit handlers behind. Nothing happens when this is dropped; [`stop`](Instance::stop) is what finalises the module.
pub struct InProcess {
    path: PathBuf,
    functions: Functions,
    get_ha_state: Option<GetHaState>,
    ownership: Ownership,
    gate: Arc<Gate>,
    // Some modules keep the pointer that they were initialised with.
    _init_string: Option<CString>,
}

/// What a load and its links share.
#[derive(Debug, Default)]
struct Gate {
    stopped: AtomicBool,
    links: Mutex<Vec<Arc<Busy>>>,
}

impl Gate {
    fn links(&self) -> MutexGuard<'_, Vec<Arc<Busy>>> {
        self.links.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether no call is in the module; none begins any more once `stopped` is set.
    fn is_quiet(&self) -> bool {
        !self
            .links()
            .iter()
            .any(|busy| busy.0.load(Ordering::SeqCst))
    }
}

/// Whether a link's call is in the module. Each link has its own, so that calls on several processors do not meet.
#[derive(Debug, Default)]
#[repr(align(64))]
struct Busy(AtomicBool);

/// How often a module that is to be finalised is asked whether its calls have ended.
const LOOK: Duration = Duration::from_millis(1);

/// Whose `C_Initialize` it was.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Ownership {
    /// Ours, so that `C_Finalize` is ours too.
    Ours,
    /// The application, or something else in this process, uses the same module by itself.
    Shared,
}

impl InProcess {
    /// Loads the module at `settings.path` and initialises it for use by several threads.
    ///
    /// # Errors
    /// What stands in the way, see [`LoadError`].
    pub fn load(settings: &ModuleSettings) -> Result<Self, LoadError> {
        Self::load_with(settings, false)
    }

    /// [`load`](Self::load) where the module may be forbidden to start threads (`CKF_LIBRARY_CANT_CREATE_OS_THREADS`).
    ///
    /// # Errors
    /// As there; `CKR_NEED_TO_CREATE_THREADS` of a module that cannot do without is an [`Initialize`](LoadError::Initialize).
    pub fn load_with(
        settings: &ModuleSettings,
        threads_forbidden: bool,
    ) -> Result<Self, LoadError> {
        let path = settings.path.clone();
        let init_string = settings.init_string.clone().map(CString::new).transpose();
        let init_string = init_string.map_err(|_| LoadError::InitString { path: path.clone() })?;
        let (functions, get_ha_state) = functions_of(&path)?;
        let reserved = init_string
            .as_deref()
            .map_or(ptr::null(), |text| text.as_ptr());
        let mut arguments = InitializeArguments::new(reserved, threads_forbidden);
        let ownership =
            initialize(functions, &mut arguments).map_err(|rv| LoadError::Initialize {
                path: path.clone(),
                rv,
            })?;
        Ok(Self {
            path,
            functions,
            get_ha_state,
            ownership,
            gate: Arc::default(),
            _init_string: init_string,
        })
    }

    /// The module's functions, to be given to [`execute`].
    #[must_use]
    pub const fn functions(&self) -> Functions {
        self.functions
    }

    /// `C_WaitForSlotEvent` without waiting: a slot whose token has come or gone.
    ///
    /// # Errors
    /// The module's code, `CKR_NO_EVENT` when there is none.
    pub fn slot_event(&self) -> Result<SlotId, Rv> {
        match self.functions.slot_event() {
            (Rv::OK, slot) => Ok(SlotId(slot)),
            (rv, _) => Err(rv),
        }
    }

    /// `CA_GetHAState`: how the members of the group behind a slot are.
    ///
    /// # Errors
    /// The module's code, `CKR_FUNCTION_NOT_SUPPORTED` of one that is neither Luna's nor ours.
    pub fn ha_state(&self, slot: SlotId) -> Result<HaState, Rv> {
        luna::ha_state(self.get_ha_state, slot)
    }

    /// Whether something else in this process had initialised the module before; then [`stop`](Instance::stop) does not finalise it.
    #[must_use]
    pub fn is_shared(&self) -> bool {
        self.ownership == Ownership::Shared
    }
}

impl Instance for InProcess {
    fn link(&self) -> Result<Box<dyn Link>, LinkFailure> {
        if !self.is_alive() {
            return Err(STOPPED);
        }
        let busy = Arc::<Busy>::default();
        self.gate.links().push(Arc::clone(&busy));
        Ok(Box::new(InProcessLink {
            functions: self.functions,
            gate: Arc::clone(&self.gate),
            busy,
        }))
    }

    fn is_alive(&self) -> bool {
        !self.gate.stopped.load(Ordering::Acquire)
    }

    /// `C_Finalize` while another thread is in a call is undefined (PKCS#11 v3.1 §5.4.2): its end is waited for, at most for `grace`. A module
    /// whose calls do not end stays initialised, and is found so by a later [`load`](InProcess::load).
    fn stop(&self, grace: Duration) {
        if self.gate.stopped.swap(true, Ordering::SeqCst) || self.ownership != Ownership::Ours {
            return;
        }
        let until = Instant::now() + grace;
        while !self.gate.is_quiet() {
            if Instant::now() >= until {
                return;
            }
            std::thread::sleep(LOOK);
        }
        // Nothing can be done about a module that does not finalise; a later `C_Initialize` tells.
        let _ = self.functions.finalize();
    }

    fn process(&self) -> Option<u32> {
        None
    }
}

impl fmt::Debug for InProcess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("InProcess");
        shown
            .field("path", &self.path)
            .field("ownership", &self.ownership)
            .field("stopped", &self.gate.stopped);
        shown.finish_non_exhaustive()
    }
}

const STOPPED: LinkFailure = LinkFailure {
    delivery: Delivery::None,
    cause: LinkCause::NotInitialized(Rv(CKR_CRYPTOKI_NOT_INITIALIZED)),
};

/// Executes every call on the caller's thread; a deadline cannot be kept there.
struct InProcessLink {
    functions: Functions,
    gate: Arc<Gate>,
    busy: Arc<Busy>,
}

impl Link for InProcessLink {
    fn call(
        &mut self,
        request: &Request<'_>,
        output: &mut [u8],
        _deadline: Deadline,
    ) -> Result<Reply, LinkFailure> {
        // Sequentially consistent as in `stop`: either this sees that the module is stopped, or `stop` sees that it is busy.
        self.busy.0.store(true, Ordering::SeqCst);
        let answer = if self.gate.stopped.load(Ordering::SeqCst) {
            Reply {
                rv: Rv(CKR_CRYPTOKI_NOT_INITIALIZED),
                body: Body::Empty,
            }
        } else {
            execute(self.functions, request, output)
        };
        self.busy.0.store(false, Ordering::Release);
        Ok(answer)
    }
}

impl Drop for InProcessLink {
    fn drop(&mut self) {
        let is_this = |busy: &Arc<Busy>| Arc::ptr_eq(busy, &self.busy);
        self.gate.links().retain(|busy| !is_this(busy));
    }
}

/// Why a module could not be used.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The shared object cannot be loaded.
    #[error("cannot load the PKCS#11 module {path}: {reason}; check the path and that the libraries it needs are installed", path = path.display())]
    Open {
        /// The shared object.
        path: PathBuf,
        /// What the dynamic linker says.
        reason: String,
    },
    /// It has no `C_GetFunctionList`, or this one gives no list.
    #[error("{path} is not a PKCS#11 module: it gives no function list; check the path", path = path.display())]
    NoFunctionList {
        /// The shared object.
        path: PathBuf,
    },
    /// The init string has a zero byte in it.
    #[error("the init string of the PKCS#11 module {path} has a zero byte in it; remove it", path = path.display())]
    InitString {
        /// The shared object.
        path: PathBuf,
    },
    /// `C_Initialize` failed.
    #[error("the PKCS#11 module {path} does not initialise (C_Initialize returned {code:#x}); check its own configuration and environment", path = path.display(), code = rv.0)]
    Initialize {
        /// The shared object.
        path: PathBuf,
        /// What `C_Initialize` returned.
        rv: Rv,
    },
}

impl From<LoadError> for LinkFailure {
    fn from(error: LoadError) -> Self {
        let cause = match error {
            LoadError::Open { .. }
            | LoadError::NoFunctionList { .. }
            | LoadError::InitString { .. } => LinkCause::ModuleNotLoaded,
            LoadError::Initialize { rv, .. } => LinkCause::NotInitialized(rv),
        };
        Self {
            delivery: Delivery::None,
            cause,
        }
    }
}

type GetFunctionList = unsafe extern "C" fn(*mut *mut CK_FUNCTION_LIST) -> CK_RV;
type GetInterface = unsafe extern "C" fn(
    *mut CK_UTF8CHAR,
    *mut CK_VERSION,
    *mut *mut CK_INTERFACE,
    CK_FLAGS,
) -> CK_RV;

/// The interfaces that a module is asked for, the best first; one that has none of these is used through its function list.
const WANTED: [CK_VERSION; 3] = [
    CK_VERSION { major: 3, minor: 2 },
    CK_VERSION { major: 3, minor: 1 },
    CK_VERSION { major: 3, minor: 0 },
];

fn functions_of(path: &Path) -> Result<(Functions, Option<GetHaState>), LoadError> {
    // All symbols now: one that is missing must fail here and not in the middle of a call.
    let flags = RTLD_NOW | RTLD_LOCAL | deep_bind();
    // SAFETY: loading runs the module's own initialisation, which is what it was configured for.
    let library = unsafe { Library::open(Some(path), flags) };
    let library = library.map_err(|error| LoadError::Open {
        path: path.to_owned(),
        reason: linker_message(path, &error),
    })?;
    // SAFETY: every PKCS#11 module has this function with this signature (PKCS#11 v3.1 §5.4.4).
    let get_function_list =
        unsafe { library.get::<GetFunctionList>("C_GetFunctionList") }.map(|symbol| *symbol);
    // SAFETY: a module that has this function has it with this signature (PKCS#11 v3.1 §5.4.6).
    let get_interface =
        unsafe { library.get::<GetInterface>("C_GetInterface") }.map(|symbol| *symbol);
    // SAFETY: a module that has this function has it with the signature of Luna's header.
    let get_ha_state = unsafe { library.get::<GetHaState>("CA_GetHAState") }.map(|symbol| *symbol);
    let get_ha_state = get_ha_state.ok();
    mem::forget(library);
    if let Some(functions) = get_interface.ok().and_then(best_interface) {
        return Ok((functions, get_ha_state));
    }
    let missing = || LoadError::NoFunctionList {
        path: path.to_owned(),
    };
    let get_function_list = get_function_list.map_err(|_| missing())?;
    let mut list = ptr::null_mut();
    // SAFETY: the function writes one pointer. The list is the module's own and stays, since the module is never unloaded.
    let (rv, list) = unsafe { (get_function_list(&mut list), list.as_ref()) };
    match list {
        // SAFETY: this is the list of a module that is never unloaded.
        Some(list) if rv == CKR_OK => Ok((unsafe { Functions::new(list) }, get_ha_state)),
        Some(_) | None => Err(missing()),
    }
}

/// The functions of the module's best interface of version 3.0 or later.
fn best_interface(get_interface: GetInterface) -> Option<Functions> {
    WANTED.into_iter().find_map(|wanted| {
        let (mut name, mut version) = (*b"PKCS 11\0", wanted);
        let mut interface = ptr::null_mut();
        // SAFETY: name and version are only read, and the function writes one pointer: to an interface of the module, which is
        // never unloaded.
        let (rv, interface) = unsafe {
            let rv = get_interface(name.as_mut_ptr(), &mut version, &mut interface, 0);
            (rv, interface.as_ref())
        };
        let list = NonNull::new(interface.filter(|_| rv == CKR_OK)?.pFunctionList)?;
        // SAFETY: it is the function list of an interface of that name.
        Some(unsafe { Functions::of_interface(list) })
    })
}

/// The dynamic linker's own words, which the library keeps apart from its own, without the path if this is what they begin with.
fn linker_message(path: &Path, error: &libloading::Error) -> String {
    let message = error
        .source()
        .map_or_else(|| error.to_string(), ToString::to_string);
    match message.strip_prefix(&format!("{}: ", path.display())) {
        Some(rest) => rest.to_owned(),
        None => message,
    }
}

fn initialize(functions: Functions, arguments: &mut InitializeArguments) -> Result<Ownership, Rv> {
    match functions.initialize(arguments) {
        Rv::OK => Ok(Ownership::Ours),
        Rv(CKR_CRYPTOKI_ALREADY_INITIALIZED) => Ok(Ownership::Shared),
        rv => Err(rv),
    }
}

/// `RTLD_DEEPBIND` where this process shows a PKCS#11 module's symbols to all it loads (an application that loaded us with
/// `RTLD_GLOBAL`): a module that calls its own `C_*` functions by name would else call ours. Not otherwise, since sanitizers and
/// allocators that replace libc's do not go well with it.
fn deep_bind() -> std::ffi::c_int {
    const RTLD_DEEPBIND: std::ffi::c_int = 8;
    // SAFETY: the symbol is only looked for, never called.
    let shown =
        unsafe { Library::this().get::<*const ()>(c"C_GetFunctionList".to_bytes_with_nul()) }
            .is_ok();
    if shown { RTLD_DEEPBIND } else { 0 }
}
