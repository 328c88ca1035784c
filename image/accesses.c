// SPDX-License-Identifier: MIT
#include "image/accesses.h"

#include "format/access.h"

#include <stdlib.h>

void access_list_deinit(struct access_list *list)
{
  free(list->items);
}

/// The words of L that are sites.
struct words {
  bool *sites;
  uint64_t count;
};

static void words_deinit(struct words *words)
{
  free(words->sites);
}

static void add_sites(const struct words *words, const struct site_list *lists, size_t count)
{
  for (size_t i = 0; i < count; i++)
    for (size_t j = 0; j < lists[i].count; j++)
      if (lists[i].items[j].word < words->count)
        words->sites[lists[i].items[j].word] = true;
}

static enum pkgimg_status words_init(struct words *words, const struct linked *linked,
                                     const struct resolution *resolution, struct pkgimg_error *error)
{
  struct disk_area areas[AREA_COUNT];
  writer_areas(linked, areas);
  words->count = areas[AREA_L].file_size / 8;
  words->sites = calloc(words->count + 1, sizeof *words->sites);
  if (!words->sites)
    return fail_memory(error, words->count);
  add_sites(words, resolution->sets, resolution->set_count);
  add_sites(words, resolution->clone_sets, resolution->set_count - 1);
  return PKGIMG_OK;
}

// Where the linker found a shorter way, it wrote another instruction.
static bool is_access(const struct words *words, struct span code, uint64_t start, uint64_t field)
{
  if (access_form(code, field - start) == ACCESS_NONE)
    return false;
  uint64_t word = access_word(code.data + (field - start), field);
  return word >= FORMAT_L_START && word % 8 == 0 && (word - FORMAT_L_START) / 8 < words->count &&
         words->sites[(word - FORMAT_L_START) / 8];
}

static int by_offset(const void *left, const void *right)
{
  const uint32_t *a = left, *b = right;
  return *a < *b ? -1 : *a > *b;
}

enum pkgimg_status access_list_init(struct access_list *list, const struct linked *linked,
                                    const struct link_fields *fields, const struct resolution *resolution,
                                    struct pkgimg_error *error)
{
  const Elf64_Phdr *segment = linked->segments[AREA_X];
  struct words words AUTO(words_deinit) = {0};
  TRY(words_init(&words, linked, resolution, error));
  list->items = calloc(fields->count + 1, sizeof *list->items);
  if (!list->items)
    return fail_memory(error, fields->count * sizeof *list->items);
  for (size_t i = 0; segment && i < fields->count; i++) {
    struct span code = {linked->reader.bytes.data + segment->p_offset, segment->p_filesz};
    if (is_access(&words, code, segment->p_vaddr, fields->items[i]))
      list->items[list->count++] = (uint32_t)(fields->items[i] - segment->p_vaddr);
  }
  qsort(list->items, list->count, sizeof *list->items, by_offset);
  return PKGIMG_OK;
}
