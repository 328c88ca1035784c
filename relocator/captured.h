// SPDX-License-Identifier: MIT
//
// Relocation of what was captured: words of L and W that initialisation changed, and the words of H,
// which is done piece by piece while the pieces are in the cache.
#ifndef RELOCATOR_CAPTURED_H
#define RELOCATOR_CAPTURED_H

#include "relocator/relocate.h"

/// Write the captured words of L and W.
PKGIMG_MUST_USE enum pkgimg_status relocate_captured(const struct relocation *relocation, uint64_t *sites,
                                                     struct pkgimg_error *error);

/// A relocation of H in progress.
struct heap_relocation;

/// Begin; NULL when out of memory. `relocation` outlives it.
struct heap_relocation *heap_relocation_begin(const struct relocation *relocation);
/// Write the words of H below byte `end` that are not written yet. `heap` is H in memory.
PKGIMG_MUST_USE enum pkgimg_status heap_relocate_until(struct heap_relocation *work, uint8_t *heap, uint64_t end,
                                                       struct pkgimg_error *error);
/// Check that the bitmaps held what they announced. Frees `work`.
PKGIMG_MUST_USE enum pkgimg_status heap_relocation_end(struct heap_relocation *work, struct pkgimg_error *error);
void heap_relocation_abandon(struct heap_relocation *work);

#endif
