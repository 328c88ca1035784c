// SPDX-License-Identifier: MIT
#include "format/types.h"

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

// ---- types

static enum pkgimg_status names_check(const struct reader *reader, const struct disk_type *type)
{
  const struct disk_type_field *fields = type_fields(type);
  if (type->name >= type->record_size)
    return broken(reader, &type->name, "name of a type", type->record_size, type->name);
  for (uint32_t i = 0; i < type->field_count; i++)
    if (fields[i].name >= type->record_size)
      return broken(reader, &fields[i].name, "name of a field", type->record_size, fields[i].name);
  return PKGIMG_OK;
}

static enum pkgimg_status references_check(const struct reader *reader, const struct disk_type *type,
                                           uint32_t number, uint32_t count)
{
  const struct disk_type_field *fields = type_fields(type);
  const struct disk_type_parameter *parameters = type_parameters(type);
  if (type->supertype > number)
    return broken(reader, &type->supertype, "supertype", number, type->supertype);
  for (uint32_t i = 0; i < type->field_count; i++)
    if (fields[i].type >= count)
      return broken(reader, &fields[i], "type of a field", count, fields[i].type);
  for (uint32_t i = 0; i < type->parameter_count; i++)
    if (parameters[i].is_type > 1 || (parameters[i].is_type && parameters[i].value >= count))
      return broken(reader, &parameters[i], "parameter of a type", count, parameters[i].value);
  return PKGIMG_OK;
}

static enum pkgimg_status type_check(const struct reader *reader, const struct types *types, uint32_t number)
{
  const struct disk_type *type;
  const void *found;
  TRY(reader_array(reader, "type", types->records[number], 1, sizeof *type, 8, &found));
  type = found;
  uint64_t arrays = sizeof *type + ((uint64_t)type->field_count + type->parameter_count) * 16;
  if (type->record_size % 8 || type->record_size <= arrays)
    return broken(reader, &type->record_size, "size of a type's record", (arrays + 8) & ~7ull, type->record_size);
  TRY(reader_array(reader, "type", types->records[number], 1, type->record_size, 8, &found));
  if (((const uint8_t *)type)[type->record_size - 1])
    return broken(reader, (const uint8_t *)type + type->record_size - 1, "last byte of a type's record", 0,
                  ((const uint8_t *)type)[type->record_size - 1]);
  if (type->kind >= PKGIMG_KIND_COUNT)
    return broken(reader, &type->kind, "kind of a type", PKGIMG_KIND_COUNT, type->kind);
  TRY(names_check(reader, type));
  return references_check(reader, type, number, types->type_count);
}

// ---- functions, methods, slots

// A name ends within the block, whose last byte is 0.
static enum pkgimg_status functions_check(const struct reader *reader, const struct types *types)
{
  size_t size = reader->bytes.size;
  if (reader->bytes.data[size - 1])
    return broken(reader, reader->bytes.data + size - 1, "last byte of the types", 0, reader->bytes.data[size - 1]);
  for (uint32_t i = 0; i < types->function_count; i++)
    if (types->functions[i] >= size)
      return broken(reader, &types->functions[i], "name of a function", size, types->functions[i]);
  return PKGIMG_OK;
}

static enum pkgimg_status word_check(const struct reader *reader, const struct disk_geometry *geometry,
                                     const char *what, const uint64_t *word)
{
  const struct disk_area *area = &geometry->areas[*word >= FORMAT_W_START ? AREA_W : AREA_L];
  if (*word % 8 == 0 && *word >= area->address && range_within(*word - area->address, 8, area->file_size))
    return PKGIMG_OK;
  return broken(reader, word, what, area->address, *word);
}

static enum pkgimg_status method_check(const struct reader *reader, const struct disk_geometry *geometry,
                                       const struct types *types, const struct disk_method *method)
{
  if (method->function >= types->function_count)
    return broken(reader, &method->function, "function of a method", types->function_count, method->function);
  if (method->argument_count > FORMAT_MAX_ARGUMENTS)
    return broken(reader, &method->argument_count, "number of arguments", FORMAT_MAX_ARGUMENTS,
                  method->argument_count);
  if (!range_within(method->first_argument, method->argument_count, types->argument_count))
    return broken(reader, &method->first_argument, "arguments of a method", types->argument_count,
                  method->first_argument);
  return word_check(reader, geometry, "word of a method", &method->word);
}

static enum pkgimg_status methods_check(const struct reader *reader, const struct disk_geometry *geometry,
                                        const struct types *types)
{
  for (uint32_t i = 0; i < types->argument_count; i++)
    if (types->arguments[i] > types->type_count)
      return broken(reader, &types->arguments[i], "type of an argument", types->type_count, types->arguments[i]);
  for (uint32_t i = 0; i < types->method_count; i++)
    TRY(method_check(reader, geometry, types, &types->methods[i]));
  return PKGIMG_OK;
}

static enum pkgimg_status slots_check(const struct reader *reader, const struct disk_geometry *geometry,
                                      const struct types *types)
{
  for (uint32_t i = 0; i < types->slot_count; i++) {
    const struct disk_type_slot *slot = &types->slots[i];
    if (slot->type >= types->type_count)
      return broken(reader, &slot->type, "type of a slot", types->type_count, slot->type);
    TRY(word_check(reader, geometry, "word of a type", &slot->word));
  }
  return PKGIMG_OK;
}

enum pkgimg_status types_read(const struct reader *reader, const struct disk_geometry *geometry,
                              struct types *types)
{
  const void *start;
  *types = (struct types){.bytes = reader->bytes.data};
  if (reader->bytes.size == 0)
    return PKGIMG_OK;
  TRY(reader_array(reader, "types", 0, 1, sizeof(struct disk_types), 8, &start));
  const struct disk_types *head = start;
  TRY(table(reader, "types", &head->types, 4, &types->records, &types->type_count));
  TRY(table(reader, "functions", &head->functions, 4, &types->functions, &types->function_count));
  TRY(table(reader, "methods", &head->methods, sizeof(struct disk_method), &types->methods, &types->method_count));
  TRY(table(reader, "arguments of methods", &head->arguments, 4, &types->arguments, &types->argument_count));
  TRY(table(reader, "slots of types", &head->slots, sizeof(struct disk_type_slot), &types->slots,
            &types->slot_count));
  for (uint32_t i = 0; i < types->type_count; i++)
    TRY(type_check(reader, types, i));
  TRY(functions_check(reader, types));
  TRY(methods_check(reader, geometry, types));
  return slots_check(reader, geometry, types);
}
