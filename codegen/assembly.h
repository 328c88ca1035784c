// SPDX-License-Identifier: MIT
//
// File-level assembly: text that names symbols, which LLVM does not read.
#ifndef CODEGEN_ASSEMBLY_H
#define CODEGEN_ASSEMBLY_H

#include <llvm-c/Types.h>
#include <stdbool.h>

/// Whether a function must be in the object that holds the module's assembly, and only there: the
/// assembly has its name, or that of a symbol which the function uses. (A `.symver` changes what a
/// name stands for in one object.)
bool is_bound_to_assembly(LLVMModuleRef module, LLVMValueRef function);

/// Whether a constant is, or holds the address of, something that the assembly names.
bool is_in_assembly(LLVMModuleRef module, LLVMValueRef constant);

#endif
