// SPDX-License-Identifier: MIT
//
// Fuzz target: the core of pkgimg_verify, on bytes in memory; then all that a checked view promises.
#include "format/access.h"
#include "format/sites.h"
#include "tests/fuzz/fuzz.h"
#include "tests/should_fail/forge.h"

#include <stdlib.h>
#include <string.h>

static size_t total;  // so that nothing is optimised away

static void use_string(const struct image_file *file, uint32_t offset)
{
  total += strlen(file->tables.strings + offset);
}

static void use_names(const struct image_file *file)
{
  const struct tables *tables = &file->tables;
  use_string(file, tables->head->name);
  for (uint32_t i = 0; i < tables->dependency_count; i++)
    use_string(file, tables->dependencies[i].name);
  for (uint32_t i = 0; i < tables->import_count; i++)
    use_string(file, tables->imports[i].name), use_string(file, tables->imports[i].version);
  for (uint32_t i = 0; i < tables->library_count; i++)
    use_string(file, tables->libraries[i]);
  for (uint32_t i = 0; i < file->closure.count; i++)
    use_string(file, file->closure.entries[i].name);
}

static void use_symbols(const struct image_file *file)
{
  enum { MOST = 256 };
  for (uint32_t i = 0; i < file->symbols.count && i < MOST; i++) {
    const char *name = symbols_name(&file->symbols, i);
    total += symbols_find(&file->symbols, name, gnu_hash(name), 0);
  }
}

static void use_sites(const struct image_file *file, const struct disk_site_set *sets, uint32_t count_of_sets)
{
  const struct tables *tables = &file->tables;
  for (uint32_t set = 0; set < count_of_sets; set++) {
    struct sites_walk walk;
    uint32_t ids[SITES_BATCH];
    if (!sites_begin(&walk, set_bytes(tables, &sets[set]), tables->head->words))
      abort();  // image_file_read has walked it
    for (size_t count; (count = sites_next(&walk, ids)) > 0;)
      for (size_t i = 0; i < count; i++) {
        struct span word = image_file_bytes(file, site_address(&file->header.geometry, ids[i]), 8);
        total += word.data[0];
      }
  }
}

// Each instruction, and the word that it reads: both are in the file.
static void use_accesses(const struct image_file *file)
{
  const struct disk_area *area = &file->header.geometry.areas[AREA_X];
  struct span code = image_file_bytes(file, area->address, area->file_size);
  struct sites_walk walk;
  uint32_t ids[SITES_BATCH];
  if (!sites_begin(&walk, set_bytes(&file->tables, &file->tables.head->accesses), (uint32_t)code.size))
    abort();
  for (size_t count; (count = sites_next(&walk, ids)) > 0;)
    for (size_t i = 0; i < count; i++) {
      uint64_t word = access_word(code.data + ids[i], area->address + ids[i]);
      if (access_form(code, ids[i]) == ACCESS_NONE || !image_file_bytes(file, word, 8).data)
        abort();
    }
}

static void use_clones(const struct image_file *file)
{
  const struct tables *tables = &file->tables;
  for (uint32_t i = 0; i < tables->target_count; i++)
    use_string(file, tables->targets[i].name);
  for (uint32_t i = 0; i < tables->clone_count; i++) {
    total += *symbols_name(&file->symbols, tables->clones[i].symbol);
    for (unsigned target = 0; target < tables->target_count; target++)
      if (tables->clones[i].bodies >> target & 1)
        total += image_file_bytes(file, clone_body(tables, &tables->clones[i], target), 1).data[0];
  }
}

// Each word that a load would write, and what it would write there; in H as long as it is stored as it is.
static void use_captured(const struct image_file *file)
{
  const struct tables *tables = &file->tables;
  bool plain = tables->head->heap.compression == HEAP_PLAIN;
  for (uint32_t i = 0; i < tables->captured_set_count; i++) {
    const struct disk_captured_set *set = &tables->captured_sets[i];
    struct sites_walk walk;
    uint32_t ids[SITES_BATCH];
    if (!sites_begin(&walk, captured_bytes(tables, set), captured_universe(tables, set)))
      abort();
    uint64_t seen = 0;
    for (size_t count; (count = sites_next(&walk, ids)) > 0; seen += count)
      for (size_t j = 0; j < count; j++) {
        if (set->universe == CAPTURED_IN_DATA)
          total += image_file_bytes(file, site_address(&file->header.geometry, ids[j]), 8).data[7];
        else if (plain)
          total += file->heap.bytes.data[8ull * ids[j] + 7];
        if (captured_has_details(set))
          total += tables->captured_details[set->first + seen + j];
      }
  }
  for (uint32_t i = 0; i < tables->root_count; i++)
    use_string(file, tables->roots[i].name);
  const struct disk_region *exits = &tables->head->exits;
  for (uint64_t i = 0; plain && i < exits->count; i++)
    total += file->heap.bytes.data[exits->address - FORMAT_H_START + (i + 1) * sizeof(struct disk_exit) - 1];
}

static void read_image(const uint8_t *bytes, size_t size)
{
  struct pkgimg_error error;
  struct image_file file;
  struct reader reader = {.file = "fuzz.so", .bytes = {bytes, size}, .error = &error};
  if (image_file_read(&reader, &file) != PKGIMG_OK)
    return;
  use_names(&file);
  use_symbols(&file);
  use_sites(&file, file.tables.site_sets, file.tables.set_count);
  use_sites(&file, file.tables.clone_sets, file.tables.clone_set_count);
  use_clones(&file);
  use_accesses(&file);
  use_captured(&file);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  struct fuzz_input input = fuzz_input(data, size);
  struct forgery forgery = {0};
  if (input.image_size == 0)
    return 0;
  // A copy that ends where the bytes end, for the sanitizer, and begins at a multiple of 16.
  uint8_t *copy = malloc(input.image_size);
  if (!copy)
    return 0;
  memcpy(copy, input.image, input.image_size);
  if (input.flags & FUZZ_SEAL && forgery_init(&forgery, copy, input.image_size)) {
    forgery_seal(&forgery, SEAL_ALL);
    read_image(forgery.bytes, forgery.size);
  } else {
    read_image(copy, input.image_size);
  }
  forgery_deinit(&forgery);
  free(copy);
  return 0;
}
