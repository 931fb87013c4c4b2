//! What stands in for the library, the slot and the session when the C functions are tested: it writes down what reaches it and answers
//! what the test has said. Each test runs on a thread of its own and has a world of its own.

mod keys;
mod later;

use std::cell::RefCell;
use std::sync::Arc;

use everslot_core::{Rv, ckr};
use everslot_protocol::{
    AttributeValue, Dual, List, Mechanism, MechanismInfo, ModuleInfo, Operation, SessionInfo,
    SlotInfo, Template, TokenInfo, Version, Wanted,
};

use crate::library::InitialiseArguments;
use crate::slot::{Output, Refusal};
use crate::status::{GroupStatus, LoginState, MemberStatus, ObjectsStatus, Read, Role, State};

/// The only slot that there is.
pub(super) const SLOT: u64 = 7;
/// The only session that there is.
pub(super) const SESSION: u64 = 0x5e55;

/// What the test says and sees.
pub(super) struct World {
    pub(super) initialised: bool,
    /// The code of every call.
    pub(super) rv: Rv,
    /// Of calls that put bytes out.
    pub(super) output: Vec<u8>,
    /// Slots, mechanisms, found objects.
    pub(super) list: Vec<u64>,
    /// Of attributes.
    pub(super) values: Vec<AttributeValue<'static>>,
    /// Of the message-based operations that are active.
    pub(super) mechanism: Option<u64>,
    /// The IV and the tag that the member makes.
    pub(super) made: (Vec<u8>, Vec<u8>),
    /// What was called, with what.
    pub(super) calls: Vec<String>,
    /// Every call panics.
    pub(super) panicking: bool,
}

thread_local! {
    static WORLD: RefCell<World> = const {
        RefCell::new(World {
            initialised: true,
            rv: ckr::OK,
            output: Vec::new(),
            list: Vec::new(),
            values: Vec::new(),
            mechanism: None,
            made: (Vec::new(), Vec::new()),
            calls: Vec::new(),
            panicking: false,
        })
    };
}

/// Looks at the world, or changes it.
pub(super) fn world<R>(act: impl FnOnce(&mut World) -> R) -> R {
    WORLD.with_borrow_mut(act)
}

/// The calls that have reached the double since it was last asked.
pub(super) fn calls() -> Vec<String> {
    world(|world| std::mem::take(&mut world.calls))
}

fn told(call: impl Into<String>) -> Result<(), Rv> {
    let (rv, panicking) = world(|world| {
        world.calls.push(call.into());
        (world.rv, world.panicking)
    });
    assert!(!panicking, "the test wanted a panic");
    if rv == ckr::OK { Ok(()) } else { Err(rv) }
}

fn made(call: impl Into<String>) -> Result<u64, Rv> {
    told(call).map(|()| 42)
}

fn put(call: impl Into<String>, output: Output<'_>) -> Result<u64, Refusal> {
    told(call)?;
    let bytes = world(|world| world.output.clone());
    let length = bytes.len() as u64;
    match output {
        Output::Query => {}
        Output::Buffer(buffer) => buffer
            .get_mut(..bytes.len())
            .ok_or(Refusal {
                rv: ckr::BUFFER_TOO_SMALL,
                length: Some(length),
            })?
            .copy_from_slice(&bytes),
    }
    Ok(length)
}

const VERSION: Version = Version { major: 3, minor: 9 };

pub(super) struct Library;

impl Library {
    pub(super) fn initialise(arguments: InitialiseArguments) -> Result<(), Rv> {
        told(format!("initialise {}", arguments.threads_forbidden))
    }
    pub(super) fn finalise() -> Result<(), Rv> {
        if world(|world| world.initialised) {
            told("finalise")
        } else {
            Err(ckr::CRYPTOKI_NOT_INITIALIZED)
        }
    }
    pub(super) fn with<R>(of: impl FnOnce(&Self) -> Result<R, Rv>) -> Result<R, Rv> {
        of(Self::current()?)
    }
    pub(super) fn current() -> Result<&'static Self, Rv> {
        if world(|world| world.initialised) {
            Ok(&Self)
        } else {
            Err(ckr::CRYPTOKI_NOT_INITIALIZED)
        }
    }
    pub(super) fn info(&self, cryptoki: Version) -> ModuleInfo {
        ModuleInfo {
            cryptoki,
            manufacturer: [b'm'; 32],
            flags: 0,
            description: [b'd'; 32],
            library: Version { major: 1, minor: 2 },
        }
    }
    pub(super) fn slots(&self, token_present: bool) -> Vec<u64> {
        world(|world| {
            world.calls.push(format!("slots {token_present}"));
            world.list.clone()
        })
    }
    pub(super) fn slot(&self, id: u64) -> Result<Arc<VirtualSlot>, Rv> {
        if id == SLOT {
            Ok(Arc::new(VirtualSlot))
        } else {
            Err(ckr::SLOT_ID_INVALID)
        }
    }
    pub(super) fn group(&self, id: u64) -> Result<Arc<VirtualSlot>, Rv> {
        self.slot(id)
    }
    pub(super) fn session(handle: u64) -> Result<Arc<Session>, Rv> {
        Self::current()?;
        if handle == SESSION {
            Ok(Arc::new(Session))
        } else {
            Err(ckr::SESSION_HANDLE_INVALID)
        }
    }
    pub(super) fn wait_for_slot_event(&self, dont_block: bool) -> Result<u64, Rv> {
        told(format!("wait {dont_block}")).map(|()| SLOT)
    }
}

