// SPDX-License-Identifier: MIT
#include "image/captured.h"

#include <stdlib.h>
#include <string.h>

// ---- the resolution

static bool is_changed(const struct capture *capture, uint64_t address, uint64_t size)
{
  uint64_t words = capture->file.header.geometry.areas[AREA_W].memory_size / 8;
  if (address < FORMAT_W_START)
    return false;
  uint64_t first = (address - FORMAT_W_START) / 8, last = (address - FORMAT_W_START + size - 1) / 8;
  return (first < words && capture->result.changed[first]) || (last < words && capture->result.changed[last]);
}

static void drop_changed(const struct capture *capture, struct site_list *list)
{
  size_t kept = 0;
  for (size_t i = 0; i < list->count; i++)
    if (!is_changed(capture, site_address(&capture->file.header.geometry, list->items[i].word), 8))
      list->items[kept++] = list->items[i];
  list->count = kept;
}

static void drop_changed_residuals(const struct capture *capture, struct resolution *resolution)
{
  size_t kept = 0;
  for (size_t i = 0; i < resolution->residual_count; i++)
    if (!is_changed(capture, resolution->residuals[i].address, 8))
      resolution->residuals[kept++] = resolution->residuals[i];
  resolution->residual_count = kept;
}

/// A symbol of the host as the first run names it.
struct host_name {
  const char *name, *version;
  uint8_t type;
};

static struct host_name host_name(const struct capture *capture, uint32_t index)
{
  const struct snapshot *snapshot = capture->runs[0].snapshot;
  const struct snapshot_symbol *symbol =
      (const struct snapshot_symbol *)snapshot_at(snapshot, snapshot->symbols.offset) + index;
  return (struct host_name){.name = snapshot_at(snapshot, symbol->name),
                            .version = symbol->version ? snapshot_at(snapshot, symbol->version) : NULL,
                            .type = (uint8_t)symbol->type};
}

// The index of an import, import_count if there is none.
static size_t find_import(const struct resolution *resolution, const struct host_name *name)
{
  for (size_t i = 0; i < resolution->import_count; i++) {
    const struct writer_import *import = &resolution->imports[i];
    const char *version = import->version ? import->version : "", *wanted = name->version ? name->version : "";
    if (strcmp(import->name, name->name) == 0 && strcmp(version, wanted) == 0)
      return i;
  }
  return resolution->import_count;
}

static enum pkgimg_status need_import(struct resolution *resolution, const struct host_name *name,
                                      struct pkgimg_error *error)
{
  if (find_import(resolution, name) < resolution->import_count)
    return PKGIMG_OK;
  TRY(array_reserve(&resolution->imports, &resolution->import_capacity, resolution->import_count,
                    sizeof *resolution->imports, error));
  resolution->imports[resolution->import_count++] =
      (struct writer_import){.name = name->name, .version = name->version, .type = name->type};
  return PKGIMG_OK;
}

enum pkgimg_status captured_prepare(const struct capture *capture, const uint32_t *provider_of,
                                    struct resolution *resolution, struct pkgimg_error *error)
{
  const struct capture_result *result = &capture->result;
  for (size_t i = 0; i < resolution->set_count; i++)
    drop_changed(capture, &resolution->sets[i]);
  for (size_t i = 0; i + 1 < resolution->set_count; i++)
    drop_changed(capture, &resolution->clone_sets[i]);
  drop_changed_residuals(capture, resolution);
  uint32_t last = UINT32_MAX;  // of the imports, which come in runs
  for (size_t i = 0; i < result->site_count; i++) {
    const struct capture_site *site = &result->sites[i];
    if (site->kind != CAPTURED_HOST && capture_dep(capture, site->image))
      resolution->used[provider_of[site->image]] = true;
    if (site->kind != CAPTURED_HOST || site->detail == last)
      continue;
    struct host_name name = host_name(capture, last = site->detail);
    TRY(need_import(resolution, &name, error));
  }
  return PKGIMG_OK;
}

// ---- sets: one for each universe, kind and image that occurs

struct key {
  unsigned universe, kind, image;
};

static size_t key_index(const struct capture *capture, const struct capture_site *site)
{
  size_t images = capture->deps->count + 1, image = site->kind == CAPTURED_HOST ? 0 : site->image;
  return ((size_t)site->universe * CAPTURED_KIND_COUNT + site->kind) * images + image;
}

static struct key key_of(const struct capture *capture, size_t index)
{
  size_t images = capture->deps->count + 1;
  return (struct key){.universe = (unsigned)(index / images / CAPTURED_KIND_COUNT),
                      .kind = (unsigned)(index / images % CAPTURED_KIND_COUNT),
                      .image = (unsigned)(index % images)};
}

static enum pkgimg_status import_numbers(const struct capture *capture, const struct resolution *resolution,
                                         uint32_t **numbers, struct pkgimg_error *error)
{
  const struct snapshot *snapshot = capture->runs[0].snapshot;
  *numbers = calloc(snapshot->symbols.count + 1, sizeof **numbers);
  if (!*numbers)
    return fail_memory(error, snapshot->symbols.count * sizeof **numbers);
  for (uint32_t i = 0; i < snapshot->symbols.count; i++) {
    struct host_name name = host_name(capture, i);
    (*numbers)[i] = (uint32_t)find_import(resolution, &name);
  }
  return PKGIMG_OK;
}

