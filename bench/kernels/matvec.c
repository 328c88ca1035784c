// SPDX-License-Identifier: MIT
#include "kernels.h"

KERNEL void kernel_matvec(const float *matrix, const float *vector, float *out, size_t rows, size_t columns)
{
  KERNEL_SUMS_IN_ANY_ORDER
  for (size_t row = 0; row < rows; row++) {
    float sum = 0;
    for (size_t i = 0; i < columns; i++)
      sum += matrix[row * columns + i] * vector[i];
    out[row] = sum;
  }
}
