// SPDX-License-Identifier: MIT
#include "mapper/prefetch.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef SYS_cachestat
#define SYS_cachestat 451  // the same on every architecture; since Linux 6.5
#endif

static uint64_t pages_of(uint64_t size)
{
  return (size + FORMAT_PAGE - 1) / FORMAT_PAGE;
}

static bool count_with_cachestat(int fd, uint64_t size, uint64_t *cached)
{
  struct {
    uint64_t offset, length;
  } range = {0, size};
  struct {
    uint64_t cached, dirty, writeback, evicted, recently_evicted;
  } result;
  if (syscall(SYS_cachestat, fd, &range, &result, 0) < 0)
    return false;
  *cached = result.cached;
  return true;
}

static bool count_with_mincore(int fd, uint64_t size, uint64_t *cached)
{
  uint64_t pages = pages_of(size);
  unsigned char *resident = malloc(pages);
  void *mapped = resident ? mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0) : MAP_FAILED;
  bool known = mapped != MAP_FAILED && mincore(mapped, size, resident) == 0;
  *cached = 0;
  for (uint64_t i = 0; known && i < pages; i++)
    *cached += resident[i] & 1;
  if (mapped != MAP_FAILED)
    munmap(mapped, size);
  free(resident);
  return known;
}

bool prefetch_is_cold(int fd, uint64_t size, struct map_counts *counts)
{
  uint64_t cached = 0;
  counts->system_calls++;
  if (size == 0 || (!count_with_cachestat(fd, size, &cached) && !count_with_mincore(fd, size, &cached)))
    return false;
  return cached < pages_of(size) - pages_of(size) / 4;
}

size_t prefetch_plain(struct prefetch_file *files, size_t count, struct map_counts *counts)
{
  size_t asked = 0;
  for (size_t i = 0; i < count; i++) {
    struct prefetch_file *file = &files[i];
    if (file->fd < 0) {
      file->fd = openat(file->at, file->name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
      counts->system_calls++;
    }
    if (file->fd < 0)
      continue;
    counts->system_calls++;
    asked += readahead(file->fd, 0, file->size) == 0;
  }
  return asked;
}
