// SPDX-License-Identifier: MIT
//
// Types and methods that a package states, from the records of <pkgimg/types.h> in the linked file to the block
// of format/types.h.
#ifndef SERIALIZER_TYPES_H
#define SERIALIZER_TYPES_H

#include "base/array.h"
#include "format/linked.h"
#include "format/types.h"
#include "format/writer.h"

/// Make the block; it stays empty if the package has no records. `words` is the linked file with the words at
/// all sites filled in, `own` the set of those that point into the package itself.
PKGIMG_MUST_USE enum pkgimg_status types_collect(const char *package, const struct linked *linked, struct span words,
                                                 const struct writer_sites *own, struct buffer *block,
                                                 struct pkgimg_error *error);

#endif
