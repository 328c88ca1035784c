// SPDX-License-Identifier: MIT
//
// The two forms in which an inspection is shown: for people and for programs.
#ifndef CLI_INSPECT_H
#define CLI_INSPECT_H

#include <pkgimg/inspect.h>

#include <stdbool.h>

struct inspect_view {
  const char *path;
  const struct pkgimg_inspection *inspection;
  const struct pkgimg_summary *summary;
  bool symbols;  ///< every export and import, not only how many
  bool sites;    ///< the address of every site
};

void inspect_print_text(const struct inspect_view *view);
void inspect_print_json(const struct inspect_view *view);
/// The same for a bundle; of the view, path and symbols count.
void inspect_bundle_text(const struct inspect_view *view, const struct pkgimg_bundle_inspection *inspection);
void inspect_bundle_json(const struct inspect_view *view, const struct pkgimg_bundle_inspection *inspection);

/// Call `each` for the sites of a set, in ascending order, a batch at a time.
void inspect_each_sites(const struct inspect_view *view, size_t set,
                        void (*each)(void *context, const uint64_t *addresses, size_t count), void *context);

#endif
