// SPDX-License-Identifier: MIT
//
// Words of memory at any address.
#ifndef BASE_WORDS_H
#define BASE_WORDS_H

#include <stdint.h>
#include <string.h>

static inline uint64_t load64(const uint8_t *at)
{
  uint64_t value;
  memcpy(&value, at, sizeof value);
  return value;
}

static inline void store64(uint8_t *at, uint64_t value)
{
  memcpy(at, &value, sizeof value);
}

#endif
