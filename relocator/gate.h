// SPDX-License-Identifier: MIT
//
// The host functions that images get from us instead: those that must know of images.
#ifndef RELOCATOR_GATE_H
#define RELOCATOR_GATE_H

#include <stdint.h>

/// The address of our function for this import, 0 if the host's own is meant.
uint64_t gate_find(const char *name);

/// Who keeps an image in memory while destructors of its thread_local objects are pending.
/// `handle` is the __dso_handle that the image passed. Set once, before any image is loaded.
struct gate_hold {
  void (*hold)(void *handle);
  void (*release)(void *handle);
};
void gate_set_hold(struct gate_hold hold);

#endif
