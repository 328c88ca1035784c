// SPDX-License-Identifier: MIT
//
// An allocator that counts, and fails on demand.
#ifndef TESTS_UNIT_ALLOCATOR_H
#define TESTS_UNIT_ALLOCATOR_H

#include <stdbool.h>
#include <stdint.h>

extern struct allocator {
  bool armed;
  long left;    ///< allocations until the one that fails
  long failed;  ///< that were refused
  long live;    ///< that are not freed
  long spared;  ///< that were not refused because of who asked
  uint64_t spared_start, spared_end;
} allocator;

/// Find the code whose allocations never fail. False: this program has another allocator, which cannot.
bool allocator_find_spared(void);

#endif
