// SPDX-License-Identifier: MIT
//
// Functions by name, and the methods that images add to them.
#include "image/types.h"

#include "base/hash.h"
#include "image/runtime.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// ---- functions

static struct pkgimg_function *find_hashed(struct type_world *world, const char *name, uint64_t hash)
{
  struct function_table *table = atomic_load_explicit(&world->functions, memory_order_acquire);
  for (size_t at = hash; table; at++) {
    struct pkgimg_function *function =
        atomic_load_explicit(&table->places[at & (table->capacity - 1)], memory_order_acquire);
    if (!function || (function->hash == hash && strcmp(function->name, name) == 0))
      return function;
  }
  return NULL;
}

struct pkgimg_function *function_find(struct type_world *world, const char *name)
{
  return find_hashed(world, name, hash64(name, strlen(name)));
}

static void place_function(struct function_table *table, struct pkgimg_function *function)
{
  size_t at = function->hash & (table->capacity - 1);
  while (atomic_load_explicit(&table->places[at], memory_order_relaxed))
    at = (at + 1) & (table->capacity - 1);
  atomic_store_explicit(&table->places[at], function, memory_order_release);
  table->used++;
}

static enum pkgimg_status make_function_table(struct type_world *world, struct pkgimg_error *error)
{
  struct function_table *old = world->functions;
  if (old && 2 * (old->used + 1) <= old->capacity)
    return PKGIMG_OK;
  size_t capacity = old ? 2 * old->capacity : 64, size = sizeof *old + capacity * sizeof(struct pkgimg_function *);
  struct function_table *table = calloc(1, size);
  if (!table)
    return fail_memory(error, size);
  table->capacity = capacity;
  table->outgrown = old;
  for (struct pkgimg_function *function = world->first_function; function; function = function->next)
    place_function(table, function);
  atomic_store_explicit(&world->functions, table, memory_order_release);
  return PKGIMG_OK;
}

// The caller holds the world's lock for writing.
static enum pkgimg_status function_of(struct type_world *world, const char *name, struct pkgimg_function **result,
                                      struct pkgimg_error *error)
{
  size_t length = strlen(name);
  uint64_t hash = hash64(name, length);
  *result = find_hashed(world, name, hash);
  if (*result)
    return PKGIMG_OK;
  TRY(make_function_table(world, error));
  struct pkgimg_function *function = calloc(1, sizeof *function + length + 1);
  if (!function)
    return fail_memory(error, sizeof *function + length + 1);
  function->world = world;
  function->hash = hash;
  memcpy(function->name, name, length + 1);
  function->next = world->first_function;
  world->first_function = *result = function;
  place_function(world->functions, function);
  return PKGIMG_OK;
}

struct pkgimg_function *pkgimg_function(struct pkgimg_runtime *runtime, const char *name)
{
  struct type_world *world = &runtime->world;
  struct pkgimg_function *function = function_find(world, name);
  if (function)
    return function;
  pthread_rwlock_wrlock(&world->lock);
  enum pkgimg_status status = function_of(world, name, &function, NULL);
  pthread_rwlock_unlock(&world->lock);
  return status == PKGIMG_OK ? function : NULL;
}

// ---- methods by their exact arguments

uint64_t signature_hash(const struct pkgimg_type *const *types, size_t count)
{
  uint64_t hash = count;
  for (size_t i = 0; i < count; i++)
    hash = (hash ^ (uint64_t)(uintptr_t)types[i]) * 0x9e3779b97f4a7c15ull;
  return hash ^ hash >> 32;
}

static struct method **find_place(const struct method_table *table, const struct pkgimg_type *const *types,
                                  size_t count)
{
  size_t at = signature_hash(types, count) & (table->capacity - 1);
  for (struct method *method; (method = table->places[at]); at = (at + 1) & (table->capacity - 1))
    if (method->argument_count == count &&
        (count == 0 || memcmp(method->arguments, types, count * sizeof *types) == 0))
      break;
  return &table->places[at];
}

struct method *method_exact(const struct pkgimg_function *function, const struct pkgimg_type *const *types,
                            size_t count)
{
  return function->exact.capacity ? *find_place(&function->exact, types, count) : NULL;
}

static size_t home_of(const struct method_table *table, const struct method *method)
{
  return signature_hash(method->arguments, method->argument_count) & (table->capacity - 1);
}

static enum pkgimg_status make_places(struct pkgimg_function *function, struct pkgimg_error *error)
{
  struct method_table *table = &function->exact, grown;
  if (2 * (function->method_count + 1) <= table->capacity)
    return PKGIMG_OK;
  grown.capacity = table->capacity ? 2 * table->capacity : 8;
  grown.places = calloc(grown.capacity, sizeof(struct method *));
  if (!grown.places)
    return fail_memory(error, grown.capacity * sizeof(struct method *));
  for (size_t i = 0; i < function->method_count; i++) {
    struct method *method = function->methods[i];
    *find_place(&grown, method->arguments, method->argument_count) = method;
  }
  free(table->places);
  *table = grown;
  return PKGIMG_OK;
}

