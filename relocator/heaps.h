// SPDX-License-Identifier: MIT
//
// Where the captured heaps of all images lie, so that free and its like tell captured objects from
// others. Adding and removing are done with the loader's lock held; asking takes no lock.
#ifndef RELOCATOR_HEAPS_H
#define RELOCATOR_HEAPS_H

#include "base/error.h"

#include <stdbool.h>

PKGIMG_MUST_USE enum pkgimg_status heaps_add(const void *start, uint64_t size, struct pkgimg_error *error);
/// NULL is allowed.
void heaps_remove(const void *start);

/// Bytes of a heap before an address, and from it on.
struct heaps_place {
  uint64_t before, left;
};

/// Whether an address lies in a heap; `place` is then where.
bool heaps_contain(const void *address, struct heaps_place *place);

#endif
