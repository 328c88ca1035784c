// SPDX-License-Identifier: MIT
//
// Hashes of content. XXH3 guards against accidents (torn writes, flipped bits, mixed-up files),
// not against forgers: whoever may write an image may run code anyway.
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

uint64_t hash64(const void *data, size_t size);
uint64_t hash64_seeded(const void *data, size_t size, uint64_t seed);

/// XXH3-128 of bytes that come in pieces.
struct hash128;
struct hash128 *hash128_create(void);  ///< NULL: out of memory
void hash128_destroy(struct hash128 *hash);
void hash128_add(struct hash128 *hash, const void *data, size_t size);
void hash128_add_zeros(struct hash128 *hash, size_t count);
void hash128_result(const struct hash128 *hash, uint8_t result[16]);

#endif
