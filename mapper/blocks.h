// SPDX-License-Identifier: MIT
//
// The blocks of a bundle, at the addresses that it was bound to.
#ifndef MAPPER_BLOCKS_H
#define MAPPER_BLOCKS_H

#include "format/bundle.h"
#include "mapper/mapper.h"

/// Where a block lies in memory.
static inline void *block_at(const struct bundle_header *head, unsigned block)
{
  return (void *)(head->base + bundle_start(block));
}

/// Map all blocks: code readable and executable, L readable, W and H private and writable. PKGIMG_BUSY if something lies
/// where one should go; nothing is mapped then.
PKGIMG_MUST_USE enum pkgimg_status blocks_map(const struct image_handle *handle, const struct bundle_header *head,
                                              struct map_counts *counts, struct pkgimg_error *error);
void blocks_unmap(const struct bundle_header *head);

/// Tell the kernel how all blocks will be used: an MADV_ constant.
void blocks_advise(const struct bundle_header *head, int advice, struct map_counts *counts);

/// Map the code block where there is room, readable, to look at the tables. NULL if that fails.
const void *blocks_map_tables(const struct image_handle *handle, const struct bundle_header *head,
                              struct map_counts *counts);
void blocks_unmap_tables(const struct bundle_header *head, const void *tables);

/// Make L of one image writable, or read-only again.
PKGIMG_MUST_USE enum pkgimg_status blocks_unseal(uint64_t address, uint64_t size, bool writable,
                                                 struct map_counts *counts, struct pkgimg_error *error);

#endif
