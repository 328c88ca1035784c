// SPDX-License-Identifier: MIT
//
// Having pages of a bundle read while its start goes on. Nobody waits here: a fault waits for its own page. As
// every prefetch it can only save time.
#ifndef MAPPER_FETCH_H
#define MAPPER_FETCH_H

#include "format/bundle.h"
#include "mapper/mapper.h"

/// The most that is asked for at once, so that a fault never waits behind more.
#define FETCH_PIECE (256u * 1024)

/// Bytes of a file: at most FETCH_PIECE.
struct fetch_range {
  uint64_t offset, size;
};

/// Have the kernel begin to read ranges. Returns how many it took.
size_t fetch_now(const struct image_handle *handle, const struct fetch_range *ranges, size_t count,
                 struct map_counts *counts);

/// The same through io_uring, from a thread of the kernel's. Until it has asked for all, a fault of the mapped
/// bundle reads its own page only. NULL when the kernel has no ring for us.
struct fetch *fetch_begin(const struct image_handle *handle, const struct bundle_header *head,
                          const struct fetch_range *ranges, size_t count, struct map_counts *counts);
/// What was not asked for yet is forgotten. NULL is allowed.
void fetch_end(struct fetch *fetch);

#endif
