// SPDX-License-Identifier: MIT
//
// Shapes from DWARF (version 2 to 5, as libdw reads it). A struct of one name is one type, whichever of the file's
// units it is found in first.
#include "base/array.h"

#include <dwarf.h>
#include <elfutils/libdw.h>
#include <elfutils/libdwfl.h>
#include <pkgimg/capture.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct named_die {
  const char *name;
  Dwarf_Die die;
};

struct member {
  uint64_t size;  // all of it, of an array too
  bool is_integer, is_signed;
};

struct type {
  struct pkgimg_shape shape;  // first: a shape of ours is its type
  Dwarf_Die die;
  char *name;
  struct pkgimg_field *fields;
  struct member *members;  // one for each field
  char **names;            // of fields
  size_t count, capacity, member_capacity, name_capacity;
};

struct pkgimg_shapes {
  Dwfl *dwfl;
  char *path;
  struct named_die *named;  // by name
  size_t named_count, named_capacity;
  struct type **types;  // the first `done` have their fields
  size_t type_count, type_capacity, done;
};

// ---- the file

static int find_no_debuginfo(Dwfl_Module *module, void **data, const char *name, Dwarf_Addr base, const char *file,
                             const char *link, GElf_Word crc, char **found)
{
  (void)module, (void)data, (void)name, (void)base, (void)file, (void)link, (void)crc, (void)found;
  return -1;  // what is not in the file itself is not looked for
}

static bool is_type(int tag)
{
  return tag == DW_TAG_structure_type || tag == DW_TAG_class_type || tag == DW_TAG_union_type ||
         tag == DW_TAG_typedef;
}

static bool is_declaration(Dwarf_Die *die)
{
  return dwarf_hasattr(die, DW_AT_declaration);
}

static enum pkgimg_status list_unit(struct pkgimg_shapes *shapes, Dwarf_Die *unit, struct pkgimg_error *error)
{
  Dwarf_Die die;
  if (dwarf_child(unit, &die) != 0)
    return PKGIMG_OK;
  do {
    const char *name = is_type(dwarf_tag(&die)) && !is_declaration(&die) ? dwarf_diename(&die) : NULL;
    if (!name)
      continue;
    TRY(array_reserve(&shapes->named, &shapes->named_capacity, shapes->named_count, sizeof *shapes->named, error));
    shapes->named[shapes->named_count++] = (struct named_die){name, die};
  } while (dwarf_siblingof(&die, &die) == 0);
  return PKGIMG_OK;
}

// A struct comes before a typedef of the same name, and the first in the file before others.
static int by_name(const void *left, const void *right)
{
  const struct named_die *a = left, *b = right;
  int order = strcmp(a->name, b->name);
  if (order)
    return order;
  int first = dwarf_tag((Dwarf_Die *)(uintptr_t)&a->die) == DW_TAG_typedef;
  int second = dwarf_tag((Dwarf_Die *)(uintptr_t)&b->die) == DW_TAG_typedef;
  Dwarf_Off at = dwarf_dieoffset((Dwarf_Die *)(uintptr_t)&a->die);
  Dwarf_Off other = dwarf_dieoffset((Dwarf_Die *)(uintptr_t)&b->die);
  return first != second ? first - second : at < other ? -1 : at > other;
}

static enum pkgimg_status open_file(struct pkgimg_shapes *shapes, struct pkgimg_error *error)
{
  static const Dwfl_Callbacks callbacks = {.find_debuginfo = find_no_debuginfo,
                                           .section_address = dwfl_offline_section_address};
  Dwarf_Addr bias;
  Dwarf_Die *unit = NULL;
  shapes->dwfl = dwfl_begin(&callbacks);
  if (!shapes->dwfl)
    return fail_memory(error, 1);
  dwfl_report_begin(shapes->dwfl);
  Dwfl_Module *module = dwfl_report_offline(shapes->dwfl, shapes->path, shapes->path, -1);
  dwfl_report_end(shapes->dwfl, NULL, NULL);
  if (!module)
    return fail(error, PKGIMG_NOT_FOUND, shapes->path, "no types can be read from it: %s", dwfl_errmsg(-1));
  while ((unit = dwfl_module_nextcu(module, unit, &bias)))
    TRY(list_unit(shapes, unit, error));
  if (shapes->named_count == 0)
    return fail(error, PKGIMG_NOT_FOUND, shapes->path,
                "it has no debug information with types; compile its sources with -g");
  qsort(shapes->named, shapes->named_count, sizeof *shapes->named, by_name);
  return PKGIMG_OK;
}

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
  enum pkgimg_status status = open_file(shapes, error);
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

