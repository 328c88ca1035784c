// SPDX-License-Identifier: MIT
//
// What a test can see of the process around it: its mappings and its open files, before and after. And where
// the images under test are.
#ifndef TESTS_UNIT_WORLD_H
#define TESTS_UNIT_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/// Whether an address sanitizer is part of this program.
bool world_is_sanitized(void);

/// One line of /proc/self/maps.
struct mapping {
  uint64_t start, end;
  char protection[5];
  char path[200];
};

enum { WORLD_MAPPINGS = 4096 };
struct world {
  struct mapping mappings[WORLD_MAPPINGS];
  size_t count;
  int files;
};

/// Look at /proc/self, without calling malloc. Ends the program if that is impossible.
void world_look(struct world *world);

/// The protection of every page of a range, "" if it is not the same or something is not mapped.
const char *world_protection(const struct world *world, uint64_t start, uint64_t size);

/// How many addresses are mapped now and were not before, other than those that malloc and the stack took
/// (anonymous, and writable or not accessible at all); and how many open files there are more. Prints them.
uint64_t world_leaked(const struct world *before);

/// Whether any mapping is both writable and executable.
bool world_has_writable_code(const struct world *world);

/// FOLDER/NAME.so, in a buffer that the next 16 calls leave alone. The folder is the one that the environment
/// names in UNIT_IMAGES.
const char *image_path(const char *name);
const char *image_folder(void);

/// A new folder for the test, removed with its files at exit.
const char *scratch_folder(void);
/// FOLDER/NAME in the scratch folder, as image_path.
const char *scratch_path(const char *name);

/// All of a file, from malloc, aligned for anything; ends the program if it cannot be read.
uint8_t *read_all(const char *path, size_t *size);
void write_all(const char *path, const void *bytes, size_t size);

#endif
