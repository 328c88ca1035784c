// SPDX-License-Identifier: MIT
//
// Records of <pkgimg/types.h> as the linker laid them out -> model. Whoever made the records may have made
// mistakes: every pointer is checked against the file and the sites.
#include "serializer/model.h"

#include <stdlib.h>
#include <string.h>

struct records {
  struct model *model;
  const struct linked *linked;
  struct span words;
  const struct writer_sites *own;
  struct disk_area areas[AREA_COUNT];
};

void model_deinit(struct model *model)
{
  for (uint32_t i = 0; model->types && i < model->type_count; i++) {
    free(model->types[i].fields);
    free(model->types[i].parameters);
  }
  for (uint32_t i = 0; model->methods && i < model->method_count; i++)
    free(model->methods[i].arguments);
  free(model->types);
  free(model->methods);
  *model = (struct model){0};
}

static enum pkgimg_status refuse(const struct records *records, const char *name, const char *what, uint64_t address)
{
  return fail_name(records->model->error, PKGIMG_UNSUPPORTED, records->model->package, name, "%s at address 0x%llx",
                   what, (unsigned long long)address);
}

// ---- addresses

// The file's bytes at an address, as far as its area has any there.
static struct span bytes_at(const struct records *records, uint64_t address)
{
  for (int i = 0; i < AREA_COUNT; i++) {
    const struct disk_area *area = &records->areas[i];
    uint64_t offset = address - area->address;
    if (address >= area->address && offset < area->file_size &&
        range_within(area->file_offset, area->file_size, records->words.size))
      return (struct span){records->words.data + area->file_offset + offset, area->file_size - offset};
  }
  return (struct span){0};
}

static bool is_own(const struct records *records, uint64_t address)
{
  const struct disk_area *constants = &records->areas[AREA_L], *data = &records->areas[AREA_W];
  uint64_t word = address >= data->address ? (constants->file_size + address - data->address) / 8
                                           : (address - constants->address) / 8;
  size_t low = 0, high = records->own->count;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    *(records->own->ids[middle] < word ? &low : &high) = records->own->ids[middle] < word ? middle + 1 : middle;
  }
  return low < records->own->count && records->own->ids[low] == word;
}

// The pointer in a word: 0, or an address of the package itself.
static enum pkgimg_status pointer_at(const struct records *records, const char *name, uint64_t address,
                                     uint64_t *value)
{
  struct span bytes = bytes_at(records, address);
  *value = 0;
  if (bytes.size < 8)
    return refuse(records, name, "its record lies outside of the file,", address);
  if (is_own(records, address))
    memcpy(value, bytes.data, 8);
  else if (memcmp(bytes.data, &(uint64_t){0}, 8) != 0)
    return refuse(records, name, "its record points out of the package: state the other type here too;", address);
  return PKGIMG_OK;
}

static enum pkgimg_status string_at(const struct records *records, const char *owner, uint64_t address,
                                    const char **text)
{
  uint64_t target;
  TRY(pointer_at(records, owner, address, &target));
  struct span bytes = bytes_at(records, target);
  *text = target ? span_string(bytes, 0) : NULL;
  return *text && **text ? PKGIMG_OK : refuse(records, owner, "a name is missing", address);
}

// An array of `count` elements that the words of a record announce.
static enum pkgimg_status array_at(const struct records *records, const char *name, uint64_t address,
                                   uint64_t count, size_t size, uint64_t *start)
{
  TRY(pointer_at(records, name, address, start));
  uint64_t bytes;
  if (__builtin_mul_overflow(count, size, &bytes) || count > UINT32_MAX / 64 ||
      (count && bytes_at(records, *start).size < bytes))
    return refuse(records, name, "an array lies outside of the file,", *start);
  return PKGIMG_OK;
}

