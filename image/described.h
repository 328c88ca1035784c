// SPDX-License-Identifier: MIT
//
// A described graph, as the writer wants it: sites by set, externals found among the symbols of the package, its
// dependencies and the host, variables of the package that point to roots.
#ifndef IMAGE_DESCRIBED_H
#define IMAGE_DESCRIBED_H

#include "image/clones.h"
#include "image/deps.h"
#include "image/resolve.h"
#include "image/symbol_index.h"
#include "serializer/describe.h"

#include <pkgimg/build.h>

/// What an external is in the image. Dependencies are numbered in the order of loading.
struct described_target {
  enum captured_kind kind;
  uint32_t image;   ///< dependency + 1, or 0: this package
  uint32_t detail;  ///< host: the import; clone: its number
  uint64_t addend;
};

/// Zero-initialise it, and set the first members.
struct described {
  const struct pkgimg_build_options *options;
  const struct linked *linked;
  const struct clone_table *clones;
  const struct deps *deps;
  struct span words;  ///< the linked file with the words at all sites filled in
  struct describe_result result;
  struct described_target *targets;  // of externals
  struct writer_capture writer;
  struct writer_captured_set *sets;
  uint32_t *ids, *details;
  struct writer_root *roots;
  struct buffer data;
  struct variable {
    uint64_t address;  // as linked
    uint32_t root;
  } * variables;  // ascending
  size_t variable_count;
};
void described_deinit(struct described *described);

/// Walk the graph, find its externals, and add the imports and dependencies that these need to the resolution. To
/// be done before they are numbered. `provider_of` tells of a dependency which provider it is.
PKGIMG_MUST_USE enum pkgimg_status described_prepare(struct described *described, const uint32_t *provider_of,
                                                     struct resolution *resolution, struct pkgimg_error *error);

/// Make the sets. `number_of` tells of a dependency which of the image's it is, counted from 1.
PKGIMG_MUST_USE enum pkgimg_status described_init(struct described *described, const uint32_t *number_of,
                                                  struct pkgimg_error *error);

/// Symbols that a graph names stay, whatever the exports are and however static they are.
PKGIMG_MUST_USE enum pkgimg_status described_list_kept(const struct pkgimg_graph *graph, struct string_list *kept,
                                                       struct pkgimg_error *error);

// ---- described_externals.c

/// Fill `targets` of the externals that some pointer leads to.
PKGIMG_MUST_USE enum pkgimg_status described_find_targets(struct described *described,
                                                          const struct symbol_index *symbols,
                                                          const uint32_t *provider_of,
                                                          struct resolution *resolution, struct pkgimg_error *error);

// ---- described_variables.c

/// Fill `variables`.
PKGIMG_MUST_USE enum pkgimg_status described_find_variables(struct described *described,
                                                            const struct symbol_index *symbols,
                                                            const struct resolution *resolution,
                                                            struct pkgimg_error *error);

#endif
