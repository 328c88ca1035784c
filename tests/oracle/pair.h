// SPDX-License-Identifier: MIT
//
// One closure, loaded twice into this process: by ld.so and by us. Neither has run a constructor.
#ifndef TESTS_ORACLE_PAIR_H
#define TESTS_ORACLE_PAIR_H

#include "image/runtime.h"
#include "tests/oracle/file.h"

enum world_of { OURS, THEIRS, WORLDS };

struct pair {
  const char *name;
  struct elf_file file;
  struct pkgimg_image *image;
  uint64_t bases[WORLDS];
  uint64_t modules[WORLDS];        ///< of thread-local storage, 0: none
  uint8_t *relocated[AREA_COUNT];  ///< for L and W: 1 for each byte of the file part that was relocated
};

struct pairs {
  struct pair items[64];
  size_t count;
  struct pkgimg_runtime *runtime;
  void *handle;
};

/// Load `path` and its dependencies in both ways. False, with a message, if either refuses.
bool pairs_load(struct pairs *pairs, const char *path);
void pairs_unload(struct pairs *pairs);

/// What was compared.
struct tally {
  uint64_t words;               ///< relocated words that name the same thing
  uint64_t by_name;             ///< of these: a weak symbol of which each world chose another definition
  uint64_t gates;               ///< of these: functions of ours that stand in for the host's
  uint64_t thread_local_words;  ///< of these: compared by what they make of it
  uint64_t plain_bytes;         ///< that no relocation names
  uint64_t failures;
};

/// Every relocation of one image.
void compare_relocations(const struct pairs *pairs, struct pair *pair, struct tally *tally);
/// Everything else, after compare_relocations: bytes, zeros, protections.
void compare_rest(struct pair *pair, struct tally *tally);

/// Count and print a difference.
void differs(struct tally *tally, const struct pair *pair, uint64_t address, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

#endif
