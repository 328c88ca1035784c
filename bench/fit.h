// SPDX-License-Identifier: MIT
//
// How a cost grows: least squares over a few points that may be decades apart.
#ifndef BENCH_FIT_H
#define BENCH_FIT_H

#include <stdbool.h>

struct fit {
  bool known;       ///< not for fewer than two different x, or where a y is not above 0
  double constant;  ///< of the power law: the factor
  double slope;     ///< of the power law: the exponent
  double r2;        ///< the part of the variance that it explains; near 0 also where nothing grows
};

/// y = constant + slope x. The relative errors are made small: otherwise the largest x would decide alone.
struct fit fit_affine(const double *x, const double *y, unsigned count);

/// y = constant * x ^ slope; every x is above 0.
struct fit fit_power(const double *x, const double *y, unsigned count);

#endif
