// SPDX-License-Identifier: MIT
//
// Externals of a graph: what they are among the symbols of the package, of its dependencies, and of the host.
#include "image/described.h"

#include <stdlib.h>
#include <string.h>

static bool is_place(unsigned type)
{
  return type == STT_FUNC || type == STT_OBJECT || type == STT_NOTYPE;
}

static enum pkgimg_status find_own(const struct described *described, const struct symbol_index *symbols,
                                   const struct pkgimg_external *external, struct described_target *target,
                                   struct pkgimg_error *error)
{
  const Elf64_Sym *symbol = symbol_index_find(symbols, external->symbol);
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

static enum pkgimg_status find_target(struct described *described, const struct symbol_index *symbols,
                                      size_t index, const uint32_t *provider_of, struct resolution *resolution,
                                      struct pkgimg_error *error)
{
  const struct pkgimg_external *external = &described->options->graph->externals[index];
  struct described_target *target = &described->targets[index];
  uint32_t number = 0;
  if (external->kind == PKGIMG_EXTERNAL_OWN)
    return find_own(described, symbols, external, target, error);
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
enum pkgimg_status described_find_targets(struct described *described, const struct symbol_index *symbols,
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
      TRY(find_target(described, symbols, i, provider_of, resolution, error));
  return PKGIMG_OK;
}
