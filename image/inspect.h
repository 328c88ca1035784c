// SPDX-License-Identifier: MIT
//
// What inspections of images and of bundles share.
#ifndef IMAGE_INSPECT_H
#define IMAGE_INSPECT_H

#include "base/array.h"

#include <pkgimg/inspect.h>

/// Read a whole file that begins as an image or a bundle does.
PKGIMG_MUST_USE enum pkgimg_status inspect_read(const char *path, struct buffer *bytes,
                                                struct pkgimg_error *error);

/// "function", "object", ... for a type of symbols.
const char *inspect_kind(unsigned type);

#endif
