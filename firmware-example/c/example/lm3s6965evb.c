// The one file that knows the machine: QEMU's lm3s6965evb, a Cortex-M3 with a debugger that listens (semihosting).

#include "board.h"

#include <stdbool.h>

// Arm's "Semihosting for AArch32 and AArch64", 2.0: operations and reasons to stop.
#define SYS_WRITEC 0x03
#define SYS_EXIT 0x18
#define STOPPED_APPLICATION_EXIT 0x20026
#define STOPPED_RUN_TIME_ERROR 0x20023

int main(void);

// From the linker's script.
extern uint32_t stack_top, data_from, data_start, data_end, bss_start, bss_end;

static void semihost(uint32_t operation, const void *argument) {
  register uint32_t r0 __asm__("r0") = operation;
  register const void *r1 __asm__("r1") = argument;
  __asm__ volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
}

void write_bytes(const char *text, size_t length) {
  for (size_t i = 0; i < length; i++)
    semihost(SYS_WRITEC, &text[i]);
}

void write_text(const char *text) {
  while (*text != 0)
    semihost(SYS_WRITEC, text++);
}

void write_number(const char *before, uint64_t number, const char *after) {
  char digits[20];
  size_t begin = sizeof digits;
  do {
    digits[--begin] = (char)('0' + number % 10);
    number /= 10;
  } while (number > 0);
  write_text(before);
  write_bytes(&digits[begin], sizeof digits - begin);
  write_text(after);
}

_Noreturn void board_exit(const char *complaint) {
  if (complaint != NULL) {
    write_text(complaint);
    write_text("\n");
  }
  uint32_t reason = complaint == NULL ? STOPPED_APPLICATION_EXIT : STOPPED_RUN_TIME_ERROR;
  semihost(SYS_EXIT, (const void *)(uintptr_t)reason);
  for (;;) {
  }
}

static _Noreturn void fault(void) { board_exit("a fault"); }

_Noreturn void reset(void) {
  for (uint32_t *to = &data_start, *from = &data_from; to < &data_end;)
    *to++ = *from++;
  for (uint32_t *to = &bss_start; to < &bss_end;)
    *to++ = 0;
  main();
  board_exit("main has returned");
}

// The initial stack, the reset, and the faults: no interrupt is on.
struct vectors {
  const uint32_t *stack;
  void (*handlers[15])(void);
};
__attribute__((section(".vectors"), used)) static const struct vectors vectors = {
    &stack_top, {reset, fault, fault, fault, fault, fault}};
