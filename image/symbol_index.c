// SPDX-License-Identifier: MIT
#include "image/symbol_index.h"

#include <stdlib.h>
#include <string.h>

void symbol_index_deinit(struct symbol_index *index)
{
  free(index->items);
}

static int by_name(const void *left, const void *right)
{
  return strcmp(((const struct named_symbol *)left)->name, ((const struct named_symbol *)right)->name);
}

enum pkgimg_status symbol_index_init(struct symbol_index *index, const struct linked *linked, uint32_t types,
                                     struct pkgimg_error *error)
{
  size_t count = linked->all_symbols.bytes.size / sizeof(Elf64_Sym);
  const Elf64_Sym *symbols = (const Elf64_Sym *)(const void *)linked->all_symbols.bytes.data;
  *index = (struct symbol_index){.items = calloc(count + 1, sizeof *index->items)};
  if (!index->items)
    return fail_memory(error, count * sizeof *index->items);
  for (size_t i = 0; i < count; i++) {
    const char *name = span_string(linked->all_strings.bytes, symbols[i].st_name);
    bool is_defined = symbols[i].st_shndx != SHN_UNDEF && symbols[i].st_shndx < SHN_LORESERVE;
    if (name && *name && is_defined && types >> ELF64_ST_TYPE(symbols[i].st_info) & 1)
      index->items[index->count++] = (struct named_symbol){name, &symbols[i]};
  }
  qsort(index->items, index->count, sizeof *index->items, by_name);
  return PKGIMG_OK;
}

const Elf64_Sym *symbol_index_find(const struct symbol_index *index, const char *name)
{
  const struct named_symbol *found =
      bsearch(&(struct named_symbol){.name = name}, index->items, index->count, sizeof *index->items, by_name);
  return found ? found->symbol : NULL;
}
