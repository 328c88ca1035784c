// SPDX-License-Identifier: MIT
#include "image/described.h"

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

// ---- symbols of the package

struct named {
  const char *name;
  const Elf64_Sym *symbol;
};

struct names {
  struct named *items;
  size_t count;
};

static void names_deinit(struct names *names)
{
  free(names->items);
}

static int by_name(const void *left, const void *right)
{
  return strcmp(((const struct named *)left)->name, ((const struct named *)right)->name);
}

static enum pkgimg_status list_names(const struct linked *linked, struct names *names, struct pkgimg_error *error)
{
  size_t count = linked->all_symbols.bytes.size / sizeof(Elf64_Sym);
  const Elf64_Sym *symbols = (const Elf64_Sym *)(const void *)linked->all_symbols.bytes.data;
  names->items = calloc(count + 1, sizeof *names->items);
  if (!names->items)
    return fail_memory(error, count * sizeof *names->items);
  for (size_t i = 0; i < count; i++) {
    const char *name = span_string(linked->all_strings.bytes, symbols[i].st_name);
    if (name && *name && symbols[i].st_shndx != SHN_UNDEF && symbols[i].st_shndx < SHN_LORESERVE)
      names->items[names->count++] = (struct named){name, &symbols[i]};
  }
  qsort(names->items, names->count, sizeof *names->items, by_name);
  return PKGIMG_OK;
}

static const Elf64_Sym *find_name(const struct names *names, const char *name)
{
  const struct named *found =
      bsearch(&(struct named){.name = name}, names->items, names->count, sizeof *names->items, by_name);
  return found ? found->symbol : NULL;
}

// ---- externals

static bool is_place(unsigned type)
{
  return type == STT_FUNC || type == STT_OBJECT || type == STT_NOTYPE;
}

static enum pkgimg_status find_own(const struct described *described, const struct names *names,
                                   const struct pkgimg_external *external, struct described_target *target,
                                   struct pkgimg_error *error)
{
  const Elf64_Sym *symbol = find_name(names, external->symbol);
  struct own_clone clone;
  if (!symbol)
    return fail_name(error, PKGIMG_UNDEFINED_SYMBOL, described->options->name, external->symbol,
                     "the graph points to it, but the package does not define it");
  if (!is_place(ELF64_ST_TYPE(symbol->st_info)))
    return fail_name(error, PKGIMG_UNSUPPORTED, described->options->name, external->symbol,
                     "the graph points to it, but it is thread-local or chosen when it is loaded (symbol type %d)",
                     ELF64_ST_TYPE(symbol->st_info));
  *target = (struct described_target){.kind = CAPTURED_BASE, .addend = symbol->st_value};
  if (clone_table_find(described->clones, external->symbol, &clone))
    *target = (struct described_target){.kind = CAPTURED_CLONE, .detail = clone.number};
  return PKGIMG_OK;
}

static enum pkgimg_status find_dependency(const struct described *described,
                                          const struct pkgimg_external *external, uint32_t *number,
                                          struct pkgimg_error *error)
{
  for (size_t i = 0; i < described->deps->count; i++)
    if (strcmp(described->deps->items[i]->name, external->image) == 0) {
      *number = (uint32_t)i;
      return PKGIMG_OK;
    }
  return fail_name(error, PKGIMG_NOT_FOUND, described->options->name, external->image,
                   "the graph points into it, but it is not among the package's dependencies");
}

static enum pkgimg_status find_dependency_symbol(const struct described *described, const struct dep *dep,
                                                 const struct pkgimg_external *external,
                                                 struct described_target *target, struct pkgimg_error *error)
{
  const struct symbols *symbols = &dep->file.symbols;
  uint32_t index = symbols_find(symbols, external->symbol, gnu_hash(external->symbol), 0);
  if (index == 0)
    return fail_name(error, PKGIMG_UNDEFINED_SYMBOL, described->options->name, external->symbol,
                     "the graph points to it, but %s does not export it", dep->name);
  const Elf64_Sym *symbol = &symbols->symbols[index];
  const struct disk_clone *clone = tables_find_clone(&dep->file.tables, index);
  if (!is_place(ELF64_ST_TYPE(symbol->st_info)))
    return fail_name(
        error, PKGIMG_UNSUPPORTED, described->options->name, external->symbol,
        "the graph points to it, but in %s it is thread-local or chosen when it is loaded (symbol type %d)",
        dep->name, ELF64_ST_TYPE(symbol->st_info));
  target->kind = clone ? CAPTURED_CLONE : CAPTURED_BASE;
  target->detail = clone ? (uint32_t)(clone - dep->file.tables.clones) : 0;
  target->addend = clone ? 0 : symbol->st_value;
  return PKGIMG_OK;
}

