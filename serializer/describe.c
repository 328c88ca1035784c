// SPDX-License-Identifier: MIT
#include "serializer/describe.h"

#include "format/layout.h"
#include "serializer/object.h"

#include <stdlib.h>
#include <string.h>

void describe_result_deinit(struct describe_result *result)
{
  buffer_deinit(&result->heap);
  free(result->sites);
  free(result->roots);
  *result = (struct describe_result){0};
}

// ---- what the caller hands over

static enum pkgimg_status check_root(const struct pkgimg_graph_root *root, size_t index, const char *package,
                                     struct pkgimg_error *error)
{
  if (!root->name && !root->variable)
    return fail(error, PKGIMG_INVALID_ARGUMENT, package, "root %zu of the graph has neither a name nor a variable",
                index);
  const char *name = root->name ? root->name : root->variable;
  if (!*name || (root->variable && !*root->variable))
    return fail(error, PKGIMG_INVALID_ARGUMENT, package, "root %zu of the graph has an empty name", index);
  if (!root->object || !root->shape)
    return fail_name(error, PKGIMG_INVALID_ARGUMENT, package, name, "the root has no %s",
                     root->object ? "shape" : "object");
  return PKGIMG_OK;
}

static enum pkgimg_status check_external(const struct pkgimg_external *external, size_t index, const char *package,
                                         struct pkgimg_error *error)
{
  const char *name = external->symbol ? external->symbol : external->image ? external->image : "(none)";
  bool dependency = external->kind == PKGIMG_EXTERNAL_DEPENDENCY || external->kind == PKGIMG_EXTERNAL_ROOT ||
                    external->kind == PKGIMG_EXTERNAL_AREA;
  if ((unsigned)external->kind >= PKGIMG_EXTERNAL_KIND_COUNT)
    return fail_name(error, PKGIMG_INVALID_ARGUMENT, package, name, "external %zu is of unknown kind %d", index,
                     (int)external->kind);
  if (dependency && !external->image)
    return fail_name(error, PKGIMG_INVALID_ARGUMENT, package, name, "external %zu names no dependency", index);
  if (external->kind != PKGIMG_EXTERNAL_AREA && (!external->symbol || !*external->symbol))
    return fail_name(error, PKGIMG_INVALID_ARGUMENT, package, name, "external %zu names no symbol", index);
  if (!external->address || external->size > UINT64_MAX - external->address)
    return fail_name(error, PKGIMG_INVALID_ARGUMENT, package, name, "external at 0x%llx, %llu bytes, is nowhere",
                     (unsigned long long)external->address, (unsigned long long)external->size);
  return PKGIMG_OK;
}

static enum pkgimg_status check_lists(const struct pkgimg_graph *graph, const char *package,
                                      struct pkgimg_error *error)
{
  if (!graph->root_count || !graph->roots || (graph->external_count && !graph->externals) ||
      (graph->object_count && !graph->objects))
    return fail(
        error, PKGIMG_INVALID_ARGUMENT, package,
        "struct pkgimg_graph: %zu roots, %zu externals, %zu objects: expected at least a root, and none is NULL",
        graph->root_count, graph->external_count, graph->object_count);
  if (graph->root_count >= UINT32_MAX / 2 || graph->external_count >= UINT32_MAX)
    return fail(error, PKGIMG_UNSUPPORTED, package, "struct pkgimg_graph: %zu roots, %zu externals are too many",
                graph->root_count, graph->external_count);
  return PKGIMG_OK;
}

enum pkgimg_status describe_check(const struct pkgimg_graph *graph, const char *package,
                                  struct pkgimg_error *error)
{
  if (graph->size != sizeof *graph)
    return fail(error, PKGIMG_INVALID_ARGUMENT, package, "struct pkgimg_graph: size: expected %zu, found %zu",
                sizeof *graph, graph->size);
  TRY(check_lists(graph, package, error));
  for (size_t i = 0; i < graph->root_count; i++)
    TRY(check_root(&graph->roots[i], i, package, error));
  for (size_t i = 0; i < graph->external_count; i++)
    TRY(check_external(&graph->externals[i], i, package, error));
  for (size_t i = 0; i < graph->object_count; i++)
    if (!graph->objects[i].object || !graph->objects[i].shape)
      return fail(error, PKGIMG_INVALID_ARGUMENT, package, "object %zu of the graph has no %s", i,
                  graph->objects[i].object ? "shape" : "address");
  return PKGIMG_OK;
}

