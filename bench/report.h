// SPDX-License-Identifier: MIT
//
// The samples, and how they are shown: a table for people, JSON for programs.
#ifndef BENCH_REPORT_H
#define BENCH_REPORT_H

#include "bench/measure.h"

/// Load and first call of each round: the cost that the ratios compare. `sums` has room for all rounds.
void report_start_costs(const struct results *results, enum peer peer, double *sums);

double report_median_start(const struct results *results, enum peer peer);

void report_table(const struct subject *subject, const struct results *results, FILE *out);
void report_json(const struct subject *subjects, const struct results *results, unsigned count, FILE *out);

#endif
