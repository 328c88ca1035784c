// SPDX-License-Identifier: MIT
//
// What an inspection tells of captured data, and of bitmaps of sites.
#ifndef IMAGE_INSPECT_CAPTURED_H
#define IMAGE_INSPECT_CAPTURED_H

#include "image/inspection.h"

/// Fill the captured half of the summary.
PKGIMG_MUST_USE enum pkgimg_status inspect_captured(struct pkgimg_inspection *inspection,
                                                    struct pkgimg_error *error);

/// Describe a bitmap that was checked.
struct pkgimg_site_set inspect_set(struct span bitmap, uint32_t universe, uint64_t count, const char *target);

/// Copy up to `capacity` ids, from the `first`-th on; returns how many.
size_t inspect_ids(struct span bitmap, uint32_t universe, uint64_t first, uint64_t *ids, size_t capacity);

#endif
