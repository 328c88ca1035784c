// SPDX-License-Identifier: MIT
#include "serializer/shape.h"

#include "base/array.h"
#include "base/reader.h"
#include "format/layout.h"

#include <stdlib.h>
#include <string.h>

const struct pkgimg_shape shape_bytes = {.name = "bytes", .size = 1, .alignment = 1};
const struct pkgimg_shape shape_room = {.name = "room", .size = 1, .alignment = 1, .sparse = 1};

const char *shape_name(const struct pkgimg_shape *shape)
{
  return !shape ? "(none)" : shape->name ? shape->name : "(unnamed)";
}

// ---- the set of shapes that are known to be sound

void shape_set_deinit(struct shape_set *set)
{
  free(set->items);
  *set = (struct shape_set){0};
}

static const struct pkgimg_shape **set_place(const struct shape_set *set, const struct pkgimg_shape *shape)
{
  size_t at = ((uintptr_t)shape >> 4) * 0x9e3779b97f4a7c15u & (set->capacity - 1);
  while (set->items[at] && set->items[at] != shape)
    at = (at + 1) & (set->capacity - 1);
  return &set->items[at];
}

static bool set_has(const struct shape_set *set, const struct pkgimg_shape *shape)
{
  return set->capacity && *set_place(set, shape);
}

static enum pkgimg_status set_add(struct shape_set *set, const struct pkgimg_shape *shape,
                                  struct pkgimg_error *error)
{
  if (2 * (set->count + 1) > set->capacity) {
    struct shape_set grown = {.count = set->count, .capacity = set->capacity ? 2 * set->capacity : 64};
    grown.items = calloc(grown.capacity, sizeof(struct pkgimg_shape *));
    if (!grown.items)
      return fail_memory(error, grown.capacity * sizeof(struct pkgimg_shape *));
    for (size_t i = 0; i < set->capacity; i++)
      if (set->items[i])
        *set_place(&grown, set->items[i]) = set->items[i];
    free(set->items);
    *set = grown;
  }
  *set_place(set, shape) = shape;
  set->count++;
  return PKGIMG_OK;
}

// ---- soundness

static bool is_word(enum pkgimg_field_kind kind)
{
  return kind == PKGIMG_FIELD_POINTER || kind == PKGIMG_FIELD_REFERENCE || kind == PKGIMG_FIELD_STRING ||
         kind == PKGIMG_FIELD_BYTES || kind == PKGIMG_FIELD_FUNCTION || kind == PKGIMG_FIELD_NULL;
}

static bool counts(const struct pkgimg_count *count)
{
  return count->size || count->function || count->plus;
}

static bool good_count(const struct pkgimg_count *count, const struct pkgimg_shape *shape)
{
  bool member = count->size == 1 || count->size == 2 || count->size == 4 || count->size == 8;
  return count->size == 0 || (member && !count->function && range_within(count->offset, count->size, shape->size));
}

// How many bytes a field takes, and whether it stands right. NULL if all is well.
static const char *field_problem(const struct pkgimg_shape *shape, const struct pkgimg_field *field)
{
  const struct pkgimg_shape *inner = field->shape;
  uint64_t bytes, each = is_word(field->kind) ? 8 : field->kind == PKGIMG_FIELD_STRUCT && inner ? inner->size : 1;
  bool needs_shape = field->kind == PKGIMG_FIELD_POINTER || field->kind == PKGIMG_FIELD_STRUCT;
  if ((unsigned)field->kind >= PKGIMG_FIELD_KIND_COUNT)
    return "its kind is unknown";
  if (needs_shape && !inner)
    return "it has no shape";
  if (!good_count(&field->count, shape) || !good_count(&field->room, shape))
    return "its count is not a member of 1, 2, 4 or 8 bytes inside of the struct";
  if (is_word(field->kind) && (field->offset % 8 || shape->alignment < 8))
    return "a pointer must lie at a multiple of 8 in a struct that is aligned to 8";
  if (field->kind == PKGIMG_FIELD_STRUCT && (inner->size == 0 || shape_flexible(inner)))
    return "a struct with a flexible array, or without a size, cannot be part of another";
  bool in_place = field->kind == PKGIMG_FIELD_STRUCT || field->kind == PKGIMG_FIELD_FLEXIBLE;
  if (in_place && inner && inner->alignment && field->offset % inner->alignment)
    return "the struct in this place is not aligned";
  if (field->kind == PKGIMG_FIELD_FLEXIBLE && inner && (inner->size == 0 || shape_flexible(inner)))
    return "elements of a flexible array need a size of their own";
  if (field->kind == PKGIMG_FIELD_POINTER && shape_flexible(inner) &&
      (counts(&field->count) || counts(&field->room)))
    return "objects with a flexible array cannot lie in a row";
  if (field->kind == PKGIMG_FIELD_FLEXIBLE)
    return field->offset > shape->size ? "it begins behind the end of the struct" : NULL;
  if (__builtin_mul_overflow(field->repeat ? field->repeat : 1, each, &bytes) ||
      !range_within(field->offset, bytes, shape->size))
    return "it reaches beyond the end of the struct";
  return NULL;
}

