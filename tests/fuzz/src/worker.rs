//! The process that drives.

use std::fs::File;
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use cryptoki_sys::{
    CK_FLAGS, CK_FUNCTION_LIST, CK_FUNCTION_LIST_3_2, CK_FUNCTION_LIST_PTR_PTR, CK_INTERFACE,
    CK_RV, CK_UTF8CHAR, CK_VERSION, CKR_OK,
};
use everslot::status::{Client, Read};
use everslot_tests::client::{Module, Template};
use everslot_tests::{ECDSA, HASH, Isolation, Lab, PATIENCE, Plan, Token, ec_key, eventually};

use crate::calls::CALLS;
use crate::choice::Choice;
use crate::memory::Memory;
use crate::progress::Progress;
use crate::world::World;
use crate::{Arguments, Members};

/// After so many sequences the library ends and begins again.
const ROUND: u64 = 200;
/// No sequence has more calls.
const LONGEST: usize = 40;

unsafe extern "C" {
    fn C_GetFunctionList(list: CK_FUNCTION_LIST_PTR_PTR) -> CK_RV;
    fn C_GetInterface(
        name: *mut CK_UTF8CHAR,
        version: *mut CK_VERSION,
        interface: *mut *mut CK_INTERFACE,
        flags: CK_FLAGS,
    ) -> CK_RV;
}

/// Runs sequences until the time or their number is over. Panics at what must not be.
pub(crate) fn run(arguments: &Arguments, members: Members, path: &Path) -> ExitCode {
    end_at_panics();
    let file = File::create(path).expect("the progress can be written");
    let lab = lab(members);
    let module = Module::linked(functions());
    let functions = latest();
    let end = Instant::now() + Duration::from_secs(arguments.seconds);
    let last = arguments
        .sequences
        .map(|sequences| arguments.seed + sequences);
    let mut seed = arguments.seed;
    let mut progress = Progress::default();
    let is_over = |seed| last.map_or(Instant::now() >= end, |last| seed >= last);
    while !is_over(seed) {
        module.initialize().expect("it begins");
        eventually("every member serves", PATIENCE, || {
            losses().is_some_and(|losses| losses.len() == lab.members().len())
        });
        let began = seed;
        while !is_over(seed) && seed < began + ROUND {
            progress.seed = seed;
            progress.write(&file).expect("the progress can be written");
            let (calls, successes) = sequence(seed, functions, module, &lab);
            progress.calls += calls;
            progress.successes += successes;
            seed += 1;
        }
        module.finalize().expect("it ends");
    }
    progress.write(&file).expect("the progress can be written");
    ExitCode::SUCCESS
}

/// The C functions turn a panic into `CKR_GENERAL_ERROR`; here it is a crash like any other.
fn end_at_panics() {
    let tell = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        tell(panic);
        std::process::abort();
    }));
}

fn lab(members: Members) -> Lab {
    let (token, isolation) = match members {
        Members::HostedTest => (Token::Test, Isolation::Process),
        Members::InProcessTest => (Token::Test, Isolation::None),
        Members::HostedSoftHsm => (Token::SoftHsm, Isolation::Process),
    };
    Lab::new(Plan {
        token,
        isolation,
        members: 2,
        // Only a call that hangs takes so long.
        deadline: Duration::from_secs(20),
        scripted: false,
        ..Plan::default()
    })
}

fn functions() -> &'static CK_FUNCTION_LIST {
    let mut list = std::ptr::null_mut();
    // SAFETY: the pointer is of a place for a pointer; the list that comes is static.
    let list = unsafe {
        assert_eq!(C_GetFunctionList(&raw mut list), CKR_OK);
        list.as_ref()
    };
    list.expect("a function list")
}

/// Every function: the lists of the earlier versions are the beginning of this one.
fn latest() -> &'static CK_FUNCTION_LIST_3_2 {
    let mut name = *b"PKCS 11\0";
    let mut version = CK_VERSION { major: 3, minor: 2 };
    let mut interface = std::ptr::null_mut();
    // SAFETY: the pointers are of a text, of a version and of a place for a pointer; what comes is static, and of the version that was asked for.
    let list = unsafe {
        let code = C_GetInterface(name.as_mut_ptr(), &raw mut version, &raw mut interface, 0);
        assert_eq!(code, CKR_OK);
        let interface = interface.as_ref().expect("an interface");
        interface
            .pFunctionList
            .cast::<CK_FUNCTION_LIST_3_2>()
            .as_ref()
    };
    list.expect("a function list")
}

/// One sequence, and what must hold after each; how many calls it had, and how many succeeded.
fn sequence(
    seed: u64,
    functions: &'static CK_FUNCTION_LIST_3_2,
    module: Module,
    lab: &Lab,
) -> (u64, u64) {
    let mut choice = Choice::new(seed);
    let mut world = World {
        functions,
        slot: module.slot_of(Lab::LABEL),
        pin: lab.pin().as_bytes(),
        mechanisms: module
            .mechanisms(module.slot_of(Lab::LABEL))
            .expect("the mechanisms are listed"),
        sessions: Vec::new(),
        objects: Vec::new(),
        own: Vec::new(),
        calls: 0,
        successes: 0,
    };
    if !choice.one_in(8) {
        begin_well(&mut world, &mut choice, module);
    }
    let all: usize = CALLS.iter().map(|(weight, _)| weight).sum();
    for _ in 0..=choice.below(LONGEST) {
        let mut at = choice.below(all);
        let call = CALLS.iter().find(|(weight, _)| {
            let is_it = at < *weight;
            at = at.saturating_sub(*weight);
            is_it
        });
        if let Some((_, call)) = call {
            call(&mut world, &mut choice, &mut Memory::default());
        }
    }
    check(module, lab);
    (world.calls, world.successes)
}

/// What most applications do first: else most calls would find no session or no key.
fn begin_well(world: &mut World, choice: &mut Choice, module: Module) {
    let session = module.open(world.slot).expect("a session can be had");
    session
        .login(str::from_utf8(world.pin).expect("digits"))
        .expect("nobody is logged in any more");
    world.sessions.extend((choice.one_in(3)).then(|| {
        module
            .open(world.slot)
            .expect("a session can be had")
            .handle()
    }));
    world.sessions.push(session.handle());
    let objects = session.find(&Template::new()).expect("objects are found");
    world.objects.extend(objects.iter().map(|object| object.0));
}

/// A fresh session signs, and no member was lost.
fn check(module: Module, lab: &Lab) {
    module
        .close_all_sessions(module.slot_of(Lab::LABEL))
        .expect("all sessions close");
    let session = lab.public_session(module);
    session
        .login(lab.pin())
        .expect("nobody is logged in any more");
    let signature = session.sign(ECDSA, ec_key(session), &HASH);
    signature.expect("a fresh session signs");
    session.close().expect("it closes");
    let losses = losses().expect("the library tells how its members are");
    assert!(
        losses.iter().all(|losses| *losses == 0),
        "members were lost: {losses:?}"
    );
}

/// How often each member that serves was lost; `None` when nobody answers.
fn losses() -> Option<Vec<u64>> {
    let applications = Client::of_this_user().applications();
    let own = applications
        .iter()
        .find(|application| application.pid == std::process::id())?;
    let snapshot = own.snapshot(Read::Peek, PATIENCE).ok()?;
    let members = snapshot.groups.into_iter().flat_map(|group| group.members);
    Some(
        members
            .filter(|member| member.code.number == 0 || member.losses > 0)
            .map(|member| member.losses)
            .collect(),
    )
}