// Words of W count on from those of L, as in the sets of sites.
static uint32_t word_id(const struct capture *capture, const struct capture_site *site)
{
  uint64_t constants = capture->file.header.geometry.areas[AREA_L].file_size / 8;
  return site->universe == CAPTURED_IN_DATA ? site->word + (uint32_t)constants : site->word;
}

static enum pkgimg_status make_sets(struct captured *captured, const struct capture *capture,
                                    const uint32_t *number_of, const uint32_t *imports, struct pkgimg_error *error)
{
  const struct capture_result *result = &capture->result;
  size_t keys = (size_t)CAPTURED_UNIVERSE_COUNT * CAPTURED_KIND_COUNT * (capture->deps->count + 1), at = 0;
  size_t *starts AUTO(free_pointer) = calloc(keys + 1, sizeof *starts);
  captured->ids = calloc(result->site_count + 1, sizeof *captured->ids);
  captured->details = calloc(result->site_count + 1, sizeof *captured->details);
  captured->sets = calloc(keys, sizeof *captured->sets);
  if (!starts || !captured->ids || !captured->details || !captured->sets)
    return fail_memory(error, result->site_count * sizeof *captured->ids);
  for (size_t i = 0; i < result->site_count; i++)
    starts[key_index(capture, &result->sites[i])]++;
  for (size_t i = 0; i < keys; i++) {
    struct key key = key_of(capture, i);
    size_t count = starts[i];
    starts[i] = at;
    if (count)
      captured->sets[captured->writer.set_count++] = (struct writer_captured_set){
          .universe = key.universe,
          .kind = key.kind,
          .image = key.kind == CAPTURED_HOST || !capture_dep(capture, key.image) ? 0 : number_of[key.image],
          .sites = {.ids = captured->ids + at, .count = count},
          .details = captured->details + at};
    at += count;
  }
  for (size_t i = 0; i < result->site_count; i++) {
    const struct capture_site *site = &result->sites[i];
    size_t place = starts[key_index(capture, site)]++;
    captured->ids[place] = word_id(capture, site);
    captured->details[place] = site->kind == CAPTURED_HOST ? imports[site->detail] : site->detail;
  }
  return PKGIMG_OK;
}

// ---- roots

static int by_name(const void *left, const void *right)
{
  return strcmp(((const struct writer_root *)left)->name, ((const struct writer_root *)right)->name);
}

static enum pkgimg_status make_roots(struct captured *captured, const struct capture *capture,
                                     struct pkgimg_error *error)
{
  const struct pkgimg_strings *names = &capture->options->roots;
  captured->roots = calloc(names->count + 1, sizeof *captured->roots);
  if (!captured->roots)
    return fail_memory(error, names->count * sizeof *captured->roots);
  for (size_t i = 0; i < names->count; i++) {
    const Elf64_Sym *symbol = linked_find(capture->linked, names->items[i]);
    if (!symbol || ELF64_ST_TYPE(symbol->st_info) != STT_OBJECT)
      return fail_name(error, PKGIMG_UNDEFINED_SYMBOL, capture->options->name, names->items[i],
                       "the declared root is %s", symbol ? "not a variable" : "not defined");
    captured->roots[i] = (struct writer_root){names->items[i], symbol->st_value};
  }
  if (names->count)
    qsort(captured->roots, names->count, sizeof *captured->roots, by_name);
  for (size_t i = 1; i < names->count; i++)
    if (by_name(&captured->roots[i - 1], &captured->roots[i]) == 0)
      return fail_name(error, PKGIMG_INVALID_ARGUMENT, capture->options->name, captured->roots[i].name,
                       "the root is declared twice");
  captured->writer.root_count = names->count;
  return PKGIMG_OK;
}

enum pkgimg_status captured_init(struct captured *captured, const struct capture *capture,
                                 const uint32_t *number_of, const struct resolution *resolution,
                                 struct pkgimg_error *error)
{
  const struct capture_result *result = &capture->result;
  const struct snapshot *run = capture->runs[0].snapshot;
  uint32_t *imports AUTO(free_pointer) = NULL;
  TRY(import_numbers(capture, resolution, &imports, error));
  TRY(make_sets(captured, capture, number_of, imports, error));
  TRY(make_roots(captured, capture, error));
  captured->writer.constructed = true;
  captured->writer.data = (struct span){result->data.data, result->data.size};
  captured->writer.heap = (struct span){result->heap.data, result->heap.size};
  captured->writer.compress = capture->options->compress;
  captured->writer.sets = captured->sets;
  captured->writer.roots = captured->roots;
  if (run->exit_count)
    captured->writer.exits = (struct disk_region){FORMAT_H_START + (run->exits - run->heap), run->exit_count};
  return PKGIMG_OK;
}

void captured_deinit(struct captured *captured)
{
  free(captured->sets);
  free(captured->ids);
  free(captured->details);
  free(captured->roots);
}
