// SPDX-License-Identifier: MIT
//
// A page that was touched has an entry in the page tables, but so have its neighbours: the kernel maps what it
// finds in memory around a fault, in pieces of up to 2 MiB. It does not where a userfaultfd watches writes. That
// one answers itself (UFFD_FEATURE_WP_ASYNC), and no page is protected: nothing else is different for the process,
// in system calls neither.
#include "mapper/watch.h"

#include "mapper/blocks.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef UFFD_FEATURE_WP_ASYNC
#define UFFD_FEATURE_WP_ASYNC (1 << 15)  // since Linux 6.7
#endif
#ifndef UFFD_USER_MODE_ONLY
#define UFFD_USER_MODE_ONLY 1  // since Linux 5.11
#endif

static enum pkgimg_status refuse(const char *path, struct pkgimg_error *error)
{
  return fail(error, PKGIMG_UNSUPPORTED, path,
              "to record a start takes userfaultfd with UFFD_FEATURE_WP_ASYNC (Linux 6.7), but: %s",
              strerror(errno));
}

static bool watch_blocks(int watch, const struct bundle_header *head, struct map_counts *counts)
{
  struct uffdio_api api = {.api = UFFD_API, .features = UFFD_FEATURE_WP_ASYNC};
  counts->system_calls++;
  if (ioctl(watch, UFFDIO_API, &api) < 0)
    return false;
  for (unsigned i = 0; i < bundle_block_count(head); i++) {
    struct uffdio_register block = {.range = {(uint64_t)block_at(head, i), head->blocks[i].size},
                                    .mode = UFFDIO_REGISTER_MODE_WP};
    counts->system_calls += block.range.len > 0;
    if (block.range.len && ioctl(watch, UFFDIO_REGISTER, &block) < 0)
      return false;
  }
  blocks_advise(head, MADV_NOHUGEPAGE, counts);
  return true;
}

enum pkgimg_status watch_begin(const struct bundle_header *head, const char *path, int *watch,
                               struct map_counts *counts, struct pkgimg_error *error)
{
  counts->system_calls++;
  *watch = (int)syscall(SYS_userfaultfd, O_CLOEXEC | UFFD_USER_MODE_ONLY);
  if (*watch < 0)
    return refuse(path, error);
  if (watch_blocks(*watch, head, counts))
    return PKGIMG_OK;
  enum pkgimg_status status = refuse(path, error);
  close(*watch);
  *watch = -1;
  return status;
}

void watch_end(int watch)
{
  if (watch >= 0)
    close(watch);
}

// Bits of an entry of /proc/self/pagemap: in memory, in swap.
#define PAGE_PRESENT (3ull << 62)

static enum pkgimg_status look_at(const struct image_handle *map, const struct bundle_header *head, unsigned block,
                                  void (*take)(void *context, uint32_t page), void *context,
                                  struct pkgimg_error *error)
{
  enum { BATCH = 512 };
  uint64_t entries[BATCH], pages = head->blocks[block].size / FORMAT_PAGE;
  uint64_t number = (uint64_t)block_at(head, block) / FORMAT_PAGE,
           in_file = head->blocks[block].file_offset / FORMAT_PAGE;
  struct map_counts ignored = {0};
  for (uint64_t at = 0; at < pages; at += BATCH) {
    uint64_t length = pages - at < BATCH ? pages - at : BATCH;
    TRY(image_pread(map, entries, length * sizeof *entries, (number + at) * sizeof *entries, NULL, &ignored,
                    error));
    for (uint64_t i = 0; i < length; i++)
      if (entries[i] & PAGE_PRESENT)
        take(context, (uint32_t)(in_file + at + i));
  }
  return PKGIMG_OK;
}

enum pkgimg_status watch_touched(const struct bundle_header *head, const char *path,
                                 void (*take)(void *context, uint32_t page), void *context,
                                 struct pkgimg_error *error)
{
  struct map_counts ignored = {0};
  struct image_handle map;
  TRY(image_open(AT_FDCWD, "/proc/self/pagemap", path, &map, &ignored, error));
  enum pkgimg_status status = PKGIMG_OK;
  for (unsigned i = 0; i < bundle_block_count(head) && status == PKGIMG_OK; i++)
    status = look_at(&map, head, i, take, context, error);
  image_close(&map, &ignored);
  return status;
}
