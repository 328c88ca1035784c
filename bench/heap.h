// SPDX-License-Identifier: MIT
//
// What bench-heap and the processes that it measures share.
#ifndef BENCH_HEAP_H
#define BENCH_HEAP_H

#include "bench/subject.h"

#include <stddef.h>
#include <stdint.h>

enum contestant { FLOOR, BOUND, PKGIMG, PUBLISHED, PUBLISHED_HUGE, CONTESTANTS };

/// Files in the working folder.
struct heap_paths {
  char image[SUBJECT_PATH], bundle[SUBJECT_PATH];
  char bytes[SUBJECT_PATH], positions[SUBJECT_PATH];  ///< of the published scheme
};
void heap_paths_in(const char *folder, struct heap_paths *paths);

/// What one process measured.
struct sample {
  double load_ns, walk_ns;
  long faults;
  uint64_t sum;
  double own_kib;  ///< memory that the process made, or copied by writing, at its end
};

struct heap_size {
  uint64_t bytes, pointers;
};
/// Make all files of a heap of so many objects in a folder, or find its image built.
struct heap_size heap_build(const char *folder, unsigned objects);
/// Load it in one way, in a process of its own.
struct sample heap_measure(enum contestant contestant, const char *folder);

/// A file in memory, for reading; ends the program if that fails.
void *heap_read_file(const char *path, size_t *size);

#endif
