// SPDX-License-Identifier: MIT
//
// LLVM: modules -> one optimised object. Knows nothing of files, images or the linker.
#ifndef CODEGEN_CODEGEN_H
#define CODEGEN_CODEGEN_H

#include "base/array.h"
#include "base/reader.h"

#include <llvm-c/Types.h>

enum codegen_check_bounds { CODEGEN_CHECK_AUTO, CODEGEN_CHECK_YES, CODEGEN_CHECK_NO };
enum codegen_product { CODEGEN_OBJECT, CODEGEN_BITCODE, CODEGEN_ASSEMBLY };

struct codegen_options {
  const char *name;            ///< becomes the module's identity, whatever its sources were called
  const char *const *exports;  ///< globs; none: every symbol of default visibility stays exported
  size_t export_count;
  const char *keep;   ///< a function that stays exported whatever the globs say; may be NULL
  unsigned optimize;  ///< 0 to 3
  bool inline_functions;
  enum codegen_check_bounds check_bounds;
  enum codegen_product product;
};

/// Parse IR or bitcode. `bytes` need not end with a NUL. The module belongs to the context.
PKGIMG_MUST_USE enum pkgimg_status codegen_parse(LLVMContextRef context, const char *file, struct span bytes,
                                                 LLVMModuleRef *module, struct pkgimg_error *error);

/// Merge the modules (consumed, whatever the result), optimise, and emit. They all live in one
/// context, which one thread uses at a time; contexts are independent of each other.
PKGIMG_MUST_USE enum pkgimg_status codegen_run(const struct codegen_options *options, LLVMModuleRef const *modules,
                                               size_t count, struct buffer *product, struct pkgimg_error *error);

#endif
