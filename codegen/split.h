// SPDX-License-Identifier: MIT
//
// The part of a module that one object holds: bodies of one target, or of everything else.
#ifndef CODEGEN_SPLIT_H
#define CODEGEN_SPLIT_H

#include "codegen/shards.h"

/// Give everything local a name that other objects can refer to, hidden from everybody else. To be
/// done once, before the module is parsed again for each part.
void split_prepare(LLVMModuleRef module);

/// Reduce a module to one part.
void split_module(LLVMModuleRef module, const struct codegen_result *result, const struct part *part);

#endif
