// SPDX-License-Identifier: MIT
//
// What a runtime has of types and functions as a whole: its beginning and end, and the homes of types by index.
#include "image/types.h"

#include "image/runtime.h"

#include <stdlib.h>

void world_init(struct type_world *world)
{
  world->lock = (pthread_rwlock_t)PTHREAD_RWLOCK_INITIALIZER;
  world->unused = 1;
  world->origin.world = world;
  world->chunk_limit = WORLD_CHUNKS;
}

static void function_destroy(struct pkgimg_function *function)
{
  for (struct dispatch_cache *cache = function->cache, *older; cache; cache = older) {
    older = cache->outgrown;
    free(cache);
  }
  free(function->methods);
  free(function->exact.places);
  free(function);
}

void world_deinit(struct type_world *world)
{
  for (struct pkgimg_function *function = world->first_function, *next; function; function = next) {
    next = function->next;
    function_destroy(function);
  }
  for (struct function_table *table = world->functions, *older; table; table = older) {
    older = table->outgrown;
    free(table);
  }
  for (size_t i = 0; world->chunks && world->chunks[i]; i++)
    free(world->chunks[i]);
  for (struct home_table *table = world->homes, *older; table; table = older) {
    older = table->outgrown;
    free(table);
  }
  free(world->chunks);
  free(world->entries);
  free(world->by_name);
  pthread_rwlock_destroy(&world->lock);
}

// ---- homes

// Who reads the outgrown table finds there what it may ask for.
static enum pkgimg_status make_homes(struct type_world *world, struct pkgimg_error *error)
{
  struct home_table *old = world->homes;
  uint32_t capacity = old ? 2 * old->capacity : 64;
  if (old && 2 * (world->home_count + 1) <= old->capacity)
    return PKGIMG_OK;
  if (capacity > 1u << HOME_BITS)
    return fail(error, PKGIMG_UNSUPPORTED, NULL, "more than %u images with types in a runtime",
                1u << (HOME_BITS - 1));
  struct home_table *table = calloc(1, sizeof *table + capacity * sizeof *table->homes);
  if (!table)
    return fail_memory(error, capacity * sizeof *table->homes);
  for (uint32_t i = 0; old && i < old->capacity; i++)
    atomic_init(&table->homes[i], old->homes[i]);
  table->capacity = capacity;
  table->outgrown = old;
  atomic_store_explicit(&world->homes, table, memory_order_release);
  return PKGIMG_OK;
}

enum pkgimg_status home_enter(struct type_world *world, struct type_home *home, struct pkgimg_error *error)
{
  TRY(make_homes(world, error));
  uint32_t mask = world->homes->capacity - 1, index = world->home_hint & mask;
  while (index == 0 || world->homes->homes[index])
    index = (index + 1) & mask;
  home->index = index;
  world->home_hint = index + 1;
  world->home_count++;
  atomic_store_explicit(&world->homes->homes[index], home, memory_order_release);
  return PKGIMG_OK;
}

void home_destroy(struct type_home *home)
{
  struct type_world *world = home->world;
  if (home->index) {
    atomic_store_explicit(&world->homes->homes[home->index], NULL, memory_order_relaxed);
    world->home_count--;
  }
  free((void *)(uintptr_t)home->copied);
  free(home);
}
