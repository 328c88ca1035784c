// SPDX-License-Identifier: MIT
//
// Checks of the set of accesses. A load does not use it, so that only where it lies is checked then.
#include "format/access.h"
#include "format/checks.h"
#include "format/sites.h"

#include <stdlib.h>

enum pkgimg_status accesses_locate(const struct reader *reader, const struct disk_geometry *geometry,
                                   const struct disk_tables *head)
{
  const struct disk_site_set *set = &head->accesses;
  const void *bytes;
  TRY(reader_array(reader, "bitmap of accesses", set->offset, set->size, 1, 1, &bytes));
  if (set->count > geometry->areas[AREA_X].memory_size)
    return broken(reader, offsetof(struct disk_tables, accesses.count), "number of accesses",
                  geometry->areas[AREA_X].memory_size, set->count);
  return PKGIMG_OK;
}

/// For each word of L, how many sets it is in, up to 255.
struct members {
  const struct image_file *image;
  uint8_t *counts;
  uint64_t words;
};

static void members_deinit(struct members *members)
{
  free(members->counts);
}

static void count_set(const struct members *members, struct span bytes)
{
  struct sites_walk walk;
  uint32_t ids[SITES_BATCH];
  if (!sites_begin(&walk, bytes, members->image->tables.head->words))
    return;
  for (size_t count; (count = sites_next(&walk, ids)) > 0;)
    for (size_t i = 0; i < count; i++)
      if (ids[i] < members->words && members->counts[ids[i]] < UINT8_MAX)
        members->counts[ids[i]]++;
}

// What capturing found is not a word of the global offset table, and counts twice.
static enum pkgimg_status count_members(struct members *members)
{
  const struct tables *tables = &members->image->tables;
  members->words = members->image->header.geometry.areas[AREA_L].file_size / 8;
  members->counts = calloc(members->words + 1, 1);
  if (!members->counts)
    return fail_memory(members->image->reader.error, members->words);
  for (uint32_t i = 0; i < tables->set_count; i++)
    count_set(members, tables_sites(tables, i));
  for (uint32_t i = 0; i < tables->clone_set_count; i++)
    count_set(members, set_bytes(tables, &tables->clone_sets[i]));
  for (uint32_t i = 0; i < tables->captured_set_count; i++)
    for (int twice = 0; tables->captured_sets[i].universe == CAPTURED_IN_DATA && twice < 2; twice++)
      count_set(members, captured_bytes(tables, &tables->captured_sets[i]));
  return PKGIMG_OK;
}

static enum pkgimg_status access_check(const struct members *members, struct span code, uint32_t offset)
{
  const struct disk_area *areas = members->image->header.geometry.areas;
  const struct reader reader = members->image->reader;
  uint64_t at = areas[AREA_X].file_offset + offset;
  if (access_form(code, offset) == ACCESS_NONE) {
    uint64_t found = offset < 2 ? 0 : (uint64_t)code.data[offset - 2] << 8 | code.data[offset - 1];
    return broken(&reader, at, "instruction of an access (call, jmp or mov)", 0xff15, found);
  }
  uint64_t word = access_word(code.data + offset, areas[AREA_X].address + offset),
           id = (word - FORMAT_L_START) / 8;
  if (word < FORMAT_L_START || word % 8 || id >= members->words)
    return broken(&reader, at, "word of an access (one of L)", FORMAT_L_START, word);
  if (members->counts[id] != 1)
    return broken(&reader, at, "sets with the word of an access", 1, members->counts[id]);
  return PKGIMG_OK;
}

static uint64_t good_ones(struct span bytes, uint32_t universe)
{
  struct sites_walk walk;
  uint32_t ids[SITES_BATCH];
  uint64_t seen = 0;
  if (!sites_begin(&walk, bytes, universe))
    return 0;
  for (size_t count; seen <= universe && (count = sites_next(&walk, ids)) > 0; seen += count)
    ;
  return seen;
}

enum pkgimg_status accesses_check(const struct image_file *image)
{
  const struct tables *tables = &image->tables;
  const struct disk_site_set *set = &tables->head->accesses;
  const struct disk_area *area = &image->header.geometry.areas[AREA_X];
  struct span code = image_file_bytes(image, area->address, area->file_size);
  struct members members AUTO(members_deinit) = {.image = image};
  struct sites_walk walk;
  uint32_t ids[SITES_BATCH];
  if (!sites_valid(set_bytes(tables, set), (uint32_t)code.size, set->count) ||
      !sites_begin(&walk, set_bytes(tables, set), (uint32_t)code.size))
    return fail_at(image->reader.error, PKGIMG_MALFORMED, image->reader.file,
                   image->header.geometry.tables_offset + set->offset, "bitmap of accesses (number of good ones)",
                   set->count, good_ones(set_bytes(tables, set), (uint32_t)code.size));
  TRY(count_members(&members));
  for (size_t count; (count = sites_next(&walk, ids)) > 0;)
    for (size_t i = 0; i < count; i++)
      TRY(access_check(&members, code, ids[i]));
  return PKGIMG_OK;
}
