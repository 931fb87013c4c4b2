//! The board: Stellaris LM3S6965 on its evaluation board, which QEMU has as `lm3s6965evb`. All that knows it is in this file.
//!
//! UART 0 to 2 are the members' lines (115200 8N1, FIFO on), port F 0 to 2 their lights, SysTick the clock. The log and the arguments go by
//! semihosting, so that a debugger or an emulator has to be there.

use core::cell::Cell;
use core::convert::Infallible;
use core::panic::PanicInfo;

use cortex_m::interrupt::{Mutex, free};
use cortex_m::peripheral::SYST;
use cortex_m::peripheral::syst::SystClkSource;
use cortex_m_rt::exception;
use defmt_semihosting as _;
use embedded_hal::delay::DelayNs;
use embedded_hal::digital::{ErrorType as LightError, OutputPin};
use embedded_io::{ErrorType, Read, ReadReady, Write};
use everslot_core::Instant;
use everslot_firmware::Clock;

/// After reset the processor runs at 12.5 MHz, from its internal oscillator by the PLL.
const HERTZ: u32 = 12_500_000;
const BAUD: u32 = 115_200;

/// Milliseconds since [`Machine::take`].
static MILLIS: Mutex<Cell<u64>> = Mutex::new(Cell::new(0));

defmt::timestamp!("{=u64:ms}", now().as_millis());

fn now() -> Instant {
    Instant::from_millis(free(|section| MILLIS.borrow(section).get()))
}

#[exception]
fn SysTick() {
    free(|section| {
        let millis = MILLIS.borrow(section);
        millis.set(millis.get().wrapping_add(1));
    });
}

#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    defmt::error!("panicked: {}", defmt::Display2Format(info));
    semihosting::process::exit(101)
}

/// All of the board that a gateway uses.
pub(crate) struct Machine {
    /// The members' lines.
    pub(crate) lines: [Uart; 3],
    /// The members' lights.
    pub(crate) lights: [Light; 3],
    /// Milliseconds since [`take`](Self::take).
    pub(crate) clock: Millis,
    /// Sleeps between ticks.
    pub(crate) delay: Sleep,
}

impl Machine {
    /// Sets the board up. `None` the second time.
    pub(crate) fn take() -> Option<Self> {
        let processor = cortex_m::Peripherals::take()?;
        power_up();
        start_clock(processor.SYST);
        Some(Self {
            lines: [0x4000_C000, 0x4000_D000, 0x4000_E000].map(Uart::set_up),
            lights: [0, 1, 2].map(Light::set_up),
            clock: Millis,
            delay: Sleep,
        })
    }
}

fn start_clock(mut timer: SYST) {
    timer.set_clock_source(SystClkSource::Core);
    timer.set_reload(HERTZ / 1000 - 1);
    timer.clear_current();
    timer.enable_interrupt();
    timer.enable_counter();
}

/// Gives the UARTs and the ports their clocks, and the UARTs their pins (data sheet §5.5, §8.4).
fn power_up() {
    const RCGC1: Register = Register(0x400F_E104);
    const RCGC2: Register = Register(0x400F_E108);
    RCGC1.set(0b111);
    // Ports A, D, F and G.
    RCGC2.set(1 | 1 << 3 | 1 << 5 | 1 << 6);
    for (port, pins) in [
        (0x4000_4000, 0b11),
        (0x4000_7000, 0b1100),
        (0x4002_6000, 0b11),
    ] {
        Register(port + 0x420).set(pins);
        Register(port + 0x51C).set(pins);
    }
}

/// A register of the board by its address.
#[derive(Clone, Copy)]
struct Register(usize);

impl Register {
    fn read(self) -> u32 {
        let register = core::ptr::with_exposed_provenance::<u32>(self.0);
        // SAFETY: every address in this file is that of a 32-bit register of this processor, and reading it has no effect on memory.
        unsafe { register.read_volatile() }
    }

    fn write(self, value: u32) {
        let register = core::ptr::with_exposed_provenance_mut::<u32>(self.0);
        // SAFETY: as in `read`; none of these registers makes the board write to memory.
        unsafe { register.write_volatile(value) }
    }

    fn set(self, bits: u32) {
        self.write(self.read() | bits);
    }
}

/// A PL011.
#[derive(Clone, Copy)]
pub(crate) struct Uart {
    data: Register,
    flags: Register,
}

impl Uart {
    /// In the flags: nothing has come.
    const EMPTY: u32 = 1 << 4;
    /// In the flags: nothing more can be sent.
    const FULL: u32 = 1 << 5;

    fn set_up(base: usize) -> Self {
        let [integer, fraction, format, control] =
            [0x24, 0x28, 0x2C, 0x30].map(|offset| Register(base + offset));
        // In 64ths of a sixteenth of the clock, rounded (data sheet §12.2.2).
        let divisor = (HERTZ * 8 / BAUD).div_ceil(2);
        control.write(0);
        integer.write(divisor >> 6);
        fraction.write(divisor & 63);
        // Eight bits, FIFO on.
        format.write(0b11 << 5 | 1 << 4);
        // On, both ways.
        control.write(1 | 1 << 8 | 1 << 9);
        Self {
            data: Register(base),
            flags: Register(base + 0x18),
        }
    }

