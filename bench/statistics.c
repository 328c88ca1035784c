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

double statistics_quantile(const double *samples, unsigned count, double part)
{
  double *sorted = calloc(count, sizeof *sorted);
  if (!sorted)
    err(1, "samples");
  memcpy(sorted, samples, count * sizeof *sorted);
  qsort(sorted, count, sizeof *sorted, ascending);
  double place = part * (count - 1);
  unsigned below = (unsigned)place, above = below + 1 < count ? below + 1 : below;
  double quantile = sorted[below] + (place - below) * (sorted[above] - sorted[below]);
  free(sorted);
  return quantile;
}

double statistics_median(const double *samples, unsigned count)
{
  return statistics_quantile(samples, count, 0.5);
}

double statistics_spread(const double *samples, unsigned count)
{
  double range = statistics_quantile(samples, count, 0.75) - statistics_quantile(samples, count, 0.25);
  return range > 0 ? range / statistics_median(samples, count) : 0;
}

double statistics_least(const double *samples, unsigned count)
{
  double least = samples[0];
  for (unsigned i = 1; i < count; i++)
    least = samples[i] < least ? samples[i] : least;
  return least;
}
