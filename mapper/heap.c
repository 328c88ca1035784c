// SPDX-License-Identifier: MIT
#include "mapper/heap.h"

#include "mapper/mapping.h"

#include <stdbool.h>
#include <sys/mman.h>

enum { HUGE = FORMAT_HEAP_ALIGN };

enum heap_way heap_way(const struct disk_heap *heap)
{
  bool mostly_written = heap->dirty_pages > heap->size / FORMAT_PAGE / 4;
  return heap->compression != HEAP_PLAIN || (heap->size >= HUGE && mostly_written) ? HEAP_READ : HEAP_MAPPED;
}

static uint8_t *map(uint64_t place, uint64_t size, int flags, int fd, uint64_t offset, struct map_counts *counts)
{
  counts->system_calls++;
  counts->mappings++;
  return mmap((void *)place, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | (place ? MAP_FIXED_NOREPLACE : 0) | flags, fd,
              (off_t)offset);
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
                            uint64_t place, uint8_t **memory, struct map_counts *counts, struct pkgimg_error *error)
{
  bool read = way == HEAP_READ;
  int flags = read ? MAP_ANONYMOUS : 0, fd = read ? -1 : handle->fd;
  uint64_t offset = read ? 0 : heap->file_offset;
  TRY(check_size(handle, heap, counts, error));
  uint8_t *mapped = place ? map(place, heap->size, flags, fd, offset, counts)
                          : map_somewhere(heap->size, flags, fd, offset, counts);
  if (mapped == MAP_FAILED)
    return fail_mapping(handle->path, error);
  *memory = mapped;
  if (read && heap->size >= HUGE) {
    counts->system_calls++;
    madvise(mapped, heap->size, MADV_HUGEPAGE);
  }
  return PKGIMG_OK;
}

enum pkgimg_status heap_read(const struct image_handle *handle, const struct disk_heap *heap, uint64_t offset,
                             void *bytes, uint64_t size, struct map_counts *counts, struct pkgimg_error *error)
{
  return image_pread(handle, bytes, size, heap->file_offset + offset, NULL, counts, error);
}

void heap_unmap(uint8_t *memory, uint64_t size)
{
  if (memory)
    munmap(memory, size);
}
