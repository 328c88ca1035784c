// SPDX-License-Identifier: MIT
//
// The allocator of a capture. Where an object goes depends on nothing but the calls before: the same
// calls give the same layout, relative to the start, in every run. Objects are laid out as
// format/heap.h says. Freed and fresh memory is zero. One thread at a time.
#ifndef SERIALIZER_ARENA_H
#define SERIALIZER_ARENA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/// Lists of free objects: by 16 bytes up to 1 KiB, then four for each doubling up to 1 MiB, then one.
#define ARENA_BINS (64 + 40 + 1)

struct arena {
  uint8_t *start;
  uint8_t *next;  ///< where the next new object goes
  uint8_t *limit;
  uint8_t *bins[ARENA_BINS];
};

/// Memory of [start, start + size) is zero, writable, and begins at a multiple of FORMAT_HEAP_ALIGN.
void arena_init(struct arena *arena, void *start, uint64_t size);
/// NULL when it is full. `alignment` is a power of two, at most FORMAT_HEAP_ALIGN; 16 is the least anyway.
void *arena_allocate(struct arena *arena, size_t alignment, size_t size);
void arena_free(struct arena *arena, void *object);
/// The object with another size, at another place if it must be; NULL when it is full.
void *arena_resize(struct arena *arena, void *object, size_t size);
size_t arena_size(const void *object);
static inline bool arena_contains(const struct arena *arena, const void *address)
{
  return (const uint8_t *)address >= arena->start && (const uint8_t *)address < arena->limit;
}

#endif