// ---- types

static bool peel(Dwarf_Die *die, Dwarf_Die *result)
{
  Dwarf_Attribute attribute;
  Dwarf_Die type;
  if (!dwarf_attr_integrate(die, DW_AT_type, &attribute) || !dwarf_formref_die(&attribute, &type))
    return false;  // void
  return dwarf_peel_type(&type, result) == 0;
}

static uint64_t size_of(Dwarf_Die *die)
{
  Dwarf_Word size;
  return dwarf_aggregate_size(die, &size) == 0 ? size : 0;
}

// The definition of a struct that a unit only declares; the same one for all units that agree on its size.
static bool define(const struct pkgimg_shapes *shapes, Dwarf_Die *die)
{
  const char *name = dwarf_diename(die);
  int tag = dwarf_tag(die);
  bool is_struct = tag == DW_TAG_structure_type || tag == DW_TAG_class_type || tag == DW_TAG_union_type;
  size_t low = 0, high = shapes->named_count;
  if (!is_struct || !name)
    return true;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    *(strcmp(shapes->named[middle].name, name) < 0 ? &low : &high) =
        strcmp(shapes->named[middle].name, name) < 0 ? middle + 1 : middle;
  }
  for (; low < shapes->named_count && strcmp(shapes->named[low].name, name) == 0; low++)
    if (dwarf_tag(&shapes->named[low].die) == tag &&
        (is_declaration(die) || size_of(&shapes->named[low].die) == size_of(die))) {
      *die = shapes->named[low].die;
      return true;
    }
  return !is_declaration(die);
}

static uint64_t align_of(Dwarf_Die *die, unsigned depth)
{
  Dwarf_Die child, type;
  int tag = dwarf_tag(die);
  uint64_t most = 1;
  if (tag == DW_TAG_array_type)
    return depth < 32 && peel(die, &type) ? align_of(&type, depth + 1) : 1;
  if (tag != DW_TAG_structure_type && tag != DW_TAG_class_type && tag != DW_TAG_union_type) {
    uint64_t size = size_of(die);
    return size && (size & (size - 1)) == 0 && size <= 16 ? size : 8;
  }
  if (dwarf_child(die, &child) != 0 || depth == 32)
    return 1;
  do {
    Dwarf_Attribute attribute;
    Dwarf_Word own = 0;
    int kind = dwarf_tag(&child);
    if ((kind != DW_TAG_member && kind != DW_TAG_inheritance) || !peel(&child, &type))
      continue;
    if (dwarf_attr(&child, DW_AT_alignment, &attribute))
      dwarf_formudata(&attribute, &own);
    uint64_t align = own ? own : align_of(&type, depth + 1);
    most = align > most ? align : most;
  } while (dwarf_siblingof(&child, &child) == 0);
  return most;
}

// A packed struct has a size that does not fit what its members ask for.
static uint64_t shape_alignment(Dwarf_Die *die, uint64_t size)
{
  uint64_t align = align_of(die, 0);
  while (align > 1 && size % align)
    align /= 2;
  return align;
}

