// SPDX-License-Identifier: MIT
//
// Functions that gain from better processors, and what tells which of their bodies runs.
#include "kernels.h"

_Bool has_popcnt(void) __asm__("pkgimg.cpu_has.popcnt");
_Bool has_avx(void) __asm__("pkgimg.cpu_has.avx");
_Bool has_avx2(void) __asm__("pkgimg.cpu_has.avx2");
_Bool has_avx512f(void) __asm__("pkgimg.cpu_has.avx512f");

const char *kernels_level(void)
{
  return has_avx512f() ? "avx512f" : has_avx2() ? "avx2" : has_avx() ? "avx" : has_popcnt() ? "popcnt" : "plain";
}

uint64_t dot(const uint32_t *a, const uint32_t *b, size_t count)
{
  uint64_t sum = 0;
  for (size_t i = 0; i < count; i++)
    sum += (uint64_t)a[i] * b[i];
  return sum;
}

uint64_t scan(uint32_t *values, size_t count)
{
  uint32_t sum = 0;
  for (size_t i = 0; i < count; i++)
    values[i] = sum += values[i];
  return sum;
}

uint64_t bits_set(const uint64_t *words, size_t count)
{
  uint64_t sum = 0;
  for (size_t i = 0; i < count; i++)
    sum += (uint64_t)__builtin_popcountll(words[i]);
  return sum;
}

static uint32_t step(uint32_t crc)
{
  for (int i = 0; i < 8; i++)
    crc = crc >> 1 ^ (0xedb88320u & -(crc & 1));
  return crc;
}

uint32_t crc(const uint8_t *bytes, size_t count)
{
  uint32_t value = ~0u;
  for (size_t i = 0; i < count; i++)
    value = step(value ^ bytes[i]);
  return ~value;
}

// The same name as in the other package, and another function.
static const char *helper(void)
{
  return has_avx2() ? "kernels" : "kernels";
}

const char *(*const kernels_helper)(void) = helper;
uint64_t (*const kernels_dot)(const uint32_t *, const uint32_t *, size_t) = dot;
