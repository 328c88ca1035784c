// SPDX-License-Identifier: MIT
#include "kernels.h"

KERNEL float kernel_dot(const float *a, const float *b, size_t count)
{
  KERNEL_SUMS_IN_ANY_ORDER
  float sum = 0;
  for (size_t i = 0; i < count; i++)
    sum += a[i] * b[i];
  return sum;
}
