// SPDX-License-Identifier: MIT
//
// The C face of lld. One link at a time in a process: lld keeps its state in globals.
#ifndef LINKER_LLD_H
#define LINKER_LLD_H

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

struct lld_result {
  int code;       ///< 0: linked
  bool reusable;  ///< lld may be called again in this process
};

/// Run lld with these arguments, the program's name first ("ld.lld", "ld64.lld", "lld-link").
/// What it says is handed to `report`, once, if it says anything.
struct lld_result lld_run(const char *const *arguments, size_t count,
                          void (*report)(void *context, const char *text, size_t size), void *context);

#ifdef __cplusplus
}
#endif
#endif
