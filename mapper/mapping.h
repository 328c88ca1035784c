// SPDX-License-Identifier: MIT
//
// What the files of this folder share.
#ifndef MAPPER_MAPPING_H
#define MAPPER_MAPPING_H

#include "base/error.h"

/// The failure of an mmap that may not replace what is there: PKGIMG_BUSY if something was.
enum pkgimg_status fail_mapping(const char *file, struct pkgimg_error *error);

#endif
