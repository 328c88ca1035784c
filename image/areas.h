// SPDX-License-Identifier: MIT
//
// Areas as the public API describes them.
#ifndef IMAGE_AREAS_H
#define IMAGE_AREAS_H

#include "format/layout.h"

#include <pkgimg/pkgimg.h>

/// Describe all areas of a geometry, to whose addresses `base` is added, and the heap, which has one of its own.
void areas_describe(const struct disk_geometry *geometry, uint64_t base, const struct disk_area *heap,
                    struct pkgimg_area areas[PKGIMG_AREA_COUNT]);

#endif
