// SPDX-License-Identifier: MIT
#include "format/types.h"

#include "base/hash.h"

#include <string.h>

static enum pkgimg_status broken(const struct reader *reader, const void *at, const char *what, uint64_t expected,
                                 uint64_t found)
{
  uint64_t offset = (uint64_t)((const uint8_t *)at - reader->bytes.data);
  return fail_at(reader->error, PKGIMG_MALFORMED, reader->file, reader->origin + offset, what, expected, found);
}

// `array` points to a pointer of the element's type.
static enum pkgimg_status table(const struct reader *reader, const char *what, const struct disk_table *at,
                                size_t size, void *array, uint32_t *count)
{
  const void *found;
  TRY(reader_array(reader, what, at->offset, at->count, size, size < 8 ? size : 8, &found));
  memcpy(array, &found, sizeof found);
  *count = at->count;
  return PKGIMG_OK;
}

// ---- the block in R

static enum pkgimg_status names_check(const struct reader *reader, const struct disk_type *type)
{
  const struct disk_type_field *fields = type_fields(type);
  if (type->name >= type->record_size)
    return broken(reader, &type->name, "bytes of a record that a type's name needs", type->name + 1ull,
                  type->record_size);
  for (uint32_t i = 0; i < type->field_count; i++)
    if (fields[i].name >= type->record_size)
      return broken(reader, &fields[i].name, "bytes of a record that a field's name needs", fields[i].name + 1ull,
                    type->record_size);
  return PKGIMG_OK;
}

static enum pkgimg_status references_check(const struct reader *reader, const struct disk_type *type,
                                           uint32_t count)
{
  const struct disk_type_field *fields = type_fields(type);
  const struct disk_type_parameter *parameters = type_parameters(type);
  for (uint32_t i = 0; i < type->field_count; i++)
    if (fields[i].type >= count)
      return broken(reader, &fields[i], "number of types that a field needs", fields[i].type + 1, count);
  for (uint32_t i = 0; i < type->parameter_count; i++)
    if (parameters[i].is_type > 1)
      return broken(reader, &parameters[i].is_type, "kind of a parameter", 1, parameters[i].is_type);
    else if (parameters[i].is_type && parameters[i].value >= count)
      return broken(reader, &parameters[i], "number of types that a parameter needs", parameters[i].value + 1,
                    count);
  return PKGIMG_OK;
}

static enum pkgimg_status description_check(const struct reader *reader, uint64_t offset, uint32_t count)
{
  const void *found;
  TRY(reader_array(reader, "type", offset, 1, sizeof(struct disk_type), 8, &found));
  const struct disk_type *type = found;
  uint64_t arrays = sizeof *type + ((uint64_t)type->field_count + type->parameter_count) * 16;
  if (type->record_size % 8 || type->record_size <= arrays)
    return broken(reader, &type->record_size, "size of a type's record", (arrays + 8) & ~7ull, type->record_size);
  TRY(reader_array(reader, "type", offset, 1, type->record_size, 8, &found));
  const uint8_t *last = (const uint8_t *)type + type->record_size - 1;
  if (*last)
    return broken(reader, last, "last byte of a type's record", 0, *last);
  if (type->kind >= PKGIMG_KIND_COUNT)
    return broken(reader, &type->kind, "number of kinds of types", type->kind + 1ull, PKGIMG_KIND_COUNT);
  TRY(names_check(reader, type));
  return references_check(reader, type, count);
}

enum pkgimg_status descriptions_read(const struct reader *reader, uint32_t type_count, uint64_t hash)
{
  const void *offsets;
  uint64_t found = hash64(reader->bytes.data, reader->bytes.size);
  if (found != hash)
    return fail_at(reader->error, PKGIMG_MISMATCH, reader->file, reader->origin, "hash of the types' descriptions",
                   hash, found);
  TRY(reader_array(reader, "descriptions of types", 0, type_count, 4, 8, &offsets));
  for (uint32_t i = 0; i < type_count; i++)
    TRY(description_check(reader, ((const uint32_t *)offsets)[i], type_count));
  return PKGIMG_OK;
}

// ---- the block in the tables

static enum pkgimg_status keys_check(const struct reader *reader, const struct types *types)
{
  for (uint32_t i = 0; i < types->type_count; i++)
    if (types->keys[i].supertype > i)
      return broken(reader, &types->keys[i].supertype, "supertype", i, types->keys[i].supertype);
  for (uint32_t i = 0; i < types->word_count; i++)
    if (types->word_types[i] >= types->type_count)
      return broken(reader, &types->word_types[i], "number of types that a word needs",
                    types->word_types[i] + 1ull, types->type_count);
  return PKGIMG_OK;
}

