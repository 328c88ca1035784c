// SPDX-License-Identifier: MIT
#include "image/described.h"

#include "base/words.h"

#include <stdlib.h>
#include <string.h>

void described_deinit(struct described *described)
{
  describe_result_deinit(&described->result);
  buffer_deinit(&described->data);
  free(described->targets);
  free(described->sets);
  free(described->ids);
  free(described->details);
  free(described->roots);
  free(described->variables);
}

enum pkgimg_status described_list_kept(const struct pkgimg_graph *graph, struct string_list *kept,
                                       struct pkgimg_error *error)
{
  for (size_t i = 0; i < graph->external_count; i++)
    if (graph->externals[i].kind == PKGIMG_EXTERNAL_OWN)
      TRY(string_list_add(kept, error, "%s", graph->externals[i].symbol));
  for (size_t i = 0; i < graph->root_count; i++)
    if (graph->roots[i].variable)
      TRY(string_list_add(kept, error, "%s", graph->roots[i].variable));
  return PKGIMG_OK;
}

enum pkgimg_status described_prepare(struct described *described, const uint32_t *provider_of,
                                     struct resolution *resolution, struct pkgimg_error *error)
{
  struct symbol_index symbols AUTO(symbol_index_deinit) = {0};
  TRY(describe_graph(described->options->graph, described->options->name, &described->result, error));
  TRY(symbol_index_init(&symbols, described->linked, ANY_SYMBOL_TYPE, error));
  TRY(described_find_targets(described, &symbols, provider_of, resolution, error));
  return described_find_variables(described, &symbols, resolution, error);
}

// ---- sets: one for each kind and image that words of H point to, and one for variables

static const struct described_target *target_of(const struct described *described,
                                                const struct describe_site *site)
{
  static const struct described_target own_heap = {.kind = CAPTURED_HEAP};
  return site->external == DESCRIBE_HEAP ? &own_heap : &described->targets[site->external];
}

static size_t key_of(const struct described *described, const struct described_target *target)
{
  return (size_t)target->kind * (described->deps->count + 1) + target->image;
}

static void add_set(struct described *described, const struct writer_captured_set *set)
{
  if (set->sites.count)
    described->sets[described->writer.set_count++] = *set;
}

static enum pkgimg_status make_sets(struct described *described, const uint32_t *number_of,
                                    struct pkgimg_error *error)
{
  const struct describe_result *result = &described->result;
  size_t images = described->deps->count + 1, keys = CAPTURED_KIND_COUNT * images, at = 0;
  size_t *starts AUTO(free_pointer) = calloc(keys + 1, sizeof *starts);
  size_t ids = result->site_count + described->variable_count + 1;
  described->ids = calloc(ids, sizeof *described->ids);
  described->details = calloc(ids, sizeof *described->details);
  described->sets = calloc(keys + 1, sizeof *described->sets);
  if (!starts || !described->ids || !described->details || !described->sets)
    return fail_memory(error, ids * sizeof *described->ids);
  for (size_t i = 0; i < result->site_count; i++)
    starts[key_of(described, target_of(described, &result->sites[i]))]++;
  for (size_t i = 0; i < keys; i++) {
    size_t count = starts[i], image = i % images;
    starts[i] = at;
    add_set(described, &(struct writer_captured_set){.universe = CAPTURED_IN_HEAP,
                                                     .kind = (enum captured_kind)(i / images),
                                                     .image = image ? number_of[image - 1] : 0,
                                                     .sites = {described->ids + at, count},
                                                     .details = described->details + at});
    at += count;
  }
  for (size_t i = 0; i < result->site_count; i++) {
    const struct described_target *target = target_of(described, &result->sites[i]);
    size_t place = starts[key_of(described, target)]++;
    described->ids[place] = result->sites[i].word;
    described->details[place] = target->detail;
  }
  return PKGIMG_OK;
}

// The words hold distances from externals; now from what these are relative to.
static void add_addends(struct described *described)
{
  for (size_t i = 0; i < described->result.site_count; i++) {
    const struct describe_site *site = &described->result.sites[i];
    uint8_t *at = described->result.heap.data + 8ull * site->word;
    store64(at, load64(at) + target_of(described, site)->addend);
  }
}

static enum pkgimg_status fill_variables(struct described *described, struct pkgimg_error *error)
{
  struct disk_area areas[AREA_COUNT];
  size_t first = described->result.site_count;
  if (described->variable_count == 0)
    return PKGIMG_OK;
  writer_areas(described->linked, areas);
  const struct disk_area *data = &areas[AREA_W];
  uint64_t last = described->variables[described->variable_count - 1].address - data->address + 8;
  uint64_t stored = described->linked->segments[AREA_W]->p_filesz;
  TRY(buffer_append(&described->data, described->words.data + data->file_offset, stored, error));
  if (last > stored)
    TRY(buffer_append(&described->data, NULL, last - stored, error));
  for (size_t i = 0; i < described->variable_count; i++) {
    uint64_t at = described->variables[i].address - data->address;
    memcpy(described->data.data + at, &described->result.roots[described->variables[i].root], 8);
    described->ids[first + i] = (uint32_t)((areas[AREA_L].file_size + at) / 8);
  }
  add_set(described, &(struct writer_captured_set){.universe = CAPTURED_IN_DATA,
                                                   .kind = CAPTURED_HEAP,
                                                   .sites = {described->ids + first, described->variable_count}});
  return PKGIMG_OK;
}

static int by_root_name(const void *left, const void *right)
{
  return strcmp(((const struct writer_root *)left)->name, ((const struct writer_root *)right)->name);
}

static enum pkgimg_status make_roots(struct described *described, struct pkgimg_error *error)
{
  const struct pkgimg_graph *graph = described->options->graph;
  size_t count = 0;
  described->roots = calloc(graph->root_count, sizeof *described->roots);
  if (!described->roots)
    return fail_memory(error, graph->root_count * sizeof *described->roots);
  for (size_t i = 0; i < graph->root_count; i++)
    if (graph->roots[i].name)
      described->roots[count++] =
          (struct writer_root){graph->roots[i].name, FORMAT_H_START + described->result.roots[i]};
  qsort(described->roots, count, sizeof *described->roots, by_root_name);
  for (size_t i = 1; i < count; i++)
    if (by_root_name(&described->roots[i - 1], &described->roots[i]) == 0)
      return fail_name(error, PKGIMG_INVALID_ARGUMENT, described->options->name, described->roots[i].name,
                       "the graph has two roots of this name");
  described->writer.root_count = count;
  return PKGIMG_OK;
}

enum pkgimg_status described_init(struct described *described, const uint32_t *number_of,
                                  struct pkgimg_error *error)
{
  TRY(make_sets(described, number_of, error));
  add_addends(described);
  TRY(fill_variables(described, error));
  TRY(make_roots(described, error));
  described->writer.data = (struct span){described->data.data, described->data.size};
  described->writer.heap = (struct span){described->result.heap.data, described->result.heap.size};
  described->writer.sets = described->sets;
  described->writer.roots = described->roots;
  return PKGIMG_OK;
}
