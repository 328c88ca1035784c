// SPDX-License-Identifier: MIT
//
// free and its like, as images call them. A captured object lies in the file: to free it has no effect, to
// make it larger copies it out.
#include "format/heap.h"
#include "relocator/gate.h"
#include "relocator/heaps.h"

#include <errno.h>
#include <malloc.h>
#include <stdlib.h>

// The program may have written over the word in front of an object; never believe more than the heap has.
// Nearer to its beginning than the first object there need not be a word.
static size_t captured_size(const void *object, const struct heaps_place *place)
{
  uint64_t size = place->before < FORMAT_HEAP_FIRST ? 0 : heap_object_at(object).size;
  return size < place->left ? size : place->left;
}

static void gate_free(void *object)
{
  struct heaps_place place;
  if (!heaps_contain(object, &place))
    free(object);
}

static void *copy_out(const void *object, const struct heaps_place *place, size_t size)
{
  size_t old = captured_size(object, place);
  void *copy = size ? malloc(size) : NULL;
  if (copy)
    memcpy(copy, object, old < size ? old : size);
  return copy;
}

static void *gate_realloc(void *object, size_t size)
{
  struct heaps_place place;
  return object && heaps_contain(object, &place) ? copy_out(object, &place, size) : realloc(object, size);
}

static void *gate_reallocarray(void *object, size_t count, size_t size)
{
  size_t bytes;
  if (!__builtin_mul_overflow(count, size, &bytes))
    return gate_realloc(object, bytes);
  errno = ENOMEM;
  return NULL;
}

static size_t gate_usable_size(void *object)
{
  struct heaps_place place;
  return object && heaps_contain(object, &place) ? captured_size(object, &place) : malloc_usable_size(object);
}

// operator delete, in all its forms: (void *), then a size, an alignment, or both, or a tag. The ABI
// passes them in registers that the original may ignore, so one shape does for all.
#define DELETES(X)                                                                                                \
  X(_ZdlPv) X(_ZdlPvm) X(_ZdlPvSt11align_val_t) X(_ZdlPvmSt11align_val_t) X(_ZdlPvRKSt9nothrow_t)                 \
  X(_ZdlPvSt11align_val_tRKSt9nothrow_t)                                                                          \
  X(_ZdaPv) X(_ZdaPvm) X(_ZdaPvSt11align_val_t) X(_ZdaPvmSt11align_val_t) X(_ZdaPvRKSt9nothrow_t)                 \
  X(_ZdaPvSt11align_val_tRKSt9nothrow_t)

#define DELETE_FUNCTION(name)                                                                                     \
  static _Atomic uint64_t original##name;                                                                         \
  static void gate##name(void *object, uint64_t second, uint64_t third)                                           \
  {                                                                                                               \
    struct heaps_place place;                                                                                                \
    uint64_t original = atomic_load_explicit(&original##name, memory_order_relaxed);                              \
    if (!heaps_contain(object, &place))                                                                           \
      ((void (*)(void *, uint64_t, uint64_t))(uintptr_t)original)(object, second, third);                         \
  }
DELETES(DELETE_FUNCTION)

#define DELETE_ENTRY(name) {#name, (uint64_t)(uintptr_t)gate##name, &original##name},

const struct gate_entry *gate_find_heap(const char *name)
{
  static const struct gate_entry entries[] = {
      {"free", (uint64_t)(uintptr_t)gate_free, NULL},
      {"realloc", (uint64_t)(uintptr_t)gate_realloc, NULL},
      {"reallocarray", (uint64_t)(uintptr_t)gate_reallocarray, NULL},
      {"malloc_usable_size", (uint64_t)(uintptr_t)gate_usable_size, NULL},
      DELETES(DELETE_ENTRY)};
  // Nearly every import is something else.
  if (*name != 'f' && *name != 'r' && *name != 'm' && *name != '_')
    return NULL;
  for (size_t i = 0; i < sizeof entries / sizeof *entries; i++)
    if (strcmp(name, entries[i].name) == 0)
      return &entries[i];
  return NULL;
}
