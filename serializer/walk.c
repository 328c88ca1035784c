// SPDX-License-Identifier: MIT
#include "serializer/walk.h"

#include "base/words.h"
#include "format/layout.h"

#include <stdlib.h>
#include <string.h>

/// The largest heap that an image can hold, and the end of a process's memory.
static const uint64_t most_bytes = 8ull * UINT32_MAX, address_end = 1ull << 47;

void walk_deinit(struct walk *walk)
{
  free(walk->pieces);
  free(walk->index);
  free(walk->externals);
  free(walk->declared);
  shape_set_deinit(&walk->shapes);
}

// ---- pieces by address

static size_t place_of(const struct walk *walk, uint64_t address)
{
  return (address >> 3) * 0x9e3779b97f4a7c15u >> 20 & (walk->index_capacity - 1);
}

static enum pkgimg_status grow_index(struct walk *walk)
{
  size_t capacity = walk->index_capacity ? 2 * walk->index_capacity : 1024;
  free(walk->index);
  walk->index = calloc(capacity, sizeof *walk->index);
  walk->index_capacity = capacity;
  if (!walk->index)
    return fail_memory(walk->error, capacity * sizeof *walk->index);
  for (uint32_t i = 0; i < walk->piece_count; i++) {
    size_t at = place_of(walk, walk->pieces[i].address);
    while (walk->index[at])
      at = (at + 1) & (capacity - 1);
    walk->index[at] = i + 1;
  }
  return PKGIMG_OK;
}

uint32_t walk_piece_at(const struct walk *walk, uint64_t address)
{
  uint32_t found = NO_PIECE;
  for (size_t at = place_of(walk, address); walk->index[at]; at = (at + 1) & (walk->index_capacity - 1)) {
    uint32_t piece = walk->index[at] - 1;
    if (walk->pieces[piece].address == address && piece < found)
      found = piece;
  }
  return found;
}

bool walk_same_piece(const struct piece *a, const struct piece *b)
{
  return a->address == b->address && a->size == b->size && a->shape == b->shape;
}

static enum pkgimg_status add_piece(struct walk *walk, const struct piece *piece)
{
  if (2 * (walk->piece_count + 1) > walk->index_capacity)
    TRY(grow_index(walk));
  size_t at = place_of(walk, piece->address);
  for (; walk->index[at]; at = (at + 1) & (walk->index_capacity - 1))
    if (walk_same_piece(&walk->pieces[walk->index[at] - 1], piece))
      return PKGIMG_OK;
  if (walk->piece_count == PIECE_LIMIT)
    return fail(walk->error, PKGIMG_UNSUPPORTED, walk->package, "the graph has more than %u objects", PIECE_LIMIT);
  TRY(array_reserve(&walk->pieces, &walk->piece_capacity, walk->piece_count, sizeof *piece, walk->error));
  walk->pieces[walk->piece_count++] = *piece;
  walk->index[at] = (uint32_t)walk->piece_count;
  return PKGIMG_OK;
}

// ---- what was declared: externals, objects

static int by_start(const void *left, const void *right)
{
  const struct external_range *a = left, *b = right;
  return a->start != b->start    ? (a->start < b->start ? -1 : 1)
         : a->number < b->number ? -1
                                 : a->number > b->number;
}

static const char *external_name(const struct pkgimg_external *external)
{
  return external->symbol ? external->symbol : external->image ? external->image : "(none)";
}

