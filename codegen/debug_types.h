// SPDX-License-Identifier: MIT
//
// Records of types and methods from a module's debug information: a method for each exported function, and the
// types that these reach.
#ifndef CODEGEN_DEBUG_TYPES_H
#define CODEGEN_DEBUG_TYPES_H

#include "codegen/codegen.h"

/// `stated` are the records that stand in the sources: they, and options->declared, are preferred. The code of
/// each method goes to `code`, from malloc. Both stay empty for a module without debug information.
PKGIMG_MUST_USE enum pkgimg_status debug_types_take(const struct codegen_options *options, LLVMModuleRef module,
                                                    const struct codegen_records *stated,
                                                    struct codegen_records *records, LLVMValueRef **code,
                                                    struct pkgimg_error *error);

#endif
