// SPDX-License-Identifier: MIT
//
// System calls of a measured child, counted from outside by a tracer; a process of its own, as tracing is slow.
#ifndef BENCH_CALLS_H
#define BENCH_CALLS_H

#include "bench/process.h"

struct calls {
  bool known;     ///< not where processes may not be traced
  unsigned load;  ///< between the child's first two marks, see child.h
  unsigned all;   ///< after exec, to the end
};

/// Run to the end a child that does `count`.
struct calls calls_count(const struct command *command);

#endif
