// SPDX-License-Identifier: MIT
#include "mapper/heap.h"

#include "format/packed.h"
#include "mapper/mapping.h"

#include <stdbool.h>
#include <stdlib.h>
#include <sys/mman.h>

// What is left of a heap gets a huge page from here on: faults for small pages would take longer.
enum { HUGE = FORMAT_HEAP_ALIGN, LEAST = HUGE / 8 };

enum heap_way heap_way(const struct disk_heap *heap)
{
  bool mostly_written = heap->dirty_pages > heap->size / FORMAT_PAGE / 4;
  return heap->compression != HEAP_PLAIN || (heap->size >= LEAST && mostly_written) ? HEAP_READ : HEAP_MAPPED;
}

uint64_t heap_room(const struct disk_heap *heap)
{
  uint64_t rounded = (heap->size + HUGE - 1) / HUGE * HUGE;
  return heap_way(heap) == HEAP_READ && rounded - heap->size <= HUGE - LEAST ? rounded : heap->size;
}

static uint8_t *map(uint64_t place, uint64_t size, int flags, int fd, uint64_t offset, struct map_counts *counts)
{
  counts->system_calls++;
  counts->mappings++;
  return mmap((void *)place, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | (place ? MAP_FIXED_NOREPLACE : 0) | flags,
              fd, (off_t)offset);
}

// A hole at a multiple of HUGE, found by mapping too much; it is unmapped again.
static uint64_t find_place(uint64_t size, struct map_counts *counts)
{
  uint8_t *probe = mmap(NULL, size + HUGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  counts->system_calls += 2;
  if (probe == MAP_FAILED)
    return 0;
  munmap(probe, size + HUGE);
  return ((uint64_t)probe + HUGE - 1) & ~(uint64_t)(HUGE - 1);
}

// The heap that comes next lies below the one before, if nothing is there.
static uint8_t *map_somewhere(uint64_t size, int flags, int fd, uint64_t offset, struct map_counts *counts)
{
  static uint64_t last;  // guarded by the loader's lock
  uint64_t place = last > size ? (last - size) & ~(uint64_t)(HUGE - 1) : 0;
  uint8_t *memory = place ? map(place, size, flags, fd, offset, counts) : MAP_FAILED;
  if (memory == MAP_FAILED && (place = find_place(size, counts)))
    memory = map(place, size, flags, fd, offset, counts);
  last = memory == MAP_FAILED ? 0 : place;
  return memory;
}

// A mapping beyond the end of the file would be a SIGBUS later.
static enum pkgimg_status check_size(const struct image_handle *handle, const struct disk_heap *heap,
                                     struct map_counts *counts, struct pkgimg_error *error)
{
  uint64_t size;
  TRY(image_size(handle, &size, counts, error));
  if (range_within(heap->file_offset, heap->stored_size, size))
    return PKGIMG_OK;
  return fail_at(error, PKGIMG_TRUNCATED, handle->path, heap->file_offset, "bytes of the file",
                 heap->file_offset + heap->stored_size, size);
}

enum pkgimg_status heap_map(const struct image_handle *handle, const struct disk_heap *heap, enum heap_way way,
                            uint64_t place, uint8_t **memory, struct map_counts *counts,
                            struct pkgimg_error *error)
{
  bool read = way == HEAP_READ;
  int flags = read ? MAP_ANONYMOUS : 0, fd = read ? -1 : handle->fd;
  uint64_t offset = read ? 0 : heap->file_offset;
  uint64_t room = heap_room(heap);
  TRY(check_size(handle, heap, counts, error));
  uint8_t *mapped =
      place ? map(place, room, flags, fd, offset, counts) : map_somewhere(room, flags, fd, offset, counts);
  if (mapped == MAP_FAILED)
    return fail_mapping(handle->path, error);
  *memory = mapped;
  if (read && room >= HUGE) {
    counts->system_calls++;
    madvise(mapped, room, MADV_HUGEPAGE);
  }
  return PKGIMG_OK;
}

// ---- reading

enum { STORED_PIECE = 128 << 10 };

struct heap_source {
  const struct image_handle *handle;
  const struct disk_heap *heap;
  struct map_counts *counts;
  struct pkgimg_error *error;
  uint64_t offset;            // of the stored bytes that were read
  struct unpacker *unpacker;  // NULL: they are as they are
  struct span left;           // of the last piece
  uint8_t piece[];
};

struct heap_source *heap_source_create(const struct image_handle *handle, const struct disk_heap *heap,
                                       struct map_counts *counts, struct pkgimg_error *error)
{
  bool packed = heap->compression != HEAP_PLAIN;
  struct heap_source *source = malloc(sizeof *source + (packed ? STORED_PIECE : 0));
  if (!source)
    return NULL;
  *source = (struct heap_source){.handle = handle, .heap = heap, .counts = counts, .error = error};
  struct reader stored = {.file = handle->path, .origin = heap->file_offset, .error = error};
  source->unpacker = packed ? unpacker_create(&stored, heap->size) : NULL;
  if (!packed || source->unpacker)
    return source;
  free(source);
  return NULL;
}

void heap_source_destroy(struct heap_source *source)
{
  if (source)
    unpacker_destroy(source->unpacker);
  free(source);
}

static enum pkgimg_status read_stored(struct heap_source *source, uint8_t *bytes, uint64_t size)
{
  TRY(image_pread(source->handle, bytes, size, source->heap->file_offset + source->offset, NULL, source->counts,
                  source->error));
  source->offset += size;
  return PKGIMG_OK;
}

static uint64_t stored_left(const struct heap_source *source)
{
  return source->left.size + (source->heap->stored_size - source->offset);
}

// Unpack some of what is asked for, none if nothing is left to unpack.
static enum pkgimg_status read_packed(struct heap_source *source, uint8_t *bytes, size_t size, size_t *made)
{
  for (*made = 0; *made == 0 && !unpacker_is_done(source->unpacker);) {
    uint64_t left = stored_left(source);
    if (source->left.size == 0 && left) {
      source->left = (struct span){source->piece, left < STORED_PIECE ? left : STORED_PIECE};
      TRY(read_stored(source, source->piece, source->left.size));
    }
    TRY(unpack(source->unpacker, &source->left, bytes, size, made));
    if (left == 0)
      break;
  }
  return PKGIMG_OK;
}

static enum pkgimg_status read_packed_all(struct heap_source *source, uint8_t *bytes, size_t size)
{
  for (size_t done = 0, made; done < size; done += made) {
    TRY(read_packed(source, bytes + done, size - done, &made));
    if (made == 0)
      return unpacker_finish(source->unpacker, stored_left(source));
  }
  return PKGIMG_OK;
}

enum pkgimg_status heap_source_read(struct heap_source *source, uint8_t *bytes, size_t size)
{
  return source->unpacker ? read_packed_all(source, bytes, size) : read_stored(source, bytes, size);
}

enum pkgimg_status heap_source_end(struct heap_source *source)
{
  uint8_t beyond;
  size_t made;
  if (!source->unpacker)
    return PKGIMG_OK;
  TRY(read_packed(source, &beyond, 1, &made));
  return unpacker_finish(source->unpacker, stored_left(source));
}

void heap_unmap(uint8_t *memory, uint64_t size)
{
  if (memory)
    munmap(memory, size);
}
