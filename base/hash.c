// SPDX-License-Identifier: MIT
#include "base/hash.h"

#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

uint64_t hash64(const void *data, size_t size)
{
  return XXH3_64bits(data, size);
}

uint64_t hash64_seeded(const void *data, size_t size, uint64_t seed)
{
  return XXH3_64bits_withSeed(data, size, seed);
}

struct hash128 *hash128_create(void)
{
  XXH3_state_t *state = XXH3_createState();
  if (state)
    XXH3_128bits_reset(state);
  return (struct hash128 *)state;
}

void hash128_destroy(struct hash128 *hash)
{
  XXH3_freeState((XXH3_state_t *)hash);
}

void hash128_add(struct hash128 *hash, const void *data, size_t size)
{
  XXH3_128bits_update((XXH3_state_t *)hash, data, size);
}

void hash128_add_zeros(struct hash128 *hash, size_t count)
{
  static const uint8_t zeros[256];
  for (; count > sizeof zeros; count -= sizeof zeros)
    hash128_add(hash, zeros, sizeof zeros);
  hash128_add(hash, zeros, count);
}

void hash128_result(const struct hash128 *hash, uint8_t result[16])
{
  XXH128_canonical_t canonical;
  XXH128_canonicalFromHash(&canonical, XXH3_128bits_digest((const XXH3_state_t *)hash));
  memcpy(result, canonical.digest, 16);
}
