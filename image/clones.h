// SPDX-License-Identifier: MIT
//
// The image's table of functions with several bodies, made from what codegen and lld left.
#ifndef IMAGE_CLONES_H
#define IMAGE_CLONES_H

#include "codegen/codegen.h"
#include "format/linked.h"
#include "image/resolve.h"

struct clone_table {
  const struct codegen_result *code;
  uint32_t *numbers;  // of each of code->clones
  struct disk_clone *clones;
  uint32_t *bodies;
  size_t count, body_count;
};
void clone_table_deinit(struct clone_table *table);

/// Find every body's address in the linked file.
PKGIMG_MUST_USE enum pkgimg_status clone_table_init(struct clone_table *table, const struct codegen_result *code,
                                                    const struct linked *linked, const char *package,
                                                    struct pkgimg_error *error);

/// For resolve(): whether a function of the package is cloned. `context` is the table.
bool clone_table_find(const void *context, const char *name, struct own_clone *clone);

#endif
