// SPDX-License-Identifier: MIT
//
// format/sites against CRoaring: the same ids from every bitmap; and whatever the bytes are, no read outside
// of them and no id outside of the universe.
#include "format/sites.h"
#include "tests/unit/check.h"

#include <roaring/roaring.h>

CHECK_MAIN_FILE

static uint64_t state;
static uint32_t random_below(uint32_t limit)
{
  state = state * 6364136223846793005ull + 1442695040888963407ull;
  return (uint32_t)((state >> 33) % limit);
}

// One container's worth of ids: few, many, long runs, all, or the ends.
static void fill(roaring_bitmap_t *bitmap, uint32_t base)
{
  switch (random_below(7)) {
  case 0:
    for (uint32_t i = random_below(4096); i > 0; i--)
      roaring_bitmap_add(bitmap, base + random_below(65536));
    break;
  case 1:
    for (uint32_t i = 20000 + random_below(40000); i > 0; i--)
      roaring_bitmap_add(bitmap, base + random_below(65536));
    break;
  case 2:
    for (uint32_t i = random_below(50); i > 0; i--) {
      uint32_t start = base + random_below(60000);
      roaring_bitmap_add_range(bitmap, start, start + random_below(5000));
    }
    break;
  case 3:
    roaring_bitmap_add_range(bitmap, base, base + 65536);
    break;
  case 4:
    roaring_bitmap_add(bitmap, base);
    roaring_bitmap_add(bitmap, base + 65535);
    break;
  case 5:  // the largest array, the smallest bitset
    for (uint32_t i = 0; i < 4096 + random_below(2); i++)
      roaring_bitmap_add(bitmap, base + 3 * i);
    break;
  default:
    break;
  }
}

struct sample {
  roaring_bitmap_t *bitmap;
  uint8_t *bytes;
  size_t size;
  uint32_t universe;
};

static struct sample sample_create(uint64_t seed)
{
  state = seed * 0x9e3779b97f4a7c15ull + 1;
  struct sample sample = {.bitmap = roaring_bitmap_create()};
  uint32_t containers = random_below(9);
  for (uint32_t i = 0; i < containers; i++)
    fill(sample.bitmap, (i + random_below(3) * 5) << 16);
  if (random_below(2))
    roaring_bitmap_run_optimize(sample.bitmap);
  sample.size = roaring_bitmap_portable_size_in_bytes(sample.bitmap);
  sample.bytes = malloc(sample.size + 1);
  roaring_bitmap_portable_serialize(sample.bitmap, (char *)sample.bytes);
  bool empty = roaring_bitmap_is_empty(sample.bitmap);
  sample.universe = empty ? 0 : roaring_bitmap_maximum(sample.bitmap) + 1;
  return sample;
}

static void sample_destroy(struct sample *sample)
{
  roaring_bitmap_free(sample->bitmap);
  free(sample->bytes);
}

// ---- good bytes

static unsigned kinds[3];

static void same_ids(const struct sample *sample)
{
  struct sites_walk walk;
  uint32_t ids[SITES_BATCH];
  uint64_t seen = 0, wrong = 0;
  roaring_uint32_iterator_t *expected = roaring_create_iterator(sample->bitmap);
  if (CHECK(sites_begin(&walk, (struct span){sample->bytes, sample->size}, sample->universe)))
    for (size_t count; (count = sites_next(&walk, ids)) > 0; seen += count)
      for (size_t i = 0; i < count; i++) {
        wrong += !expected->has_value || expected->current_value != ids[i];
        roaring_advance_uint32_iterator(expected);
      }
  CHECK(!walk.broken && wrong == 0 && !expected->has_value);
  CHECK(seen == roaring_bitmap_get_cardinality(sample->bitmap));
  roaring_free_uint32_iterator(expected);
  for (int i = 0; i < 3; i++)
    kinds[i] += walk.kinds[i];
}

static void validity(const struct sample *sample)
{
  struct span bytes = {sample->bytes, sample->size};
  uint64_t count = roaring_bitmap_get_cardinality(sample->bitmap);
  CHECK(sites_valid(bytes, sample->universe, count));
  CHECK(sites_valid(bytes, UINT32_MAX, count));
  CHECK(!sites_valid(bytes, sample->universe, count + 1));
  bytes.size++;
  CHECK(!sites_valid(bytes, sample->universe, count));
  if (count) {
    bytes.size--;
    CHECK(!sites_valid(bytes, sample->universe, count - 1));
    CHECK(!sites_valid(bytes, sample->universe - 1, count));
  }
}

// ---- bad bytes

// In memory of exactly this size, so that a sanitizer sees a read behind it. Returns how many ids came.
static uint64_t walk_copy(const uint8_t *bytes, size_t size, uint32_t universe, bool *broken)
{
  uint8_t *copy = malloc(size ? size : 1);
  struct sites_walk walk;
  uint32_t ids[SITES_BATCH];
  uint64_t seen = 0, outside = 0;
  memcpy(copy, bytes, size);
  *broken = !sites_begin(&walk, (struct span){copy, size}, universe);
  if (!*broken) {
    for (size_t count; (count = sites_next(&walk, ids)) > 0; seen += count)
      for (size_t i = 0; i < count; i++)
        outside += ids[i] >= universe;
    *broken = walk.broken;
  }
  CHECK(outside == 0);
  free(copy);
  return seen;
}

static void truncated(const struct sample *sample)
{
  size_t step = sample->size > 600 ? sample->size / 40 : 1;
  uint64_t count = roaring_bitmap_get_cardinality(sample->bitmap), whole = 0;
  for (size_t size = 0; size < sample->size; size += size < 80 ? 1 : step) {
    bool broken;
    uint64_t seen = walk_copy(sample->bytes, size, sample->universe, &broken);
    whole += !broken || seen > count;
  }
  CHECK(whole == 0);
}

static void flipped(const struct sample *sample)
{
  uint8_t *bytes = malloc(sample->size + 1);
  for (int round = 0; round < 20; round++) {
    bool broken;
    memcpy(bytes, sample->bytes, sample->size);
    for (uint32_t i = 1 + random_below(4); i > 0; i--) {
      uint32_t reach = random_below(2) ? 64 : (uint32_t)sample->size;
      uint32_t at = random_below(reach < sample->size ? reach : (uint32_t)sample->size);
      bytes[at] ^= (uint8_t)(1u << random_below(8));
    }
    // Bounded work: a bitmap cannot hold more ids than its containers can.
    CHECK(walk_copy(bytes, sample->size, sample->universe, &broken) <= 65536ull * 65536);
  }
  free(bytes);
}

static void noise(void)
{
  uint8_t bytes[600];
  for (int round = 0; round < 3000; round++) {
    bool broken;
    size_t size = random_below(sizeof bytes);
    for (size_t i = 0; i < size; i++)
      bytes[i] = (uint8_t)random_below(256);
    uint32_t cookie = random_below(2) ? 12346 : 12347 | random_below(20) << 16;
    if (size >= 4)
      memcpy(bytes, &cookie, 4);
    walk_copy(bytes, size, 1 + random_below(200000), &broken);
  }
}

int main(void)
{
  for (uint64_t seed = 0; seed < 200; seed++) {
    struct sample sample = sample_create(seed);
    same_ids(&sample);
    validity(&sample);
    if (sample.size && seed % 8 == 0) {
      truncated(&sample);
      flipped(&sample);
    }
    sample_destroy(&sample);
  }
  noise();
  CHECK(kinds[SITES_ARRAY] > 20 && kinds[SITES_BITSET] > 20 && kinds[SITES_RUN] > 20);
  return check_verdict();
}
