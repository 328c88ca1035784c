// SPDX-License-Identifier: MIT
#include "image/inspect_captured.h"

#include "base/clock.h"
#include "format/heap.h"
#include "format/packed.h"
#include "format/sites.h"
#include "mapper/heap.h"

#include <string.h>

// ---- bitmaps

struct pkgimg_site_set inspect_set(struct span bitmap, uint32_t universe, uint64_t count, const char *target)
{
  struct sites_walk walk;
  uint32_t ids[SITES_BATCH];
  bool begun = sites_begin(&walk, bitmap, universe);
  while (begun && sites_next(&walk, ids) > 0)
    continue;
  return (struct pkgimg_site_set){.target = target,
                                  .count = count,
                                  .bytes = bitmap.size,
                                  .arrays = walk.kinds[SITES_ARRAY],
                                  .bitsets = walk.kinds[SITES_BITSET],
                                  .runs = walk.kinds[SITES_RUN]};
}

size_t inspect_ids(struct span bitmap, uint32_t universe, uint64_t first, uint64_t *ids, size_t capacity)
{
  struct sites_walk walk;
  uint32_t batch[SITES_BATCH];
  uint64_t seen = 0;
  size_t copied = 0;
  if (!sites_begin(&walk, bitmap, universe))
    return 0;
  for (size_t count; copied < capacity && (count = sites_next(&walk, batch)) > 0; seen += count)
    for (size_t i = first > seen ? first - seen : 0; i < count && copied < capacity; i++)
      ids[copied++] = batch[i];
  return copied;
}

// ---- objects of H

/// A walk along the headers of H, whose bytes come in pieces.
struct objects {
  struct pkgimg_heap *heap;
  uint64_t header;  // offset of the next one; UINT64_MAX: the chain ended
};

// Pieces are whole words, so a header lies in one. What stands there is only counted, never followed out of the
// heap.
static void count_objects(struct objects *objects, uint64_t start, struct span piece)
{
  struct pkgimg_heap *heap = objects->heap;
  while (objects->header < start + piece.size) {
    uint64_t left = heap->size - objects->header - 8;
    struct heap_object object = heap_object_at(piece.data + (objects->header - start) + 8);
    if (object.span < 16 || object.span > left + 8 || object.size > left) {
      objects->header = UINT64_MAX;
      return;
    }
    heap->objects += object.live;
    heap->object_bytes += object.live ? object.size : 0;
    objects->header += object.span;
  }
}

static enum pkgimg_status walk_packed(const struct reader *stored, struct unpacker *unpacker,
                                      struct objects *objects)
{
  uint8_t piece[16384];
  struct span input = stored->bytes;
  uint64_t begin = clock_now(), start = 0;
  for (size_t made = 1; made > 0; start += made) {
    TRY(unpack(unpacker, &input, piece, sizeof piece, &made));
    count_objects(objects, start, (struct span){piece, made & ~7ull});
  }
  objects->heap->unpack_nanoseconds = clock_now() - begin;
  return PKGIMG_OK;
}

static enum pkgimg_status walk_objects(const struct reader *stored, struct pkgimg_heap *heap,
                                       struct pkgimg_error *error)
{
  struct objects objects = {.heap = heap, .header = FORMAT_HEAP_FIRST - 8};
  if (strcmp(heap->compression, "none") == 0) {
    count_objects(&objects, 0, stored->bytes);
    return PKGIMG_OK;
  }
  struct unpacker *unpacker = unpacker_create(stored, heap->size);
  if (!unpacker)
    return fail_memory(error, heap->size);
  enum pkgimg_status status = walk_packed(stored, unpacker, &objects);
  unpacker_destroy(unpacker);
  return status;
}

enum pkgimg_status inspect_captured(struct pkgimg_inspection *inspection, struct pkgimg_error *error)
{
  static const char *const compressions[HEAP_COMPRESSION_COUNT] = {[HEAP_PLAIN] = "none", [HEAP_ZSTD] = "zstd"};
  const struct tables *tables = &inspection->file.tables;
  const struct disk_heap *heap = &tables->head->heap;
  struct pkgimg_summary *summary = &inspection->summary;
  summary->constructed = (tables->head->flags & FORMAT_CAPTURED) != 0;
  summary->captured_sets = tables->captured_set_count;
  summary->roots = tables->root_count;
  summary->exits = tables->head->exits.count;
  summary->heap = (struct pkgimg_heap){.size = heap->size,
                                       .stored_size = heap->stored_size,
                                       .compression = compressions[heap->compression],
                                       .mapped = heap_way(heap) == HEAP_MAPPED,
                                       .dirty_pages = heap->dirty_pages};
  return heap->size ? walk_objects(&inspection->file.heap, &summary->heap, error) : PKGIMG_OK;
}

// ---- one entry of each table

static const char *captured_target(const struct pkgimg_inspection *inspection, const struct disk_captured_set *set)
{
  const struct tables *tables = &inspection->file.tables;
  return set->kind == CAPTURED_HOST ? "host"
         : set->image == 0          ? inspection->summary.name
                                    : tables->strings + tables->dependencies[set->image - 1].name;
}

struct pkgimg_captured_set pkgimg_inspection_captured_set(const struct pkgimg_inspection *inspection, size_t index)
{
  static const char *const kinds[CAPTURED_KIND_COUNT] = {
      [CAPTURED_BASE] = "base", [CAPTURED_HEAP] = "heap", [CAPTURED_HOST] = "host", [CAPTURED_CLONE] = "clone"};
  const struct tables *tables = &inspection->file.tables;
  const struct disk_captured_set *set = &tables->captured_sets[index];
  return (struct pkgimg_captured_set){.sites =
                                          inspect_set(captured_bytes(tables, set), captured_universe(tables, set),
                                                      set->count, captured_target(inspection, set)),
                                      .place = set->universe == CAPTURED_IN_HEAP ? "heap" : "data",
                                      .kind = kinds[set->kind]};
}

size_t pkgimg_inspection_captured_sites(const struct pkgimg_inspection *inspection, size_t index, uint64_t first,
                                        uint64_t *addresses, size_t capacity)
{
  const struct tables *tables = &inspection->file.tables;
  const struct disk_captured_set *set = &tables->captured_sets[index];
  size_t count =
      inspect_ids(captured_bytes(tables, set), captured_universe(tables, set), first, addresses, capacity);
  for (size_t i = 0; i < count; i++)
    addresses[i] = set->universe == CAPTURED_IN_HEAP
                       ? FORMAT_H_START + 8 * addresses[i]
                       : site_address(&inspection->file.header.geometry, (uint32_t)addresses[i]);
  return count;
}

// The symbol that an address lies in, NULL if it is in the heap or in none.
static const char *symbol_at(const struct symbols *symbols, uint64_t address)
{
  for (uint32_t i = 1; i < symbols->count; i++) {
    const Elf64_Sym *symbol = &symbols->symbols[i];
    if (symbol->st_shndx != SHN_UNDEF && ELF64_ST_TYPE(symbol->st_info) == STT_OBJECT &&
        address >= symbol->st_value && address - symbol->st_value < symbol->st_size)
      return symbols_name(symbols, i);
  }
  return NULL;
}

struct pkgimg_named_root pkgimg_inspection_root(const struct pkgimg_inspection *inspection, size_t index)
{
  const struct disk_root *root = &inspection->file.tables.roots[index];
  return (struct pkgimg_named_root){.name = inspection->file.tables.strings + root->name,
                                    .address = root->address,
                                    .symbol = symbol_at(&inspection->file.symbols, root->address)};
}
