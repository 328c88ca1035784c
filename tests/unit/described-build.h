// SPDX-License-Identifier: MIT
//
// Building a package of one C source with a graph.
#ifndef TESTS_UNIT_DESCRIBED_BUILD_H
#define TESTS_UNIT_DESCRIBED_BUILD_H

#include <pkgimg/build.h>

/// What differs from build to build. The result is NAME.so in the scratch folder.
struct described_package {
  const char *name, *code;
  const struct pkgimg_graph *graph;
  const char *deps[3];
  const char *cpu_target, *precompile;
  enum pkgimg_emit emit;
  unsigned debug;
};
enum pkgimg_status described_build(struct described_package package, struct pkgimg_error *error);

/// What the last build said beside its error.
extern char described_messages[4096];

struct pkgimg_graph described_graph(const struct pkgimg_graph_root *roots, size_t count);

#endif
