//! What the core costs a small machine: flash and RAM out of the images, instructions and stack out of QEMU. None may grow past its ceiling.

use std::time::Duration;

use comfy_table::Table;
use everslot_tests::board::{Machine, has_qemu, image};
use object::{Object, ObjectSection, SectionFlags, SectionKind, elf};

/// Longer than anything takes that is waited for.
const PATIENCE: Duration = Duration::from_secs(60);

/// A figure, what it was seen to be at most, and what it is meant to be.
struct Ceiling(&'static str, u64, Option<u64>);

/// A group of four members, its output and eight calls at once; the whole gateway has three members.
const SIZES: [Ceiling; 5] = [
    Ceiling("core alone: flash", 10_752, Some(12 * 1024)),
    Ceiling("core alone: RAM", 768, Some(1024)),
    Ceiling("whole gateway: flash", 48_128, None),
    Ceiling("whole gateway: static RAM", 512, None),
    Ceiling("example in C: flash", 17_408, None),
];

/// Of calls into the core, the output's memory aside: that is among the RAM above.
const COSTS: [Ceiling; 8] = [
    Ceiling("choose a member: instructions", 200, Some(2000)),
    Ceiling("choose a member: stack", 64, Some(512)),
    Ceiling("a failure: instructions", 850, Some(2000)),
    Ceiling("a failure: stack", 320, Some(512)),
    Ceiling("a recovery step: instructions", 680, Some(2000)),
    Ceiling("a recovery step: stack", 480, Some(512)),
    Ceiling("any other input: instructions", 1400, Some(2000)),
    Ceiling("any other input: stack", 480, Some(512)),
];

#[derive(Clone, Copy, Default)]
struct Size {
    flash: u64,
    ram: u64,
}

/// What an image takes of the board's memories.
fn size_of(program: &str) -> Size {
    let bytes = std::fs::read(image(program)).expect("it is readable");
    let image = object::File::parse(&*bytes).expect("it is an image");
    let mut size = Size::default();
    for section in image.sections() {
        let SectionFlags::Elf { sh_flags } = section.flags() else {
            continue;
        };
        if sh_flags & u64::from(elf::SHF_ALLOC) == 0 {
            continue;
        }
        if section.kind() != SectionKind::UninitializedData {
            size.flash += section.size();
        }
        if sh_flags & u64::from(elf::SHF_WRITE) != 0 {
            size.ram += section.size();
        }
    }
    size
}

/// Shows the figures in a table, and fails if one is above its ceiling.
fn compare(figures: &[u64], ceilings: &[Ceiling]) {
    let mut table = Table::new();
    table.set_header(["figure", "now", "at most", "goal", ""]);
    let mut grown = Vec::new();
    assert_eq!(figures.len(), ceilings.len());
    for (now, Ceiling(name, most, goal)) in figures.iter().zip(ceilings) {
        let missed = if goal.is_some_and(|goal| *now > goal) {
            "missed"
        } else {
            ""
        };
        let goal = goal.map_or_else(String::new, |goal| goal.to_string());
        table.add_row([*name, &now.to_string(), &most.to_string(), &goal, missed]);
        if now > most {
            grown.push(*name);
        }
    }
    println!("{table}");
    assert!(grown.is_empty(), "above their ceilings: {grown:?}");
}

#[test]
fn the_images_do_not_grow() {
    if let Err(missing) = has_qemu() {
        println!("skipped: {missing} is not installed");
        return;
    }
    let [nothing, core, gateway, in_c] =
        ["nothing", "core_alone", "gateway", "gateway_c"].map(size_of);
    let figures = [
        core.flash - nothing.flash,
        core.ram - nothing.ram,
        gateway.flash,
        gateway.ram,
        in_c.flash,
    ];
    compare(&figures, &SIZES);
}

#[test]
fn a_call_into_the_core_does_not_grow_dearer() {
    if let Err(missing) = has_qemu() {
        println!("skipped: {missing} is not installed");
        return;
    }
    // An instruction takes 2^7 ns of the board's time, whatever the machine is busy with.
    let machine = Machine::start("measure", "all", &[], &["-icount", "shift=7"]);
    let (status, log) = machine.finish(PATIENCE);
    assert!(status.success(), "{status}: {log:#?}");
    let figure = |Ceiling(name, ..): &Ceiling| {
        let found = log.iter().find_map(|line| line.split_once(name));
        let number = found.map(|(_, number)| number.trim().parse());
        number
            .and_then(Result::ok)
            .unwrap_or_else(|| panic!("no {name:?}: {log:#?}"))
    };
    compare(&COSTS.each_ref().map(figure), &COSTS);
}
