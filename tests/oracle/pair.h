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
  uint64_t runnable;               ///< of its targets, bit T: target T; 0 if it has none
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
  uint64_t better;              ///< of these: a body that only we know, better than the baseline's
  uint64_t by_name;             ///< of these: a weak symbol of which each world chose another definition
  uint64_t gates;               ///< of these: functions of ours that stand in for the host's
  uint64_t thread_local_words;  ///< of these: compared by what they make of it
  uint64_t plain_bytes;         ///< that no relocation names
  uint64_t failures;
};

/// Which bodies this processor should run: found in .symtab and by the processor's own words, without our tables of
/// clones and without our choice.
void choice_init(struct pair *pair);
/// Where a dynamic symbol at `baseline` of this image should lead: to the best of its bodies.
uint64_t choice_of(const struct pair *pair, const char *name, uint64_t baseline);
/// The same for a function whose name is not at hand.
uint64_t choice_at(const struct pair *pair, uint64_t baseline);
/// Exported functions, as pkgimg_symbol finds them.
void compare_exports(const struct pair *pair, struct tally *tally);

/// Every relocation of one image.
void compare_relocations(const struct pairs *pairs, struct pair *pair, struct tally *tally);
/// Everything else, after compare_relocations: bytes, zeros, protections.
void compare_rest(struct pair *pair, struct tally *tally);

/// Count and print a difference.
void differs(struct tally *tally, const struct pair *pair, uint64_t address, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

#endif
