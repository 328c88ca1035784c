// SPDX-License-Identifier: MIT
//
// Text for people: colour where a terminal wants it, and names from files that may be hostile
// made harmless. Knows nothing of images.
#ifndef CLI_TEXT_H
#define CLI_TEXT_H

#include <stdint.h>
#include <stdio.h>

/// Escape sequences to print before and after words; all empty where colour is not wanted.
struct style {
  const char *bold, *good, *bad, *off;
};
/// Colour only on a terminal that is not dumb, and not if NO_COLOR is set (no-color.org).
struct style style_of(FILE *file);

/// Print a string with control characters and backslashes as \xNN, so that no file can steer a
/// terminal.
void print_text(FILE *file, const char *text);

/// 16 bytes as 32 digits.
struct build_id_text {
  char digits[33];
};
struct build_id_text build_id_text(const uint8_t id[16]);

/// "r-x" for the PROT_ bits of mmap(2).
struct protection_text {
  char letters[4];
};
struct protection_text protection_text(int protection);

#endif
