// SPDX-License-Identifier: MIT
//
// A set of shapes from debug information, as the caller has it: found by name, and told what DWARF does not know.
#include "image/debug.h"

#include <stdlib.h>
#include <string.h>

enum pkgimg_status pkgimg_shapes_from_debug(const char *path, struct pkgimg_shapes **result,
                                            struct pkgimg_error *error)
{
  if (!path || !result)
    return fail(error, PKGIMG_INVALID_ARGUMENT, path, "pkgimg_shapes_from_debug: a NULL path or result");
  struct pkgimg_shapes *shapes = calloc(1, sizeof *shapes);
  if (!shapes || !(shapes->path = strdup(path))) {
    free(shapes);
    return fail_memory(error, sizeof *shapes);
  }
  enum pkgimg_status status = shapes_read(shapes, error);
  if (status == PKGIMG_OK)
    *result = shapes;
  else
    pkgimg_shapes_destroy(shapes);
  return status;
}

void pkgimg_shapes_destroy(struct pkgimg_shapes *shapes)
{
  if (!shapes)
    return;
  for (size_t i = 0; i < shapes->type_count; i++) {
    struct type *type = shapes->types[i];
    for (size_t j = 0; j < type->count; j++)
      free(type->names[j]);
    free(type->names);
    free(type->fields);
    free(type->members);
    free(type->name);
    free(type);
  }
  free(shapes->types);
  free(shapes->named);
  if (shapes->dwfl)
    dwfl_end(shapes->dwfl);
  free(shapes->path);
  free(shapes);
}

// ---- by name

static enum pkgimg_status find_type(struct pkgimg_shapes *shapes, const char *name, struct type **type,
                                    struct pkgimg_error *error)
{
  for (size_t i = 0; i < shapes->type_count; i++)  // with those that have no name of their own: "item.any"
    if (strcmp(shapes->types[i]->name, name) == 0) {
      *type = shapes->types[i];
      return shapes_fill(shapes, error);
    }
  for (size_t i = 0; i < shapes->named_count; i++) {
    Dwarf_Die die;
    if (strcmp(shapes->named[i].name, name) != 0)
      continue;
    if (dwarf_peel_type(&shapes->named[i].die, &die) != 0 || !die_define(shapes, &die) || die_size(&die) == 0)
      continue;
    TRY(shapes_type_of(shapes, &die, name, "", type, error));
    return shapes_fill(shapes, error);
  }
  return fail_name(error, PKGIMG_NOT_FOUND, shapes->path, name, "its debug information has no type of this name");
}

static enum pkgimg_status find_member(struct pkgimg_shapes *shapes, const char *type_name, const char *name,
                                      struct type **type, size_t *index, struct pkgimg_error *error)
{
  TRY(find_type(shapes, type_name, type, error));
  for (*index = 0; *index < (*type)->count; ++*index)
    if (strcmp((*type)->names[*index], name) == 0)
      return PKGIMG_OK;
  return fail_name(error, PKGIMG_NOT_FOUND, shapes->path, name, "%s has no such member", type_name);
}

enum pkgimg_status pkgimg_shapes_find(struct pkgimg_shapes *shapes, const char *name,
                                      const struct pkgimg_shape **shape, struct pkgimg_error *error)
{
  struct type *type;
  if (!shapes || !name || !shape)
    return fail(error, PKGIMG_INVALID_ARGUMENT, NULL, "pkgimg_shapes_find: a NULL set, name or result");
  TRY(find_type(shapes, name, &type, error));
  *shape = &type->shape;
  return PKGIMG_OK;
}

enum pkgimg_status pkgimg_shapes_count(struct pkgimg_shapes *shapes, const char *name, const char *member,
                                       const char *count, struct pkgimg_error *error)
{
  struct type *type;
  size_t index, counter;
  if (!shapes || !name || !member || !count)
    return fail(error, PKGIMG_INVALID_ARGUMENT, NULL, "pkgimg_shapes_count: a NULL set or name");
  TRY(find_member(shapes, name, member, &type, &index, error));
  TRY(find_member(shapes, name, count, &type, &counter, error));
  if (!type->members[counter].is_integer)
    return fail_name(error, PKGIMG_INVALID_ARGUMENT, shapes->path, count, "this member of %s is no integer", name);
  struct pkgimg_field *field = &type->fields[index];
  if (field->kind == PKGIMG_FIELD_STRING || field->kind == PKGIMG_FIELD_REFERENCE)
    field->kind = PKGIMG_FIELD_BYTES;
  if (field->kind != PKGIMG_FIELD_POINTER && field->kind != PKGIMG_FIELD_BYTES &&
      field->kind != PKGIMG_FIELD_FLEXIBLE)
    return fail_name(error, PKGIMG_INVALID_ARGUMENT, shapes->path, member,
                     "this member of %s is neither a pointer to data nor a flexible array", name);
  field->count = (struct pkgimg_count){.offset = (uint32_t)type->fields[counter].offset,
                                       .size = (uint8_t)type->members[counter].size,
                                       .is_signed = type->members[counter].is_signed};
  return PKGIMG_OK;
}

enum pkgimg_status pkgimg_shapes_set(struct pkgimg_shapes *shapes, const char *name, const char *member,
                                     const struct pkgimg_field *field, struct pkgimg_error *error)
{
  struct type *type;
  size_t index;
  if (!shapes || !name || !member || !field || (unsigned)field->kind >= PKGIMG_FIELD_KIND_COUNT)
    return fail(error, PKGIMG_INVALID_ARGUMENT, NULL, "pkgimg_shapes_set: a NULL set or name, or no good field");
  TRY(find_member(shapes, name, member, &type, &index, error));
  struct pkgimg_field *old = &type->fields[index], changed = *field;
  uint64_t bytes = type->members[index].size, each = 8;
  changed.name = old->name;
  changed.offset = old->offset;
  changed.shape = field->shape ? field->shape : old->shape;
  if (field->kind == PKGIMG_FIELD_DATA || field->kind == PKGIMG_FIELD_FLEXIBLE)
    each = 1;
  else if (field->kind == PKGIMG_FIELD_STRUCT)
    each = changed.shape ? changed.shape->size : 0;
  if (field->kind != PKGIMG_FIELD_FLEXIBLE && (!each || !bytes || bytes % each))
    return fail_name(error, PKGIMG_INVALID_ARGUMENT, shapes->path, member,
                     "this member of %s has %llu bytes: expected a multiple of %llu", name,
                     (unsigned long long)bytes, (unsigned long long)each);
  changed.repeat = bytes / each;
  *old = changed;
  return PKGIMG_OK;
}
