// SPDX-License-Identifier: MIT
#include "relocator/unwind.h"

#include "format/symbols.h"
#include "relocator/host.h"

#include <dlfcn.h>
#include <stddef.h>

// libgcc's unwind-dw2-fde.h: struct object is six words; ours has room to spare.
static struct {
  void (*add)(const void *frames, void *object);
  void (*add_many)(const void *frames, void *object);
  void *(*remove)(const void *frames);
} unwinder;

static uint64_t find(const char *name)
{
  struct host_query query = {
      .name = name, .version = "", .hash = gnu_hash(name), .run_code = true, .anywhere = true};
  struct host_symbol symbol;
  uint64_t lookups = 0;
  return host_find(&query, &symbol, &lookups) ? symbol.value : 0;
}

bool unwind_available(void)
{
  static unsigned long long asked = -1ull;
  if (unwinder.add || asked == host_generation())
    return unwinder.add != NULL;
  asked = host_generation();
  uint64_t add = find("__register_frame_info"), remove = add ? find("__deregister_frame_info") : 0;
  uint64_t add_many = remove ? find("__register_frame_info_table") : 0;
  if (!add_many)
    return false;
  // Whoever brought it must not take it away again while images rely on it. (Never closed.)
  dlopen("libgcc_s.so.1", RTLD_NOW | RTLD_NOLOAD);
  unwinder.remove = (void *(*)(const void *))(uintptr_t)remove;
  unwinder.add_many = (void (*)(const void *, void *))(uintptr_t)add_many;
  unwinder.add = (void (*)(const void *, void *))(uintptr_t)add;
  return true;
}

void unwind_add(const void *frames, struct unwind_object *object)
{
  unwinder.add(frames, object);
}

void unwind_add_many(const uint64_t *frames, struct unwind_object *object)
{
  unwinder.add_many(frames, object);
}

void unwind_remove(const void *frames)
{
  unwinder.remove(frames);
}
