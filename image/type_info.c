// SPDX-License-Identifier: MIT
//
// What a type is, for those who ask; types by name.
#include "image/types.h"

#include "base/hash.h"
#include "image/runtime.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// ---- descriptions

// The image's bytes may be those of a file that was damaged since: they are copied before they are checked.
enum pkgimg_status home_describe(struct type_home *home, struct pkgimg_error *error)
{
  const struct disk_region *region = &home->descriptions;
  if (home->copied)
    return PKGIMG_OK;
  if (!home->path)
    return fail(error, PKGIMG_MISMATCH, NULL, "the image that described this type was damaged, and is closed");
  uint8_t *bytes = malloc(region->count + 1);
  if (!bytes)
    return fail_memory(error, region->count);
  memcpy(bytes, (const void *)(home->base + region->address), region->count);
  struct reader reader = {
      .file = home->path, .origin = region->address, .bytes = {bytes, region->count}, .error = error};
  enum pkgimg_status status = descriptions_read(&reader, home->type_count, home->descriptions_hash);
  if (status == PKGIMG_OK)
    atomic_store_explicit(&home->copied, bytes, memory_order_release);
  else
    free(bytes);
  return status;
}

// The number of a type in its home. Most images have few types: the first look finds it.
static uint32_t number_of(const struct type_home *home, const struct pkgimg_type *type)
{
  uint32_t number = (uint32_t)(type_facts(type) / FACT_NUMBER) & ((1u << NUMBER_BITS) - 1);
  while (home_object(home, number) != type)
    number += 1u << NUMBER_BITS;
  return number;
}

/// Where a type is described.
struct place {
  struct type_home *home;
  uint32_t number;  // there
};

// (Places of objects are kept, so that even a type that is gone can be recognised, until its place is used again.)
static enum pkgimg_status find_place(const struct pkgimg_type *type, bool locked, struct place *place,
                                     struct pkgimg_error *error)
{
  if (type_origin(type)->bound)
    return bound_home(type, locked, &place->home, &place->number, error);
  place->home = type_home(type);
  if (!place->home)
    return fail(error, PKGIMG_INVALID_ARGUMENT, NULL, "every image that stated this type is closed");
  place->number = number_of(place->home, type);
  return PKGIMG_OK;
}

static enum pkgimg_status describe_home(struct type_home *home, bool locked, struct pkgimg_error *error)
{
  if (atomic_load_explicit(&home->copied, memory_order_acquire))
    return PKGIMG_OK;
  if (!locked)
    pthread_rwlock_wrlock(&home->world->lock);
  enum pkgimg_status status = home_describe(home, error);
  if (!locked)
    pthread_rwlock_unlock(&home->world->lock);
  return status;
}

// What a type is; NULL and a filled error, if its image was damaged. `locked`: the caller holds the world's lock
// for writing, or the type was described before. `home` may be NULL.
static const struct disk_type *describe(const struct pkgimg_type *type, bool locked, struct type_home **home,
                                        struct pkgimg_error *error)
{
  struct place place;
  if (find_place(type, locked, &place, error) != PKGIMG_OK ||
      describe_home(place.home, locked, error) != PKGIMG_OK)
    return NULL;
  if (home)
    *home = place.home;
  return description(atomic_load_explicit(&place.home->copied, memory_order_acquire), place.number);
}

enum pkgimg_status pkgimg_type_describe(const struct pkgimg_type *type, struct pkgimg_type_info *info,
                                        struct pkgimg_error *error)
{
  if (!type || !info)
    return fail(error, PKGIMG_INVALID_ARGUMENT, NULL, "pkgimg_type_describe: a NULL type or result");
  struct pkgimg_error local;
  const struct disk_type *record = describe(type, false, NULL, error ? error : &local);
  if (!record)
    return (error ? error : &local)->status;
  *info = (struct pkgimg_type_info){.name = type_string(record, record->name),
                                    .kind = (enum pkgimg_type_kind)record->kind,
                                    .size = record->size,
                                    .align = record->align,
                                    .supertype = type_supertype(type),
                                    .field_count = record->field_count,
                                    .parameter_count = record->parameter_count};
  memcpy(info->id, type->id, sizeof info->id);
  return PKGIMG_OK;
}

