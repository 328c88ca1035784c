// SPDX-License-Identifier: MIT
//
// The types and methods of a package: one block of the tables with a head, arrays and strings of its own.
// Offsets count from the start of the block, or in a record of a type from the start of the record.
#ifndef FORMAT_TYPES_H
#define FORMAT_TYPES_H

#include "base/reader.h"
#include "format/layout.h"

#include <pkgimg/types.h>

struct disk_types {
  struct disk_table types;      ///< uint32_t: offset of each type's record; supertypes stand before their subtypes
  struct disk_table functions;  ///< uint32_t: offset of each function's name
  struct disk_table methods;    ///< struct disk_method
  struct disk_table arguments;  ///< uint32_t: 1 + number of a type; 0: any
  struct disk_table slots;      ///< struct disk_type_slot
};
static_assert(sizeof(struct disk_types) == 40, "disk_types");

/// A type, in front of its fields, its parameters and its strings; the last byte of the record is 0. In memory
/// it is struct pkgimg_type: numbers of types have become addresses.
struct disk_type {
  uint8_t id[16];
  uint64_t size;
  uint32_t align;
  uint32_t kind;  ///< enum pkgimg_type_kind
  uint32_t record_size;
  uint32_t name;
  uint32_t field_count;
  uint32_t parameter_count;
  uint64_t supertype;  ///< 1 + number of a type; 0: none
  uint64_t reserved;
};
static_assert(sizeof(struct disk_type) == 64, "disk_type");

struct disk_type_field {
  uint64_t type;
  uint32_t offset;
  uint32_t name;
};
static_assert(sizeof(struct disk_type_field) == 16, "disk_type_field");

struct disk_type_parameter {
  uint64_t value;    ///< an integer, or the number of a type
  uint64_t is_type;  ///< 0 or 1
};
static_assert(sizeof(struct disk_type_parameter) == 16, "disk_type_parameter");

struct disk_method {
  uint32_t function;  ///< its number
  uint32_t first_argument;
  uint32_t argument_count;
  uint32_t reserved;
  uint64_t word;  ///< address of the word in L or W that holds the code's address
};
static_assert(sizeof(struct disk_method) == 24, "disk_method");

/// A word in L or W that is to hold the address of a type's object.
struct disk_type_slot {
  uint64_t word;
  uint64_t type;
};
static_assert(sizeof(struct disk_type_slot) == 16, "disk_type_slot");

#define FORMAT_MAX_ARGUMENTS 64u

struct types {
  const uint8_t *bytes;
  const uint32_t *records;
  const uint32_t *functions;
  const struct disk_method *methods;
  const uint32_t *arguments;
  const struct disk_type_slot *slots;
  uint32_t type_count, function_count, method_count, argument_count, slot_count;
};

/// Check a block: every table, record, number, name and address. Without any bytes it is a package that has
/// none. reader->bytes is the block, 8-byte aligned.
PKGIMG_MUST_USE enum pkgimg_status types_read(const struct reader *reader, const struct disk_geometry *geometry,
                                              struct types *types);

static inline const struct disk_type *types_record(const struct types *types, uint64_t number)
{
  return (const struct disk_type *)(const void *)(types->bytes + types->records[number]);
}
static inline const struct disk_type_field *type_fields(const struct disk_type *type)
{
  return (const struct disk_type_field *)(type + 1);
}
static inline const struct disk_type_parameter *type_parameters(const struct disk_type *type)
{
  return (const struct disk_type_parameter *)(type_fields(type) + type->field_count);
}
static inline const char *type_string(const struct disk_type *type, uint32_t offset)
{
  return (const char *)type + offset;
}
static inline const char *types_function(const struct types *types, uint32_t number)
{
  return (const char *)types->bytes + types->functions[number];
}

#endif
