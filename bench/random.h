// SPDX-License-Identifier: MIT
//
// A number for each place in the generated sources, without a state that would tie the places to an order.
#ifndef BENCH_RANDOM_H
#define BENCH_RANDOM_H

#include <stdint.h>

/// The finaliser of splitmix64.
static inline uint64_t random_mix(uint64_t value)
{
  value = (value ^ value >> 30) * 0xbf58476d1ce4e5b9u;
  value = (value ^ value >> 27) * 0x94d049bb133111ebu;
  return value ^ value >> 31;
}

/// Always the same for the same seed, purpose and place.
static inline uint64_t random_of(uint64_t seed, unsigned purpose, unsigned package, unsigned place)
{
  uint64_t value = random_mix(seed + 0x9e3779b97f4a7c15u * (purpose + 1));
  return random_mix(value ^ ((uint64_t)package << 32 | place));
}

#endif
