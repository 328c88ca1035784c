// SPDX-License-Identifier: MIT
//
// Address space. A *region* is where the areas of the images of one load lie side by side:
//
//   base                     base + FORMAT_L_START     base + FORMAT_W_START
//   R0 X0 R1 X1 R2 X2 ...    L0 L1 L2 ...              W0 W1 W2 ...
//
// An image takes the same *slot*, an offset and a size, in each of the three, so the distances
// between its own areas stay as linked. Planning is arithmetic; execution makes the system calls.
// R and X are not reserved: mapping into a hole is half as dear as mapping over a reservation, and
// no mapping replaces another. PKGIMG_BUSY says that one was in the way; another region may be
// tried then. No page is ever writable and executable. One thread at a time uses a region.
#ifndef MAPPER_MAPPER_H
#define MAPPER_MAPPER_H

#include "base/array.h"
#include "base/reader.h"
#include "format/layout.h"

/// System calls and what they moved, for statistics.
struct map_counts {
  uint64_t system_calls;
  uint64_t mappings;
  uint64_t bytes_read;
};

struct region {
  uint8_t *base;
  uint64_t size;     ///< bytes of all slots
  uint64_t taken;    ///< bytes of the slots that were given out, from the start
  uint32_t holders;  ///< slots that live, and the load itself
  struct region *next;  ///< for the load
};

struct slot {
  struct region *region;
  uint64_t offset;
  uint64_t size;  ///< multiple of a page; at least R with X, L, and W
};

/// The size of the slot that an image needs.
uint64_t slot_size(const struct disk_geometry *geometry);

/// An address as linked, in memory.
static inline uint8_t *slot_at(const struct slot *slot, uint64_t address)
{
  return slot->region->base + slot->offset + address;
}
/// What is added to an address as linked.
static inline uint64_t slot_base(const struct slot *slot)
{
  return (uint64_t)slot_at(slot, 0);
}

/// Map L and W of a region for slots of `size` bytes in all (at most FORMAT_AREA_LIMIT), writable
/// and zero. `search`: look for a place where all four areas are free, instead of trying the first
/// one. `place`: the base that is wanted, or 0. The caller holds it until region_drop.
PKGIMG_MUST_USE enum pkgimg_status region_create(uint64_t size, bool search, uint64_t place, struct region **region,
                                                 struct map_counts *counts, struct pkgimg_error *error);
/// End the load's hold; what it did not give out is unmapped. NULL is allowed.
void region_drop(struct region *region);

/// Give out the next slot. The sum of sizes is at most the region's.
struct slot slot_take(struct region *region, uint64_t size);
/// Unmap L and W of a slot; the region ends with its last holder.
void slot_release(struct slot *slot);

/// Make L of the whole region read-only.
PKGIMG_MUST_USE enum pkgimg_status region_seal(struct region *region, struct map_counts *counts,
                                               struct pkgimg_error *error);

/// A file that is about to be mapped.
struct image_handle {
  int fd;
  const char *path;  ///< for messages
};

/// Open an image file: `name` in the folder `at` (AT_FDCWD: `name` is a path). fd is -1 afterwards
/// if it failed.
PKGIMG_MUST_USE enum pkgimg_status image_open(int at, const char *name, const char *path,
                                              struct image_handle *handle, struct map_counts *counts,
                                              struct pkgimg_error *error);
void image_close(struct image_handle *handle, struct map_counts *counts);

/// What the first bytes of a file are, without waiting for the disk.
enum head_found {
  HEAD_IN_MEMORY,  ///< they were read
  HEAD_ON_DISK,    ///< they are being read, and nothing behind them
  HEAD_UNKNOWN,    ///< the file system cannot tell
};
enum head_found image_read_head(const struct image_handle *handle, void *bytes, size_t size, size_t *got,
                                struct map_counts *counts);
/// Open a file if it is there, and begin to read the first of it; fd is -1 otherwise.
void image_expect(const char *path, uint64_t size, struct image_handle *handle, struct map_counts *counts);

/// Read `size` bytes at `offset`; fewer are PKGIMG_TRUNCATED, except that `short_ok` returns how
/// many there were.
PKGIMG_MUST_USE enum pkgimg_status image_pread(const struct image_handle *handle, void *bytes, size_t size,
                                               uint64_t offset, size_t *short_ok, struct map_counts *counts,
                                               struct pkgimg_error *error);

/// The size of the file, which must be a regular one: others have none, and may never end.
PKGIMG_MUST_USE enum pkgimg_status image_size(const struct image_handle *handle, uint64_t *size,
                                              struct map_counts *counts, struct pkgimg_error *error);

/// The same of a file that bytes were read from: a quarter of the time.
PKGIMG_MUST_USE enum pkgimg_status image_end(const struct image_handle *handle, uint64_t *end,
                                             struct map_counts *counts, struct pkgimg_error *error);

/// Read a whole file that begins as an image or a bundle does.
PKGIMG_MUST_USE enum pkgimg_status image_read_all(const struct image_handle *handle, struct buffer *bytes,
                                                  struct map_counts *counts, struct pkgimg_error *error);

/// Map R and X of an image from its file, and read L and W into the slot and the tables into
/// `tables` (8-byte aligned, geometry->tables_size bytes). After a failure R and X are not mapped.
/// One mapping holds both, so constants are executable too (docs/decisions.md has the cost of two).
PKGIMG_MUST_USE enum pkgimg_status image_map(const struct image_handle *handle,
                                             const struct disk_geometry *geometry, const struct slot *slot,
                                             void *tables, struct map_counts *counts, struct pkgimg_error *error);

/// Unmap R and X of an image again.
void image_unmap(const struct disk_geometry *geometry, const struct slot *slot);

/// Open a folder, to open files in it by name.
int folder_open(const char *path, struct map_counts *counts);
void folder_close(int fd, struct map_counts *counts);

#endif