static enum pkgimg_status sort_externals(struct walk *walk)
{
  const struct pkgimg_graph *graph = walk->graph;
  walk->externals = calloc(graph->external_count + 1, sizeof *walk->externals);
  if (!walk->externals)
    return fail_memory(walk->error, graph->external_count * sizeof *walk->externals);
  for (size_t i = 0; i < graph->external_count; i++) {
    const struct pkgimg_external *external = &graph->externals[i];
    uint64_t end = external->address + (external->size ? external->size : 1);
    walk->externals[i] = (struct external_range){external->address, end, (uint32_t)i};
  }
  if (graph->external_count)
    qsort(walk->externals, graph->external_count, sizeof *walk->externals, by_start);
  for (size_t i = 1; i < graph->external_count; i++) {
    const struct external_range *a = &walk->externals[i - 1], *b = &walk->externals[i];
    const char *first = external_name(&graph->externals[a->number]);
    if (b->start < a->end)
      return fail_name(walk->error, PKGIMG_INVALID_ARGUMENT, walk->package, first,
                       "external at 0x%llx, up to 0x%llx, overlaps %s at 0x%llx", (unsigned long long)a->start,
                       (unsigned long long)a->end, external_name(&graph->externals[b->number]),
                       (unsigned long long)b->start);
  }
  return PKGIMG_OK;
}

const struct external_range *walk_external(const struct walk *walk, uint64_t address)
{
  size_t low = 0, high = walk->graph->external_count;
  if (high == 0 || address < walk->externals[0].start || address >= walk->externals[high - 1].end)
    return NULL;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    *(walk->externals[middle].start <= address ? &low : &high) =
        walk->externals[middle].start <= address ? middle + 1 : middle;
  }
  return low && address < walk->externals[low - 1].end ? &walk->externals[low - 1] : NULL;
}

static int by_object(const void *left, const void *right)
{
  const struct pkgimg_graph_object *a = *(const struct pkgimg_graph_object *const *)left,
                                   *b = *(const struct pkgimg_graph_object *const *)right;
  return a->object < b->object ? -1 : a->object > b->object;
}

static enum pkgimg_status sort_declared(struct walk *walk)
{
  size_t count = walk->graph->object_count;
  walk->declared = calloc(count + 1, sizeof(struct pkgimg_graph_object *));
  if (!walk->declared)
    return fail_memory(walk->error, count * sizeof(struct pkgimg_graph_object *));
  for (size_t i = 0; i < count; i++) {
    walk->declared[i] = &walk->graph->objects[i];
    TRY(shape_check(&walk->shapes, walk->declared[i]->shape, walk->package, walk->error));
  }
  if (count)
    qsort(walk->declared, count, sizeof(struct pkgimg_graph_object *), by_object);
  return PKGIMG_OK;
}

// ---- where a word leads

bool word_address(const struct shape_place *place, uint64_t *address)
{
  uint64_t word = load64(place->word);
  *address = word && place->field->address_of ? place->field->address_of(word) : word;
  return *address != 0;
}

// Memory of `count` objects at an address.
static enum pkgimg_status describe(const struct question *question, uint64_t address,
                                   const struct pkgimg_shape *shape, uint64_t count, struct piece *piece)
{
  struct walk *walk = question->walk;
  uint64_t size, length = 0;
  unsigned long long at = address;
  if (address < FORMAT_PAGE || address >= address_end)
    return walk_fail(walk, question->piece, question->place, "0x%llx is not an address of a program", at);
  TRY(shape_check(&walk->shapes, shape, walk->package, walk->error));
  if (count == 1 && shape->select) {
    shape = shape_of(shape, (const uint8_t *)address);
    if (!shape)
      return walk_fail(walk, question->piece, question->place, "the object at 0x%llx is of no known kind", at);
    TRY(shape_check(&walk->shapes, shape, walk->package, walk->error));
  }
  if (address % shape->alignment)
    return walk_fail(walk, question->piece, question->place,
                     "0x%llx is no address of %s: expected a multiple of %llu", at, shape_name(shape),
                     (unsigned long long)shape->alignment);
  if (count != 1 && shape_flexible(shape))
    return walk_fail(walk, question->piece, question->place, "%llu objects with a flexible array in a row",
                     (unsigned long long)count);
  if (count && !shape_size(shape, (const uint8_t *)address, &size, &length))
    return walk_fail(walk, question->piece, question->place,
                     "the flexible array of %s at 0x%llx has %lld elements", shape_name(shape), at,
                     (long long)length);
  if (count == 0)
    size = 0;
  if (__builtin_mul_overflow(size, count, &size) || size > most_bytes || size > address_end - address)
    return walk_fail(walk, question->piece, question->place,
                     "%llu objects of %s at 0x%llx are more than memory holds", (unsigned long long)count,
                     shape_name(shape), at);
  *piece = (struct piece){.address = address, .size = size, .shape = shape, .parent = question->piece};
  return PKGIMG_OK;
}

