// SPDX-License-Identifier: MIT
//
// The processor that the functions of a module are compiled for.
#ifndef CODEGEN_TARGET_H
#define CODEGEN_TARGET_H

#include "codegen/codegen.h"

/// Mark the functions whose source asks for features, __attribute__((target("avx2"))): they keep them.
void mark_own_targets(LLVMModuleRef module);

/// Compile every other function for this target, and answer the module's questions about the processor.
void set_target(LLVMModuleRef module, const struct codegen_target *target);

#endif