pub(super) struct VirtualSlot;

impl VirtualSlot {
    pub(super) fn group_status(&self, read: Read) -> GroupStatus {
        world(|world| world.calls.push(format!("group_status {read:?}")));
        let member = |name: &str, role, state, code: Rv| MemberStatus {
            name: name.to_owned(),
            serial: (role == Role::Active).then(|| "599447001".to_owned()),
            role,
            state,
            incarnation: 1,
            code: code.into(),
            evidence: None,
            attempts: 2,
            attempts_allowed: None,
            next_attempt_ms: Some(1500),
            in_flight: 3,
            calls: 4,
            failures: 5,
            losses: 6,
            recoveries: 7,
        };
        GroupStatus {
            label: "group".to_owned(),
            serial: "1599447001".to_owned(),
            login: LoginState::Out,
            objects: ObjectsStatus::Apart,
            members: vec![
                member("a", Role::Active, State::Lost, ckr::DEVICE_ERROR),
                member(&"ü".repeat(40), Role::Standby, State::Standby, ckr::OK),
            ],
        }
    }
    pub(super) fn recover_member(&self, name: Option<&str>) -> Result<(), String> {
        told(format!("recover_member {name:?}")).map_err(|_| "no such member".to_owned())
    }
    pub(super) fn slot_info(&self) -> SlotInfo {
        SlotInfo {
            description: [[b'1'; 32], [b'2'; 32]],
            manufacturer: [b'm'; 32],
            flags: 1,
            hardware: VERSION,
            firmware: VERSION,
        }
    }
    pub(super) fn token_info(&self) -> Result<TokenInfo, Rv> {
        told("token_info")?;
        Ok(TokenInfo {
            label: [b'l'; 32],
            manufacturer: [b'm'; 32],
            model: [b'o'; 16],
            serial: [b's'; 16],
            flags: 1,
            max_sessions: 2,
            sessions: 3,
            max_rw_sessions: 4,
            rw_sessions: 5,
            max_pin: 6,
            min_pin: 7,
            total_public_memory: 8,
            free_public_memory: 9,
            total_private_memory: 10,
            free_private_memory: 11,
            hardware: VERSION,
            firmware: Version { major: 1, minor: 2 },
            utc_time: [b't'; 16],
        })
    }
    pub(super) fn mechanisms(&self) -> Result<Vec<u64>, Rv> {
        told("mechanisms").map(|()| world(|world| world.list.clone()))
    }
    pub(super) fn mechanism_info(&self, mechanism: u64) -> Result<MechanismInfo, Rv> {
        told(format!("mechanism_info {mechanism}"))?;
        Ok(MechanismInfo {
            min_key_size: 1,
            max_key_size: 2,
            flags: 3,
        })
    }
    pub(super) fn init_token(&self, pin: Option<&[u8]>, label: &[u8; 32]) -> Result<(), Rv> {
        told(format!("init_token {pin:?} {label:?}"))
    }
    pub(super) fn open_session(self: &Arc<Self>, flags: u64) -> Result<u64, Rv> {
        told(format!("open_session {flags}")).map(|()| SESSION)
    }
    pub(super) fn close_all_sessions(&self) -> Result<(), Rv> {
        told("close_all_sessions")
    }
}

pub(super) struct Session;

