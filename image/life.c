// SPDX-License-Identifier: MIT
//
// What happens to an image after it is relocated: constructors, initialisation, destructors, and
// its end. The order is the System V gABI's: dependencies are constructed before their dependents
// and destroyed after them.
#include "image/bundle.h"
#include "image/runtime.h"
#include "mapper/heap.h"
#include "relocator/heaps.h"
#include "relocator/tls.h"

#include <stdlib.h>

extern int __cxa_atexit(void (*function)(void *), void *argument, void *handle);
extern void __cxa_finalize(void *handle);

extern char **environ;

static void *handle_of(const struct pkgimg_image *image)
{
  return (void *)(image_base(image) + image->handle);
}

static void *const *array_of(const struct pkgimg_image *image, const struct disk_region *region)
{
  return (void *const *)(image_base(image) + region->address);
}

// ---- unwinding

// The process may get its unwinder (with its first C++ library) after images have been loaded.
static void make_unwindable(struct pkgimg_runtime *runtime)
{
  if (!runs_code(runtime) || !unwind_available())
    return;
  bundles_make_unwindable(runtime);
  for (struct pkgimg_image *image = runtime->last; image && !image->unwind_known; image = image->previous) {
    image->unwind_known = true;
    if (image->unwind.count)
      unwind_add((const void *)(image_base(image) + image->unwind.address), &image->unwind_object);
  }
}

// ---- constructors

static void run_fini(void *argument)
{
  const struct pkgimg_image *image = argument;
  void *const *functions = array_of(image, &image->fini_array);
  for (uint64_t i = image->fini_array.count; i > 0; i--)
    ((void (*)(void))(uintptr_t)functions[i - 1])();
}

// glibc hands the program's arguments to the constructors of every library, so to ours.
static struct {
  int count;
  char **items;
} arguments;

__attribute__((constructor)) static void keep_arguments(int count, char **items)
{
  arguments.count = count;
  arguments.items = items;
}

void image_construct(const struct pkgimg_image *image)
{
  make_unwindable(image->runtime);
  void *const *functions = array_of(image, &image->init_array);
  for (uint64_t i = 0; i < image->init_array.count; i++)
    ((void (*)(int, char **, char **))(uintptr_t)functions[i])(arguments.count, arguments.items, environ);
}

static uint64_t host_function(const char *name)
{
  struct host_symbol symbol = {0};
  struct host_query query = {.name = name, .version = "", .hash = gnu_hash(name), .type = STT_FUNC, .anywhere = true};
  uint64_t lookups = 0;
  return host_find(&query, &symbol, &lookups) ? symbol.value : 0;
}

// The constructors of a captured image ran when it was built; what they wanted to happen at the end is
// registered in each process. One of them has its effect in the host: the first ios_base::Init of a process makes
// std::cout and the like, and the last one's end flushes them.
static void repeat_exits(const struct pkgimg_image *image)
{
  const struct disk_exit *exits = (const struct disk_exit *)image_address(image, image->exits.address);
  uint64_t count = image->exits.count;
  uint64_t streams_end = count ? host_function("_ZNSt8ios_base4InitD1Ev") : 0;
  uint64_t streams_begin = streams_end ? host_function("_ZNSt8ios_base4InitC1Ev") : 0;
  for (uint64_t i = 0; i < count; i++) {
    if (streams_begin && exits[i].function == streams_end)
      ((void (*)(void *))(uintptr_t)streams_begin)((void *)exits[i].argument);
    __cxa_atexit((void (*)(void *))exits[i].function, (void *)exits[i].argument, (void *)exits[i].handle);
  }
}

// Destructors are registered before constructors run, so that they run after whatever these
// register themselves. The same call serves the end of the process and the end of the image.
static void start(struct pkgimg_image *image)
{
  image->started = true;
  if (image->fini_array.count)
    __cxa_atexit(run_fini, image, handle_of(image));
  if (image->captured)
    repeat_exits(image);
  else
    image_construct(image);
}

void images_start(struct pkgimg_image *fresh)
{
  if (!fresh)
    return;
  make_unwindable(fresh->runtime);
  if (!runs_code(fresh->runtime))
    return;
  // A constructor may load more images; those are started by their own load.
  for (struct pkgimg_image *image = fresh; image; image = image->next)
    if (!image->started)
      start(image);
}

void image_initialise(struct pkgimg_image *image)
{
  if (image->initialised || !runs_code(image->runtime))
    return;
  if (image->bundle) {
    bundle_initialise(image);
    return;
  }
  image->initialised = true;
  for (uint32_t i = 0; i < image->dependency_count; i++)
    image_initialise(image->dependencies[i]);
  if (image->init_function)
    ((void (*)(void))(uintptr_t)(image_base(image) + image->init_function))();
}

// ---- the end

// What an image of its own holds; one of a bundle only borrows.
static void give_back(struct pkgimg_image *image)
{
  if (image->mapped)
    image_unmap(&image->geometry, &image->slot);
  heaps_remove(image->heap);
  heap_unmap(image->heap, image->heap_room);
  slot_release(&image->slot);
  free(image->clone_bodies);
  free(image->clone_symbols);
}

void image_destroy(struct pkgimg_image *image)
{
  types_drop(image);
  if (image->bundle) {
    image->bundle->active[image->number / 64] &= ~(1ull << image->number % 64);
    image->bundle->active_count--;
    bundle_types_drop(image->bundle, image->number);
  }
  if (image->unwind_known && image->unwind.count && !image->bundle)
    unwind_remove((const void *)(image_base(image) + image->unwind.address));
  tls_module_destroy(image->tls_module);
  if (!image->bundle)
    give_back(image);
  index_remove(image);
  image->runtime->stats.symbols_relocated -= image->symbol_count;
  free(image->dependencies);
  roots_deinit(image);
  free(image->baseline_target);
  free(image->name);
  free(image->path);
  free(image);
}

static void end(struct pkgimg_image *image)
{
  struct pkgimg_image **dependencies = image->dependencies;
  uint32_t count = image->dependency_count;
  image->dependencies = NULL;
  image_destroy(image);
  for (uint32_t i = count; i > 0; i--) {
    dependencies[i - 1]->dependents--;
    image_end_if_unused(dependencies[i - 1]);
  }
  free(dependencies);
}

// An unused image is finalised at once. Its memory goes when no thread will run its destructors any
// more. (A destructor may have loaded the image again meanwhile: then it stays.)
void image_end_if_unused(struct pkgimg_image *image)
{
  if (image->users || image->dependents || image->bundle)  // a bundle stays until the runtime ends
    return;
  if (image->started && !image->finalised) {
    image->finalised = true;
    methods_withdraw(image);
    __cxa_finalize(handle_of(image));
  }
  if (!image->users && !image->dependents && image->pending_at_exit == 0)
    end(image);
}
