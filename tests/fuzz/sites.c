// SPDX-License-Identifier: MIT
//
// Fuzz target: walking bitmaps of sites. An input is the universe (4 bytes, little-endian) and a bitmap.
// A bitmap that is valid for us must hold the same ids for CRoaring.
#include "format/sites.h"
#include "tests/fuzz/fuzz.h"

#include <roaring/roaring.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 1 << 18 };  // ids of one input that are looked at

struct ids {
  uint32_t *items;
  size_t count;
};

// All ids, or so many that the rest does not matter.
static struct ids walk_all(struct span bytes, uint32_t universe, bool *whole)
{
  struct sites_walk walk;
  uint32_t batch[SITES_BATCH];
  struct ids ids = {.items = malloc((MOST + SITES_BATCH) * sizeof(uint32_t))};
  *whole = false;
  if (!ids.items || !sites_begin(&walk, bytes, universe))
    return ids;
  for (size_t count; ids.count < MOST && (count = sites_next(&walk, batch)) > 0; ids.count += count) {
    for (size_t i = 0; i < count; i++)
      if (batch[i] >= universe)
        abort();
    memcpy(ids.items + ids.count, batch, count * sizeof *batch);
  }
  *whole = !walk.broken && ids.count < MOST;
  return ids;
}

static bool matches(uint32_t id, void *context)
{
  struct ids *rest = context;
  if (rest->count == 0 || *rest->items != id)
    abort();
  rest->items++;
  rest->count--;
  return true;
}

static void compare(struct span bytes, struct ids ids)
{
  roaring_bitmap_t *bitmap = roaring_bitmap_portable_deserialize_safe((const char *)bytes.data, bytes.size);
  if (!bitmap)
    abort();
  roaring_iterate(bitmap, matches, &ids);
  if (ids.count)
    abort();
  roaring_bitmap_free(bitmap);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  uint32_t universe;
  bool whole;
  if (size < sizeof universe)
    return 0;
  memcpy(&universe, data, sizeof universe);
  size -= sizeof universe;
  uint8_t *copy = malloc(size + !size);
  if (!copy)
    return 0;
  memcpy(copy, data + sizeof universe, size);
  struct span bytes = {copy, size};
  struct ids ids = walk_all(bytes, universe, &whole);
  bool valid = whole && sites_valid(bytes, universe, ids.count);
  if (valid && sites_valid(bytes, universe, ids.count + 1))
    abort();
  if (valid)
    compare(bytes, ids);
  free(ids.items);
  free(copy);
  return 0;
}
