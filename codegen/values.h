// SPDX-License-Identifier: MIT
//
// What several files here ask of LLVM's values: names, calls, attributes of functions.
#ifndef CODEGEN_VALUES_H
#define CODEGEN_VALUES_H

#include <llvm-c/Types.h>
#include <stdbool.h>

/// Empty if it has none.
const char *name_of(LLVMValueRef value);
bool begins_with(const char *text, const char *start);

/// Whether nothing outside of its module can refer to it by its name.
bool is_local(LLVMValueRef value);

bool is_direct_call(LLVMValueRef user, LLVMValueRef callee);

/// The name of the function that is called; empty if it is not known.
const char *callee_name(LLVMValueRef call);

/// LLVM's own attributes of a function, and those that are any text.
bool has_attribute(LLVMValueRef function, const char *name);
void add_attribute(LLVMValueRef function, const char *name);
bool has_string_attribute(LLVMValueRef function, const char *name);
void add_string_attribute(LLVMValueRef function, const char *name, const char *value);

#endif
