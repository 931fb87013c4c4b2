//! An image without anything in it: what the others are measured against.
#![no_std]
#![no_main]

use core::panic::PanicInfo;

use cortex_m_rt::entry;
use defmt_semihosting as _;

defmt::timestamp!("");

#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    cortex_m::asm::udf()
}

#[entry]
fn main() -> ! {
    loop {
        cortex_m::asm::wfi();
    }
}
