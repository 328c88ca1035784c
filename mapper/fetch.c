// SPDX-License-Identifier: MIT
#include "mapper/fetch.h"

#include "mapper/blocks.h"

#include <fcntl.h>
#include <liburing.h>
#include <stdlib.h>
#include <sys/mman.h>

size_t fetch_now(const struct image_handle *handle, const struct fetch_range *ranges, size_t count,
                 struct map_counts *counts)
{
  size_t taken = 0;
  counts->system_calls += count;
  for (size_t i = 0; i < count; i++)
    taken += posix_fadvise(handle->fd, (off_t)ranges[i].offset, (off_t)ranges[i].size, POSIX_FADV_WILLNEED) == 0;
  return taken;
}

// An fadvise in a ring is always done by a thread of the kernel's. It needs no buffer, and asks for no other page
// than those of its range, as a read may.
struct fetch {
  struct io_uring ring;
};

enum { RING_ENTRIES = 128 };

static struct io_uring_sqe *next_entry(struct fetch *fetch, struct map_counts *counts)
{
  struct io_uring_sqe *entry = io_uring_get_sqe(&fetch->ring);
  if (entry)
    return entry;
  counts->system_calls++;
  return io_uring_submit(&fetch->ring) < 0 ? NULL : io_uring_get_sqe(&fetch->ring);
}

static bool ask_for_ranges(struct fetch *fetch, const struct fetch_range *ranges, size_t count,
                           struct map_counts *counts)
{
  for (size_t i = 0; i < count; i++) {
    struct io_uring_sqe *entry = next_entry(fetch, counts);
    if (!entry)
      return false;
    io_uring_prep_fadvise(entry, 0, ranges[i].offset, (off_t)ranges[i].size, POSIX_FADV_WILLNEED);
    entry->flags |= IOSQE_FIXED_FILE;
  }
  return true;
}

// The last entries wait for all others. From then on faults read around their page again.
static bool end_random(struct fetch *fetch, const struct bundle_header *head, struct map_counts *counts)
{
  for (unsigned i = 0; i < bundle_block_count(head); i++) {
    struct io_uring_sqe *entry = head->blocks[i].size ? next_entry(fetch, counts) : NULL;
    if (head->blocks[i].size && !entry)
      return false;
    if (!entry)
      continue;
    io_uring_prep_madvise(entry, block_at(head, i), (off_t)head->blocks[i].size, MADV_NORMAL);
    entry->flags |= IOSQE_IO_DRAIN;
  }
  counts->system_calls++;
  return io_uring_submit(&fetch->ring) >= 0;
}

struct fetch *fetch_begin(const struct image_handle *handle, const struct bundle_header *head,
                          const struct fetch_range *ranges, size_t count, struct map_counts *counts)
{
  struct fetch *fetch = malloc(sizeof *fetch);
  counts->system_calls++;
  if (!fetch || io_uring_queue_init(RING_ENTRIES, &fetch->ring, 0) < 0) {
    free(fetch);
    return NULL;
  }
  // The thread looks the file up when it comes to it: by then the load has closed the descriptor.
  counts->system_calls++;
  bool ready = io_uring_register_files(&fetch->ring, &handle->fd, 1) == 0;
  blocks_advise(head, MADV_RANDOM, counts);
  if (ready && ask_for_ranges(fetch, ranges, count, counts) && end_random(fetch, head, counts))
    return fetch;
  blocks_advise(head, MADV_NORMAL, counts);
  fetch_end(fetch);
  return NULL;
}

void fetch_end(struct fetch *fetch)
{
  if (fetch)
    io_uring_queue_exit(&fetch->ring);
  free(fetch);
}