// The number of the type whose record a word points to.
static enum pkgimg_status type_at(const struct records *records, const char *name, uint64_t address,
                                  uint32_t *number)
{
  uint64_t target, start = records->linked->types.address;
  TRY(pointer_at(records, name, address, &target));
  *number = target ? (uint32_t)((target - start) / sizeof(struct pkgimg_type_record)) : MODEL_NONE;
  if (target == 0 || (target >= start && target - start < records->linked->types.size &&
                      (target - start) % sizeof(struct pkgimg_type_record) == 0))
    return PKGIMG_OK;
  return refuse(records, name, "it refers to what is no record of a type,", target);
}

static enum pkgimg_status needed_type_at(const struct records *records, const char *name, uint64_t address,
                                         uint32_t *number)
{
  TRY(type_at(records, name, address, number));
  return *number != MODEL_NONE ? PKGIMG_OK : refuse(records, name, "it has a member without a type", address);
}

// ---- types

static enum pkgimg_status read_fields(const struct records *records, struct model_type *type, uint64_t start)
{
  for (uint32_t i = 0; i < type->field_count; i++) {
    struct model_field *field = &type->fields[i];
    uint64_t at = start + i * sizeof(struct pkgimg_field_record);
    TRY(string_at(records, type->name, at + offsetof(struct pkgimg_field_record, name), &field->name));
    TRY(needed_type_at(records, type->name, at + offsetof(struct pkgimg_field_record, type), &field->type));
    memcpy(&field->offset, bytes_at(records, at + offsetof(struct pkgimg_field_record, offset)).data, 8);
  }
  return PKGIMG_OK;
}

static enum pkgimg_status read_parameters(const struct records *records, struct model_type *type, uint64_t start)
{
  for (uint32_t i = 0; i < type->parameter_count; i++) {
    struct model_parameter *parameter = &type->parameters[i];
    uint64_t at = start + i * sizeof(struct pkgimg_parameter_record);
    TRY(type_at(records, type->name, at + offsetof(struct pkgimg_parameter_record, type), &parameter->type));
    if (parameter->type == MODEL_NONE)
      memcpy(&parameter->value, bytes_at(records, at + offsetof(struct pkgimg_parameter_record, value)).data, 8);
  }
  return PKGIMG_OK;
}

static enum pkgimg_status read_type(const struct records *records, struct model_type *type)
{
  struct pkgimg_type_record record;
  uint64_t at = type->address, fields, parameters;
  memcpy(&record, bytes_at(records, at).data, sizeof record);
  TRY(string_at(records, "a type", at + offsetof(struct pkgimg_type_record, name), &type->name));
  TRY(type_at(records, type->name, at + offsetof(struct pkgimg_type_record, supertype), &type->supertype));
  TRY(array_at(records, type->name, at + offsetof(struct pkgimg_type_record, fields), record.field_count,
               sizeof(struct pkgimg_field_record), &fields));
  TRY(array_at(records, type->name, at + offsetof(struct pkgimg_type_record, parameters), record.parameter_count,
               sizeof(struct pkgimg_parameter_record), &parameters));
  type->size = record.size;
  type->align = record.align;
  type->kind = record.kind;
  type->field_count = (uint32_t)record.field_count;
  type->parameter_count = (uint32_t)record.parameter_count;
  type->fields = calloc(type->field_count + 1u, sizeof *type->fields);
  type->parameters = calloc(type->parameter_count + 1u, sizeof *type->parameters);
  if (!type->fields || !type->parameters)
    return fail_memory(records->model->error, type->field_count * sizeof *type->fields);
  TRY(read_fields(records, type, fields));
  return read_parameters(records, type, parameters);
}

// What no compiler would lay out is a slip of whoever wrote the record.
static enum pkgimg_status check_type(const struct records *records, const struct model_type *type)
{
  struct pkgimg_error *error = records->model->error;
  const char *package = records->model->package;
  if (type->kind >= PKGIMG_KIND_COUNT)
    return fail_name(error, PKGIMG_UNSUPPORTED, package, type->name, "kind of a type: expected less than %d, found %u",
                     PKGIMG_KIND_COUNT, type->kind);
  if (type->align & (type->align - 1))
    return fail_name(error, PKGIMG_UNSUPPORTED, package, type->name, "alignment %u is not a power of two",
                     type->align);
  for (uint32_t i = 0; i < type->field_count; i++) {
    const struct model_field *field = &type->fields[i];
    uint64_t size = records->model->types[field->type].size;
    if (field->offset > UINT32_MAX || !range_within(field->offset, size, type->size))
      return fail_name(error, PKGIMG_UNSUPPORTED, package, type->name,
                       "field %s: %llu bytes at offset %llu lie outside of the type's %llu bytes", field->name,
                       (unsigned long long)size, (unsigned long long)field->offset, (unsigned long long)type->size);
  }
  return PKGIMG_OK;
}

