// SPDX-License-Identifier: MIT
//
// Shorthand for the rows of the tables of fields.
#ifndef SHOULD_FAIL_ROWS_H
#define SHOULD_FAIL_ROWS_H

#include "tests/should_fail/fields.h"

#define FIELD(place, type, member, value)                                                                         \
  {                                                                                                               \
    place, offsetof(type, member), sizeof(((type *)0)->member), value, FROM_ZERO                                  \
  }
#define ELF(member, value)        FIELD(PLACE_ELF, Elf64_Ehdr, member, value)
#define NOTE(member, value)       FIELD(PLACE_NOTE, struct disk_note, member, value)
#define HEADER(member, value)     FIELD(PLACE_HEADER, struct disk_header, member, value)
#define GEOMETRY(member, value)   FIELD(PLACE_HEADER, struct disk_header, geometry.member, value)
#define TABLES(member, value)     FIELD(PLACE_TABLES, struct disk_tables, member, value)
#define DEPENDENCY(member, value) FIELD(PLACE_DEPENDENCY, struct disk_dependency, member, value)
#define IMPORT(member, value)     FIELD(PLACE_IMPORT, struct disk_import, member, value)
#define SET(member, value)        FIELD(PLACE_SET, struct disk_site_set, member, value)
#define RESIDUAL(member, value)   FIELD(PLACE_RESIDUAL, struct disk_residual, member, value)
#define TARGET(member, value)     FIELD(PLACE_TARGET, struct disk_target, member, value)
#define CLONE(member, value)      FIELD(PLACE_CLONE, struct disk_clone, member, value)
#define CLONE_SET(member, value)  FIELD(PLACE_CLONE_SET, struct disk_site_set, member, value)
#define CAPTURED(index, member, value)                                                                            \
  {                                                                                                               \
    PLACE_CAPTURED_SET, (index) * sizeof(struct disk_captured_set) + offsetof(struct disk_captured_set, member),  \
        sizeof(((struct disk_captured_set *)0)->member), value, FROM_ZERO                                         \
  }
#define ROOT(member, value)       FIELD(PLACE_ROOT, struct disk_root, member, value)
#define CLOSURE(member, value)    FIELD(PLACE_CLOSURE, struct disk_closure, member, value)
#define ENTRY(member, value)      FIELD(PLACE_ENTRY, struct disk_closure_entry, member, value)
#define TYPES(member, value)      FIELD(PLACE_TYPES, struct disk_types, member, value)
#define TYPE(member, value)       FIELD(PLACE_TYPE_LAST, struct disk_type, member, value)
#define METHOD(member, value)     FIELD(PLACE_METHOD, struct disk_method, member, value)
#define AT(place, offset, size, value)                                                                            \
  {                                                                                                               \
    place, offset, size, value, FROM_ZERO                                                                         \
  }
#define BYTES(place, type, member, skip, size, value)                                                             \
  {                                                                                                               \
    place, offsetof(type, member) + (skip), size, value, FROM_ZERO                                                \
  }
#define RESIDUAL_AT(from, value)                                                                                  \
  {                                                                                                               \
    PLACE_RESIDUAL, offsetof(struct disk_residual, address), 8, value, from                                       \
  }

#define REGION_AT(member, from, value)                                                                            \
  {                                                                                                               \
    PLACE_TABLES, offsetof(struct disk_tables, member), 8, value, from                                            \
  }

#define OK           PKGIMG_OK
#define MALFORMED    PKGIMG_MALFORMED
#define TRUNCATED    PKGIMG_TRUNCATED
#define MISMATCH     PKGIMG_MISMATCH
#define NOT_AN_IMAGE PKGIMG_NOT_AN_IMAGE
#define MACHINE      PKGIMG_WRONG_MACHINE
#define VERSION      PKGIMG_WRONG_VERSION
#define UNSUPPORTED  PKGIMG_UNSUPPORTED
#define UNDEFINED    PKGIMG_UNDEFINED_SYMBOL

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define HUGE         UINT64_MAX
#define LIMIT        FORMAT_AREA_LIMIT
#define L_START      FORMAT_L_START
#define W_START      FORMAT_W_START

#endif