// A name ends within the block, whose last byte is 0.
static enum pkgimg_status functions_check(const struct reader *reader, const struct types *types)
{
  size_t size = reader->bytes.size;
  if (reader->bytes.data[size - 1])
    return broken(reader, reader->bytes.data + size - 1, "last byte of the types", 0,
                  reader->bytes.data[size - 1]);
  for (uint32_t i = 0; i < types->function_count; i++)
    if (types->functions[i] >= size)
      return broken(reader, &types->functions[i], "bytes that a function's name needs", types->functions[i] + 1ull,
                    size);
  return PKGIMG_OK;
}

static enum pkgimg_status method_check(const struct reader *reader, const struct types *types,
                                       const struct disk_method *method)
{
  if (method->function >= types->function_count)
    return broken(reader, &method->function, "number of functions that a method needs", method->function + 1ull,
                  types->function_count);
  if (method->argument_count > FORMAT_MAX_ARGUMENTS)
    return broken(reader, &method->argument_count, "number of arguments", FORMAT_MAX_ARGUMENTS,
                  method->argument_count);
  if (!range_within(method->first_argument, method->argument_count, types->argument_count))
    return broken(reader, &method->first_argument, "arguments that a method needs",
                  (uint64_t)method->first_argument + method->argument_count, types->argument_count);
  if (method->word >= types->head->method_words.count)
    return broken(reader, &method->word, "number of words that a method needs", method->word + 1ull,
                  types->head->method_words.count);
  return PKGIMG_OK;
}

static enum pkgimg_status methods_check(const struct reader *reader, const struct types *types)
{
  for (uint32_t i = 0; i < types->argument_count; i++)
    if (types->arguments[i] > types->type_count)
      return broken(reader, &types->arguments[i], "number of types that an argument needs", types->arguments[i],
                    types->type_count);
  for (uint32_t i = 0; i < types->method_count; i++)
    TRY(method_check(reader, types, &types->methods[i]));
  return PKGIMG_OK;
}

static enum pkgimg_status region_check(const struct reader *reader, const char *what,
                                       const struct disk_region *region, const struct disk_area *area,
                                       uint64_t size)
{
  uint64_t bytes;
  if (region->count == 0)
    return PKGIMG_OK;
  if (__builtin_mul_overflow(region->count, size, &bytes) || region->address < area->address ||
      !range_within(region->address - area->address, bytes, area->file_size))
    return broken(reader, region, what, area->file_size, region->count);
  if (region->address % 8)
    return broken(reader, region, what, 0, region->address % 8);
  return PKGIMG_OK;
}

static enum pkgimg_status regions_check(const struct reader *reader, const struct disk_geometry *geometry,
                                        const struct types *types)
{
  const struct disk_types *head = types->head;
  TRY(region_check(reader, "words of types", &head->type_words, &geometry->areas[AREA_L], 8));
  TRY(region_check(reader, "words of methods", &head->method_words, &geometry->areas[AREA_L], 8));
  if (head->type_words.count != types->word_count)
    return broken(reader, &head->type_words.count, "words of types", types->word_count, head->type_words.count);
  return region_check(reader, "descriptions of types", &head->descriptions, &geometry->areas[AREA_R], 1);
}

enum pkgimg_status types_read(const struct reader *reader, const struct disk_geometry *geometry,
                              struct types *types)
{
  const void *start;
  TRY(reader_array(reader, "types", 0, 1, sizeof(struct disk_types), 8, &start));
  const struct disk_types *head = start;
  *types = (struct types){.bytes = reader->bytes.data, .head = head};
  TRY(table(reader, "types", &head->keys, sizeof *types->keys, &types->keys, &types->type_count));
  TRY(table(reader, "types of words", &head->word_types, 4, &types->word_types, &types->word_count));
  TRY(table(reader, "functions", &head->functions, 4, &types->functions, &types->function_count));
  TRY(table(reader, "methods", &head->methods, sizeof *types->methods, &types->methods, &types->method_count));
  TRY(table(reader, "arguments of methods", &head->arguments, 4, &types->arguments, &types->argument_count));
  TRY(keys_check(reader, types));
  TRY(functions_check(reader, types));
  TRY(methods_check(reader, types));
  return regions_check(reader, geometry, types);
}
