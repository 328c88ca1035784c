// SPDX-License-Identifier: MIT
//
// What is done to a merged module before LLVM optimises it.
#ifndef CODEGEN_PREPARE_H
#define CODEGEN_PREPARE_H

#include "codegen/codegen.h"

/// Decide what stays visible, how host functions are called, and what checks and inlining are
/// asked for. Cannot fail.
void prepare_module(const struct codegen_options *options, LLVMModuleRef module);

/// Whether a function of a module that is not prepared yet will be the image's to offer. Functions that a linker
/// may drop (C++ inline) are not.
bool is_exported_function(const struct codegen_options *options, LLVMValueRef function);

/// Put constructors and destructors where the ELF gABI wants them, into .init_array and .fini_array.
/// To be done last: the optimiser only knows LLVM's own lists.
void place_constructors(LLVMModuleRef module);

#endif
