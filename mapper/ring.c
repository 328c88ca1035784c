// SPDX-License-Identifier: MIT
//
// Prefetching through io_uring: one batch opens, one reads. The bytes that are read are dropped;
// what counts is that they are in the page cache afterwards, and that the disk saw all requests at
// once.
#include "mapper/prefetch.h"

#include <fcntl.h>
#include <liburing.h>
#include <stdlib.h>

enum { RING_ENTRIES = 128, CHUNK = 256 * 1024 };

struct batch {
  struct io_uring ring;
  struct map_counts *counts;
  unsigned pending;
};

// Submit what is queued, and hand each result to `take`, if there is one.
static void finish_batch(struct batch *batch, void (*take)(void *context, uint64_t tag, int result), void *context)
{
  while (batch->pending > 0) {
    struct io_uring_cqe *completion;
    batch->counts->system_calls++;
    if (io_uring_submit_and_wait(&batch->ring, 1) < 0)
      return;
    while (batch->pending > 0 && io_uring_peek_cqe(&batch->ring, &completion) == 0) {
      if (take)
        take(context, completion->user_data, completion->res);
      io_uring_cqe_seen(&batch->ring, completion);
      batch->pending--;
    }
  }
}

static struct io_uring_sqe *next_entry(struct batch *batch, void (*take)(void *, uint64_t, int), void *context)
{
  if (batch->pending == RING_ENTRIES)
    finish_batch(batch, take, context);
  struct io_uring_sqe *entry = io_uring_get_sqe(&batch->ring);
  if (entry)
    batch->pending++;
  return entry;
}

static void take_descriptor(void *context, uint64_t tag, int result)
{
  struct prefetch_file *files = context;
  files[tag].fd = result < 0 ? -1 : result;
}

static void open_all(struct batch *batch, struct prefetch_file *files, size_t count)
{
  for (size_t i = 0; i < count; i++) {
    struct io_uring_sqe *entry = files[i].fd < 0 ? next_entry(batch, take_descriptor, files) : NULL;
    if (!entry)
      continue;
    io_uring_prep_openat(entry, files[i].at, files[i].name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0);
    entry->user_data = i;
  }
  finish_batch(batch, take_descriptor, files);
}

static void read_all(struct batch *batch, const struct prefetch_file *files, size_t count, void *dropped)
{
  for (size_t i = 0; i < count; i++)
    for (uint64_t at = 0; files[i].fd >= 0 && at < files[i].size; at += CHUNK) {
      struct io_uring_sqe *entry = next_entry(batch, NULL, NULL);
      uint64_t left = files[i].size - at;
      if (entry)
        io_uring_prep_read(entry, files[i].fd, dropped, left < CHUNK ? (unsigned)left : CHUNK, at);
    }
  finish_batch(batch, NULL, NULL);
}

size_t prefetch_ring(struct prefetch_file *files, size_t count, struct map_counts *counts)
{
  struct batch batch = {.counts = counts};
  void *dropped = malloc(CHUNK);
  size_t opened = 0;
  counts->system_calls++;
  if (!dropped || io_uring_queue_init(RING_ENTRIES, &batch.ring, 0) < 0) {
    free(dropped);
    return 0;
  }
  open_all(&batch, files, count);
  read_all(&batch, files, count, dropped);
  io_uring_queue_exit(&batch.ring);
  free(dropped);
  for (size_t i = 0; i < count; i++)
    opened += files[i].fd >= 0;
  return opened;
}
