// SPDX-License-Identifier: MIT
//
// Where code still reads words of L, among the fields that asked the linker for one.
#ifndef IMAGE_ACCESSES_H
#define IMAGE_ACCESSES_H

#include "image/resolve.h"
#include "linker/linker.h"

/// Offsets in X, ascending.
struct access_list {
  uint32_t *items;
  size_t count;
};
void access_list_deinit(struct access_list *list);

/// Those that read a word of some set, so that its value is known when it is bound.
PKGIMG_MUST_USE enum pkgimg_status access_list_init(struct access_list *list, const struct linked *linked,
                                                    const struct link_fields *fields,
                                                    const struct resolution *resolution,
                                                    struct pkgimg_error *error);

#endif
