// SPDX-License-Identifier: MIT
//
// Checks of what was captured.
#include "format/checks.h"

#include <string.h>

static enum pkgimg_status heap_check(const struct reader *reader, const struct disk_geometry *geometry,
                                     const struct disk_tables *head)
{
  const struct disk_heap *heap = &head->heap;
  uint64_t at = offsetof(struct disk_tables, heap), most = 8ull * UINT32_MAX & ~(FORMAT_PAGE - 1ull);
  uint64_t least = geometry->tables_offset + geometry->tables_size;
  if (heap->size % FORMAT_PAGE || heap->size > most)
    return broken(reader, at + 16, "size of the heap", most, heap->size);
  if (heap->compression >= HEAP_COMPRESSION_COUNT)
    return broken(reader, at + 32, "compression of the heap", HEAP_COMPRESSION_COUNT - 1, heap->compression);
  if (heap->compression == HEAP_PLAIN && heap->stored_size != heap->size)
    return broken(reader, at + 8, "stored size of the heap", heap->size, heap->stored_size);
  if (heap->size && (heap->file_offset < least || heap->file_offset % FORMAT_PAGE ||
                     !range_within(heap->file_offset, heap->stored_size, INT64_MAX)))
    return broken(reader, at, "file offset of the heap (multiple of a page)", least, heap->file_offset);
  if (heap->dirty_pages > heap->size / FORMAT_PAGE)
    return broken(reader, at + 24, "pages of the heap that are written", heap->size / FORMAT_PAGE,
                  heap->dirty_pages);
  if (heap->reserved)
    return broken(reader, at + 36, "reserved member of the heap", 0, heap->reserved);
  const struct disk_region *exits = &head->exits;
  uint64_t bytes;
  if (exits->count == 0)
    return PKGIMG_OK;
  if (__builtin_mul_overflow(exits->count, sizeof(struct disk_exit), &bytes) || exits->address < FORMAT_H_START ||
      exits->address % 8 || !range_within(exits->address - FORMAT_H_START, bytes, heap->size))
    return broken(reader, offsetof(struct disk_tables, exits), "address of the exits", FORMAT_H_START,
                  exits->address);
  return PKGIMG_OK;
}

static enum pkgimg_status captured_set_check(const struct reader *reader, const struct tables *tables,
                                             const struct disk_captured_set *set)
{
  uint64_t at = (uint64_t)((const uint8_t *)set - tables->bytes.data);
  const void *bytes;
  if (set->universe >= CAPTURED_UNIVERSE_COUNT)
    return broken(reader, at + 12, "universe of a captured set", CAPTURED_UNIVERSE_COUNT - 1, set->universe);
  if (set->kind >= CAPTURED_KIND_COUNT)
    return broken(reader, at + 14, "kind of a captured set", CAPTURED_KIND_COUNT - 1, set->kind);
  uint32_t last = set->kind == CAPTURED_HOST ? 0 : tables->dependency_count;
  if (set->image > last)
    return broken(reader, at + 16, "image of a captured set", last, set->image);
  TRY(reader_array(reader, "bitmap of captured sites", set->offset, set->size, 1, 1, &bytes));
  if (set->count > captured_universe(tables, set))
    return broken(reader, at + 8, "number of captured sites", captured_universe(tables, set), set->count);
  if (captured_has_details(set) && !range_within(set->first, set->count, tables->captured_detail_count))
    return broken(reader, at + 20, "number of details that captured sites need", (uint64_t)set->first + set->count,
                  tables->captured_detail_count);
  for (uint32_t i = 0; set->kind == CAPTURED_HOST && i < set->count; i++)
    if (tables->captured_details[set->first + i] >= tables->import_count)
      return broken(reader, tables->head->captured_details.offset + 4ull * (set->first + i),
                    "number of imports that a captured site needs",
                    tables->captured_details[set->first + i] + 1ull, tables->import_count);
  return PKGIMG_OK;
}

enum pkgimg_status captured_check(const struct reader *reader, const struct disk_geometry *geometry,
                                  const struct tables *tables)
{
  TRY(heap_check(reader, geometry, tables->head));
  for (uint32_t i = 0; i < tables->captured_set_count; i++)
    TRY(captured_set_check(reader, tables, &tables->captured_sets[i]));
  for (uint32_t i = 0; i < tables->root_count; i++) {
    const struct disk_root *root = &tables->roots[i];
    uint64_t at = (uint64_t)((const uint8_t *)root - tables->bytes.data);
    TRY(string_check(reader, tables, &root->name, root->name));
    if (i && strcmp(tables->strings + root[-1].name, tables->strings + root->name) >= 0)
      return broken(reader, at, "names of roots in their order", i + 1, i);
    if (!address_is_inside(geometry, tables->head->heap.size, root->address))
      return broken(reader, at + offsetof(struct disk_root, address), "address of a root", FORMAT_H_START,
                    root->address);
  }
  return PKGIMG_OK;
}
