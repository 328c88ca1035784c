// SPDX-License-Identifier: MIT
//
// Memory of several processes at a time that have loaded the same packages.
#ifndef BENCH_SHARING_H
#define BENCH_SHARING_H

#include "bench/measure.h"

/// Start `processes` children, each of which loads, calls and holds; look at them while all of them live.
struct sharing sharing_measure(const struct command *command, unsigned processes);

#endif
