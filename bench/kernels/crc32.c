// SPDX-License-Identifier: MIT
#include "kernels.h"

// Tables for four bytes at a time: [i][byte] is what the byte contributes when i more follow.
static uint32_t tables[4][256];

__attribute__((constructor)) static void fill(void)
{
  for (uint32_t byte = 0; byte < 256; byte++) {
    uint32_t value = byte;
    for (unsigned bit = 0; bit < 8; bit++)
      value = value >> 1 ^ (value & 1 ? 0xedb88320u : 0);
    tables[0][byte] = value;
  }
  for (unsigned i = 1; i < 4; i++)
    for (uint32_t byte = 0; byte < 256; byte++)
      tables[i][byte] = tables[i - 1][byte] >> 8 ^ tables[0][tables[i - 1][byte] & 255];
}

KERNEL uint32_t kernel_crc32(const uint8_t *bytes, size_t size)
{
  uint32_t crc = ~0u;
  size_t i = 0;
  for (; i + 4 <= size; i += 4) {
    crc ^= bytes[i] | (uint32_t)bytes[i + 1] << 8 | (uint32_t)bytes[i + 2] << 16 | (uint32_t)bytes[i + 3] << 24;
    crc = tables[3][crc & 255] ^ tables[2][crc >> 8 & 255] ^ tables[1][crc >> 16 & 255] ^ tables[0][crc >> 24];
  }
  for (; i < size; i++)
    crc = crc >> 8 ^ tables[0][(crc ^ bytes[i]) & 255];
  return ~crc;
}
