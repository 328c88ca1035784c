// SPDX-License-Identifier: MIT
//
// Records of <pkgimg/types.h> in a module. They are for the build alone, so they leave the module before it is
// compiled: each type's record becomes a word that a load fills, each method's record the word with its code's
// address. Two arrays, `pkgimg_types` and `pkgimg_methods` (sections of this name), hold these words.
#ifndef CODEGEN_RECORDS_H
#define CODEGEN_RECORDS_H

#include "codegen/codegen.h"

/// Take the records out of a merged module, into result->records, and add the words; those of options->declared
/// come after those of the module, and methods of debug information last.
PKGIMG_MUST_USE enum pkgimg_status records_take(const struct codegen_options *options, LLVMModuleRef module,
                                                struct codegen_result *result, struct pkgimg_error *error);
void records_deinit(struct codegen_records *records);

#endif
