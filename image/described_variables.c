// SPDX-License-Identifier: MIT
//
// Variables of the package that point to roots: pointers in W that nothing has given a value.
#include "image/described.h"

#include <stdlib.h>
#include <string.h>

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

static enum pkgimg_status find_variable(const struct described *described, const struct symbol_index *symbols,
                                        const struct resolution *resolution, uint32_t root,
                                        struct variable *variable, struct pkgimg_error *error)
{
  const char *name = described->options->graph->roots[root].variable, *package = described->options->name;
  const Elf64_Sym *symbol = symbol_index_find(symbols, name);
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

enum pkgimg_status described_find_variables(struct described *described, const struct symbol_index *symbols,
                                            const struct resolution *resolution, struct pkgimg_error *error)
{
  const struct pkgimg_graph *graph = described->options->graph;
  described->variables = calloc(graph->root_count, sizeof *described->variables);
  if (!described->variables)
    return fail_memory(error, graph->root_count * sizeof *described->variables);
  for (uint32_t i = 0; i < graph->root_count; i++)
    if (graph->roots[i].variable)
      TRY(find_variable(described, symbols, resolution, i, &described->variables[described->variable_count++],
                        error));
  qsort(described->variables, described->variable_count, sizeof *described->variables, by_address);
  for (size_t i = 1; i < described->variable_count; i++)
    if (described->variables[i].address == described->variables[i - 1].address)
      return fail_name(error, PKGIMG_INVALID_ARGUMENT, described->options->name,
                       graph->roots[described->variables[i].root].variable, "two roots have the same variable");
  return PKGIMG_OK;
}
