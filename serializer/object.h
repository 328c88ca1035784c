// SPDX-License-Identifier: MIT
//
// Objects: pieces that overlap, together. Each gets a place in H; what has no pointers lies behind all that has,
// on pages of its own, which a load never writes.
#ifndef SERIALIZER_OBJECT_H
#define SERIALIZER_OBJECT_H

#include "serializer/walk.h"

struct object {
  uint64_t address, size;
  uint64_t offset;   ///< in H
  uint32_t first;    ///< the piece of it that the walk came to first
  uint32_t largest;  ///< the piece that holds all others of it
  uint32_t alignment;
  bool has_pointers;
};

struct objects {
  struct object *items;  ///< ascending by address
  size_t count;
  uint64_t heap_size;  ///< whole pages
};
void objects_deinit(struct objects *objects);

/// Make objects of all pieces; these then know theirs.
PKGIMG_MUST_USE enum pkgimg_status objects_make(struct walk *walk, struct objects *objects);

/// Write the words in front of objects, and of the gaps between them, into H.
void objects_head(const struct walk *walk, const struct objects *objects, uint8_t *heap);

/// The object that holds an address, or that ends there; NULL if there is none.
const struct object *objects_find(const struct objects *objects, uint64_t address);

#endif
