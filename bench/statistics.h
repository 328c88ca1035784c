// SPDX-License-Identifier: MIT
//
// What stands for many samples.
#ifndef BENCH_STATISTICS_H
#define BENCH_STATISTICS_H

double statistics_median(const double *samples, unsigned count);
double statistics_least(const double *samples, unsigned count);

#endif
