// SPDX-License-Identifier: MIT
//
// A module in several objects: simplified once, then parsed again, split off, and emitted for each part
// by itself, in as many threads as there may be.
#ifndef CODEGEN_PARTS_H
#define CODEGEN_PARTS_H

#include "codegen/codegen.h"

PKGIMG_MUST_USE enum pkgimg_status run_parts(const struct codegen_options *options, LLVMModuleRef module,
                                             struct codegen_result *result, struct pkgimg_error *error);

/// The target with this number, or plain x86-64 if none is asked for.
const struct codegen_target *target_of(const struct codegen_options *options, size_t index);

#endif