static void remove_place(struct method_table *table, const struct method *method)
{
  size_t mask = table->capacity - 1;
  size_t gap = (size_t)(find_place(table, method->arguments, method->argument_count) - table->places);
  for (size_t at = (gap + 1) & mask; table->places[at]; at = (at + 1) & mask)
    if (((at - home_of(table, table->places[at])) & mask) >= ((at - gap) & mask)) {
      table->places[gap] = table->places[at];
      gap = at;
    }
  table->places[gap] = NULL;
}

// ---- methods of an image

enum pkgimg_status methods_make(struct pkgimg_image *image, const struct types *types, struct pkgimg_error *error)
{
  struct image_types *mine = image->types;
  struct pkgimg_function *function = NULL;
  const uint64_t *words = (const uint64_t *)(image_base(image) + types->head->method_words.address);
  for (uint32_t i = 0; i < types->argument_count; i++)
    mine->arguments[i] = types->arguments[i] ? home_object(mine->home, types->arguments[i] - 1) : NULL;
  for (uint32_t i = 0; i < types->method_count; i++) {
    const struct disk_method *record = &types->methods[i];
    if (i == 0 || record->function != record[-1].function)
      TRY(function_of(&image->runtime->world, types_function(types, record->function), &function, error));
    mine->methods[mine->method_count++] = (struct method){.function = function,
                                                          .image = image,
                                                          .word = words + record->word,
                                                          .arguments = mine->arguments + record->first_argument,
                                                          .argument_count = record->argument_count};
  }
  return PKGIMG_OK;
}

char *signature_text(const char *name, const struct pkgimg_type *const *types, size_t count, char *text,
                     size_t size)
{
  size_t at = (size_t)snprintf(text, size, "%s(", name);
  for (size_t i = 0; i < count && at < size; i++) {
    char type[128];
    at += (size_t)snprintf(text + at, size - at, "%s%s", i ? ", " : "",
                           types[i] ? world_type_text(types[i], type, sizeof type) : "any");
  }
  if (at < size)
    snprintf(text + at, size - at, ")");
  return text;
}

__attribute__((noinline, cold)) static enum pkgimg_status refuse(const struct method *method,
                                                                 const struct method *other,
                                                                 struct pkgimg_error *error)
{
  char text[256];
  return fail_name(
      error, PKGIMG_REDEFINED, method->image->path, method->function->name, "%s is a method of %s already",
      signature_text(method->function->name, method->arguments, method->argument_count, text, sizeof text),
      other->image->path);
}

static enum pkgimg_status enter(struct method *method, struct pkgimg_error *error)
{
  struct pkgimg_function *function = method->function;
  TRY(make_places(function, error));
  TRY(array_reserve(&function->methods, &function->method_capacity, function->method_count,
                    sizeof(struct method *), error));
  struct method **place = find_place(&function->exact, method->arguments, method->argument_count);
  if (*place)
    return refuse(method, *place, error);
  *place = method;
  method->index = (uint32_t)function->method_count;
  function->methods[function->method_count++] = method;
  return PKGIMG_OK;
}

static void leave(struct method *method)
{
  struct pkgimg_function *function = method->function;
  struct method *last = function->methods[--function->method_count];
  remove_place(&function->exact, method);
  function->methods[method->index] = last;
  last->index = method->index;
  method->address = 0;
  dispatch_forget(function);
}

static void leave_all(struct image_types *mine)
{
  while (mine->listed > 0)
    leave(&mine->methods[--mine->listed]);
}

enum pkgimg_status methods_enter(struct pkgimg_image *image, struct pkgimg_error *error)
{
  struct type_world *world = &image->runtime->world;
  struct image_types *mine = image->types;
  enum pkgimg_status status = PKGIMG_OK;
  if (!mine || mine->listed == mine->method_count)
    return PKGIMG_OK;
  pthread_rwlock_wrlock(&world->lock);
  while (mine->listed < mine->method_count && status == PKGIMG_OK) {
    status = enter(&mine->methods[mine->listed], error);
    mine->listed += status == PKGIMG_OK;
  }
  if (status != PKGIMG_OK)
    leave_all(mine);
  pthread_rwlock_unlock(&world->lock);
  return status;
}

void methods_show(struct pkgimg_image *image)
{
  struct type_world *world = &image->runtime->world;
  struct image_types *mine = image->types;
  bool ready = image->started || !runs_code(image->runtime);
  if (!mine || mine->visible || mine->listed == 0 || !ready)
    return;
  pthread_rwlock_wrlock(&world->lock);
  mine->visible = true;
  for (uint32_t i = 0; i < mine->listed; i++) {
    mine->methods[i].address = *mine->methods[i].word;
    dispatch_forget(mine->methods[i].function);
  }
  pthread_rwlock_unlock(&world->lock);
}

void methods_withdraw(struct pkgimg_image *image)
{
  struct type_world *world = &image->runtime->world;
  struct image_types *mine = image->types;
  if (!mine || mine->listed == 0)
    return;
  pthread_rwlock_wrlock(&world->lock);
  mine->visible = false;
  leave_all(mine);
  pthread_rwlock_unlock(&world->lock);
}
