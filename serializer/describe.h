// SPDX-License-Identifier: MIT
//
// Described capture: from a graph of objects in this process's memory to bytes with sites. Three steps: a walk
// finds every piece of memory that is described (walk.c), overlapping pieces become objects with places in H
// (layout.c), and the objects are copied, their pointers turned into sites (describe.c).
#ifndef SERIALIZER_DESCRIBE_H
#define SERIALIZER_DESCRIBE_H

#include "base/array.h"

#include <pkgimg/capture.h>

#define DESCRIBE_HEAP UINT32_MAX

/// A word of H that points somewhere.
struct describe_site {
  uint32_t word;
  uint32_t external;  ///< as in the graph, or DESCRIBE_HEAP: into H itself
};

struct describe_result {
  struct buffer heap;           ///< whole pages. A word at a site holds its distance from the start of its target
  struct describe_site *sites;  ///< ascending by word
  size_t site_count, site_capacity;
  uint64_t *roots;  ///< offset in H of each of the graph's roots
  uint64_t objects;
};
void describe_result_deinit(struct describe_result *result);

/// Check what can be checked without looking at objects: sizes, names, roots, externals.
PKGIMG_MUST_USE enum pkgimg_status describe_check(const struct pkgimg_graph *graph, const char *package,
                                                  struct pkgimg_error *error);

/// The graph has passed describe_check.
PKGIMG_MUST_USE enum pkgimg_status describe_graph(const struct pkgimg_graph *graph, const char *package,
                                                  struct describe_result *result, struct pkgimg_error *error);

#endif
