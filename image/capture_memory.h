// SPDX-License-Identifier: MIT
//
// The memory of a capture child: its allocator serves the whole process. Until recording begins, and after
// it ends, objects come from a place of their own and are nobody's concern.
#ifndef IMAGE_CAPTURE_MEMORY_H
#define IMAGE_CAPTURE_MEMORY_H

#include <stdbool.h>
#include <stdint.h>

/// Where recorded objects go: zeroed memory that begins on a page.
void memory_init(void *start, uint64_t size);
/// From now on every object that any part of the process allocates is recorded, or no longer.
void memory_record(bool record);
/// Bytes in use from the start.
uint64_t memory_used(void);

/// When an object at one of these offsets is allocated, `report` is called; a later call for the same
/// offset takes the place of the earlier ones. `offsets` is sorted and stays valid.
void memory_watch(const uint64_t *offsets, uint64_t count, void (*report)(uint64_t index));

#endif
