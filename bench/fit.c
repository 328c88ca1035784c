// SPDX-License-Identifier: MIT
#include "bench/fit.h"

#include <math.h>

enum { MOST_POINTS = 64 };

// Weighted sums over the points.
struct sums {
  double weight, x, y;
};

static struct sums add_up(const double *x, const double *y, const double *weights, unsigned count)
{
  struct sums sums = {0};
  for (unsigned i = 0; i < count; i++) {
    sums.weight += weights[i];
    sums.x += weights[i] * x[i];
    sums.y += weights[i] * y[i];
  }
  return sums;
}

// Whether values differ by more than rounding, of which their squared distances from the mean have some, too.
static bool varies(double squares, double sum, double weight)
{
  double mean = sum / weight;
  return squares > 1e-18 * weight * mean * mean;
}

static struct fit fit_line(const double *x, const double *y, const double *weights, unsigned count)
{
  struct sums sums = add_up(x, y, weights, count);
  double xx = 0, xy = 0, yy = 0;
  for (unsigned i = 0; i < count; i++) {
    double dx = x[i] - sums.x / sums.weight, dy = y[i] - sums.y / sums.weight;
    xx += weights[i] * dx * dx;
    xy += weights[i] * dx * dy;
    yy += weights[i] * dy * dy;
  }
  if (count < 2 || !varies(xx, sums.x, sums.weight))
    return (struct fit){0};
  double slope = xy / xx;
  return (struct fit){.known = true,
                      .slope = slope,
                      .constant = (sums.y - slope * sums.x) / sums.weight,
                      .r2 = varies(yy, sums.y, sums.weight) ? slope * xy / yy : 0};
}

static bool all_positive(const double *values, unsigned count)
{
  for (unsigned i = 0; i < count; i++)
    if (!(values[i] > 0))
      return false;
  return true;
}

struct fit fit_affine(const double *x, const double *y, unsigned count)
{
  double weights[MOST_POINTS];
  if (count > MOST_POINTS || !all_positive(y, count))
    return (struct fit){0};
  for (unsigned i = 0; i < count; i++)
    weights[i] = 1 / (y[i] * y[i]);
  return fit_line(x, y, weights, count);
}

struct fit fit_power(const double *x, const double *y, unsigned count)
{
  double log_x[MOST_POINTS], log_y[MOST_POINTS], weights[MOST_POINTS];
  if (count > MOST_POINTS || !all_positive(x, count) || !all_positive(y, count))
    return (struct fit){0};
  for (unsigned i = 0; i < count; i++) {
    log_x[i] = log(x[i]);
    log_y[i] = log(y[i]);
    weights[i] = 1;
  }
  struct fit fit = fit_line(log_x, log_y, weights, count);
  fit.constant = exp(fit.constant);
  return fit;
}
