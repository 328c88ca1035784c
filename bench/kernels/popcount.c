// SPDX-License-Identifier: MIT
#include "kernels.h"

KERNEL uint64_t kernel_popcount(const uint64_t *words, size_t count)
{
  uint64_t sum = 0;
  for (size_t i = 0; i < count; i++)
    sum += (uint64_t)__builtin_popcountll(words[i]);
  return sum;
}
