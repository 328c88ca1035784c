// SPDX-License-Identifier: MIT
#include "format/sites.h"

#include <string.h>

enum {
  COOKIE_PLAIN = 12346,
  COOKIE_RUNS = 12347,
  OFFSETS_FROM = 4,  // with runs, fewer containers than this come without an offset header
  ARRAY_MAX = 4096,
  BITSET_WORDS = SITES_BITSET_WORDS,
};

static uint16_t load16(const uint8_t *bytes)
{
  uint16_t value;
  memcpy(&value, bytes, sizeof value);
  return value;
}

static uint32_t load32(const uint8_t *bytes)
{
  uint32_t value;
  memcpy(&value, bytes, sizeof value);
  return value;
}

// The next `size` bytes, or NULL.
static const uint8_t *take(struct sites_walk *walk, size_t size)
{
  if (size > walk->bytes.size - walk->position)
    return NULL;
  const uint8_t *bytes = walk->bytes.data + walk->position;
  walk->position += size;
  return bytes;
}

bool sites_begin(struct sites_walk *walk, struct span bytes, uint32_t universe)
{
  memset(walk, 0, sizeof *walk);
  walk->bytes = bytes;
  walk->universe = universe;
  const uint8_t *cookie = take(walk, 4);
  if (!cookie)
    return false;
  if (load16(cookie) == COOKIE_RUNS) {
    walk->containers = load16(cookie + 2) + 1u;
    walk->runs = take(walk, (walk->containers + 7) / 8);
  } else {
    const uint8_t *count = take(walk, 4);
    if (load32(cookie) != COOKIE_PLAIN || !count)
      return false;
    walk->containers = load32(count);
  }
  if (walk->containers > 65536 || (load16(cookie) == COOKIE_RUNS && !walk->runs))
    return false;
  walk->headers = take(walk, 4 * (size_t)walk->containers);
  bool offsets = !walk->runs || walk->containers >= OFFSETS_FROM;
  return walk->headers && (!offsets || take(walk, 4 * (size_t)walk->containers));
}

static bool next_container(struct sites_walk *walk)
{
  uint32_t index = walk->container++;
  uint32_t cardinality = load16(walk->headers + 4 * index + 2) + 1u;
  walk->base = (uint32_t)load16(walk->headers + 4 * index) << 16;
  if (walk->runs && walk->runs[index / 8] >> index % 8 & 1) {
    const uint8_t *count = take(walk, 2);
    walk->kind = SITES_RUN;
    walk->left = count ? load16(count) : 0;
    walk->run_next = 1, walk->run_last = 0;
    walk->broken |= !count;
  } else if (cardinality <= ARRAY_MAX) {
    walk->kind = SITES_ARRAY;
    walk->left = cardinality;
  } else {
    walk->kind = SITES_BITSET;
    walk->left = BITSET_WORDS;
    walk->bits = 0;
    walk->bits_base = walk->base - 64;
  }
  walk->kinds[walk->kind]++;
  return !walk->broken;
}

static size_t next_array(struct sites_walk *walk, uint32_t *ids, size_t room)
{
  size_t count = walk->left < room ? walk->left : room;
  const uint8_t *values = take(walk, 2 * count);
  if (!values) {
    walk->broken = true;
    return 0;
  }
  walk->left -= (uint32_t)count;
  uint32_t above = 0;
  for (size_t i = 0; i < count; i++) {
    ids[i] = walk->base | load16(values + 2 * i);
    above |= ids[i] >= walk->universe;
  }
  walk->broken |= above;
  return above ? 0 : count;
}

static size_t next_bitset(struct sites_walk *walk, uint32_t *ids, size_t room)
{
  size_t count = 0;
  while (count < room) {
    while (!walk->bits && walk->left) {
      const uint8_t *word = take(walk, 8);
      if (!word)
        return walk->broken = true, 0;
      memcpy(&walk->bits, word, 8);
      walk->left--;
      walk->bits_base += 64;
    }
    if (!walk->bits)
      break;
    ids[count] = walk->bits_base + (uint32_t)__builtin_ctzll(walk->bits);
    if (ids[count++] >= walk->universe)
      return walk->broken = true, 0;
    walk->bits &= walk->bits - 1;
  }
  return count;
}