// ---- the copy

struct copy {
  struct walk *walk;
  struct objects *objects;
  struct describe_result *out;
  uint64_t *sites, *data;  // bitmaps of the words of H: pointers, and what a field says is data
  uint32_t piece;
};

static void copy_deinit(struct copy *copy)
{
  free(copy->sites);
  free(copy->data);
}

static bool has_bit(const uint64_t *bits, uint64_t index)
{
  return bits[index / 64] >> index % 64 & 1;
}

static void set_bit(uint64_t *bits, uint64_t index)
{
  bits[index / 64] |= 1ull << index % 64;
}

// A word as it goes into H.
static void store64(const struct copy *copy, uint64_t offset, uint64_t value)
{
  memcpy(copy->out->heap.data + offset, &value, sizeof value);
}

static uint64_t offset_of(const struct copy *copy, uint64_t address)
{
  const struct object *object = &copy->objects->items[copy->walk->pieces[copy->piece].object];
  return object->offset + (address - object->address);
}

// Where in H an address of an object is; false if there is no object.
static bool find_offset(const struct copy *copy, uint64_t address, uint64_t *offset)
{
  uint32_t piece = walk_piece_at(copy->walk, address);
  const struct object *object = piece == NO_PIECE ? objects_find(copy->objects, address)
                                                  : &copy->objects->items[copy->walk->pieces[piece].object];
  *offset = object ? object->offset + (address - object->address) : 0;
  return object != NULL;
}

static enum pkgimg_status add_site(struct copy *copy, uint64_t offset, uint32_t external)
{
  struct describe_result *out = copy->out;
  if (has_bit(copy->sites, offset / 8))
    return PKGIMG_OK;
  set_bit(copy->sites, offset / 8);
  TRY(array_reserve(&out->sites, &out->site_capacity, out->site_count, sizeof *out->sites, copy->walk->error));
  out->sites[out->site_count++] = (struct describe_site){(uint32_t)(offset / 8), external};
  return PKGIMG_OK;
}

static void mark_data(const struct copy *copy, const struct shape_place *place)
{
  uint64_t first = offset_of(copy, (uint64_t)place->word), bytes = place->field->repeat ? place->field->repeat : 1;
  for (uint64_t word = first / 8; word < (first + bytes + 7) / 8; word++)
    set_bit(copy->data, word);
}

static enum pkgimg_status copy_word(void *context, const struct shape_place *place)
{
  struct copy *copy = context;
  uint64_t address, raw, to, at = offset_of(copy, (uint64_t)place->word);
  if (place->field->kind == PKGIMG_FIELD_DATA) {
    mark_data(copy, place);
    return PKGIMG_OK;
  }
  if (at % 8)
    return walk_fail(copy->walk, copy->piece, place, "the pointer lies at offset %llu of a larger object",
                     (unsigned long long)at % 16);
  memcpy(&raw, place->word, sizeof raw);
  bool null = place->field->kind == PKGIMG_FIELD_NULL;
  if (null || !word_address(place, &address)) {
    set_bit(copy->data, at / 8);
    if (!has_bit(copy->sites, at / 8))
      store64(copy, at, null ? 0 : raw);
    return PKGIMG_OK;
  }
  const struct external_range *external = walk_external(copy->walk, address);
  if (!external && !find_offset(copy, address, &to))
    return walk_fail(copy->walk, copy->piece, place, "no object is described at 0x%llx, and it is no external",
                     (unsigned long long)address);
  store64(copy, at, raw - address + (external ? address - external->start : to));
  return add_site(copy, at, external ? external->number : DESCRIBE_HEAP);
}

