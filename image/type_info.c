// SPDX-License-Identifier: MIT
//
// What a type is, for those who ask; types by name.
#include "image/types.h"

#include "base/hash.h"
#include "image/runtime.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *name_of(const struct pkgimg_type *type)
{
  return type_string(type_record(type), type->name);
}

void pkgimg_type_describe(const struct pkgimg_type *type, struct pkgimg_type_info *info)
{
  *info = (struct pkgimg_type_info){.name = name_of(type),
                                    .kind = (enum pkgimg_type_kind)type->kind,
                                    .size = type->size,
                                    .align = type->align,
                                    .supertype = type->supertype,
                                    .field_count = type->field_count,
                                    .parameter_count = type->parameter_count};
  memcpy(info->id, type->id, sizeof info->id);
}

struct pkgimg_type_field pkgimg_type_field(const struct pkgimg_type *type, size_t index)
{
  const struct disk_type_field *field = &type_fields(type_record(type))[index];
  return (struct pkgimg_type_field){.name = type_string(type_record(type), field->name),
                                    .offset = field->offset,
                                    .type = (const struct pkgimg_type *)(uintptr_t)field->type};
}

struct pkgimg_type_parameter pkgimg_type_parameter(const struct pkgimg_type *type, size_t index)
{
  const struct disk_type_parameter *parameter = &type_parameters(type_record(type))[index];
  if (parameter->is_type)
    return (struct pkgimg_type_parameter){.type = (const struct pkgimg_type *)(uintptr_t)parameter->value};
  return (struct pkgimg_type_parameter){.value = parameter->value};
}

// ---- text

struct type_text {
  char *text;
  size_t size, at;
};

static void put(struct type_text *out, const char *piece)
{
  size_t length = strlen(piece), room = out->at < out->size ? out->size - out->at : 0;
  if (room)
    snprintf(out->text + out->at, room, "%s", piece);
  out->at += length;
}

// A type may be a parameter of its own parameters, so depth has an end.
static void write_text(struct type_text *out, const struct pkgimg_type *type, unsigned depth)
{
  enum { DEPTH = 4 };
  put(out, name_of(type));
  if (type->parameter_count && depth == DEPTH)
    put(out, "{...}");
  for (uint32_t i = 0; depth < DEPTH && i < type->parameter_count && out->at < out->size; i++) {
    struct pkgimg_type_parameter parameter = pkgimg_type_parameter(type, i);
    char number[24];
    put(out, i ? "," : "{");
    snprintf(number, sizeof number, "%llu", (unsigned long long)parameter.value);
    if (parameter.type)
      write_text(out, parameter.type, depth + 1);
    else
      put(out, number);
    if (i + 1 == type->parameter_count)
      put(out, "}");
  }
}

char *pkgimg_type_text(const struct pkgimg_type *type, char *text, size_t size)
{
  struct type_text out = {text, size, 0};
  if (size)
    *text = 0;
  write_text(&out, type, 0);
  return text;
}

// ---- types by id, and by name: an index that is made when somebody asks and types have changed

const struct pkgimg_type *pkgimg_type_by_id(struct pkgimg_runtime *runtime, const uint8_t id[16])
{
  pthread_rwlock_rdlock(&runtime->world.lock);
  const struct pkgimg_type *type = world_type(&runtime->world, id);
  pthread_rwlock_unlock(&runtime->world.lock);
  return type;
}

static size_t start_of(const struct type_world *world, const char *name)
{
  return hash64(name, strlen(name)) & (world->by_name_capacity - 1);
}

static enum pkgimg_status make_names(struct type_world *world, struct pkgimg_error *error)
{
  world->by_name = calloc(world->entry_capacity, sizeof(struct pkgimg_type *));
  if (!world->by_name)
    return fail_memory(error, world->entry_capacity * sizeof(struct pkgimg_type *));
  world->by_name_capacity = world->entry_capacity;
  for (size_t i = 0; i < world->entry_capacity; i++) {
    struct pkgimg_type *type = world->entries[i].type;
    size_t at = type ? start_of(world, name_of(type)) : 0;
    while (type && world->by_name[at])
      at = (at + 1) & (world->by_name_capacity - 1);
    if (type)
      world->by_name[at] = type;
  }
  return PKGIMG_OK;
}

static enum pkgimg_status find_named(const struct type_world *world, const char *name,
                                     const struct pkgimg_type **result, struct pkgimg_error *error)
{
  const struct pkgimg_type *found = NULL, *type;
  for (size_t at = world->by_name ? start_of(world, name) : 0; world->by_name && (type = world->by_name[at]);
       at = (at + 1) & (world->by_name_capacity - 1)) {
    if (strcmp(name_of(type), name) != 0)
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

static enum pkgimg_status find_or_make(struct type_world *world, const char *name,
                                       const struct pkgimg_type **type, struct pkgimg_error *error)
{
  if (!world->by_name && world->type_count)
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
  bool ready = world->by_name || !world->type_count;
  enum pkgimg_status status = ready ? find_named(world, name, type, error) : PKGIMG_OK;
  pthread_rwlock_unlock(&world->lock);
  if (ready)
    return status;
  pthread_rwlock_wrlock(&world->lock);
  status = find_or_make(world, name, type, error);
  pthread_rwlock_unlock(&world->lock);
  return status;
}
