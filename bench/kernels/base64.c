// SPDX-License-Identifier: MIT
#include "kernels.h"

// Arithmetic instead of a table, so that several characters can be made at once.
static inline uint8_t character(uint32_t value)
{
  uint32_t text = value + 'A';
  text += value > 25 ? 'a' - 'Z' - 1 : 0;
  text -= value > 51 ? 'z' - '0' + 1 : 0;
  text -= value > 61 ? '9' - '+' + 1 : 0;
  text += value > 62 ? '/' - '+' - 1 : 0;
  return (uint8_t)text;
}

KERNEL void kernel_base64(const uint8_t *restrict bytes, size_t groups, uint8_t *restrict out)
{
  for (size_t i = 0; i < groups; i++) {
    uint32_t bits = (uint32_t)bytes[3 * i] << 16 | (uint32_t)bytes[3 * i + 1] << 8 | bytes[3 * i + 2];
    out[4 * i] = character(bits >> 18);
    out[4 * i + 1] = character(bits >> 12 & 63);
    out[4 * i + 2] = character(bits >> 6 & 63);
    out[4 * i + 3] = character(bits & 63);
  }
}
