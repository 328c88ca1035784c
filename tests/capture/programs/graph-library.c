// SPDX-License-Identifier: MIT
// What graphs point to in another package.
#include "graph-library.h"

long library_numbers[64] = {1, 2, 3};
const char library_text[] = "text of the library";

long library_add(long number)
{
  return number + library_numbers[2];
}

// Worth a body for each processor.
double library_sum(const double *numbers, int count)
{
  double sum = 0;
  for (int i = 0; i < count; i++)
    sum += numbers[i] * numbers[i];
  return sum;
}
