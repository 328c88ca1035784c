// SPDX-License-Identifier: MIT
//
// The packages of bench-first-answer.
#ifndef BENCH_FIRST_ANSWER_H
#define BENCH_FIRST_ANSWER_H

#include "bench/options.h"
#include "bench/subject.h"

enum { FIRST_ROWS = 4 };

enum way {
  WAY_BOUND,     ///< its state is in the image, and that in a bundle
  WAY_CAPTURED,  ///< its state is in the image
  WAY_BUILT,     ///< the same sources, without capture: the first answer builds the state
  WAY_DLOPEN,    ///< the same file, by dlopen(3) with RTLD_NOW
  WAY_COUNT
};

enum first_metric {
  FIRST_LOAD_NS,
  FIRST_CALL_NS,
  FIRST_LOAD_FAULTS,
  FIRST_CALL_FAULTS,
  FIRST_LOAD_PAGES,
  FIRST_CALL_PAGES,
  FIRST_METRIC_COUNT
};

struct first_row {
  const char *name, *title;
  char skipped[256];  ///< why there is nothing to measure, or ""
  char path[WAY_COUNT][SUBJECT_PATH];
};

/// Build the images that the options want, or find them built.
void first_rows_build(const struct options *options, struct first_row rows[FIRST_ROWS]);

#endif
