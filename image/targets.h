// SPDX-License-Identifier: MIT
//
// A target string, as LLVM and as the image's tables want it.
#ifndef IMAGE_TARGETS_H
#define IMAGE_TARGETS_H

#include "codegen/codegen.h"
#include "format/writer.h"
#include "image/deps.h"

#include <pkgimg/build.h>

/// Zero-initialise it. No target: plain x86-64, of which the image says nothing.
struct target_list {
  size_t count;
  struct codegen_target code[CODEGEN_MAX_TARGETS];
  struct writer_target tables[CODEGEN_MAX_TARGETS];
  struct string_list strings;  // what the two point to
  struct buffer text;          // all of them as a canonical target string
};
void target_list_deinit(struct target_list *list);

/// Take options->cpu_target, or the environment's. `sysimage` in it is replaced by what that image was built for;
/// a baseline that exceeds its is refused.
PKGIMG_MUST_USE enum pkgimg_status targets_parse(const struct pkgimg_build_options *options,
                                                 const struct dep *sysimage, struct target_list *list,
                                                 struct pkgimg_error *error);

#endif
