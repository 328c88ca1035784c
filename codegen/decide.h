// SPDX-License-Identifier: MIT
//
// Which functions of a simplified module deserve bodies of their own for which targets.
#ifndef CODEGEN_DECIDE_H
#define CODEGEN_DECIDE_H

#include "codegen/codegen.h"

/// Fill result->clones from the module's functions. Every function that is to be cloned gets a name
/// if it has none.
PKGIMG_MUST_USE enum pkgimg_status decide_clones(const struct codegen_options *options, LLVMModuleRef module,
                                                 struct codegen_result *result, struct pkgimg_error *error);

/// The clone with this name, NULL if the function has one body.
const struct codegen_clone *find_clone(const struct codegen_result *result, const char *name);

#endif
