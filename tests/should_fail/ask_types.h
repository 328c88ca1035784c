// SPDX-License-Identifier: MIT
//
// Ask a runtime all that there is to ask about the types and methods that the tests' packages state.
#ifndef SHOULD_FAIL_ASK_TYPES_H
#define SHOULD_FAIL_ASK_TYPES_H

#include <pkgimg/pkgimg.h>
#include <pkgimg/types.h>

void ask_types(struct pkgimg_runtime *runtime);

#endif