impl Session {
    pub(super) fn close(self: &Arc<Self>) -> Result<(), Rv> {
        told("close")
    }
    pub(super) fn info(&self) -> Result<SessionInfo, Rv> {
        told("info").map(|()| SessionInfo {
            slot: 1,
            state: 2,
            flags: 3,
            device_error: 4,
        })
    }
    pub(super) fn login(&self, user: u64, pin: Option<&[u8]>) -> Result<(), Rv> {
        told(format!("login {user} {pin:?}"))
    }
    pub(super) fn logout(&self) -> Result<(), Rv> {
        told("logout")
    }
    pub(super) fn init_pin(&self, pin: Option<&[u8]>) -> Result<(), Rv> {
        told(format!("init_pin {pin:?}"))
    }
    pub(super) fn set_pin(&self, old: Option<&[u8]>, new: Option<&[u8]>) -> Result<(), Rv> {
        told(format!("set_pin {old:?} {new:?}"))
    }
    pub(super) fn create_object(&self, template: Template<'_>) -> Result<u64, Rv> {
        made(format!("create_object {}", template.len()))
    }
    pub(super) fn copy_object(&self, object: u64, template: Template<'_>) -> Result<u64, Rv> {
        made(format!("copy_object {object} {}", template.len()))
    }
    pub(super) fn destroy_object(&self, object: u64) -> Result<(), Rv> {
        told(format!("destroy_object {object}"))
    }
    pub(super) fn object_size(&self, object: u64) -> Result<u64, Rv> {
        made(format!("object_size {object}"))
    }
    pub(super) fn attribute_values(
        &self,
        object: u64,
        wanted: List<'_, Wanted<'_>>,
        take: &mut dyn FnMut(List<'_, AttributeValue<'_>>),
    ) -> Rv {
        let answered = told(format!("attribute_values {object} {wanted:?}"));
        take(List::Items(&world(|world| world.values.clone())));
        answered.err().unwrap_or(ckr::OK)
    }
    pub(super) fn set_attributes(&self, object: u64, template: Template<'_>) -> Result<(), Rv> {
        told(format!("set_attributes {object} {}", template.len()))
    }
    pub(super) fn find_begin(&self, template: Template<'_>) -> Result<(), Rv> {
        told(format!("find_begin {}", template.len()))
    }
    pub(super) fn find_next(&self, found: &mut [u64]) -> Result<usize, Rv> {
        told(format!("find_next {}", found.len()))?;
        let objects = world(|world| world.list.clone());
        Ok(found
            .iter_mut()
            .zip(objects)
            .map(|(place, object)| *place = object)
            .count())
    }
    pub(super) fn find_end(&self) -> Result<(), Rv> {
        told("find_end")
    }
    pub(super) fn abandon(&self, operation: Operation) {
        world(|world| world.calls.push(format!("abandon {operation:?}")));
    }
    pub(super) fn begin(
        &self,
        operation: Operation,
        mechanism: Option<Mechanism<'_>>,
        key: Option<u64>,
    ) -> Result<(), Rv> {
        told(format!(
            "begin {operation:?} {:?} {key:?}",
            mechanism.map(|mechanism| mechanism.kind)
        ))
    }
    pub(super) fn whole(
        &self,
        operation: Operation,
        data: &[u8],
        output: Output<'_>,
    ) -> Result<u64, Refusal> {
        put(format!("whole {operation:?} {data:?}"), output)
    }
    pub(super) fn verify(&self, data: &[u8], signature: &[u8]) -> Result<(), Rv> {
        told(format!("verify {data:?} {signature:?}"))
    }
    pub(super) fn update(&self, operation: Operation, data: &[u8]) -> Result<(), Rv> {
        told(format!("update {operation:?} {data:?}"))
    }
    pub(super) fn update_output(
        &self,
        operation: Operation,
        data: &[u8],
        output: Output<'_>,
    ) -> Result<u64, Refusal> {
        let length = put(format!("update_output {operation:?}"), output)?;
        // Only now, so that a test sees whether writing the output has changed it.
        world(|world| world.calls.push(format!("read {data:?}")));
        Ok(length)
    }
    pub(super) fn digest_key(&self, key: u64) -> Result<(), Rv> {
        told(format!("digest_key {key}"))
    }
    pub(super) fn finish(&self, operation: Operation, output: Output<'_>) -> Result<u64, Refusal> {
        put(format!("finish {operation:?}"), output)
    }
    pub(super) fn verify_finish(&self, signature: &[u8]) -> Result<(), Rv> {
        told(format!("verify_finish {signature:?}"))
    }
    pub(super) fn dual_update(
        &self,
        dual: Dual,
        data: &[u8],
        output: Output<'_>,
    ) -> Result<u64, Refusal> {
        put(format!("dual_update {dual:?} {data:?}"), output)
    }
    pub(super) fn seed_random(&self, seed: &[u8]) -> Result<(), Rv> {
        told(format!("seed_random {seed:?}"))
    }
    pub(super) fn generate_random(&self, output: &mut [u8]) -> Result<(), Rv> {
        told(format!("generate_random {}", output.len()))?;
        output.fill(0xaa);
        Ok(())
    }
    pub(super) fn operation_state(&self, output: Output<'_>) -> Result<u64, Refusal> {
        put("operation_state", output)
    }
    pub(super) fn set_operation_state(
        &self,
        state: &[u8],
        encryption_key: u64,
        authentication_key: u64,
    ) -> Result<(), Rv> {
        told(format!(
            "set_operation_state {state:?} {encryption_key} {authentication_key}"
        ))
    }
}
