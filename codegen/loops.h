// SPDX-License-Identifier: MIT
//
// Loops that a vectoriser may take.
#ifndef CODEGEN_LOOPS_H
#define CODEGEN_LOOPS_H

#include <llvm-c/Types.h>
#include <stdbool.h>

/// Whether a function has an innermost loop that counts, leaves in one place, touches memory or sums
/// up, and calls nothing. A search, a walk along a list and a loop around calls are none. To be
/// asked of a module that has been simplified.
bool has_vector_loop(LLVMValueRef function);

#endif
