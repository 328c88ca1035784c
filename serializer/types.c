// SPDX-License-Identifier: MIT
//
// Model -> blocks: types of equal content become one, supertypes first.
#include "serializer/types.h"

#include "base/hash.h"
#include "serializer/model.h"

#include <stdlib.h>
#include <string.h>

struct placed {
  uint32_t depth;  // number of its ancestors
  uint32_t type;
};

struct block {
  struct model model;
  struct placed *order;  // the types that are written
  uint32_t *number;      // of each type of the model in the file
  uint32_t count;
  struct disk_types head;
  struct type_blocks *out;
  struct buffer records, offsets, names, keys, functions, methods, arguments, word_types;
  struct pkgimg_error *error;
};

static void block_deinit(struct block *block)
{
  struct buffer *buffers[] = {&block->records,   &block->offsets, &block->names,     &block->keys,
                              &block->functions, &block->methods, &block->arguments, &block->word_types};
  for (size_t i = 0; i < sizeof buffers / sizeof *buffers; i++)
    buffer_deinit(buffers[i]);
  model_deinit(&block->model);
  free(block->order);
  free(block->number);
}

// ---- the order of types

static int by_depth(const void *left, const void *right, void *context)
{
  const struct placed *a = left, *b = right;
  const struct model *model = context;
  if (a->depth != b->depth)
    return a->depth < b->depth ? -1 : 1;
  return memcmp(model->types[a->type].id, model->types[b->type].id, 16);
}

static enum pkgimg_status depth_of(const struct block *block, uint32_t type, uint32_t *depth)
{
  const struct model *model = &block->model;
  *depth = 0;
  for (uint32_t at = type; model->types[at].supertype != MODEL_NONE; at = model->types[at].supertype)
    if (++*depth > FORMAT_MAX_SUPERTYPES)
      return fail_name(block->error, PKGIMG_UNSUPPORTED, model->package, model->types[type].name,
                       "its supertypes form a ring, or are more than %u", FORMAT_MAX_SUPERTYPES);
  return PKGIMG_OK;
}

static enum pkgimg_status order_types(struct block *block)
{
  struct model *model = &block->model;
  block->order = calloc(model->type_count + 1u, sizeof *block->order);
  block->number = calloc(model->type_count + 1u, sizeof *block->number);
  if (!block->order || !block->number)
    return fail_memory(block->error, model->type_count * sizeof *block->order);
  for (uint32_t i = 0; i < model->type_count; i++) {
    struct placed placed = {.type = i};
    TRY(depth_of(block, i, &placed.depth));
    if (model->types[i].same == i)
      block->order[block->count++] = placed;
  }
  qsort_r(block->order, block->count, sizeof *block->order, by_depth, model);
  for (uint32_t i = 0; i < block->count; i++)
    block->number[block->order[i].type] = i;
  for (uint32_t i = 0; i < model->type_count; i++)
    block->number[i] = block->number[model->types[i].same];
  return PKGIMG_OK;
}

// ---- records of types

static enum pkgimg_status add_name(struct block *block, size_t start, const char *name, uint32_t *offset)
{
  *offset = (uint32_t)(start + block->names.size);
  return buffer_append(&block->names, name, strlen(name) + 1, block->error);
}

static enum pkgimg_status add_members(struct block *block, const struct model_type *type, size_t strings)
{
  for (uint32_t i = 0; i < type->field_count; i++) {
    struct disk_type_field field = {.type = block->number[type->fields[i].type],
                                    .offset = (uint32_t)type->fields[i].offset};
    TRY(add_name(block, strings, type->fields[i].name, &field.name));
    TRY(buffer_append(&block->records, &field, sizeof field, block->error));
  }
  for (uint32_t i = 0; i < type->parameter_count; i++) {
    uint32_t to = type->parameters[i].type;
    struct disk_type_parameter parameter = {
        .value = to == MODEL_NONE ? type->parameters[i].value : block->number[to], .is_type = to != MODEL_NONE};
    TRY(buffer_append(&block->records, &parameter, sizeof parameter, block->error));
  }
  return PKGIMG_OK;
}

