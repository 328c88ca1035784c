// SPDX-License-Identifier: MIT
//
// Fields of a type, from the members that DWARF tells of.
#include "image/debug.h"

#include <stdlib.h>
#include <string.h>

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
  if (!die_type(pointer, &target))
    return PKGIMG_OK;
  int tag = dwarf_tag(&target);
  if (tag == DW_TAG_subroutine_type || is_plain_char(&target)) {
    field->kind = tag == DW_TAG_subroutine_type ? PKGIMG_FIELD_FUNCTION : PKGIMG_FIELD_STRING;
    return PKGIMG_OK;
  }
  if (!die_define(shapes, &target) || die_size(&target) == 0)
    return PKGIMG_OK;
  TRY(shapes_type_of(shapes, &target, owner->name, name, &type, error));
  field->kind = PKGIMG_FIELD_POINTER;
  field->shape = &type->shape;
  return PKGIMG_OK;
}

// Elements of an array of any number of dimensions, in a row.
static enum pkgimg_status add_array(struct pkgimg_shapes *shapes, struct type *owner, const char *name,
                                    struct pkgimg_field *field, Dwarf_Die *array, struct pkgimg_error *error)
{
  Dwarf_Die element;
  struct type *type;
  if (!die_type(array, &element) || !die_define(shapes, &element))
    return PKGIMG_OK;
  uint64_t bytes = die_size(array), each = die_size(&element), count = each ? bytes / each : 0;
  int tag = dwarf_tag(&element);
  if (is_pointer(tag) && count)
    TRY(set_pointer(shapes, owner, name, &element, field, error));
  else if (is_struct(tag) || count == 0)
    field->kind = count ? PKGIMG_FIELD_STRUCT : PKGIMG_FIELD_FLEXIBLE;
  if (field->kind == PKGIMG_FIELD_STRUCT || (field->kind == PKGIMG_FIELD_FLEXIBLE && each > 1)) {
    TRY(shapes_type_of(shapes, &element, owner->name, name, &type, error));
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
  uint64_t size = die_size(type);
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
  if (!die_type(die, &type) || !die_define(shapes, &type))
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
  if (is_struct(tag) && die_size(&type)) {
    TRY(shapes_type_of(shapes, &type, owner->name, name ? name : "(unnamed)", &inner, error));
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
    return die_type(die, &type) && depth < 32 && has_pointers(&type, depth + 1);
  if (is_pointer(tag) || !is_struct(tag))
    return is_pointer(tag);
  if (depth == 32 || dwarf_child(die, &child) != 0)
    return false;
  do {
    if (dwarf_tag(&child) == DW_TAG_member && die_type(&child, &type) && has_pointers(&type, depth + 1))
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

enum pkgimg_status shapes_fill(struct pkgimg_shapes *shapes, struct pkgimg_error *error)
{
  for (; shapes->done < shapes->type_count; shapes->done++) {
    struct type *type = shapes->types[shapes->done];
    TRY(fill(shapes, type, error));
    type->shape.fields = type->fields;
    type->shape.field_count = type->count;
  }
  return PKGIMG_OK;
}
