// SPDX-License-Identifier: MIT
//
// What a failed load must leave as it was: the mappings and the open files of the process. The C
// library's mmap and munmap are replaced, to count what the load side maps without what allocators do.
#ifndef SHOULD_FAIL_WATCH_H
#define SHOULD_FAIL_WATCH_H

#include <stdbool.h>

struct watch {
  char *mappings;   // lines of /proc/self/maps, those of allocators left out
  long long bytes;  // mapped by us, less those unmapped
  char *files;      // open descriptors, and what they are
};

/// Bytes that the load side holds mapped now.
long long watch_bytes(void);

struct watch watch_take(void);
void watch_deinit(struct watch *watch);
/// Compare with how it is now; says what differs, in the name of `what`.
bool watch_same(const struct watch *before, const char *what);

#endif
