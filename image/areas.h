// SPDX-License-Identifier: MIT
//
// Areas as the public API describes them.
#ifndef IMAGE_AREAS_H
#define IMAGE_AREAS_H

#include "format/layout.h"

#include <pkgimg/pkgimg.h>

/// Describe all areas of a geometry; `base` is added to addresses as linked.
void areas_describe(const struct disk_geometry *geometry, uint64_t base, struct pkgimg_area areas[AREA_COUNT]);

#endif
