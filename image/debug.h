// SPDX-License-Identifier: MIT
//
// Shapes that debug information tells of: what the files about them share. A struct of one name is one type,
// whichever of the file's units it is found in first.
#ifndef IMAGE_DEBUG_H
#define IMAGE_DEBUG_H

#include "base/array.h"

#include <dwarf.h>
#include <elfutils/libdw.h>
#include <elfutils/libdwfl.h>
#include <pkgimg/capture.h>
#include <stdbool.h>

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

static inline bool is_pointer(int tag)
{
  return tag == DW_TAG_pointer_type || tag == DW_TAG_reference_type || tag == DW_TAG_rvalue_reference_type;
}

static inline bool is_struct(int tag)
{
  return tag == DW_TAG_structure_type || tag == DW_TAG_class_type || tag == DW_TAG_union_type;
}

// ---- debug.c

/// Open the file, and list its types by name.
PKGIMG_MUST_USE enum pkgimg_status shapes_read(struct pkgimg_shapes *shapes, struct pkgimg_error *error);

/// The type of a member or an element, or what a pointer points to; without qualifiers and typedefs. False: void.
bool die_type(Dwarf_Die *die, Dwarf_Die *result);

/// 0 if it has none, or none that is known.
uint64_t die_size(Dwarf_Die *die);

/// Put the definition in place of a struct that a unit only declares; the same one for all units that agree on its
/// size. False: there is none.
bool die_define(const struct pkgimg_shapes *shapes, Dwarf_Die *die);

/// The type of ours, which may be new. One without a name is called after the member that has it.
PKGIMG_MUST_USE enum pkgimg_status shapes_type_of(struct pkgimg_shapes *shapes, Dwarf_Die *die, const char *parent,
                                                  const char *member, struct type **result,
                                                  struct pkgimg_error *error);

// ---- debug_fields.c

/// Give fields to all types that have none yet, and to those that these lead to.
PKGIMG_MUST_USE enum pkgimg_status shapes_fill(struct pkgimg_shapes *shapes, struct pkgimg_error *error);

#endif
