// SPDX-License-Identifier: MIT
//
// The types and methods of a package, in two blocks. What a load needs, above all the ids, is in the tables, which
// it reads. What types are called and consist of is in R, which it maps: nobody touches it until somebody asks.
// Offsets count from the start of their block, or in a record of a type from the start of the record.
#ifndef FORMAT_TYPES_H
#define FORMAT_TYPES_H

#include "base/reader.h"
#include "format/layout.h"

#include <pkgimg/types.h>

/// The block in the tables.
struct disk_types {
  struct disk_table keys;           ///< struct disk_type_key; supertypes stand before their subtypes
  struct disk_table word_types;     ///< uint32_t: for each word of type_words the number of its type
  struct disk_table functions;      ///< uint32_t: offset of each function's name
  struct disk_table methods;        ///< struct disk_method
  struct disk_table arguments;      ///< uint32_t: 1 + number of a type; 0: any
  struct disk_region type_words;    ///< words in L that are to hold the addresses of types' objects
  struct disk_region method_words;  ///< words in L that hold the addresses of methods' code
  struct disk_region descriptions;  ///< bytes in R: the other block
  uint64_t descriptions_hash;       ///< XXH3-64
};
static_assert(sizeof(struct disk_types) == 96, "disk_types");

struct disk_type_key {
  uint8_t id[16];
  uint32_t supertype;  ///< 1 + number of a type; 0: none
  uint32_t reserved;
};
static_assert(sizeof(struct disk_type_key) == 24, "disk_type_key");

struct disk_method {
  uint32_t function;  ///< its number
  uint32_t first_argument;
  uint32_t argument_count;
  uint32_t word;  ///< number of its word
};
static_assert(sizeof(struct disk_method) == 16, "disk_method");

#define FORMAT_MAX_ARGUMENTS  64u
#define FORMAT_MAX_SUPERTYPES 1000u

/// The block in R: for each type the offset of its record, uint32_t, then the records.
/// A record: this, then fields, parameters and strings; its last byte is 0.
struct disk_type {
  uint8_t id[16];
  uint64_t size;
  uint32_t align;
  uint32_t kind;  ///< enum pkgimg_type_kind
  uint32_t record_size;
  uint32_t name;
  uint32_t field_count;
  uint32_t parameter_count;
};
static_assert(sizeof(struct disk_type) == 48, "disk_type");

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

struct types {
  const uint8_t *bytes;
  const struct disk_types *head;
  const struct disk_type_key *keys;
  const uint32_t *word_types;
  const uint32_t *functions;
  const struct disk_method *methods;
  const uint32_t *arguments;
  uint32_t type_count, word_count, function_count, method_count, argument_count;
};

/// Check the block in the tables: every table, number, name and address. reader->bytes is the block, 8-byte
/// aligned.
PKGIMG_MUST_USE enum pkgimg_status types_read(const struct reader *reader, const struct disk_geometry *geometry,
                                              struct types *types);

static inline const char *types_function(const struct types *types, uint32_t number)
{
  return (const char *)types->bytes + types->functions[number];
}

/// Check the block in R: its hash, every record, number and name. reader->bytes is the block, 8-byte aligned.
PKGIMG_MUST_USE enum pkgimg_status descriptions_read(const struct reader *reader, uint32_t type_count,
                                                     uint64_t hash);

static inline const struct disk_type *description(const uint8_t *block, uint64_t number)
{
  return (const struct disk_type *)(const void *)(block + ((const uint32_t *)(const void *)block)[number]);
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

#endif
