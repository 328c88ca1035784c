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

/// Whether an address lies in a heap; `left` is then the number of bytes from it to the heap's end.
bool heaps_contain(const void *address, uint64_t *left);

#endif