static enum pkgimg_status add_type(struct block *block, const struct model_type *type)
{
  size_t start = block->records.size, strings;
  uint32_t supertype = type->supertype;
  struct disk_type head = {.size = type->size,
                           .align = type->align,
                           .kind = type->kind,
                           .field_count = type->field_count,
                           .parameter_count = type->parameter_count};
  struct disk_type_key key = {.supertype = supertype == MODEL_NONE ? 0 : block->number[supertype] + 1};
  memcpy(head.id, type->id, sizeof head.id);
  memcpy(key.id, type->id, sizeof key.id);
  TRY(buffer_append(&block->keys, &key, sizeof key, block->error));
  strings = sizeof head + (size_t)type->field_count * sizeof(struct disk_type_field) +
            (size_t)type->parameter_count * sizeof(struct disk_type_parameter);
  block->names.size = 0;
  TRY(add_name(block, strings, type->name, &head.name));
  TRY(buffer_append(&block->records, &head, sizeof head, block->error));
  TRY(add_members(block, type, strings));
  TRY(buffer_append(&block->records, block->names.data, block->names.size, block->error));
  TRY(buffer_align(&block->records, 8, block->error));
  head.record_size = (uint32_t)(block->records.size - start);
  memcpy(block->records.data + start, &head, sizeof head);
  uint32_t offset = (uint32_t)start;
  return buffer_append(&block->offsets, &offset, sizeof offset, block->error);
}

// ---- methods, by function and signature

static int compare_methods(const struct block *block, const struct model_method *a, const struct model_method *b)
{
  int order = strcmp(a->function, b->function);
  if (order || a->argument_count != b->argument_count)
    return order ? order : a->argument_count < b->argument_count ? -1 : 1;
  for (uint32_t i = 0; i < a->argument_count; i++) {
    uint32_t left = a->arguments[i] == MODEL_NONE ? MODEL_NONE : block->number[a->arguments[i]];
    uint32_t right = b->arguments[i] == MODEL_NONE ? MODEL_NONE : block->number[b->arguments[i]];
    if (left != right)
      return left < right ? -1 : 1;
  }
  return 0;
}

static int by_signature(const void *left, const void *right, void *context)
{
  return compare_methods(context, left, right);
}

static enum pkgimg_status add_arguments(struct block *block, const struct model_method *method)
{
  for (uint32_t i = 0; i < method->argument_count; i++) {
    uint32_t type = method->arguments[i], number = type == MODEL_NONE ? 0 : block->number[type] + 1;
    TRY(buffer_append(&block->arguments, &number, sizeof number, block->error));
  }
  return PKGIMG_OK;
}

static enum pkgimg_status add_method(struct block *block, const struct model_method *method, bool first)
{
  uint32_t name = (uint32_t)block->names.size;
  if (first) {
    TRY(buffer_append(&block->functions, &name, sizeof name, block->error));
    TRY(buffer_append(&block->names, method->function, strlen(method->function) + 1, block->error));
  }
  struct disk_method entry = {.function = (uint32_t)(block->functions.size / sizeof name) - 1,
                              .first_argument = (uint32_t)(block->arguments.size / sizeof(uint32_t)),
                              .argument_count = method->argument_count,
                              .word = method->word};
  TRY(buffer_append(&block->methods, &entry, sizeof entry, block->error));
  return add_arguments(block, method);
}

static enum pkgimg_status add_methods(struct block *block)
{
  struct model *model = &block->model;
  block->names.size = 0;
  qsort_r(model->methods, model->method_count, sizeof *model->methods, by_signature, block);
  for (uint32_t i = 0; i < model->method_count; i++) {
    const struct model_method *method = &model->methods[i];
    if (i && compare_methods(block, method - 1, method) == 0)
      return fail_name(block->error, PKGIMG_REDEFINED, model->package, method->function,
                       "two methods for the same types of %u arguments", method->argument_count);
    TRY(add_method(block, method, i == 0 || strcmp(method->function, method[-1].function) != 0));
  }
  return PKGIMG_OK;
}

// ---- the blocks

static enum pkgimg_status place(struct block *block, struct disk_table *table, const struct buffer *items,
                                size_t size)
{
  struct buffer *bytes = &block->out->table;
  TRY(buffer_align(bytes, 8, block->error));
  *table = (struct disk_table){.offset = (uint32_t)bytes->size, .count = (uint32_t)(items->size / size)};
  return buffer_append(bytes, items->data, items->size, block->error);
}

