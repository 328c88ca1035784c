// SPDX-License-Identifier: MIT
//
// From names of files to LLVM modules: which files are meant, and clang for those that need it.
#ifndef IMAGE_SOURCES_H
#define IMAGE_SOURCES_H

#include "base/array.h"

#include <llvm-c/Types.h>
#include <pkgimg/build.h>

/// Replace folders by the sources in them, sorted by name; refuse a file of an unknown kind. The
/// results are relative to options->folder, as the arguments are.
PKGIMG_MUST_USE enum pkgimg_status sources_list(const struct pkgimg_build_options *options,
                                                const char *const *files, size_t count,
                                                struct string_list *sources, struct pkgimg_error *error);

/// Compile or parse every source; `modules` has room for sources->count. After a failure the
/// modules that were made are disposed of.
PKGIMG_MUST_USE enum pkgimg_status sources_compile(const struct pkgimg_build_options *options,
                                                   const struct string_list *sources, LLVMContextRef context,
                                                   LLVMModuleRef *modules, struct pkgimg_error *error);

#endif