    fn is(self, flag: u32) -> bool {
        self.flags.read() & flag != 0
    }
}

impl ErrorType for Uart {
    type Error = Infallible;
}

impl ReadReady for Uart {
    fn read_ready(&mut self) -> Result<bool, Infallible> {
        Ok(!self.is(Self::EMPTY))
    }
}

impl Read for Uart {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Infallible> {
        let mut count = 0;
        for place in buffer {
            while count == 0 && self.is(Self::EMPTY) {}
            if self.is(Self::EMPTY) {
                break;
            }
            // The upper bits tell of errors on the line, which the frame's CRC finds.
            *place = self.data.read() as u8;
            count += 1;
        }
        Ok(count)
    }
}

impl Write for Uart {
    fn write(&mut self, bytes: &[u8]) -> Result<usize, Infallible> {
        for byte in bytes {
            while self.is(Self::FULL) {}
            self.data.write(u32::from(*byte));
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> Result<(), Infallible> {
        // What the FIFO holds goes out by itself.
        Ok(())
    }
}

/// A light on port F.
pub(crate) struct Light(Register, u32);

impl Light {
    const PORT: usize = 0x4002_5000;

    fn set_up(pin: u32) -> Self {
        let bit = 1 << pin;
        Register(Self::PORT + 0x400).set(bit);
        Register(Self::PORT + 0x51C).set(bit);
        // Of the data, each address is a mask for the pins (data sheet §8.2.1.2).
        Self(Register(Self::PORT + ((bit as usize) << 2)), bit)
    }
}

impl LightError for Light {
    type Error = Infallible;
}

impl OutputPin for Light {
    fn set_low(&mut self) -> Result<(), Infallible> {
        self.0.write(0);
        Ok(())
    }

    fn set_high(&mut self) -> Result<(), Infallible> {
        self.0.write(self.1);
        Ok(())
    }
}

/// Milliseconds since the start.
#[derive(Clone, Copy)]
pub(crate) struct Millis;

impl Clock for Millis {
    fn now(&self) -> Instant {
        now()
    }
}

/// Sleeps until a tick.
#[derive(Clone, Copy)]
pub(crate) struct Sleep;

impl DelayNs for Sleep {
    /// Longer by up to a millisecond.
    fn delay_ns(&mut self, nanoseconds: u32) {
        let until = now().as_millis() + u64::from(nanoseconds.div_ceil(1_000_000));
        while now().as_millis() < until {
            cortex_m::asm::wfi();
        }
    }
}

/// Counts instructions, in QEMU with `-icount shift=7` only: there each takes 128 ns, and SysTick ticks every 80 ns.
#[allow(dead_code, reason = "each program uses its part of the board")]
pub(crate) struct Counter(());

#[allow(dead_code, reason = "each program uses its part of the board")]
impl Counter {
    const SPAN: u32 = 0x00FF_FFFF;

    /// Takes SysTick for it. `None` if the board is in use.
    pub(crate) fn take() -> Option<Self> {
        let mut timer = cortex_m::Peripherals::take()?.SYST;
        timer.set_clock_source(SystClkSource::Core);
        timer.set_reload(Self::SPAN);
        timer.clear_current();
        timer.enable_counter();
        Some(Self(()))
    }

    /// How many instructions `work` takes, those of the call left out.
    pub(crate) fn instructions(&self, work: &mut dyn FnMut()) -> u32 {
        let ticks = |work: &mut dyn FnMut()| {
            let before = SYST::get_current();
            work();
            before.wrapping_sub(SYST::get_current()) & Self::SPAN
        };
        let nothing = ticks(&mut || {});
        ticks(work).saturating_sub(nothing) * 80 / 128
    }
}

/// How many bytes of stack `work` takes, its own frame and what it calls.
#[allow(dead_code, reason = "each program uses its part of the board")]
#[inline(never)]
pub(crate) fn stack_used(work: &mut dyn FnMut()) -> usize {
    const PAINT: u32 = 0xA5A5_5A5A;
    /// Words below here that are looked at.
    const DEPTH: usize = 4096;
    let top = cortex_m::register::msp::read() as usize;
    let word = |below: usize| core::ptr::with_exposed_provenance_mut::<u32>(top - below * 4);
    for below in 1..=DEPTH {
        // SAFETY: the stack grows down from the end of the RAM, 64 KiB, of which the statics leave more than this; nothing below the
        // stack pointer is in use, and no interrupt is on.
        unsafe { word(below).write_volatile(PAINT) };
    }
    work();
    let is_touched = |below: &usize| {
        // SAFETY: as above.
        let word = unsafe { word(*below).read_volatile() };
        word != PAINT
    };
    (1..=DEPTH).rev().find(is_touched).unwrap_or(0) * 4
}
