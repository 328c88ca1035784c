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
  const struct pkgimg_bundle_inspection *bundle;  ///< of a bundle, instead of these two
  bool symbols;                                   ///< every export and import, not only how many
  bool sites;                                     ///< the address of every site
};

void inspect_print_text(const struct inspect_view *view);
void inspect_print_json(const struct inspect_view *view);
/// The parts of both that are types and methods.
void inspect_print_types(const struct inspect_view *view);
void inspect_write_types(struct json *json, const struct inspect_view *view);

/// The same for a bundle.
void inspect_bundle_text(const struct inspect_view *view);
void inspect_bundle_json(const struct inspect_view *view);

/// The parts of both that were captured.
void inspect_print_captured(const struct inspect_view *view);
void inspect_write_captured(struct json *json, const struct inspect_view *view);

/// The heading of a section, with how many things are in it.
void inspect_print_heading(const char *heading, uint64_t count);
/// A name, and the end of the line; the same for NAME or NAME@VERSION.
void inspect_print_name(const char *name);
void inspect_print_import(const struct pkgimg_import *import);

/// An array of objects; `write` writes the members of each.
typedef void inspect_item(struct json *json, const struct inspect_view *view, size_t index);
void inspect_write_list(struct json *json, const char *key, const struct inspect_view *view, size_t count,
                        inspect_item *write);

/// How one set of sites is shown in both.
void inspect_print_set(const struct pkgimg_site_set *set);
void inspect_write_set(struct json *json, const struct pkgimg_site_set *set);

/// pkgimg_inspection_sites or pkgimg_inspection_captured_sites.
typedef size_t inspect_sites(const struct pkgimg_inspection *inspection, size_t set, uint64_t first,
                             uint64_t *addresses, size_t capacity);
/// Show the sites of a set, in ascending order.
void inspect_print_addresses(const struct inspect_view *view, inspect_sites *sites, size_t set);
void inspect_write_addresses(struct json *json, const struct inspect_view *view, inspect_sites *sites, size_t set);

/// Call `each` for them, a batch at a time.
void inspect_each_sites(const struct inspect_view *view, inspect_sites *sites, size_t set,
                        void (*each)(void *context, const uint64_t *addresses, size_t count), void *context);

#endif
