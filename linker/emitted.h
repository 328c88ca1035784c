// SPDX-License-Identifier: MIT
//
// What `--emit-relocs` adds to a linked file: the relocations that the linker has applied, and symbols for them.
#ifndef LINKER_EMITTED_H
#define LINKER_EMITTED_H

#include "linker/linker.h"

/// Take the fields from a linked file, then make the file what it is without `--emit-relocs`.
PKGIMG_MUST_USE enum pkgimg_status emitted_take(const char *name, struct buffer *file, struct link_fields *fields,
                                                struct pkgimg_error *error);

#endif
