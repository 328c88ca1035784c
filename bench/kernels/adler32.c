// SPDX-License-Identifier: MIT
#include "kernels.h"

enum { MODULUS = 65521, CHUNK = 2048 };

KERNEL uint32_t kernel_adler32(const uint8_t *bytes, size_t size)
{
  uint32_t low = 1, high = 0;
  for (size_t at = 0; at < size; at += CHUNK) {
    uint32_t length = size - at < CHUNK ? (uint32_t)(size - at) : CHUNK, sum = 0, weighted = 0;
    for (uint32_t i = 0; i < length; i++) {
      sum += bytes[at + i];
      weighted += bytes[at + i] * (length - i);
    }
    high = (high + low * length + weighted % MODULUS) % MODULUS;
    low = (low + sum) % MODULUS;
  }
  return high << 16 | low;
}