static enum pkgimg_status count_of(const struct question *question, const struct pkgimg_count *count,
                                   uint64_t *found)
{
  if (shape_count(count, question->place->container, found))
    return PKGIMG_OK;
  return walk_fail(question->walk, question->piece, question->place, "its count is %lld", (long long)*found);
}

// What is declared at, or around, an address.
static const struct pkgimg_graph_object *declared_at(const struct walk *walk, uint64_t address)
{
  size_t low = 0, high = walk->graph->object_count;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    bool before = (uint64_t)walk->declared[middle]->object <= address;
    *(before ? &low : &high) = before ? middle + 1 : middle;
  }
  return low ? walk->declared[low - 1] : NULL;
}

static enum pkgimg_status declared_target(const struct question *question, uint64_t address, struct piece *target,
                                          unsigned *count)
{
  const struct pkgimg_graph_object *object = declared_at(question->walk, address);
  struct piece piece;
  if (!object)
    return PKGIMG_OK;
  TRY(describe(question, (uint64_t)object->object, object->shape, object->count ? object->count : 1, &piece));
  if (address - piece.address <= piece.size)
    target[(*count)++] = piece;
  return PKGIMG_OK;
}

// The pieces that a word with a typed pointer describes.
static enum pkgimg_status typed_targets(const struct question *question, uint64_t address, struct piece *targets,
                                        unsigned *count)
{
  const struct pkgimg_field *field = question->place->field;
  const struct pkgimg_shape *shape = field->kind == PKGIMG_FIELD_POINTER ? field->shape : &shape_bytes;
  uint64_t elements, room;
  if (field->kind == PKGIMG_FIELD_STRING)
    elements = address >= FORMAT_PAGE && address < address_end ? strlen((const char *)address) + 1 : 1;
  else
    TRY(count_of(question, &field->count, &elements));
  TRY(describe(question, address, shape, elements, &targets[(*count)++]));
  if (!field->room.size && !field->room.function && !field->room.plus)
    return PKGIMG_OK;
  TRY(count_of(question, &field->room, &room));
  if (room < elements)
    return walk_fail(question->walk, question->piece, question->place, "it has %llu elements, and room for %llu",
                     (unsigned long long)elements, (unsigned long long)room);
  if (__builtin_mul_overflow(room, shape->size, &room))
    room = UINT64_MAX;
  return describe(question, address, &shape_room, room, &targets[(*count)++]);
}

// A null pointer to something.
static enum pkgimg_status check_null(const struct question *question)
{
  const struct pkgimg_field *field = question->place->field;
  uint64_t count = 0;
  bool counted = field->kind == PKGIMG_FIELD_POINTER || field->kind == PKGIMG_FIELD_BYTES;
  if (!counted || (!field->count.size && !field->count.function) || load64(question->place->word))
    return PKGIMG_OK;
  TRY(count_of(question, &field->count, &count));
  if (count <= field->count.plus)
    return PKGIMG_OK;
  return walk_fail(question->walk, question->piece, question->place, "it is null, but its count is %llu",
                   (unsigned long long)count);
}

