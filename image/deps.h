// SPDX-License-Identifier: MIT
//
// The images that a package is built against: those it names, and all that these need.
#ifndef IMAGE_DEPS_H
#define IMAGE_DEPS_H

#include "base/array.h"
#include "format/view.h"

#include <pkgimg/build.h>

struct dep {
  char *path;
  const char *name;
  bool direct;
  struct buffer bytes;
  struct image_file file;
  uint32_t number;  // in the order of loading, once all are read
};

/// In the order of loading: every dependency before its dependents.
struct deps {
  struct dep **items;
  size_t count, capacity;
  struct dep **index;  // by name; open addressing
  size_t index_capacity;
  const struct dep *sysimage;  // the one of them that is a system image, NULL: none
};

/// Read and verify all dependencies of a build. A name that two different images claim is refused,
/// and so is a second system image.
PKGIMG_MUST_USE enum pkgimg_status deps_read(const struct pkgimg_build_options *options, struct deps *deps,
                                             struct pkgimg_error *error);
/// NULL if there is none of this name.
struct dep *deps_find(const struct deps *deps, const char *name);
void deps_deinit(struct deps *deps);

#endif
