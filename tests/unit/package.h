// SPDX-License-Identifier: MIT
//
// Building a package of one C source, which may have a graph.
#ifndef TESTS_UNIT_PACKAGE_H
#define TESTS_UNIT_PACKAGE_H

#include <pkgimg/build.h>

/// What differs from build to build; without code, it is one function. The result is NAME.so in the scratch
/// folder.
struct package {
  const char *name, *code;
  const struct pkgimg_graph *graph;
  const char *deps[3];
  const char *cpu_target, *precompile;
  enum pkgimg_emit emit;
  unsigned debug;
  int sysimage;
};
enum pkgimg_status package_build(struct package package, struct pkgimg_error *error);

/// What the last build said beside its error.
extern char package_messages[4096];

struct pkgimg_graph described_graph(const struct pkgimg_graph_root *roots, size_t count);

#endif
