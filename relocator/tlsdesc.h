// SPDX-License-Identifier: MIT
//
// The meeting point of tls.c and tlsdesc.S.
#ifndef RELOCATOR_TLSDESC_H
#define RELOCATOR_TLSDESC_H

#include <stddef.h>
#include <stdint.h>

struct tls_blocks {
  void **items;
  size_t count;
};
extern _Thread_local struct tls_blocks tls_blocks __attribute__((visibility("hidden")));

/// The block of a module for the calling thread, made now. Called where the fast path ends.
void *tls_make_block(uint64_t module) __attribute__((visibility("hidden")));

/// The function of a TLS descriptor. It has a calling convention of its own: the descriptor's
/// address in %rax, the result (an offset from the thread pointer) in %rax, all else preserved.
void tlsdesc_resolve(void) __attribute__((visibility("hidden")));

#endif
