//! All of the core in a program whose panic handler calls a function that exists nowhere: it links only if no panic path is left.
//!
//! Each state and each input goes through [`black_box`], so that to the compiler they may be anything of their type, and no path
//! falls away because a value is known. The program is not meant to be run.

#![no_std]
#![no_main]

use core::hint::black_box;
use core::panic::PanicInfo;

use everslot_core::*;

unsafe extern "C" {
    /// Defined nowhere; its name is what the linker complains of.
    safe fn everslot_core_has_a_panic_path() -> !;
}

#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    everslot_core_has_a_panic_path()
}

#[cfg(not(target_os = "none"))]
#[link(name = "c")]
unsafe extern "C" {}

/// The C library's entry.
#[cfg(not(target_os = "none"))]
#[unsafe(no_mangle)]
extern "C" fn main() -> i32 {
    all();
    0
}

/// The linker's default entry.
#[cfg(target_os = "none")]
#[unsafe(no_mangle)]
extern "C" fn _start() {
    all();
}

fn all() {
    group();
    calls();
    objects();
    tables();
    #[cfg(feature = "broken")]
    black_box([1, 2, 3][black_box(3)]);
}

/// A machine at the size that the adapter ships, and at that of a small one.
fn group() {
    group_of::<32>();
    group_of::<3>();
}

fn group_of<const MEMBERS: usize>() {
    let mut group = black_box(Group::<MEMBERS>::new(black_box(Policy::default())));
    let (input, now) = (black_box(Input::Timer), black_box(Instant::ZERO));
    let _ = black_box(group.handle(input, now));
    let member = black_box(MemberId(0));
    let _ = black_box((group.policy(), group.member(member), group.status(member)));
    let _ = black_box((group.login(), group.generation(), group.poll_timeout()));
    black_box(group.members().count());
    let view = black_box(group.view());
    let _ = black_box((view.serving(), view.incarnation(member)));
    let _ = black_box(group.check());
    group.rebase(black_box(core::time::Duration::ZERO));
    black_box(group);
}

fn calls() {
    let (repeat, binding) = (black_box(Repeat::Safe), black_box(Binding::Free));
    let mut call = black_box(Call::new(repeat, binding));
    let _ = black_box(call.handle(black_box(CallInput::Start)));
    let _ = black_box((call.check(), call));

    let replayable = black_box(Replayable::Never);
    let seat = black_box(None);
    let _ = black_box(Work::restored(replayable, black_box(0), black_box(false)));
    let mut work = black_box(Work::begun(replayable, seat));
    let _ = black_box(work.handle(black_box(WorkInput::Ended)));
    let _ = black_box((
        work.binding(),
        work.may_move(),
        work.parts(),
        work.has_given(),
    ));
    let _ = black_box((work.seat(), work.check(), work));
}

fn objects() {
    let members = black_box(MemberSet::EMPTY);
    let (mark, copies) = (black_box(0), black_box(Copies::All));
    let _ = black_box(Change::create(
        mark,
        copies,
        members,
        members,
        black_box(None),
    ));
    let _ = black_box(Change::destroy(mark, members));
    let plant = black_box(Plant { mark, attempt: 0 });
    let kind = black_box(ChangeKind::Create);
    let _ = black_box(Change::resume(
        Intent {
            plant,
            kind,
            members,
        },
        members,
        members,
    ));
    let mut change = black_box(Change::update(mark, members));
    let _ = black_box(change.handle(black_box(ChangeInput::Start)));
    let _ = black_box((change.owed(), change.check(), change));

    let mut reconcile = black_box(Reconcile::new(black_box(MemberId(0)), copies));
    let _ = black_box(reconcile.handle(black_box(ReconcileInput::Cleaned)));
    let _ = black_box((reconcile.member(), reconcile.progress(), reconcile.owed()));
    let _ = black_box((reconcile.check(), reconcile));
}

fn tables() {
    let (rv, context) = (black_box(ckr::OK), black_box(Context::default()));
    let mut overrides = black_box(Overrides::<16>::new());
    let _ = black_box(overrides.set(rv, black_box(Class::ALL).map(black_box)[0]));
    let _ = black_box((verdict(rv, context, &overrides), overrides.class(rv)));
    let _ = black_box((
        rv.is_vendor_defined(),
        rv.name(),
        Rv::from_name(black_box("")),
    ));
    let _ = black_box(black_box("").parse::<Class>().map(Class::name));

    let set = || black_box(MemberSet::EMPTY);
    let serving = black_box(Serving::from_bits(black_box(0)));
    let _ = black_box((serving.to_bits(), serving.awaited(set(), set())));
    let load = |member: MemberId| black_box(u32::from(member.0));
    let chosen = choose(candidates(serving, set(), set()), load, black_box(0));
    black_box(chosen);
    let member = black_box(MemberId(0));
    let _ = black_box((
        set().with(member),
        set().contains(member),
        set().iter().count(),
    ));
    let _ = black_box(repeat(black_box(Effect::Reads)));
    let _ = black_box(replayable(
        black_box(Usage::Encrypts),
        black_box(0),
        black_box(Nonce::Callers),
    ));
    let _ = black_box(signing(black_box(0)));
}