// A word of which no field tells anything, and that is the address of an object all the same: a pointer was
// forgotten, or something depends on where objects are.
static enum pkgimg_status check_rest(const struct copy *copy)
{
  const struct piece *piece = &copy->walk->pieces[copy->piece];
  uint64_t first = copy->objects->items[0].address, offset, value;
  const struct object *last = &copy->objects->items[copy->objects->count - 1];
  if (piece->shape->sparse || piece->shape == &shape_bytes)
    return PKGIMG_OK;
  for (uint64_t at = -piece->address & 7; at + 8 <= piece->size; at += 8) {
    memcpy(&value, (const uint8_t *)piece->address + at, sizeof value);
    if (value < first || value > last->address + last->size)
      continue;
    uint64_t word = offset_of(copy, piece->address + at) / 8;
    if (!has_bit(copy->sites, word) && !has_bit(copy->data, word) && find_offset(copy, value, &offset))
      return walk_fail(copy->walk, copy->piece, NULL,
                       "offset %llu of %s holds the address of an object, 0x%llx, but no field tells of it",
                       (unsigned long long)at, shape_name(piece->shape), (unsigned long long)value);
  }
  return PKGIMG_OK;
}

static enum pkgimg_status copy_pieces(struct copy *copy)
{
  struct walk *walk = copy->walk;
  for (uint32_t i = 0; i < walk->piece_count; i++) {
    const struct piece *piece = &walk->pieces[i];
    copy->piece = i;
    shape_copy(piece->shape, (const uint8_t *)piece->address, piece->size,
               copy->out->heap.data + offset_of(copy, piece->address));
  }
  for (uint32_t i = 0; i < walk->piece_count; i++) {
    copy->piece = i;
    TRY(walk_fields(walk, i, copy_word, copy));
  }
  for (uint32_t i = 0; i < walk->piece_count; i++) {
    copy->piece = i;
    TRY(check_rest(copy));
  }
  return PKGIMG_OK;
}

static enum pkgimg_status find_roots(const struct copy *copy)
{
  const struct pkgimg_graph *graph = copy->walk->graph;
  copy->out->roots = calloc(graph->root_count, sizeof *copy->out->roots);
  if (!copy->out->roots)
    return fail_memory(copy->walk->error, graph->root_count * sizeof *copy->out->roots);
  for (size_t i = 0; i < graph->root_count; i++)
    if (!find_offset(copy, (uint64_t)graph->roots[i].object, &copy->out->roots[i]))
      return fail_name(copy->walk->error, PKGIMG_CAPTURE, copy->walk->package, graph->roots[i].name,
                       "the root is not among the objects");
  return PKGIMG_OK;
}

static int by_word(const void *left, const void *right)
{
  const struct describe_site *a = left, *b = right;
  return a->word < b->word ? -1 : a->word > b->word;
}

// Nearly always they are in order already.
static void sort_sites(struct describe_result *result)
{
  for (size_t i = 1; i < result->site_count; i++)
    if (result->sites[i - 1].word > result->sites[i].word) {
      qsort(result->sites, result->site_count, sizeof *result->sites, by_word);
      return;
    }
}

enum pkgimg_status describe_graph(const struct pkgimg_graph *graph, const char *package,
                                  struct describe_result *result, struct pkgimg_error *error)
{
  struct walk walk AUTO(walk_deinit) = {.graph = graph, .package = package, .error = error};
  struct objects objects AUTO(objects_deinit) = {0};
  TRY(walk_graph(&walk));
  TRY(objects_make(&walk, &objects));
  struct copy copy AUTO(copy_deinit) = {.walk = &walk, .objects = &objects, .out = result};
  TRY(buffer_append(&result->heap, NULL, objects.heap_size, error));
  copy.sites = calloc(objects.heap_size / 512 + 1, sizeof *copy.sites);
  copy.data = calloc(objects.heap_size / 512 + 1, sizeof *copy.data);
  if (!copy.sites || !copy.data)
    return fail_memory(error, objects.heap_size / 64);
  TRY(copy_pieces(&copy));
  objects_head(&walk, &objects, result->heap.data);
  TRY(find_roots(&copy));
  sort_sites(result);
  result->objects = objects.count;
  return PKGIMG_OK;
}