struct pkgimg_type_field pkgimg_type_field(const struct pkgimg_type *type, size_t index)
{
  struct type_home *home;
  const struct disk_type *record = describe(type, false, &home, NULL);
  if (!record || index >= record->field_count)
    return (struct pkgimg_type_field){.name = ""};
  const struct disk_type_field *field = &type_fields(record)[index];
  return (struct pkgimg_type_field){
      .name = type_string(record, field->name), .offset = field->offset, .type = home_object(home, field->type)};
}

struct pkgimg_type_parameter pkgimg_type_parameter(const struct pkgimg_type *type, size_t index)
{
  struct type_home *home;
  const struct disk_type *record = describe(type, false, &home, NULL);
  if (!record || index >= record->parameter_count)
    return (struct pkgimg_type_parameter){0};
  const struct disk_type_parameter *parameter = &type_parameters(record)[index];
  if (parameter->is_type)
    return (struct pkgimg_type_parameter){.type = home_object(home, parameter->value)};
  return (struct pkgimg_type_parameter){.value = parameter->value};
}

// ---- text

struct type_text {
  char *text;
  size_t size, at;
  bool locked;  // by the caller
};

static void put(struct type_text *out, const char *piece)
{
  size_t length = strlen(piece), room = out->at < out->size ? out->size - out->at : 0;
  if (room)
    snprintf(out->text + out->at, room, "%s", piece);
  out->at += length;
}

static void write_text(struct type_text *out, const struct pkgimg_type *type, unsigned depth);

static void write_parameter(struct type_text *out, const struct type_home *home,
                            const struct disk_type_parameter *parameter, unsigned depth)
{
  char number[24];
  snprintf(number, sizeof number, "%llu", (unsigned long long)parameter->value);
  if (parameter->is_type)
    write_text(out, home_object(home, parameter->value), depth + 1);
  else
    put(out, number);
}

// A type may be a parameter of its own parameters, so depth has an end.
static void write_text(struct type_text *out, const struct pkgimg_type *type, unsigned depth)
{
  enum { DEPTH = 4 };
  struct type_home *home;
  const struct disk_type *record = describe(type, out->locked, &home, NULL);
  put(out, record ? type_string(record, record->name) : hex_id(type->id).text);
  if (record && record->parameter_count && depth == DEPTH)
    put(out, "{...}");
  for (uint32_t i = 0; record && depth < DEPTH && i < record->parameter_count && out->at < out->size; i++) {
    put(out, i ? "," : "{");
    write_parameter(out, home, &type_parameters(record)[i], depth);
    if (i + 1 == record->parameter_count)
      put(out, "}");
  }
}

char *world_type_text(const struct pkgimg_type *type, char *text, size_t size)
{
  struct type_text out = {.text = text, .size = size, .locked = true};
  write_text(&out, type, 0);
  return text;
}

char *pkgimg_type_text(const struct pkgimg_type *type, char *text, size_t size)
{
  struct type_text out = {.text = text, .size = size};
  if (size)
    *text = 0;
  write_text(&out, type, 0);
  return text;
}

// ---- types by id, and by name: an index that is made when somebody asks and types have changed

static const struct pkgimg_type *stated(const struct type_world *world, const uint8_t id[16])
{
  const struct pkgimg_type *own = world_type(world, id), *bound = own ? NULL : bound_find(world, id);
  bool is_stated = false;
  if (bound && bound_is_stated(bound, &is_stated, NULL) != PKGIMG_OK)
    return NULL;
  return is_stated ? bound : own;
}

const struct pkgimg_type *pkgimg_type_by_id(struct pkgimg_runtime *runtime, const uint8_t id[16])
{
  struct type_world *world = &runtime->world;
  pthread_rwlock_rdlock(&world->lock);
  bool ready = bound_is_ready(world);
  const struct pkgimg_type *type = ready ? stated(world, id) : NULL;
  pthread_rwlock_unlock(&world->lock);
  if (ready)
    return type;
  pthread_rwlock_wrlock(&world->lock);
  type = bound_make_ready(world, NULL) == PKGIMG_OK ? stated(world, id) : NULL;
  pthread_rwlock_unlock(&world->lock);
  return type;
}

