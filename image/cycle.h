// SPDX-License-Identifier: MIT
//
// Explaining why the images of a closure cannot be put in order.
#ifndef IMAGE_CYCLE_H
#define IMAGE_CYCLE_H

#include "format/view.h"

/// A closure whose members can be read again, one by one.
struct cycle_search {
  const struct disk_closure_entry *entries;
  uint32_t count;
  const char *strings;  ///< of the entries' names
  const char *path;     ///< of the image that has the closure
  const char *name;     ///< of its package
  const uint8_t *build_id;
  /// The dependencies of a member (`count`: of the image that has the closure): their build ids, 16
  /// bytes each, from malloc. False: unknown.
  bool (*dependencies)(void *context, uint32_t member, uint8_t **build_ids, uint32_t *count);
  void *context;
};

/// `name` (`build_id`) needs `wanted`, which does not come before it in the closure. Tells whether
/// that is a ring (PKGIMG_CYCLE, with its path), a wrong order, or a dependency that is missing.
enum pkgimg_status cycle_explain(const struct cycle_search *search, const char *name, const uint8_t build_id[16],
                                 const char *wanted, const uint8_t wanted_id[16], struct pkgimg_error *error);

#endif
