// SPDX-License-Identifier: MIT
//
// How much an ordinary shared library gives ld.so to do, so that readers can judge what a row is worth.
#ifndef BENCH_RELOCATIONS_H
#define BENCH_RELOCATIONS_H

#include <stdint.h>

struct relocations {
  uint64_t relative;  ///< no name needed
  uint64_t named;     ///< in .rela.dyn, by symbol
  uint64_t calls;     ///< in .rela.plt: at load, or with RTLD_LAZY at the first call
  uint64_t bytes;     ///< of the file
};

/// Add those of one file; exits with a message if it is no 64-bit ELF library.
void relocations_add(struct relocations *sum, const char *path);
uint64_t relocations_total(const struct relocations *sum);

#endif
