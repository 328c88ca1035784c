// SPDX-License-Identifier: MIT
//
// Types from DWARF (version 2 to 5, as libdw reads it): their names, definitions, sizes and alignments.
#include "image/debug.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// ---- the file

static int find_no_debuginfo(Dwfl_Module *module, void **data, const char *name, Dwarf_Addr base, const char *file,
                             const char *link, GElf_Word crc, char **found)
{
  (void)module, (void)data, (void)name, (void)base, (void)file, (void)link, (void)crc, (void)found;
  return -1;  // what is not in the file itself is not looked for
}

static bool is_type(int tag)
{
  return is_struct(tag) || tag == DW_TAG_typedef;
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

enum pkgimg_status shapes_read(struct pkgimg_shapes *shapes, struct pkgimg_error *error)
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

// ---- types

bool die_type(Dwarf_Die *die, Dwarf_Die *result)
{
  Dwarf_Attribute attribute;
  Dwarf_Die type;
  if (!dwarf_attr_integrate(die, DW_AT_type, &attribute) || !dwarf_formref_die(&attribute, &type))
    return false;  // void
  return dwarf_peel_type(&type, result) == 0;
}

uint64_t die_size(Dwarf_Die *die)
{
  Dwarf_Word size;
  return dwarf_aggregate_size(die, &size) == 0 ? size : 0;
}

bool die_define(const struct pkgimg_shapes *shapes, Dwarf_Die *die)
{
  const char *name = dwarf_diename(die);
  int tag = dwarf_tag(die);
  size_t low = 0, high = shapes->named_count;
  if (!is_struct(tag) || !name)
    return true;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    *(strcmp(shapes->named[middle].name, name) < 0 ? &low : &high) =
        strcmp(shapes->named[middle].name, name) < 0 ? middle + 1 : middle;
  }
  for (; low < shapes->named_count && strcmp(shapes->named[low].name, name) == 0; low++)
    if (dwarf_tag(&shapes->named[low].die) == tag &&
        (is_declaration(die) || die_size(&shapes->named[low].die) == die_size(die))) {
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
    return depth < 32 && die_type(die, &type) ? align_of(&type, depth + 1) : 1;
  if (!is_struct(tag)) {
    uint64_t size = die_size(die);
    return size && (size & (size - 1)) == 0 && size <= 16 ? size : 8;
  }
  if (dwarf_child(die, &child) != 0 || depth == 32)
    return 1;
  do {
    Dwarf_Attribute attribute;
    Dwarf_Word own = 0;
    int kind = dwarf_tag(&child);
    if ((kind != DW_TAG_member && kind != DW_TAG_inheritance) || !die_type(&child, &type))
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

enum pkgimg_status shapes_type_of(struct pkgimg_shapes *shapes, Dwarf_Die *die, const char *parent,
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
  uint64_t size = die_size(die);
  type->shape = (struct pkgimg_shape){
      .name = type->name, .size = size, .alignment = shape_alignment(die, size), .sparse = 1};
  *result = type;
  return PKGIMG_OK;
}
