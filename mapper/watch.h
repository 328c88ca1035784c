// SPDX-License-Identifier: MIT
//
// Seeing which pages of a mapped bundle this process touches.
#ifndef MAPPER_WATCH_H
#define MAPPER_WATCH_H

#include "format/bundle.h"
#include "mapper/mapper.h"

/// From now on a fault of the bundle maps the page that was touched and no other. `watch` is a descriptor; without
/// it everything is as before. Nothing of the bundle may have been touched yet. PKGIMG_UNSUPPORTED: the kernel is
/// too old, or forbids it.
PKGIMG_MUST_USE enum pkgimg_status watch_begin(const struct bundle_header *head, const char *path, int *watch,
                                               struct map_counts *counts, struct pkgimg_error *error);
void watch_end(int watch);

/// Call `take` for each page that is mapped, by its number in the file.
PKGIMG_MUST_USE enum pkgimg_status watch_touched(const struct bundle_header *head, const char *path,
                                                 void (*take)(void *context, uint32_t page), void *context,
                                                 struct pkgimg_error *error);

#endif
