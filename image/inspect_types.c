// SPDX-License-Identifier: MIT
//
// Types and methods in an inspection.
#include "image/inspection.h"

#include <string.h>

static const char *kind_name(unsigned kind)
{
  static const char *const names[PKGIMG_KIND_COUNT] = {"abstract", "struct",  "union", "integer",  "unsigned",
                                                       "float",    "pointer", "array", "function", "other"};
  return names[kind];
}

static const struct types *types_of(const struct pkgimg_inspection *inspection)
{
  return &inspection->file.tables.types;
}

static const struct disk_type *type_at(const struct pkgimg_inspection *inspection, size_t index)
{
  const struct disk_region *region = &types_of(inspection)->head->descriptions;
  return description(image_file_bytes(&inspection->file, region->address, region->count).data, index);
}

struct pkgimg_stated_type pkgimg_inspection_type(const struct pkgimg_inspection *inspection, size_t index)
{
  const struct disk_type *type = type_at(inspection, index);
  uint32_t supertype = types_of(inspection)->keys[index].supertype;
  struct pkgimg_stated_type stated = {.name = type_string(type, type->name),
                                      .kind = kind_name(type->kind),
                                      .size = type->size,
                                      .align = type->align,
                                      .field_count = type->field_count,
                                      .parameter_count = type->parameter_count,
                                      .has_supertype = supertype != 0,
                                      .supertype = supertype ? supertype - 1 : 0};
  memcpy(stated.id, types_of(inspection)->keys[index].id, sizeof stated.id);
  return stated;
}

struct pkgimg_stated_field pkgimg_inspection_type_field(const struct pkgimg_inspection *inspection, size_t type,
                                                        size_t index)
{
  const struct disk_type *record = type_at(inspection, type);
  const struct disk_type_field *field = &type_fields(record)[index];
  return (struct pkgimg_stated_field){
      .name = type_string(record, field->name), .offset = field->offset, .type = field->type};
}

struct pkgimg_stated_parameter pkgimg_inspection_type_parameter(const struct pkgimg_inspection *inspection,
                                                                size_t type, size_t index)
{
  const struct disk_type_parameter *parameter = &type_parameters(type_at(inspection, type))[index];
  return (struct pkgimg_stated_parameter){.is_type = parameter->is_type != 0, .value = parameter->value};
}

struct pkgimg_stated_method pkgimg_inspection_method(const struct pkgimg_inspection *inspection, size_t index)
{
  const struct types *types = types_of(inspection);
  const struct disk_method *method = &types->methods[index];
  return (struct pkgimg_stated_method){.function = types_function(types, method->function),
                                       .word = types->head->method_words.address + 8ull * method->word,
                                       .argument_count = method->argument_count};
}

size_t pkgimg_inspection_method_argument(const struct pkgimg_inspection *inspection, size_t method, size_t index)
{
  const struct types *types = types_of(inspection);
  uint32_t type = types->arguments[types->methods[method].first_argument + index];
  return type ? type - 1 : SIZE_MAX;
}
