// SPDX-License-Identifier: MIT
#include "kernels.h"

static inline unsigned three(const uint8_t *at)
{
  return at[-1] + at[0] + at[1];
}

KERNEL void kernel_blur(const uint8_t *restrict image, uint8_t *restrict out, size_t width, size_t height)
{
  for (size_t y = 1; y + 1 < height; y++) {
    const uint8_t *row = image + y * width;
    for (size_t x = 1; x + 1 < width; x++)
      out[y * width + x] = (uint8_t)((three(row + x - width) + three(row + x) + three(row + x + width)) / 9);
  }
}
