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
};

/// Make the block; it stays empty if there are no records. The sections `pkgimg_types` and `pkgimg_methods` of the
/// linked file hold one word for each record, in the same order.
PKGIMG_MUST_USE enum pkgimg_status types_collect(const char *package, const struct linked *linked,
                                                 const struct type_source *sources, size_t source_count,
                                                 struct buffer *block, struct pkgimg_error *error);

#endif
