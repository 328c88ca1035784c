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
};

/// A file in memory, for reading; ends the program if that fails.
void *heap_read_file(const char *path, size_t *size);

#endif