static enum pkgimg_status type_of(struct pkgimg_shapes *shapes, Dwarf_Die *die, const char *parent,
                                  const char *member, struct type **result, struct pkgimg_error *error)
{
  for (size_t i = shapes->type_count; i > 0; i--)
    if (shapes->types[i - 1]->die.addr == die->addr) {
      *result = shapes->types[i - 1];
      return PKGIMG_OK;
    }
  const char *name = dwarf_diename(die);
  struct type *type = calloc(1, sizeof *type);
  if (!type || asprintf(&type->name, "%s%s%s", name ? name : parent, name ? "" : ".", name ? "" : member) < 0) {
    free(type);
    return fail_memory(error, sizeof *type);
  }
  enum pkgimg_status status =
      array_reserve(&shapes->types, &shapes->type_capacity, shapes->type_count, sizeof(struct type *), error);
  if (status != PKGIMG_OK) {
    free(type->name);
    free(type);
    return status;
  }
  shapes->types[shapes->type_count++] = type;
  type->die = *die;
  uint64_t size = size_of(die);
  type->shape = (struct pkgimg_shape){
      .name = type->name, .size = size, .alignment = shape_alignment(die, size), .sparse = 1};
  *result = type;
  return PKGIMG_OK;
}

// ---- members

static uint64_t not_told(const void *object)
{
  (void)object;
  return UINT64_MAX;
}

static const struct pkgimg_shape *no_kind(const void *object)
{
  (void)object;
  return NULL;
}

static enum pkgimg_status add_field(struct type *type, const char *name, const struct pkgimg_field *field,
                                    const struct member *member, struct pkgimg_error *error)
{
  TRY(array_reserve(&type->fields, &type->capacity, type->count, sizeof *type->fields, error));
  TRY(array_reserve(&type->members, &type->member_capacity, type->count, sizeof *type->members, error));
  TRY(array_reserve(&type->names, &type->name_capacity, type->count, sizeof *type->names, error));
  char *copy = strdup(name ? name : "");
  if (!copy)
    return fail_memory(error, 1);
  type->fields[type->count] = *field;
  type->fields[type->count].name = copy;
  type->members[type->count] = *member;
  type->names[type->count++] = copy;
  return PKGIMG_OK;
}

static bool is_plain_char(Dwarf_Die *die)
{
  const char *name = dwarf_diename(die);
  return dwarf_tag(die) == DW_TAG_base_type && name && strcmp(name, "char") == 0;
}

static enum pkgimg_status set_pointer(struct pkgimg_shapes *shapes, const struct type *owner, const char *name,
                                      Dwarf_Die *pointer, struct pkgimg_field *field, struct pkgimg_error *error)
{
  Dwarf_Die target;
  struct type *type;
  field->kind = PKGIMG_FIELD_REFERENCE;
  if (!peel(pointer, &target))
    return PKGIMG_OK;
  int tag = dwarf_tag(&target);
  if (tag == DW_TAG_subroutine_type || is_plain_char(&target)) {
    field->kind = tag == DW_TAG_subroutine_type ? PKGIMG_FIELD_FUNCTION : PKGIMG_FIELD_STRING;
    return PKGIMG_OK;
  }
  if (!define(shapes, &target) || size_of(&target) == 0)
    return PKGIMG_OK;
  TRY(type_of(shapes, &target, owner->name, name, &type, error));
  field->kind = PKGIMG_FIELD_POINTER;
  field->shape = &type->shape;
  return PKGIMG_OK;
}

static bool is_pointer(int tag)
{
  return tag == DW_TAG_pointer_type || tag == DW_TAG_reference_type || tag == DW_TAG_rvalue_reference_type;
}

static bool is_struct(int tag)
{
  return tag == DW_TAG_structure_type || tag == DW_TAG_class_type || tag == DW_TAG_union_type;
}

