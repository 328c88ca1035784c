// SPDX-License-Identifier: MIT
//
// What the first call into a package does. All peers must get the same checksum from it.
#ifndef BENCH_WORKLOAD_H
#define BENCH_WORKLOAD_H

#include "bench/child.h"

#include <stdint.h>

/// `name` is entry, zlib or sqlite. `symbol` is the function of a generated package; the others know theirs.
uint64_t workload_run(const struct child_peer *peer, const char *name, const char *symbol);

#endif
