// SPDX-License-Identifier: MIT
//
// Inputs that are one or two wrong fields away from a good image.
#ifndef SHOULD_FAIL_FIELDS_H
#define SHOULD_FAIL_FIELDS_H

#include "tests/should_fail/forge.h"

/// What an offset counts from.
enum place {
  PLACE_NOWHERE,
  PLACE_ELF,           ///< ELF header
  PLACE_NOTE_SEGMENT,  ///< its program header
  PLACE_NOTE,          ///< struct disk_note
  PLACE_HEADER,        ///< struct disk_header
  PLACE_TABLES,        ///< struct disk_tables
  PLACE_STRINGS,
  PLACE_DEPENDENCY,  ///< the first of each table
  PLACE_IMPORT,
  PLACE_SET,
  PLACE_SITE_IMPORT,
  PLACE_RESIDUAL,
  PLACE_LIBRARY,
  PLACE_TARGET,
  PLACE_CLONE,
  PLACE_BODY,
  PLACE_CLONE_SET,
  PLACE_SITE_CLONE,
  PLACE_CAPTURED_SET,
  PLACE_CAPTURED_DETAIL,
  PLACE_ROOT,
  PLACE_ACCESS,   ///< the instruction of the first access in X, a call or a jump
  PLACE_CLOSURE,  ///< struct disk_closure
  PLACE_ENTRY,    ///< its first entry
  PLACE_TYPES,    ///< struct disk_types
  PLACE_TYPE_KEY,  ///< the first of each of its tables
  PLACE_WORD_TYPE,
  PLACE_FUNCTION,
  PLACE_METHOD,
  PLACE_ARGUMENT,
  PLACE_DESCRIPTIONS,  ///< the block in R
  PLACE_TYPE_LAST,     ///< struct disk_type, of the last type
};

struct edit {
  enum place place;
  uint32_t offset;
  uint32_t size;  ///< of the field
  uint64_t value;
  /// What is added to the value. FROM_ACCESS: the distance of the first access to L.
  enum { FROM_ZERO, FROM_X, FROM_END_OF_X, FROM_END_OF_L, FROM_END_OF_W, FROM_END_OF_H, FROM_TABLES, FROM_ACCESS } from;
};

/// An image with wrong fields, and what becomes of it in three roles. PKGIMG_OK says that this role
/// does not look at the field, or that the value is allowed.
struct field_case {
  const char *name;
  struct edit edits[2];
  enum seal seal;
  enum pkgimg_status verify;
  enum pkgimg_status load;        ///< as the image that is asked for
  enum pkgimg_status dependency;  ///< as a dependency, of an image that was built against it
  const char *text;               ///< in the message of verify, or of load if verify accepts it; NULL: anything
};

extern const struct field_case header_cases[], table_cases[], region_cases[], closure_cases[],
    clone_cases[], captured_cases[], type_cases[], access_cases[];
extern const unsigned header_case_count, table_case_count, region_case_count, closure_case_count,
    clone_case_count, captured_case_count, type_case_count, access_case_count;

void edit_apply(struct forgery *forgery, const struct edit *edit);

#endif
