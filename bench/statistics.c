// SPDX-License-Identifier: MIT
#include "bench/statistics.h"

#include <err.h>
#include <stdlib.h>
#include <string.h>

static int ascending(const void *left, const void *right)
{
  double a = *(const double *)left, b = *(const double *)right;
  return (a > b) - (a < b);
}

double statistics_median(const double *samples, unsigned count)
{
  double *sorted = calloc(count, sizeof *sorted);
  if (!sorted)
    err(1, "samples");
  memcpy(sorted, samples, count * sizeof *sorted);
  qsort(sorted, count, sizeof *sorted, ascending);
  double median = (sorted[(count - 1) / 2] + sorted[count / 2]) / 2;
  free(sorted);
  return median;
}

double statistics_least(const double *samples, unsigned count)
{
  double least = samples[0];
  for (unsigned i = 1; i < count; i++)
    least = samples[i] < least ? samples[i] : least;
  return least;
}
