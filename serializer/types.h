// SPDX-License-Identifier: MIT
//
// Types and methods that a package states, from records of <pkgimg/types.h> to the block of format/types.h.
#ifndef SERIALIZER_TYPES_H
#define SERIALIZER_TYPES_H

#include "base/array.h"
#include "format/linked.h"
#include "format/types.h"

/// Records from one place; they may refer to those of another.
struct type_source {
  const struct pkgimg_type_record *types;
  const struct pkgimg_method_record *methods;
  size_t type_count, method_count;
  bool wordless;  ///< no code asks for the address of these types; such sources come last
};

/// The two blocks of format/types.h; both are empty if there are no records.
struct type_blocks {
  struct buffer descriptions;  ///< for `.pkgimg.types`
  struct buffer table;
};
void type_blocks_deinit(struct type_blocks *blocks);

/// Make both, before the link.
PKGIMG_MUST_USE enum pkgimg_status types_collect(const char *package, const struct type_source *sources,
                                                 size_t source_count, struct type_blocks *blocks,
                                                 struct pkgimg_error *error);

/// After it: enter where the linker put things into the table, and copy the descriptions into `words`, the linked
/// file. Its sections `pkgimg_types` and `pkgimg_methods` hold one word for each record, in the order of these
/// (for types of wordless sources none).
PKGIMG_MUST_USE enum pkgimg_status types_place(const char *package, struct type_blocks *blocks,
                                               const struct linked *linked, struct buffer *words,
                                               struct pkgimg_error *error);

#endif
