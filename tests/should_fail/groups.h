// SPDX-License-Identifier: MIT
#ifndef SHOULD_FAIL_GROUPS_H
#define SHOULD_FAIL_GROUPS_H

#include "tests/should_fail/forge.h"

#include <limits.h>

/// The good images, and where the forged ones go.
struct folders {
  const char *good;
  const char *work;
};

/// FOLDER/NAME.so, in a buffer that the next but three calls reuse.
const char *image_path(const char *folder, const char *name);
struct forgery take_good(const struct folders *folders, const char *name);
/// Copy good images, as they are, to the working folder. The list ends with NULL.
void copy_good(const struct folders *folders, const char *const *names);
void publish(const struct forgery *forgery, const struct folders *folders, const char *name);

/// The image that is forged, what it depends on, and an image that was built against it.
struct chain {
  const char *leaf, *image, *top;
};
struct field_case;
/// Seal a forged image and publish it; whether it is verified, loaded, and loaded as a dependency with what the
/// row says. Its leaf is in the working folder.
bool run_forgery(const struct field_case *row, const struct chain *chain, struct forgery *forged,
                 const struct folders *folders);

#define SKIPPED UINT_MAX

/// Each returns how many inputs were not refused as they should be, or SKIPPED.
unsigned run_headers(const struct folders *folders);
unsigned run_tables(const struct folders *folders);
unsigned run_regions(const struct folders *folders);
unsigned run_types(const struct folders *folders);
unsigned run_closures(const struct folders *folders);
unsigned run_clones(const struct folders *folders);
unsigned run_accesses(const struct folders *folders);
unsigned run_captured(const struct folders *folders);
unsigned run_packed(const struct folders *folders);
unsigned run_bitmaps(const struct folders *folders);
unsigned run_graphs(const struct folders *folders);
unsigned run_files(const struct folders *folders);
unsigned run_unreadable(const struct folders *folders);
unsigned run_symbols(const struct folders *folders);
unsigned run_sysimages(const struct folders *folders);
unsigned run_bundles(const struct folders *folders);
unsigned run_truncation(const struct folders *folders);
unsigned run_flips_verify(const struct folders *folders);
unsigned run_flips_load(const struct folders *folders);

#endif
