// SPDX-License-Identifier: MIT
#include "relocator/heaps.h"

#include <stdatomic.h>
#include <stdlib.h>

struct range {
  _Atomic uint64_t start, end;
};

/// An array that was outgrown is kept for readers that still look at it; they double, so little is lost.
struct array {
  struct array *outgrown;
  struct range ranges[];
};

// Sorted. Readers start again if `version` was odd or has changed meanwhile.
static struct {
  _Atomic uint64_t version;
  struct array *_Atomic array;
  _Atomic size_t count;
  size_t capacity;
} heaps;

static uint64_t get(const _Atomic uint64_t *value)
{
  return atomic_load_explicit(value, memory_order_relaxed);
}

static void put(struct range *range, uint64_t start, uint64_t end)
{
  atomic_store_explicit(&range->start, start, memory_order_relaxed);
  atomic_store_explicit(&range->end, end, memory_order_relaxed);
}

static void copy(struct range *to, const struct range *from)
{
  put(to, get(&from->start), get(&from->end));
}

// The first range that ends behind an address.
static size_t find(const struct range *ranges, size_t count, uint64_t address)
{
  size_t low = 0, high = count;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    *(get(&ranges[middle].end) <= address ? &low : &high) = get(&ranges[middle].end) <= address ? middle + 1 : middle;
  }
  return low;
}

static enum pkgimg_status grow(struct pkgimg_error *error)
{
  size_t capacity = heaps.capacity ? 2 * heaps.capacity : 16;
  struct array *grown = calloc(1, sizeof *grown + capacity * sizeof *grown->ranges);
  if (!grown)
    return fail_memory(error, capacity * sizeof *grown->ranges);
  grown->outgrown = heaps.array;
  for (size_t i = 0; i < heaps.count; i++)
    copy(&grown->ranges[i], &grown->outgrown->ranges[i]);
  atomic_store_explicit(&heaps.array, grown, memory_order_release);
  heaps.capacity = capacity;
  return PKGIMG_OK;
}

static void begin_change(void)
{
  atomic_fetch_add_explicit(&heaps.version, 1, memory_order_relaxed);
  atomic_thread_fence(memory_order_release);
}

static void end_change(void)
{
  atomic_fetch_add_explicit(&heaps.version, 1, memory_order_release);
}

enum pkgimg_status heaps_add(const void *start, uint64_t size, struct pkgimg_error *error)
{
  if (heaps.count == heaps.capacity)
    TRY(grow(error));
  struct range *ranges = heaps.array->ranges;
  begin_change();
  size_t at = find(ranges, heaps.count, (uint64_t)start);
  for (size_t i = heaps.count; i > at; i--)
    copy(&ranges[i], &ranges[i - 1]);
  put(&ranges[at], (uint64_t)start, (uint64_t)start + size);
  heaps.count++;
  end_change();
  return PKGIMG_OK;
}

void heaps_remove(const void *start)
{
  struct range *ranges = heaps.count ? heaps.array->ranges : NULL;
  size_t at = find(ranges, heaps.count, (uint64_t)start);
  if (!start || at == heaps.count || get(&ranges[at].start) != (uint64_t)start)
    return;
  begin_change();
  heaps.count--;
  for (size_t i = at; i < heaps.count; i++)
    copy(&ranges[i], &ranges[i + 1]);
  end_change();
}

bool heaps_contain(const void *address, struct heaps_place *place)
{
  for (;;) {
    uint64_t version = atomic_load_explicit(&heaps.version, memory_order_acquire);
    size_t count = atomic_load_explicit(&heaps.count, memory_order_acquire);  // the array holds at least as many
    const struct array *array = atomic_load_explicit(&heaps.array, memory_order_acquire);
    if (version == 0)  // no image with a heap so far
      return false;
    const struct range *ranges = array->ranges;
    size_t at = find(ranges, count, (uint64_t)address);
    uint64_t start = at < count ? get(&ranges[at].start) : UINT64_MAX, end = at < count ? get(&ranges[at].end) : 0;
    atomic_thread_fence(memory_order_acquire);
    if (version % 2 == 0 && get(&heaps.version) == version) {
      *place = (struct heaps_place){(uint64_t)address - start, end - (uint64_t)address};
      return start <= (uint64_t)address;
    }
  }
}
