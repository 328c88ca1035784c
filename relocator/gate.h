// SPDX-License-Identifier: MIT
//
// The host functions that images get from us instead: those that must know of images.
#ifndef RELOCATOR_GATE_H
#define RELOCATOR_GATE_H

#include <stdatomic.h>
#include <stdint.h>

/// Our function for an import.
struct gate_entry {
  const char *name;
  uint64_t function;
  _Atomic uint64_t *original;  ///< receives the host's own, which must exist; NULL: it is not needed
};
/// NULL if the host's own is meant.
const struct gate_entry *gate_find(const char *name);

/// Have one more function of the process stand in for a host function, in images that are loaded from now
/// on. `entry` stays valid.
void gate_add(const struct gate_entry *entry);

/// The part of the gate that frees and measures objects (gate_heap.c): captured ones are nobody's to free.
const struct gate_entry *gate_find_heap(const char *name);
/// All of it.
#define GATE_HEAP_COUNT 16
const struct gate_entry *gate_heap_entries(void);

/// Who keeps an image in memory while destructors of its thread_local objects are pending.
/// `handle` is the __dso_handle that the image passed. Set once, before any image is loaded.
struct gate_hold {
  void (*hold)(void *handle);
  void (*release)(void *handle);
};
void gate_set_hold(struct gate_hold hold);

#endif