// ---- methods

static enum pkgimg_status read_method(const struct records *records, struct model_method *method, uint64_t at)
{
  uint64_t start, count;
  memcpy(&count, bytes_at(records, at + offsetof(struct pkgimg_method_record, argument_count)).data, 8);
  TRY(string_at(records, "a method", at + offsetof(struct pkgimg_method_record, function), &method->function));
  TRY(array_at(records, method->function, at + offsetof(struct pkgimg_method_record, arguments), count, 8, &start));
  if (count > FORMAT_MAX_ARGUMENTS)
    return fail_name(records->model->error, PKGIMG_UNSUPPORTED, records->model->package, method->function,
                     "a method has %llu arguments; at most %u are allowed", (unsigned long long)count,
                     FORMAT_MAX_ARGUMENTS);
  method->word = at + offsetof(struct pkgimg_method_record, code);
  method->argument_count = (uint32_t)count;
  method->arguments = calloc(method->argument_count + 1u, sizeof *method->arguments);
  if (!method->arguments)
    return fail_memory(records->model->error, count * sizeof *method->arguments);
  for (uint32_t i = 0; i < method->argument_count; i++)
    TRY(type_at(records, method->function, start + 8ull * i, &method->arguments[i]));
  return PKGIMG_OK;
}

// ---- the sections

static enum pkgimg_status section_count(const struct records *records, const char *name,
                                        const struct linked_section *section, size_t size, uint32_t *count)
{
  uint64_t found = section->size / size;
  *count = (uint32_t)found;
  if (section->size % size == 0 && section->address % 8 == 0 && found <= UINT32_MAX / 64 &&
      (found == 0 || bytes_at(records, section->address).size >= section->size))
    return PKGIMG_OK;
  return fail_name(records->model->error, PKGIMG_UNSUPPORTED, records->model->package, name,
                   "the section has %llu bytes; its records have %zu each", (unsigned long long)section->size, size);
}

static enum pkgimg_status read_all(const struct records *records)
{
  struct model *model = records->model;
  const struct linked_section *types = &records->linked->types, *methods = &records->linked->methods;
  for (uint32_t i = 0; i < model->type_count; i++) {
    model->types[i].address = types->address + i * sizeof(struct pkgimg_type_record);
    TRY(read_type(records, &model->types[i]));
  }
  for (uint32_t i = 0; i < model->type_count; i++)
    TRY(check_type(records, &model->types[i]));
  for (uint32_t i = 0; i < model->method_count; i++)
    TRY(read_method(records, &model->methods[i], methods->address + i * sizeof(struct pkgimg_method_record)));
  return PKGIMG_OK;
}

enum pkgimg_status model_read(struct model *model, const struct linked *linked, struct span words,
                              const struct writer_sites *own)
{
  struct records records = {.model = model, .linked = linked, .words = words, .own = own};
  writer_areas(linked, records.areas);
  TRY(section_count(&records, "pkgimg_types", &linked->types, sizeof(struct pkgimg_type_record),
                    &model->type_count));
  TRY(section_count(&records, "pkgimg_methods", &linked->methods, sizeof(struct pkgimg_method_record),
                    &model->method_count));
  model->types = calloc(model->type_count + 1u, sizeof *model->types);
  model->methods = calloc(model->method_count + 1u, sizeof *model->methods);
  if (!model->types || !model->methods)
    return fail_memory(model->error, model->type_count * sizeof *model->types);
  return read_all(&records);
}