// Names of functions are at the end.
static enum pkgimg_status write_table(struct block *block)
{
  struct buffer *bytes = &block->out->table;
  struct disk_table names;
  for (uint32_t i = 0; i < block->model.word_count; i++)
    TRY(buffer_append(&block->word_types, &block->number[i], 4, block->error));
  TRY(buffer_append(bytes, NULL, sizeof block->head, block->error));
  TRY(place(block, &block->head.keys, &block->keys, sizeof(struct disk_type_key)));
  TRY(place(block, &block->head.word_types, &block->word_types, 4));
  TRY(place(block, &block->head.functions, &block->functions, 4));
  TRY(place(block, &block->head.methods, &block->methods, sizeof(struct disk_method)));
  TRY(place(block, &block->head.arguments, &block->arguments, 4));
  TRY(place(block, &names, &block->names, 1));
  TRY(buffer_append(bytes, NULL, 1, block->error));
  TRY(buffer_align(bytes, 8, block->error));
  uint32_t *functions = (uint32_t *)(void *)(bytes->data + block->head.functions.offset);
  for (uint32_t i = 0; i < block->head.functions.count; i++)
    functions[i] += names.offset;
  const struct buffer *descriptions = &block->out->descriptions;
  block->head.descriptions_hash = hash64(descriptions->data, descriptions->size);
  memcpy(bytes->data, &block->head, sizeof block->head);
  return PKGIMG_OK;
}

// Offsets of records, then the records.
static enum pkgimg_status write_descriptions(struct block *block)
{
  struct buffer *bytes = &block->out->descriptions;
  for (uint32_t i = 0; i < block->count; i++)
    TRY(add_type(block, &block->model.types[block->order[i].type]));
  TRY(buffer_append(bytes, block->offsets.data, block->offsets.size, block->error));
  TRY(buffer_align(bytes, 8, block->error));
  uint32_t first = (uint32_t)bytes->size, *offsets = (uint32_t *)(void *)bytes->data;
  for (uint32_t i = 0; i < block->count; i++)
    offsets[i] += first;
  TRY(buffer_append(bytes, block->records.data, block->records.size, block->error));
  if (bytes->size > FORMAT_AREA_LIMIT)
    return fail(block->error, PKGIMG_UNSUPPORTED, block->model.package, "its types take more than %llu MiB",
                FORMAT_AREA_LIMIT >> 20);
  return PKGIMG_OK;
}

void type_blocks_deinit(struct type_blocks *blocks)
{
  buffer_deinit(&blocks->descriptions);
  buffer_deinit(&blocks->table);
}

enum pkgimg_status types_collect(const char *package, const struct type_source *sources, size_t source_count,
                                 struct type_blocks *blocks, struct pkgimg_error *error)
{
  struct block block AUTO(block_deinit) = {
      .model = {.package = package, .error = error}, .out = blocks, .error = error};
  TRY(model_read(&block.model, sources, source_count));
  if (block.model.type_count == 0 && block.model.method_count == 0)
    return PKGIMG_OK;
  TRY(model_identify(&block.model));
  TRY(order_types(&block));
  TRY(write_descriptions(&block));
  TRY(add_methods(&block));
  return write_table(&block);
}

// ---- after the link

static enum pkgimg_status check_section(const char *package, const char *name,
                                        const struct linked_section *section, uint64_t expected,
                                        struct pkgimg_error *error)
{
  if (section->size == expected && section->address % 8 == 0)
    return PKGIMG_OK;
  return fail_name(error, PKGIMG_UNSUPPORTED, package, name, "the section has %llu bytes: expected %llu",
                   (unsigned long long)section->size, (unsigned long long)expected);
}

enum pkgimg_status types_place(const char *package, struct type_blocks *blocks, const struct linked *linked,
                               struct buffer *words, struct pkgimg_error *error)
{
  const struct linked_section *room = &linked->descriptions, *types = &linked->types, *methods = &linked->methods;
  struct disk_types *head = (struct disk_types *)(void *)blocks->table.data, none = {0};
  head = head ? head : &none;
  TRY(check_section(package, "pkgimg_types", types, 8ull * head->word_types.count, error));
  TRY(check_section(package, "pkgimg_methods", methods, 8ull * head->methods.count, error));
  TRY(check_section(package, ".pkgimg.types", room, blocks->descriptions.size, error));
  head->type_words = (struct disk_region){types->address, types->size / 8};
  head->method_words = (struct disk_region){methods->address, methods->size / 8};
  head->descriptions = (struct disk_region){room->address, room->size};
  if (room->size)
    memcpy(words->data + (room->bytes.data - linked->reader.bytes.data), blocks->descriptions.data, room->size);
  return PKGIMG_OK;
}
