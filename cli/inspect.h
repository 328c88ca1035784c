// SPDX-License-Identifier: MIT
//
// The two forms in which an inspection is shown: for people and for programs.
#ifndef CLI_INSPECT_H
#define CLI_INSPECT_H

#include "cli/json.h"

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
/// The parts of both that are types and methods.
void inspect_print_types(const struct inspect_view *view);
void inspect_write_types(struct json *json, const struct inspect_view *view);

/// Call `each` for the sites of a set, in ascending order, a batch at a time.
void inspect_each_sites(const struct inspect_view *view, size_t set,
                        void (*each)(void *context, const uint64_t *addresses, size_t count), void *context);

#endif
