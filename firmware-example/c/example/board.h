// What the example needs of its machine: text out and an end, by semihosting.
#ifndef BOARD_H
#define BOARD_H

#include <stddef.h>
#include <stdint.h>

void write_bytes(const char *text, size_t length);
void write_text(const char *text);
void write_number(const char *before, uint64_t number, const char *after);

// Ends the program: with success if there is no complaint.
_Noreturn void board_exit(const char *complaint);

#endif
