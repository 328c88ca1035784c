// SPDX-License-Identifier: MIT
#include "kernels.h"

KERNEL int32_t kernel_dot_bytes(const int8_t *a, const int8_t *b, size_t count)
{
  int32_t sum = 0;
  for (size_t i = 0; i < count; i++)
    sum += a[i] * b[i];
  return sum;
}