static size_t start_of(const struct type_world *world, const char *name)
{
  return hash64(name, strlen(name)) & (world->by_name_capacity - 1);
}

// Types of damaged images have no names.
static enum pkgimg_status add_name(struct type_world *world, const struct pkgimg_type *type,
                                   struct pkgimg_error *error)
{
  struct pkgimg_error damage;
  const struct disk_type *record = describe(type, true, NULL, &damage);
  if (!record && damage.status == PKGIMG_NO_MEMORY) {
    if (error)
      *error = damage;
    return damage.status;
  }
  size_t at = record ? start_of(world, type_string(record, record->name)) : 0;
  while (record && world->by_name[at])
    at = (at + 1) & (world->by_name_capacity - 1);
  if (record)
    world->by_name[at] = type;
  return PKGIMG_OK;
}

static enum pkgimg_status add_names(struct type_world *world, struct pkgimg_error *error)
{
  for (size_t i = 0; i < world->entry_capacity; i++)
    if (world->entries[i])
      TRY(add_name(world, world_object(world, world->entries[i] & PLACE_MASK), error));
  return bound_each(world, add_name, error);
}

static bool has_types(const struct type_world *world)
{
  return world->type_count || world->bound;
}

static enum pkgimg_status make_names(struct type_world *world, struct pkgimg_error *error)
{
  size_t capacity = 64;
  TRY(bound_make_ready(world, error));
  while (capacity < 4 * (world->type_count + bound_count(world)))
    capacity *= 2;
  world->by_name = calloc(capacity, sizeof(struct pkgimg_type *));
  if (!world->by_name)
    return fail_memory(error, capacity * sizeof(struct pkgimg_type *));
  world->by_name_capacity = capacity;
  enum pkgimg_status status = add_names(world, error);
  if (status != PKGIMG_OK)
    world_forget_names(world);
  return status;
}

static bool is_named(const struct pkgimg_type *type, const char *name)
{
  const struct disk_type *record = describe(type, true, NULL, NULL);
  return record && strcmp(type_string(record, record->name), name) == 0;
}

static enum pkgimg_status find_named(const struct type_world *world, const char *name,
                                     const struct pkgimg_type **result, struct pkgimg_error *error)
{
  const struct pkgimg_type *found = NULL, *type;
  for (size_t at = world->by_name ? start_of(world, name) : 0; world->by_name && (type = world->by_name[at]);
       at = (at + 1) & (world->by_name_capacity - 1)) {
    if (!is_named(type, name))
      continue;
    if (found)
      return fail_name(error, PKGIMG_AMBIGUOUS, NULL, name, "types of different content have this name: %s and %s",
                       hex_id(found->id).text, hex_id(type->id).text);
    found = type;
  }
  if (!found)
    return fail_name(error, PKGIMG_NOT_FOUND, NULL, name, "no loaded image has a type of this name");
  *result = found;
  return PKGIMG_OK;
}

static enum pkgimg_status find_or_make(struct type_world *world, const char *name, const struct pkgimg_type **type,
                                       struct pkgimg_error *error)
{
  if (!world->by_name && has_types(world))
    TRY(make_names(world, error));
  return find_named(world, name, type, error);
}

enum pkgimg_status pkgimg_type_find(struct pkgimg_runtime *runtime, const char *name,
                                    const struct pkgimg_type **type, struct pkgimg_error *error)
{
  if (!runtime || !name || !type)
    return fail(error, PKGIMG_INVALID_ARGUMENT, NULL, "pkgimg_type_find: a NULL runtime, name or result");
  struct type_world *world = &runtime->world;
  pthread_rwlock_rdlock(&world->lock);
  bool ready = world->by_name || !has_types(world);
  enum pkgimg_status status = ready ? find_named(world, name, type, error) : PKGIMG_OK;
  pthread_rwlock_unlock(&world->lock);
  if (ready)
    return status;
  pthread_rwlock_wrlock(&world->lock);
  status = find_or_make(world, name, type, error);
  pthread_rwlock_unlock(&world->lock);
  return status;
}
