// SPDX-License-Identifier: MIT
//
// What a capture child hands to the build: one file that it writes at its end, read by the program that
// started it. Both are of one build, so structures go as they are; offsets count from the start.
#ifndef SERIALIZER_SNAPSHOT_H
#define SERIALIZER_SNAPSHOT_H

#include <stdint.h>

#define SNAPSHOT_MAGIC "pkgimg-s"

/// The largest heap that can be captured: as many words as have a 32-bit number.
#define SNAPSHOT_HEAP_SIZE (32ull << 30)

/// Exit codes of a child that did not come to its end: it failed itself; the loader refused something, and
/// said what.
enum { SNAPSHOT_CHILD_BROKEN = 120, SNAPSHOT_CHILD_REFUSED = 121 };

/// Where an image of the closure lay: dependencies in the order of loading, the package itself last.
struct snapshot_image {
  uint64_t base;
  uint64_t heap, heap_size;  ///< its captured heap, 0 if it has none
};

/// A symbol of the host whose address the package has, or may have.
struct snapshot_symbol {
  uint64_t value;
  uint32_t name, version;  ///< offsets of strings; version 0: any
  uint32_t type;           ///< STT_
  uint32_t reserved;
};

/// A word of a dependency that initialisation changed.
struct snapshot_change {
  uint32_t image;
  uint32_t count;    ///< words that changed from there on, at least
  uint64_t address;  ///< as linked
};

struct snapshot_table {
  uint64_t offset, count;
};

struct snapshot {
  char magic[8];
  uint64_t size;                  ///< of the whole file
  struct snapshot_table images;   ///< struct snapshot_image
  struct snapshot_table before;   ///< bytes of the package's W when it was relocated
  struct snapshot_table after;    ///< the same at the end
  struct snapshot_table symbols;  ///< struct snapshot_symbol, ascending by value
  struct snapshot_table changes;  ///< struct snapshot_change
  struct snapshot_table maps;     ///< text of /proc/self/maps
  struct snapshot_table complaints;  ///< text, a line each: what the end found that cannot be captured
  uint64_t heap, heap_used;       ///< the captured heap: address, bytes in use from its start
  uint64_t exits, exit_count;     ///< struct disk_exit in the captured heap
  uint64_t stack_start, stack_end;
  uint64_t process, time;         ///< its id; seconds since 1970 as the package saw them
};

static inline const void *snapshot_at(const struct snapshot *snapshot, uint64_t offset)
{
  return (const uint8_t *)snapshot + offset;
}

#endif