static const char *shape_problem(const struct pkgimg_shape *shape)
{
  size_t flexible = 0;
  if (!shape->alignment || shape->alignment & (shape->alignment - 1) || shape->alignment > FORMAT_HEAP_ALIGN)
    return "its alignment is not a power of two up to 2 MiB";
  if (shape->field_count && !shape->fields)
    return "it has a number of fields, but none";
  for (size_t i = 0; i < shape->field_count; i++)
    flexible += shape->fields[i].kind == PKGIMG_FIELD_FLEXIBLE;
  if (flexible > 1)
    return "it has two flexible arrays";
  if (flexible == 0 && !shape->select && (shape->size == 0 || shape->size % shape->alignment))
    return "its size is 0 or not a multiple of its alignment";
  return NULL;
}

static enum pkgimg_status check_one(const struct pkgimg_shape *shape, const char *package,
                                    struct pkgimg_error *error)
{
  const char *problem = shape_problem(shape);
  if (problem)
    return fail_name(error, PKGIMG_INVALID_ARGUMENT, package, shape_name(shape),
                     "shape (size %llu, alignment %llu, %zu fields): %s", (unsigned long long)shape->size,
                     (unsigned long long)shape->alignment, shape->field_count, problem);
  for (size_t i = 0; i < shape->field_count; i++) {
    const struct pkgimg_field *field = &shape->fields[i];
    if ((problem = field_problem(shape, field)))
      return fail_name(error, PKGIMG_INVALID_ARGUMENT, package, shape_name(shape),
                       "shape of size %llu: field %s at offset %llu: %s", (unsigned long long)shape->size,
                       field->name ? field->name : "(unnamed)", (unsigned long long)field->offset, problem);
  }
  return PKGIMG_OK;
}

enum pkgimg_status shape_check(struct shape_set *set, const struct pkgimg_shape *shape, const char *package,
                               struct pkgimg_error *error)
{
  const struct pkgimg_shape **pending AUTO(free_pointer) = NULL;
  size_t count = 0, capacity = 0;
  if (shape == set->last)
    return PKGIMG_OK;
  set->last = shape;
  while (shape) {
    if (!set_has(set, shape)) {
      TRY(check_one(shape, package, error));
      TRY(set_add(set, shape, error));
      for (size_t i = 0; i < shape->field_count; i++) {
        TRY(array_reserve(&pending, &capacity, count, sizeof(struct pkgimg_shape *), error));
        if (shape->fields[i].shape)
          pending[count++] = shape->fields[i].shape;
      }
    }
    shape = count ? pending[--count] : NULL;
  }
  return PKGIMG_OK;
}

// ---- sizes

const struct pkgimg_field *shape_flexible(const struct pkgimg_shape *shape)
{
  for (size_t i = shape->field_count; i > 0; i--)
    if (shape->fields[i - 1].kind == PKGIMG_FIELD_FLEXIBLE)
      return &shape->fields[i - 1];
  return NULL;
}

bool shape_count(const struct pkgimg_count *count, const uint8_t *container, uint64_t *found)
{
  uint64_t value = 0;
  if (count->function)
    value = count->function(container);
  else if (count->size)
    memcpy(&value, container + count->offset, count->size);  // little-endian
  else
    value = 1;
  unsigned unused = count->size ? 64 - 8u * count->size : 0;
  if (count->is_signed && (int64_t)(value << unused) < 0) {
    *found = (uint64_t)((int64_t)(value << unused) >> unused);
    return false;
  }
  return !__builtin_add_overflow(value, count->plus, found);
}

bool shape_size(const struct pkgimg_shape *shape, const uint8_t *object, uint64_t *size, uint64_t *count)
{
  const struct pkgimg_field *flexible = shape_flexible(shape);
  uint64_t bytes, end;
  *size = shape->size;
  if (!flexible)
    return true;
  if (!shape_count(&flexible->count, object, count) ||
      __builtin_mul_overflow(*count, flexible->shape ? flexible->shape->size : 1, &bytes) ||
      __builtin_add_overflow(flexible->offset, bytes, &end))
    return false;
  *size = end > shape->size ? end : shape->size;
  return true;
}

// ---- the fields of objects

static enum pkgimg_status stop(struct shape_reader *reader, const char *problem)
{
  reader->problem = problem;
  return PKGIMG_CAPTURE;
}

static enum pkgimg_status read_struct(struct shape_reader *reader, const struct pkgimg_shape *shape,
                                      const uint8_t *object, uint64_t room);