// Elements of an array of any number of dimensions, in a row.
static enum pkgimg_status add_array(struct pkgimg_shapes *shapes, struct type *owner, const char *name,
                                    struct pkgimg_field *field, Dwarf_Die *array, struct pkgimg_error *error)
{
  Dwarf_Die element;
  struct type *type;
  if (!peel(array, &element) || !define(shapes, &element))
    return PKGIMG_OK;
  uint64_t bytes = size_of(array), each = size_of(&element), count = each ? bytes / each : 0;
  int tag = dwarf_tag(&element);
  if (is_pointer(tag) && count)
    TRY(set_pointer(shapes, owner, name, &element, field, error));
  else if (is_struct(tag) || count == 0)
    field->kind = count ? PKGIMG_FIELD_STRUCT : PKGIMG_FIELD_FLEXIBLE;
  if (field->kind == PKGIMG_FIELD_STRUCT || (field->kind == PKGIMG_FIELD_FLEXIBLE && each > 1)) {
    TRY(type_of(shapes, &element, owner->name, name, &type, error));
    field->shape = &type->shape;
  }
  field->repeat = field->kind == PKGIMG_FIELD_DATA ? bytes : count;
  if (field->kind == PKGIMG_FIELD_FLEXIBLE)
    field->count.function = not_told;
  return add_field(owner, name, field, &(struct member){.size = bytes}, error);
}

static enum pkgimg_status add_number(struct type *owner, const char *name, struct pkgimg_field *field,
                                     Dwarf_Die *type, struct pkgimg_error *error)
{
  Dwarf_Attribute attribute;
  Dwarf_Word encoding = 0;
  uint64_t size = size_of(type);
  if (dwarf_attr_integrate(type, DW_AT_encoding, &attribute))
    dwarf_formudata(&attribute, &encoding);
  bool is_signed = encoding == DW_ATE_signed || encoding == DW_ATE_signed_char;
  bool is_integer = is_signed || encoding == DW_ATE_unsigned || encoding == DW_ATE_unsigned_char;
  field->repeat = size;
  return add_field(owner, name, field, &(struct member){size, is_integer, is_signed}, error);
}

// The bytes of a bit field; neighbours share some.
static bool bit_field(Dwarf_Die *die, uint64_t base, struct pkgimg_field *field)
{
  Dwarf_Attribute attribute;
  Dwarf_Word first, bits;
  if (!dwarf_attr(die, DW_AT_bit_size, &attribute) || dwarf_formudata(&attribute, &bits) != 0 ||
      !dwarf_attr(die, DW_AT_data_bit_offset, &attribute) || dwarf_formudata(&attribute, &first) != 0)
    return false;
  field->offset = base + first / 8;
  field->repeat = (first % 8 + bits + 7) / 8;
  return true;
}

static enum pkgimg_status add_members(struct pkgimg_shapes *shapes, struct type *owner, Dwarf_Die *die,
                                      uint64_t base, unsigned depth, struct pkgimg_error *error);

static enum pkgimg_status add_member(struct pkgimg_shapes *shapes, struct type *owner, Dwarf_Die *die,
                                     uint64_t base, unsigned depth, struct pkgimg_error *error)
{
  struct pkgimg_field field = {.kind = PKGIMG_FIELD_DATA};
  const char *name = dwarf_tag(die) == DW_TAG_inheritance ? "base" : dwarf_diename(die);
  Dwarf_Attribute attribute;
  Dwarf_Word offset = 0;
  Dwarf_Die type;
  struct type *inner;
  if (!peel(die, &type) || !define(shapes, &type))
    return PKGIMG_OK;
  if (bit_field(die, base, &field))
    return add_field(owner, name, &field, &(struct member){0}, error);
  if (dwarf_attr(die, DW_AT_data_member_location, &attribute) && dwarf_formudata(&attribute, &offset) != 0)
    return fail_name(error, PKGIMG_UNSUPPORTED, shapes->path, owner->name, "member %s is at no fixed place",
                     name ? name : "(unnamed)");
  field.offset = base + offset;
  int tag = dwarf_tag(&type);
  if (tag == DW_TAG_array_type)
    return add_array(shapes, owner, name, &field, &type, error);
  if (is_struct(tag) && tag != DW_TAG_union_type && !name && depth < 32)  // its members are the struct's own
    return add_members(shapes, owner, &type, field.offset, depth + 1, error);
  if (is_struct(tag) && size_of(&type)) {
    TRY(type_of(shapes, &type, owner->name, name ? name : "(unnamed)", &inner, error));
    field.kind = PKGIMG_FIELD_STRUCT;
    field.shape = &inner->shape;
    return add_field(owner, name, &field, &(struct member){.size = inner->shape.size}, error);
  }
  if (!is_pointer(tag))
    return add_number(owner, name, &field, &type, error);
  TRY(set_pointer(shapes, owner, name, &type, &field, error));
  return add_field(owner, name, &field, &(struct member){.size = 8}, error);
}