static enum pkgimg_status find_dependency_root(const struct described *described, const struct dep *dep,
                                               const struct pkgimg_external *external,
                                               struct described_target *target, struct pkgimg_error *error)
{
  const struct tables *tables = &dep->file.tables;
  for (uint32_t i = 0; i < tables->root_count; i++) {
    uint64_t address = tables->roots[i].address;
    if (strcmp(tables->strings + tables->roots[i].name, external->symbol) != 0)
      continue;
    target->kind = address >= FORMAT_H_START ? CAPTURED_HEAP : CAPTURED_BASE;
    target->addend = address >= FORMAT_H_START ? address - FORMAT_H_START : address;
    return PKGIMG_OK;
  }
  return fail_name(error, PKGIMG_NOT_FOUND, described->options->name, external->symbol,
                   "the graph points to it, but %s has no such root", dep->name);
}

static enum pkgimg_status check_area(const struct described *described, const struct dep *dep,
                                     const struct pkgimg_external *external, struct pkgimg_error *error)
{
  const struct disk_area *areas = dep->file.header.geometry.areas;
  for (int i = 0; i < AREA_COUNT; i++)
    if (external->offset >= areas[i].address &&
        range_within(external->offset - areas[i].address, external->size, areas[i].memory_size))
      return PKGIMG_OK;
  return fail_name(error, PKGIMG_INVALID_ARGUMENT, described->options->name, dep->name,
                   "the graph points into it, but it has no area with %llu bytes at offset 0x%llx",
                   (unsigned long long)external->size, (unsigned long long)external->offset);
}

// The index of the import for an external, which may be new.
static enum pkgimg_status find_import(const struct pkgimg_external *external, struct resolution *resolution,
                                      uint32_t *index, struct pkgimg_error *error)
{
  const char *version = external->version && *external->version ? external->version : NULL;
  for (*index = 0; *index < resolution->import_count; ++*index) {
    const struct writer_import *import = &resolution->imports[*index];
    bool same_version = import->version ? version && strcmp(import->version, version) == 0 : !version;
    if (same_version && strcmp(import->name, external->symbol) == 0)
      return PKGIMG_OK;
  }
  TRY(array_reserve(&resolution->imports, &resolution->import_capacity, resolution->import_count,
                    sizeof *resolution->imports, error));
  resolution->imports[resolution->import_count++] =
      (struct writer_import){.name = external->symbol, .version = version, .type = STT_NOTYPE};
  return PKGIMG_OK;
}

static enum pkgimg_status find_target(struct described *described, const struct names *names, size_t index,
                                      const uint32_t *provider_of, struct resolution *resolution,
                                      struct pkgimg_error *error)
{
  const struct pkgimg_external *external = &described->options->graph->externals[index];
  struct described_target *target = &described->targets[index];
  uint32_t number = 0;
  if (external->kind == PKGIMG_EXTERNAL_OWN)
    return find_own(described, names, external, target, error);
  target->kind = CAPTURED_HOST;
  if (external->kind == PKGIMG_EXTERNAL_HOST)
    return find_import(external, resolution, &target->detail, error);
  TRY(find_dependency(described, external, &number, error));
  resolution->used[provider_of[number]] = true;
  *target = (struct described_target){.kind = CAPTURED_BASE, .image = number + 1};
  if (external->kind == PKGIMG_EXTERNAL_DEPENDENCY)
    return find_dependency_symbol(described, described->deps->items[number], external, target, error);
  if (external->kind == PKGIMG_EXTERNAL_ROOT)
    return find_dependency_root(described, described->deps->items[number], external, target, error);
  target->addend = external->offset;
  return check_area(described, described->deps->items[number], external, error);
}

// Of externals that no pointer leads to, nothing is asked.
static enum pkgimg_status find_targets(struct described *described, const struct names *names,
                                       const uint32_t *provider_of, struct resolution *resolution,
                                       struct pkgimg_error *error)
{
  size_t count = described->options->graph->external_count;
  bool *used AUTO(free_pointer) = calloc(count + 1, sizeof *used);
  described->targets = calloc(count + 1, sizeof *described->targets);
  if (!described->targets || !used)
    return fail_memory(error, count * sizeof *described->targets);
  for (size_t i = 0; i < described->result.site_count; i++)
    if (described->result.sites[i].external != DESCRIBE_HEAP)
      used[described->result.sites[i].external] = true;
  for (size_t i = 0; i < count; i++)
    if (used[i])
      TRY(find_target(described, names, i, provider_of, resolution, error));
  return PKGIMG_OK;
}

