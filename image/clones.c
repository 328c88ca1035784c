// SPDX-License-Identifier: MIT
#include "image/clones.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void clone_table_deinit(struct clone_table *table)
{
  free(table->numbers);
  free(table->clones);
  free(table->bodies);
  *table = (struct clone_table){0};
}

// ---- the linked file's symbols by name

struct symbol_index {
  const Elf64_Sym **symbols;
  size_t count;
  const struct linked *linked;
};

static const char *symbol_name(const struct linked *linked, const Elf64_Sym *symbol)
{
  const char *name = span_string(linked->all_strings.bytes, symbol->st_name);
  return name ? name : "";
}

static int by_name(const void *left, const void *right, void *linked)
{
  return strcmp(symbol_name(linked, *(const Elf64_Sym *const *)left),
                symbol_name(linked, *(const Elf64_Sym *const *)right));
}

static enum pkgimg_status index_symbols(struct symbol_index *index, const struct linked *linked,
                                        struct pkgimg_error *error)
{
  size_t count = linked->all_symbols.bytes.size / sizeof(Elf64_Sym);
  const Elf64_Sym *symbols = (const Elf64_Sym *)(const void *)linked->all_symbols.bytes.data;
  *index = (struct symbol_index){.symbols = calloc(count + 1, sizeof(Elf64_Sym *)), .linked = linked};
  if (!index->symbols)
    return fail_memory(error, count * sizeof(Elf64_Sym *));
  for (size_t i = 0; i < count; i++)
    if (ELF64_ST_TYPE(symbols[i].st_info) == STT_FUNC && symbols[i].st_shndx != SHN_UNDEF)
      index->symbols[index->count++] = &symbols[i];
  qsort_r(index->symbols, index->count, sizeof(Elf64_Sym *), by_name, (void *)(uintptr_t)linked);
  return PKGIMG_OK;
}

static const Elf64_Sym *index_find(const struct symbol_index *index, const char *name)
{
  size_t low = 0, high = index->count;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    int order = strcmp(symbol_name(index->linked, index->symbols[middle]), name);
    if (order == 0)
      return index->symbols[middle];
    *(order < 0 ? &low : &high) = order < 0 ? middle + 1 : middle;
  }
  return NULL;
}

// ---- the table

static const struct codegen_clone *clone_named(const struct codegen_result *code, const char *name)
{
  size_t low = 0, high = code->clone_count;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    int order = strcmp(code->clones[middle].name, name);
    if (order == 0)
      return &code->clones[middle];
    *(order < 0 ? &low : &high) = order < 0 ? middle + 1 : middle;
  }
  return NULL;
}

static enum pkgimg_status add_bodies(struct clone_table *table, const struct codegen_clone *clone,
                                     const struct symbol_index *index, const char *package,
                                     struct pkgimg_error *error)
{
  for (unsigned target = 0; target < CODEGEN_MAX_TARGETS; target++) {
    char *name AUTO(free_pointer) = NULL;
    if (!(clone->bodies >> target & 1))
      continue;
    if (asprintf(&name, "%s.target%u", clone->name, target) < 0)
      return fail_memory(error, strlen(clone->name));
    const Elf64_Sym *body = index_find(index, name);
    if (!body)
      return fail_name(error, PKGIMG_LINK, package, name, "the linked file has no such function");
    table->bodies[table->body_count++] = (uint32_t)body->st_value;
  }
  return PKGIMG_OK;
}

static enum pkgimg_status fill(struct clone_table *table, const struct linked *linked,
                               const struct symbol_index *index, const char *package, struct pkgimg_error *error)
{
  for (uint32_t i = 1; i < linked->symbol_count; i++) {
    const struct codegen_clone *clone = clone_named(table->code, linked_symbol_name(linked, i));
    if (!clone || linked_symbol(linked, i)->st_shndx == SHN_UNDEF)
      continue;
    table->numbers[clone - table->code->clones] = (uint32_t)table->count;
    table->clones[table->count++] =
        (struct disk_clone){.symbol = i, .first = (uint32_t)table->body_count, .bodies = clone->bodies};
    TRY(add_bodies(table, clone, index, package, error));
  }
  return PKGIMG_OK;
}

enum pkgimg_status clone_table_init(struct clone_table *table, const struct codegen_result *code,
                                    const struct linked *linked, const char *package, struct pkgimg_error *error)
{
  struct symbol_index index;
  size_t count = code->clone_count, bodies = 0;
  for (size_t i = 0; i < count; i++)
    bodies += (size_t)__builtin_popcountll(code->clones[i].bodies);
  *table = (struct clone_table){.code = code,
                                .numbers = calloc(count + 1, sizeof *table->numbers),
                                .clones = calloc(count + 1, sizeof *table->clones),
                                .bodies = calloc(bodies + 1, sizeof *table->bodies)};
  if (!table->numbers || !table->clones || !table->bodies)
    return fail_memory(error, count * sizeof *table->clones);
  TRY(index_symbols(&index, linked, error));
  enum pkgimg_status status = fill(table, linked, &index, package, error);
  free(index.symbols);
  return status;
}

bool clone_table_find(const void *context, const char *name, struct own_clone *clone)
{
  const struct clone_table *table = context;
  const struct codegen_clone *found = clone_named(table->code, name);
  if (found)
    *clone = (struct own_clone){.number = table->numbers[found - table->code->clones], .weak = found->weak};
  return found != NULL;
}
