// SPDX-License-Identifier: MIT
//
// Time and memory of a load over a size: what bench-growth measures, fits and prints.
#ifndef BENCH_GROWTH_H
#define BENCH_GROWTH_H

#include "bench/measure.h"

enum { GROWTH_SIZES = 16 };

/// What is measured for several sizes.
struct growth {
  const char *name;  ///< for --only
  const char *title;
  const char *unit;              ///< what there are `sizes` of
  unsigned sizes[GROWTH_SIZES];  ///< ascending
  unsigned count;
  struct growth_line {
    const char *name;              ///< of the peer; NULL if it takes no part
    double load_ns[GROWTH_SIZES];  ///< the median of the rounds
    double time_ns[GROWTH_SIZES];  ///< load and first call
    double own_kib[GROWTH_SIZES];  ///< memory that the process made, or copied by writing
  } lines[PEER_COUNT];
};

/// Measure it all for each size of a growth that has only its sizes yet.
void growth_of_packages(const struct options *options, struct growth *growth);
void growth_of_symbols(const struct options *options, struct growth *growth);
void growth_of_inactive(const struct options *options, struct growth *growth);
void growth_of_heap(const struct options *options, struct growth *growth);

void growth_print(const struct growth *growth, FILE *out);
void growth_json(const struct growth *growth, FILE *out);

#endif
