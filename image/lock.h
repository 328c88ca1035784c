// SPDX-License-Identifier: MIT
//
// One lock for the process, as ld.so has one: images of all runtimes share the host's symbols, its unwinder and its
// lists of destructors.
#ifndef IMAGE_LOCK_H
#define IMAGE_LOCK_H

#include "base/error.h"

/// Who has it may take it again: constructors load images.
int lock_take(void);
void lock_release(int *taken);

/// Hold it to the end of the block.
#define LOCKED __attribute__((unused)) int locked AUTO(lock_release) = lock_take()

#endif