enum pkgimg_status walk_targets(const struct question *question, struct piece targets[MOST_TARGETS],
                                unsigned *count, bool *leads)
{
  const struct pkgimg_field *field = question->place->field;
  uint64_t address;
  *count = 0;
  *leads = false;
  if (field->kind == PKGIMG_FIELD_NULL || field->kind == PKGIMG_FIELD_DATA)
    return PKGIMG_OK;
  if (!word_address(question->place, &address))
    return check_null(question);
  *leads = true;
  if (walk_external(question->walk, address))
    return PKGIMG_OK;
  if (field->kind == PKGIMG_FIELD_FUNCTION)
    return walk_fail(question->walk, question->piece, question->place, "0x%llx is no external",
                     (unsigned long long)address);
  if (field->kind != PKGIMG_FIELD_REFERENCE)
    TRY(typed_targets(question, address, targets, count));
  return declared_target(question, address, targets, count);
}

// ---- the walk

struct discovery {
  struct walk *walk;
  uint32_t piece;
};

static enum pkgimg_status discover(void *context, const struct shape_place *place)
{
  const struct discovery *discovery = context;
  struct walk *walk = discovery->walk;
  struct piece targets[MOST_TARGETS];
  unsigned count;
  bool leads;
  TRY(walk_targets(&(struct question){walk, discovery->piece, place}, targets, &count, &leads));
  if (leads)
    walk->pieces[discovery->piece].object = 1;
  for (unsigned i = 0; i < count; i++)
    TRY(add_piece(walk, &targets[i]));
  return PKGIMG_OK;
}

enum pkgimg_status walk_fields(struct walk *walk, uint32_t index, shape_visit *visit, void *context)
{
  struct piece piece = walk->pieces[index];
  struct shape_reader reader = {
      .set = &walk->shapes, .package = walk->package, .error = walk->error, .visit = visit, .context = context};
  enum pkgimg_status status = shape_fields(&reader, piece.shape, (const uint8_t *)piece.address, piece.size);
  return reader.problem ? walk_fail(walk, index, NULL, "%s at 0x%llx: %s", shape_name(piece.shape),
                                    (unsigned long long)piece.address, reader.problem)
                        : status;
}

static int by_name(const void *left, const void *right, void *roots)
{
  const struct pkgimg_graph_root *a = (const struct pkgimg_graph_root *)roots + *(const uint32_t *)left,
                                 *b = (const struct pkgimg_graph_root *)roots + *(const uint32_t *)right;
  return strcmp(root_name(a), root_name(b));
}

// By name, so that their order in the graph does not matter.
static enum pkgimg_status add_roots(struct walk *walk)
{
  const struct pkgimg_graph *graph = walk->graph;
  uint32_t *order AUTO(free_pointer) = calloc(graph->root_count + 1, sizeof *order);
  if (!order)
    return fail_memory(walk->error, graph->root_count * sizeof *order);
  for (uint32_t i = 0; i < graph->root_count; i++)
    order[i] = i;
  qsort_r(order, graph->root_count, sizeof *order, by_name, (void *)(uintptr_t)graph->roots);
  for (size_t i = 0; i < graph->root_count; i++) {
    const struct pkgimg_graph_root *root = &graph->roots[order[i]];
    struct question question = {.walk = walk, .piece = PIECE_OF_ROOT | order[i]};
    struct piece piece, around;
    unsigned count = 0;
    TRY(describe(&question, (uint64_t)root->object, root->shape, root->count ? root->count : 1, &piece));
    TRY(add_piece(walk, &piece));
    TRY(declared_target(&question, (uint64_t)root->object, &around, &count));
    if (count)
      TRY(add_piece(walk, &around));
  }
  return PKGIMG_OK;
}

enum pkgimg_status walk_graph(struct walk *walk)
{
  TRY(grow_index(walk));
  TRY(sort_externals(walk));
  TRY(sort_declared(walk));
  TRY(add_roots(walk));
  for (uint32_t i = 0; i < walk->piece_count; i++)
    TRY(walk_fields(walk, i, discover, &(struct discovery){walk, i}));
  return PKGIMG_OK;
}
