// SPDX-License-Identifier: MIT
//
// The types and methods of a package while they are collected: records with numbers in place of addresses.
#ifndef SERIALIZER_MODEL_H
#define SERIALIZER_MODEL_H

#include "serializer/types.h"

#define MODEL_NONE UINT32_MAX

struct model_field {
  const char *name;
  uint32_t type;
  uint64_t offset;
};

struct model_parameter {
  uint32_t type;  ///< MODEL_NONE: an integer
  uint64_t value;
};

struct model_type {
  const char *name;
  uint64_t size;
  uint32_t align, kind;
  uint32_t supertype;  ///< MODEL_NONE: none
  struct model_field *fields;
  struct model_parameter *parameters;
  uint32_t field_count, parameter_count;
  uint32_t same;  ///< the first type of equal content: itself, if it is the first
  uint8_t id[16];
};

struct model_method {
  const char *function;
  uint32_t word;        ///< number of the word that holds the code's address
  uint32_t *arguments;  ///< MODEL_NONE: any
  uint32_t argument_count;
};

struct model {
  const char *package;
  struct model_type *types;
  struct model_method *methods;
  uint32_t type_count, method_count;
  uint32_t word_count;  ///< the first types, which have words
  struct pkgimg_error *error;
};
void model_deinit(struct model *model);

/// Read the records; strings stay where they are.
PKGIMG_MUST_USE enum pkgimg_status model_read(struct model *model, const struct type_source *sources,
                                              size_t source_count);

/// Find out which types are the same, and compute the ids of all.
PKGIMG_MUST_USE enum pkgimg_status model_identify(struct model *model);

/// What a type refers to, in order: supertype, fields, parameters. MODEL_NONE where nothing is.
static inline uint32_t model_reference_count(const struct model_type *type)
{
  return 1 + type->field_count + type->parameter_count;
}
static inline uint32_t model_reference(const struct model_type *type, uint32_t index)
{
  if (index == 0)
    return type->supertype;
  index--;
  return index < type->field_count ? type->fields[index].type : type->parameters[index - type->field_count].type;
}

#endif
