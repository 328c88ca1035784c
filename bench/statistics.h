// SPDX-License-Identifier: MIT
//
// What stands for many samples.
#ifndef BENCH_STATISTICS_H
#define BENCH_STATISTICS_H

double statistics_median(const double *samples, unsigned count);
double statistics_least(const double *samples, unsigned count);
/// The value that `part` of the samples, from 0 to 1, do not exceed; between two of them, in proportion.
double statistics_quantile(const double *samples, unsigned count, double part);
/// How far the middle half of the samples spreads, as a part of their median.
double statistics_spread(const double *samples, unsigned count);

#endif