// ---- variables

static bool is_relocated(const struct described *described, const struct resolution *resolution, uint64_t address)
{
  struct disk_area areas[AREA_COUNT];
  writer_areas(described->linked, areas);
  uint64_t word = areas[AREA_L].file_size / 8 + (address - FORMAT_W_START) / 8;
  for (size_t i = 0; i < resolution->set_count; i++)
    for (size_t j = 0; j < resolution->sets[i].count; j++)
      if (resolution->sets[i].items[j].word == word)
        return true;
  for (size_t i = 0; i + 1 < resolution->set_count; i++)
    for (size_t j = 0; j < resolution->clone_sets[i].count; j++)
      if (resolution->clone_sets[i].items[j].word == word)
        return true;
  return false;
}

static uint64_t initial_value(const struct described *described, const struct disk_area *data, uint64_t address)
{
  uint64_t value = 0, at = address - data->address;
  if (range_within(at, sizeof value, data->file_size) &&
      range_within(data->file_offset + at, sizeof value, described->words.size))
    memcpy(&value, described->words.data + data->file_offset + at, sizeof value);
  return value;
}

static enum pkgimg_status find_variable(const struct described *described, const struct names *names,
                                        const struct resolution *resolution, uint32_t root,
                                        struct variable *variable, struct pkgimg_error *error)
{
  const char *name = described->options->graph->roots[root].variable, *package = described->options->name;
  const Elf64_Sym *symbol = find_name(names, name);
  struct disk_area areas[AREA_COUNT];
  writer_areas(described->linked, areas);
  if (!symbol || ELF64_ST_TYPE(symbol->st_info) != STT_OBJECT)
    return fail_name(error, PKGIMG_UNDEFINED_SYMBOL, package, name, "the variable of a root is %s",
                     symbol ? "not a variable" : "not defined");
  uint64_t address = symbol->st_value;
  if (symbol->st_size != 8 || address % 8 || address < FORMAT_W_START ||
      !range_within(address - FORMAT_W_START, 8, areas[AREA_W].memory_size))
    return fail_name(error, PKGIMG_UNSUPPORTED, package, name,
                     "the variable of a root is no pointer that may be written: %llu bytes at 0x%llx",
                     (unsigned long long)symbol->st_size, (unsigned long long)address);
  uint64_t value = initial_value(described, &areas[AREA_W], address);
  if (value || is_relocated(described, resolution, address))
    return fail_name(error, PKGIMG_INVALID_ARGUMENT, package, name,
                     "the variable of a root has an initial value: expected 0, found 0x%llx%s",
                     (unsigned long long)value, value ? "" : " plus an address");
  *variable = (struct variable){.address = address, .root = root};
  return PKGIMG_OK;
}

static int by_address(const void *left, const void *right)
{
  const struct variable *a = left, *b = right;
  return a->address < b->address ? -1 : a->address > b->address;
}

static enum pkgimg_status find_variables(struct described *described, const struct names *names,
                                         const struct resolution *resolution, struct pkgimg_error *error)
{
  const struct pkgimg_graph *graph = described->options->graph;
  described->variables = calloc(graph->root_count, sizeof *described->variables);
  if (!described->variables)
    return fail_memory(error, graph->root_count * sizeof *described->variables);
  for (uint32_t i = 0; i < graph->root_count; i++)
    if (graph->roots[i].variable)
      TRY(find_variable(described, names, resolution, i, &described->variables[described->variable_count++],
                        error));
  qsort(described->variables, described->variable_count, sizeof *described->variables, by_address);
  for (size_t i = 1; i < described->variable_count; i++)
    if (described->variables[i].address == described->variables[i - 1].address)
      return fail_name(error, PKGIMG_INVALID_ARGUMENT, described->options->name,
                       graph->roots[described->variables[i].root].variable, "two roots have the same variable");
  return PKGIMG_OK;
}

enum pkgimg_status described_prepare(struct described *described, const uint32_t *provider_of,
                                     struct resolution *resolution, struct pkgimg_error *error)
{
  struct names names AUTO(names_deinit) = {0};
  TRY(describe_graph(described->options->graph, described->options->name, &described->result, error));
  TRY(list_names(described->linked, &names, error));
  TRY(find_targets(described, &names, provider_of, resolution, error));
  return find_variables(described, &names, resolution, error);
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
    uint64_t value;
    memcpy(&value, at, sizeof value);
    value += target_of(described, site)->addend;
    memcpy(at, &value, sizeof value);
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
