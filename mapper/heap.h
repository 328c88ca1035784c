// SPDX-License-Identifier: MIT
//
// H: the heap of an image, which lies apart from its other areas and may have any size.
#ifndef MAPPER_HEAP_H
#define MAPPER_HEAP_H

#include "mapper/mapper.h"

/// How H comes into memory.
enum heap_way {
  HEAP_MAPPED,  ///< a private mapping of the file: pages that are not written stay shared and clean
  HEAP_READ,    ///< memory of huge pages, which the caller fills from a heap_source
};

/// Which way is cheaper: to copy a page on write costs more than to read it into huge pages, from about a
/// quarter of the pages on.
enum heap_way heap_way(const struct disk_heap *heap);

/// Bytes that heap_map maps, and heap_unmap is to unmap: those of H, or up to the end of a huge page.
uint64_t heap_room(const struct disk_heap *heap);

/// Map H. `place`: where, or 0; PKGIMG_BUSY if something lies there. HEAP_READ gives zeroed memory.
PKGIMG_MUST_USE enum pkgimg_status heap_map(const struct image_handle *handle, const struct disk_heap *heap,
                                            enum heap_way way, uint64_t place, uint8_t **memory,
                                            struct map_counts *counts, struct pkgimg_error *error);

/// The bytes of a heap, from its first on, unpacked if need be.
struct heap_source;
/// NULL when out of memory. The arguments outlive it.
struct heap_source *heap_source_create(const struct image_handle *handle, const struct disk_heap *heap,
                                       struct map_counts *counts, struct pkgimg_error *error);
void heap_source_destroy(struct heap_source *source);
/// The next `size` bytes.
PKGIMG_MUST_USE enum pkgimg_status heap_source_read(struct heap_source *source, uint8_t *bytes, size_t size);
/// After all of them: that a compressed heap ends there, with its checksum, and that nothing is stored behind it.
PKGIMG_MUST_USE enum pkgimg_status heap_source_end(struct heap_source *source);

void heap_unmap(uint8_t *memory, uint64_t size);

#endif
