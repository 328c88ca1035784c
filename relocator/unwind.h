// SPDX-License-Identifier: MIT
//
// Telling the host's unwinder (libgcc_s) of the call frames of images, so that exceptions cross
// them. The caller holds the loader's lock.
#ifndef RELOCATOR_UNWIND_H
#define RELOCATOR_UNWIND_H

#include <stdbool.h>
#include <stdint.h>

/// Whether the process has an unwinder to tell; without one there are no exceptions either.
bool unwind_available(void);

/// Register the .eh_frame at `frames`, which ends with a zero word; `object` is storage for the
/// unwinder that stays until unwind_remove.
struct unwind_object {
  void *storage[8];
};
void unwind_add(const void *frames, struct unwind_object *object);
/// The same for many at once: an array of addresses that ends with a 0.
void unwind_add_many(const uint64_t *frames, struct unwind_object *object);
void unwind_remove(const void *frames);

#endif