static size_t next_run(struct sites_walk *walk, uint32_t *ids, size_t room)
{
  size_t count = 0;
  while (count < room) {
    if (walk->run_next > walk->run_last) {
      const uint8_t *run = walk->left ? take(walk, 4) : NULL;
      if (!run) {
        walk->broken |= walk->left != 0;
        break;
      }
      walk->left--;
      walk->run_next = walk->base + load16(run);
      walk->run_last = walk->run_next + load16(run + 2);
      if (walk->run_last - walk->base > 65535 || walk->run_last >= walk->universe)
        return walk->broken = true, 0;
    }
    ids[count++] = walk->run_next++;
  }
  return count;
}

static size_t next_ids(struct sites_walk *walk, uint32_t *ids, size_t room)
{
  switch (walk->kind) {
  case SITES_BITSET:
    return next_bitset(walk, ids, room);
  case SITES_RUN:
    return next_run(walk, ids, room);
  default:
    return walk->left ? next_array(walk, ids, room) : 0;
  }
}

size_t sites_next(struct sites_walk *walk, uint32_t ids[SITES_BATCH])
{
  while (!walk->broken) {
    size_t count = next_ids(walk, ids, SITES_BATCH);
    if (count)
      return count;
    if (walk->broken || walk->container == walk->containers || !next_container(walk))
      return 0;
  }
  return 0;
}

static bool container_is_done(const struct sites_walk *walk)
{
  return walk->left == 0 && walk->bits == 0 && (walk->kind != SITES_RUN || walk->run_next > walk->run_last);
}

uint64_t sites_peek(const struct sites_walk *walk)
{
  if (!container_is_done(walk))
    return 0;
  if (walk->broken || walk->container == walk->containers)
    return UINT64_MAX;
  return (uint64_t)load16(walk->headers + 4 * walk->container) << 16;
}

static bool container_is_bitset(const struct sites_walk *walk, uint32_t index)
{
  bool runs = walk->runs && walk->runs[index / 8] >> index % 8 & 1;
  return !runs && load16(walk->headers + 4 * index + 2) + 1u > ARRAY_MAX;
}

// All bits lie below the universe.
static bool bits_fit(const uint8_t *words, uint64_t base, uint64_t universe)
{
  if (base + 65536 <= universe)
    return true;
  for (uint64_t i = 0; i < BITSET_WORDS; i++) {
    uint64_t bits, first = base + 64 * i;
    memcpy(&bits, words + 8 * i, sizeof bits);
    uint64_t allowed = universe <= first ? 0 : universe - first >= 64 ? UINT64_MAX : (1ull << (universe - first)) - 1;
    if (bits & ~allowed)
      return false;
  }
  return true;
}

const uint8_t *sites_next_bitset(struct sites_walk *walk, uint32_t *base)
{
  uint32_t index = walk->container;
  if (walk->broken || index == walk->containers || !container_is_done(walk) || !container_is_bitset(walk, index))
    return NULL;
  *base = (uint32_t)load16(walk->headers + 4 * index) << 16;
  if (walk->bytes.size - walk->position < 8 * BITSET_WORDS ||
      !bits_fit(walk->bytes.data + walk->position, *base, walk->universe))
    return NULL;
  walk->container++;
  walk->kinds[SITES_BITSET]++;
  return take(walk, 8 * BITSET_WORDS);
}

bool sites_valid(struct span bytes, uint32_t universe, uint64_t count)
{
  struct sites_walk walk;
  if (!sites_begin(&walk, bytes, universe))
    return false;
  uint64_t least = 0, seen = 0;
  uint32_t ids[SITES_BATCH];
  for (size_t got; (got = sites_next(&walk, ids)) > 0; seen += got) {
    for (size_t i = 0; i < got; i++) {
      if (ids[i] < least)
        return false;
      least = (uint64_t)ids[i] + 1;
    }
  }
  return !walk.broken && seen == count && walk.position == bytes.size;
}