static enum pkgimg_status read_structs(struct shape_reader *reader, const struct pkgimg_field *field,
                                       const uint8_t *first, uint64_t count)
{
  struct shape_place *place = &reader->place;
  if (!field->shape)
    return PKGIMG_OK;
  if (place->depth == SHAPE_DEPTH)
    return stop(reader, "structs in structs nest too deep");
  struct shape_step *step = &place->steps[place->depth++];
  for (uint64_t i = 0; i < count; i++) {
    *step = (struct shape_step){.field = field, .index = i};
    TRY(read_struct(reader, field->shape, first + i * field->shape->size, field->shape->size));
  }
  place->depth--;
  return PKGIMG_OK;
}

static enum pkgimg_status read_words(struct shape_reader *reader, const struct pkgimg_field *field,
                                     const uint8_t *object)
{
  struct shape_place *place = &reader->place;
  uint64_t count = field->repeat && field->kind != PKGIMG_FIELD_DATA ? field->repeat : 1;
  for (uint64_t i = 0; i < count; i++) {
    place->field = field;
    place->container = object;
    place->word = object + field->offset + 8 * i;
    place->index = i;
    TRY(reader->visit(reader->context, place));
  }
  return PKGIMG_OK;
}

static enum pkgimg_status read_flexible(struct shape_reader *reader, const struct pkgimg_field *field,
                                        const uint8_t *object, uint64_t room)
{
  uint64_t count, each = field->shape ? field->shape->size : 1;
  if (!shape_count(&field->count, object, &count) || room < field->offset || count > (room - field->offset) / each)
    return stop(reader, "its flexible array is larger than the object");
  return read_structs(reader, field, object + field->offset, count);
}

static enum pkgimg_status read_struct(struct shape_reader *reader, const struct pkgimg_shape *shape,
                                      const uint8_t *object, uint64_t room)
{
  shape = shape_of(shape, object);
  if (!shape)
    return stop(reader, "the object is of no known kind");
  TRY(shape_check(reader->set, shape, reader->package, reader->error));
  if (shape->size > room)
    return stop(reader, "the object's kind is larger than its place");
  for (size_t i = 0; i < shape->field_count; i++) {
    const struct pkgimg_field *field = &shape->fields[i];
    if (field->kind == PKGIMG_FIELD_STRUCT)
      TRY(read_structs(reader, field, object + field->offset, field->repeat ? field->repeat : 1));
    else if (field->kind == PKGIMG_FIELD_FLEXIBLE)
      TRY(read_flexible(reader, field, object, room));
    else
      TRY(read_words(reader, field, object));
  }
  return PKGIMG_OK;
}

// Objects in a row: one if they are of a shape that has no fixed size.
static uint64_t stride_of(const struct pkgimg_shape *shape, uint64_t size)
{
  return shape->size == 0 || shape_flexible(shape) || size < shape->size ? size : shape->size;
}

enum pkgimg_status shape_fields(struct shape_reader *reader, const struct pkgimg_shape *shape,
                                const uint8_t *objects, uint64_t size)
{
  uint64_t stride = stride_of(shape, size);
  reader->problem = NULL;
  if (!shape->select && shape->field_count == 0)
    return PKGIMG_OK;
  for (uint64_t at = 0; at < size; at += stride) {
    reader->place.element = at / stride;
    reader->place.depth = 0;
    TRY(read_struct(reader, shape, objects + at, stride));
  }
  return PKGIMG_OK;
}

// ---- data

static void copy_struct(const struct pkgimg_shape *shape, const uint8_t *object, uint64_t room, uint8_t *to,
                        unsigned depth)
{
  shape = shape_of(shape, object);
  if (!shape || shape->size > room || depth > SHAPE_DEPTH)
    return;  // the walk has refused it
  if (!shape->sparse) {
    memcpy(to, object, shape_flexible(shape) ? room : shape->size);
    return;
  }
  for (size_t i = 0; i < shape->field_count; i++) {
    const struct pkgimg_field *field = &shape->fields[i];
    uint64_t count = field->repeat ? field->repeat : 1, at = field->offset;
    if (field->kind == PKGIMG_FIELD_FLEXIBLE && !shape_count(&field->count, object, &count))
      return;
    if (field->kind == PKGIMG_FIELD_DATA || (field->kind == PKGIMG_FIELD_FLEXIBLE && !field->shape))
      memcpy(to + at, object + at, count);
    else if (field->kind == PKGIMG_FIELD_STRUCT || field->kind == PKGIMG_FIELD_FLEXIBLE)
      for (uint64_t j = 0; j < count; j++, at += field->shape->size)
        copy_struct(field->shape, object + at, field->shape->size, to + at, depth + 1);
  }
}

void shape_copy(const struct pkgimg_shape *shape, const uint8_t *objects, uint64_t size, uint8_t *to)
{
  uint64_t stride = stride_of(shape, size);
  if (shape == &shape_room || size == 0)
    return;
  if (!shape->sparse && !shape->select)
    memcpy(to, objects, size);
  else
    for (uint64_t at = 0; at < size; at += stride)
      copy_struct(shape, objects + at, stride, to + at, 0);
}
