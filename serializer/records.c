// SPDX-License-Identifier: MIT
//
// Records of <pkgimg/types.h> -> model: numbers in place of addresses, and what no compiler would lay out refused.
#include "serializer/model.h"

#include <stdlib.h>
#include <string.h>

struct records {
  struct model *model;
  const struct type_source *sources;
  size_t source_count;
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

static enum pkgimg_status refuse(const struct records *records, const char *name, const char *what)
{
  return fail_name(records->model->error, PKGIMG_UNSUPPORTED, records->model->package, name, "%s", what);
}

// The number of the type whose record this is; MODEL_NONE for NULL.
static enum pkgimg_status number_of(const struct records *records, const char *owner,
                                    const struct pkgimg_type_record *record, uint32_t *number)
{
  uint64_t first = 0;
  *number = MODEL_NONE;
  for (size_t i = 0; record && i < records->source_count; i++) {
    const struct type_source *source = &records->sources[i];
    uintptr_t at = (uintptr_t)record - (uintptr_t)source->types;
    if (at < source->type_count * sizeof *record && at % sizeof *record == 0)
      *number = (uint32_t)(first + at / sizeof *record);
    first += source->type_count;
  }
  return record && *number == MODEL_NONE
             ? refuse(records, owner, "it refers to a record that the build was not given")
             : PKGIMG_OK;
}

static bool is_named(const char *name)
{
  return name && *name;
}

// ---- types

static enum pkgimg_status read_members(const struct records *records, struct model_type *type,
                                       const struct pkgimg_type_record *record)
{
  for (uint32_t i = 0; i < type->field_count; i++) {
    struct model_field *field = &type->fields[i];
    *field = (struct model_field){.name = record->fields[i].name, .offset = record->fields[i].offset};
    if (!is_named(field->name))
      return refuse(records, type->name, "it has a field without a name");
    TRY(number_of(records, type->name, record->fields[i].type, &field->type));
    if (field->type == MODEL_NONE)
      return refuse(records, type->name, "it has a field without a type");
  }
  for (uint32_t i = 0; i < type->parameter_count; i++) {
    struct model_parameter *parameter = &type->parameters[i];
    TRY(number_of(records, type->name, record->parameters[i].type, &parameter->type));
    parameter->value = parameter->type == MODEL_NONE ? record->parameters[i].value : 0;
  }
  return PKGIMG_OK;
}

static enum pkgimg_status read_type(const struct records *records, struct model_type *type,
                                    const struct pkgimg_type_record *record)
{
  enum { MANY = 1 << 24 };
  if (!is_named(record->name))
    return refuse(records, "a type", "it has no name");
  type->name = record->name;
  if (record->field_count > MANY || record->parameter_count > MANY || (record->field_count && !record->fields) ||
      (record->parameter_count && !record->parameters))
    return refuse(records, type->name, "its fields or parameters are missing, or more than 2^24");
  type->size = record->size;
  type->align = record->align;
  type->kind = record->kind;
  type->field_count = (uint32_t)record->field_count;
  type->parameter_count = (uint32_t)record->parameter_count;
  type->fields = calloc(type->field_count + 1u, sizeof *type->fields);
  type->parameters = calloc(type->parameter_count + 1u, sizeof *type->parameters);
  if (!type->fields || !type->parameters)
    return fail_memory(records->model->error, type->field_count * sizeof *type->fields);
  TRY(number_of(records, type->name, record->supertype, &type->supertype));
  return read_members(records, type, record);
}

static enum pkgimg_status check_type(const struct model *model, const struct model_type *type)
{
  if (type->kind >= PKGIMG_KIND_COUNT)
    return fail_name(model->error, PKGIMG_UNSUPPORTED, model->package, type->name,
                     "kind of a type: expected less than %d, found %u", PKGIMG_KIND_COUNT, type->kind);
  if (type->align & (type->align - 1))
    return fail_name(model->error, PKGIMG_UNSUPPORTED, model->package, type->name,
                     "alignment %u is not a power of two", type->align);
  for (uint32_t i = 0; i < type->field_count; i++) {
    const struct model_field *field = &type->fields[i];
    uint64_t size = model->types[field->type].size;
    if (field->offset > UINT32_MAX || !range_within(field->offset, size, type->size))
      return fail_name(model->error, PKGIMG_UNSUPPORTED, model->package, type->name,
                       "field %s: %llu bytes at offset %llu lie outside of the type's %llu bytes", field->name,
                       (unsigned long long)size, (unsigned long long)field->offset,
                       (unsigned long long)type->size);
  }
  return PKGIMG_OK;
}

// ---- methods

static enum pkgimg_status read_method(const struct records *records, struct model_method *method,
                                      const struct pkgimg_method_record *record)
{
  struct model *model = records->model;
  if (!is_named(record->function))
    return refuse(records, "a method", "its function has no name");
  if (record->argument_count > FORMAT_MAX_ARGUMENTS || (record->argument_count && !record->arguments))
    return fail_name(model->error, PKGIMG_UNSUPPORTED, model->package, record->function,
                     "a method has %llu arguments; at most %u are allowed",
                     (unsigned long long)record->argument_count, FORMAT_MAX_ARGUMENTS);
  method->function = record->function;
  method->argument_count = (uint32_t)record->argument_count;
  method->arguments = calloc(method->argument_count + 1u, sizeof *method->arguments);
  if (!method->arguments)
    return fail_memory(model->error, method->argument_count * sizeof *method->arguments);
  for (uint32_t i = 0; i < method->argument_count; i++)
    TRY(number_of(records, method->function, record->arguments[i], &method->arguments[i]));
  return PKGIMG_OK;
}

// ---- all of them

static enum pkgimg_status read_all(const struct records *records)
{
  struct model *model = records->model;
  struct model_type *type = model->types;
  struct model_method *method = model->methods;
  for (size_t i = 0; i < records->source_count; i++) {
    const struct type_source *source = &records->sources[i];
    for (size_t k = 0; k < source->type_count; k++)
      TRY(read_type(records, type++, &source->types[k]));
    for (size_t k = 0; k < source->method_count; k++)
      TRY(read_method(records, method++, &source->methods[k]));
  }
  for (uint32_t i = 0; i < model->type_count; i++)
    TRY(check_type(model, &model->types[i]));
  return PKGIMG_OK;
}

enum pkgimg_status model_read(struct model *model, const struct type_source *sources, size_t source_count)
{
  enum { MANY = 1 << 28 };
  struct records records = {.model = model, .sources = sources, .source_count = source_count};
  size_t types = 0, methods = 0, words = 0;
  for (size_t i = 0; i < source_count; i++) {
    types += sources[i].type_count;
    words += sources[i].wordless ? 0 : sources[i].type_count;
    methods += sources[i].method_count;
  }
  if (types > MANY || methods > MANY)
    return fail(model->error, PKGIMG_UNSUPPORTED, model->package, "more than 2^28 types or methods");
  model->types = calloc(types + 1, sizeof *model->types);
  model->methods = calloc(methods + 1, sizeof *model->methods);
  if (!model->types || !model->methods)
    return fail_memory(model->error, types * sizeof *model->types);
  model->type_count = (uint32_t)types;
  model->method_count = (uint32_t)methods;
  model->word_count = (uint32_t)words;
  for (uint32_t i = 0; i < methods; i++)
    model->methods[i].word = i;
  return read_all(&records);
}