static enum pkgimg_status add_members(struct pkgimg_shapes *shapes, struct type *owner, Dwarf_Die *die,
                                      uint64_t base, unsigned depth, struct pkgimg_error *error)
{
  Dwarf_Die child;
  if (dwarf_child(die, &child) != 0)
    return PKGIMG_OK;
  do {
    int tag = dwarf_tag(&child);
    bool is_static = dwarf_hasattr(&child, DW_AT_external);
    if ((tag == DW_TAG_member && !is_static) || tag == DW_TAG_inheritance)
      TRY(add_member(shapes, owner, &child, base, depth, error));
  } while (dwarf_siblingof(&child, &child) == 0);
  return PKGIMG_OK;
}

static bool has_pointers(Dwarf_Die *die, unsigned depth)
{
  Dwarf_Die child, type;
  int tag = dwarf_tag(die);
  if (tag == DW_TAG_array_type)
    return peel(die, &type) && depth < 32 && has_pointers(&type, depth + 1);
  if (is_pointer(tag) || !is_struct(tag))
    return is_pointer(tag);
  if (depth == 32 || dwarf_child(die, &child) != 0)
    return false;
  do {
    if (dwarf_tag(&child) == DW_TAG_member && peel(&child, &type) && has_pointers(&type, depth + 1))
      return true;
  } while (dwarf_siblingof(&child, &child) == 0);
  return false;
}

static enum pkgimg_status fill(struct pkgimg_shapes *shapes, struct type *type, struct pkgimg_error *error)
{
  int tag = dwarf_tag(&type->die);
  struct pkgimg_field field = {.kind = PKGIMG_FIELD_DATA, .repeat = type->shape.size};
  if (tag == DW_TAG_union_type && has_pointers(&type->die, 0)) {
    type->shape.select = no_kind;
    return PKGIMG_OK;
  }
  if (is_pointer(tag)) {
    field.repeat = 0;
    TRY(set_pointer(shapes, type, "", &type->die, &field, error));
    return add_field(type, "", &field, &(struct member){.size = 8}, error);
  }
  if (tag == DW_TAG_array_type)
    return add_array(shapes, type, "", &field, &type->die, error);
  if (is_struct(tag) && tag != DW_TAG_union_type)
    return add_members(shapes, type, &type->die, 0, 0, error);
  return add_field(type, "", &field, &(struct member){0}, error);
}

static enum pkgimg_status fill_all(struct pkgimg_shapes *shapes, struct pkgimg_error *error)
{
  for (; shapes->done < shapes->type_count; shapes->done++) {
    struct type *type = shapes->types[shapes->done];
    TRY(fill(shapes, type, error));
    type->shape.fields = type->fields;
    type->shape.field_count = type->count;
  }
  return PKGIMG_OK;
}

// ---- by name

static enum pkgimg_status find_type(struct pkgimg_shapes *shapes, const char *name, struct type **type,
                                    struct pkgimg_error *error)
{
  for (size_t i = 0; i < shapes->type_count; i++)  // with those that have no name of their own: "item.any"
    if (strcmp(shapes->types[i]->name, name) == 0) {
      *type = shapes->types[i];
      return fill_all(shapes, error);
    }
  for (size_t i = 0; i < shapes->named_count; i++) {
    Dwarf_Die die;
    if (strcmp(shapes->named[i].name, name) != 0)
      continue;
    if (dwarf_peel_type(&shapes->named[i].die, &die) != 0 || !define(shapes, &die) || size_of(&die) == 0)
      continue;
    TRY(type_of(shapes, &die, name, "", type, error));
    return fill_all(shapes, error);
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
