// SPDX-License-Identifier: MIT
#include "kernels.h"

KERNEL size_t kernel_count_byte(const uint8_t *text, size_t size, uint8_t byte)
{
  size_t found = 0;
  for (size_t i = 0; i < size; i++)
    found += text[i] == byte;
  return found;
}
