// SPDX-License-Identifier: MIT
//
// A picture of time over the number of packages, drawn by gnuplot.
#ifndef BENCH_PLOT_H
#define BENCH_PLOT_H

#include "bench/measure.h"

/// Load and first call of the rows `many`, to an SVG file; its commands and data stay beside it, in PATH.gnuplot.
void plot_many(const struct subject *subjects, const struct results *results, unsigned count, const char *path);

#endif
