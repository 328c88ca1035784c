// SPDX-License-Identifier: MIT
//
// A target string, as LLVM and as the image's tables want it.
#ifndef IMAGE_TARGETS_H
#define IMAGE_TARGETS_H

#include "codegen/codegen.h"
#include "format/writer.h"

#include <pkgimg/build.h>

/// Zero-initialise it. No target: plain x86-64, of which the image says nothing.
struct target_list {
  size_t count;
  struct codegen_target code[CODEGEN_MAX_TARGETS];
  struct writer_target tables[CODEGEN_MAX_TARGETS];
  struct string_list strings;  // what the two point to
};
void target_list_deinit(struct target_list *list);

/// Take options->cpu_target, or the environment's.
PKGIMG_MUST_USE enum pkgimg_status targets_parse(const struct pkgimg_build_options *options,
                                                 struct target_list *list, struct pkgimg_error *error);

#endif
