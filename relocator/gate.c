// SPDX-License-Identifier: MIT
#include "relocator/gate.h"

#include "relocator/tls.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

static struct gate_hold holder;

void gate_set_hold(struct gate_hold hold)
{
  holder = hold;
}

/// A destructor of a thread_local object that waits for its thread to end.
struct pending {
  void (*destroy)(void *object);
  void *object;
  void *handle;
};

static void run_pending(void *argument)
{
  struct pending pending = *(struct pending *)argument;
  free(argument);
  pending.destroy(pending.object);
  if (holder.release)
    holder.release(pending.handle);
}

extern int __cxa_thread_atexit_impl(void (*destroy)(void *), void *object, void *handle);

// glibc keeps a library mapped while such destructors are pending, by its handle; it does not know
// images, so we keep them ourselves and give glibc a handle of our own. Returns non-zero if the
// destructor could not be registered, as the original does.
static int thread_atexit(void (*destroy)(void *), void *object, void *handle)
{
  struct pending *pending = malloc(sizeof *pending);
  if (!pending)
    return -1;
  *pending = (struct pending){destroy, object, handle};
  int failure = __cxa_thread_atexit_impl(run_pending, pending, &holder);
  if (failure)
    free(pending);
  else if (holder.hold)
    holder.hold(handle);
  return failure;
}

static const struct gate_entry *added;

void gate_add(const struct gate_entry *entry)
{
  added = entry;
}

const struct gate_entry *gate_find(const char *name)
{
  static const struct gate_entry entries[] = {
      {"__tls_get_addr", (uint64_t)(uintptr_t)tls_get_addr, NULL},
      {"__cxa_thread_atexit", (uint64_t)(uintptr_t)thread_atexit, NULL},
      {"__cxa_thread_atexit_impl", (uint64_t)(uintptr_t)thread_atexit, NULL},
  };
  for (size_t i = 0; i < sizeof entries / sizeof *entries; i++)
    if (strcmp(name, entries[i].name) == 0)
      return &entries[i];
  if (added && strcmp(name, added->name) == 0)
    return added;
  return gate_find_heap(name);
}
