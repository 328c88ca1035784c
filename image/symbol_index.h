// SPDX-License-Identifier: MIT
//
// The symbols that a linked file defines, by name, static ones too. Of several with one name it finds any.
#ifndef IMAGE_SYMBOL_INDEX_H
#define IMAGE_SYMBOL_INDEX_H

#include "format/linked.h"

#define ANY_SYMBOL_TYPE UINT32_MAX

struct symbol_index {
  struct named_symbol {
    const char *name;
    const Elf64_Sym *symbol;
  } * items;
  size_t count;
};
void symbol_index_deinit(struct symbol_index *index);

/// `types`: those that count, 1 << STT_FUNC.
PKGIMG_MUST_USE enum pkgimg_status symbol_index_init(struct symbol_index *index, const struct linked *linked,
                                                     uint32_t types, struct pkgimg_error *error);

/// NULL if there is none.
const Elf64_Sym *symbol_index_find(const struct symbol_index *index, const char *name);

#endif
