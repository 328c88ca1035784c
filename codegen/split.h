// SPDX-License-Identifier: MIT
//
// The part of a module that one object holds: the bodies of one target, or everything else.
#ifndef CODEGEN_SPLIT_H
#define CODEGEN_SPLIT_H

#include "codegen/codegen.h"

/// Give everything local a name that other objects can refer to, hidden from everybody else. To be
/// done once, before the module is parsed again for each part.
void split_prepare(LLVMModuleRef module);

/// The part that holds what is not cloned, and all data.
#define SPLIT_REST (~0u)

/// Reduce a module to one part.
void split_module(LLVMModuleRef module, const struct codegen_result *result, unsigned part);

/// Compile every function that has no target of its own for this one, and answer the module's
/// questions about the processor.
void set_target(LLVMModuleRef module, const struct codegen_target *target);

#endif
