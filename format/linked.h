// SPDX-License-Identifier: MIT
//
// What the linker made, before it is an image: a shared object whose sections lie in the areas.
// A bounded view of it through its section headers.
#ifndef FORMAT_LINKED_H
#define FORMAT_LINKED_H

#include "base/reader.h"
#include "format/layout.h"

#include <elf.h>

struct linked_section {
  uint64_t address;
  uint64_t size;
  struct span bytes;  ///< empty for SHT_NOBITS
};

struct linked {
  struct reader reader;
  const Elf64_Ehdr *header;
  const Elf64_Shdr *sections;
  struct span section_names;
  const Elf64_Phdr *segments[AREA_COUNT];  ///< NULL: the area is empty
  const Elf64_Phdr *thread_local;          ///< PT_TLS, NULL if there is none
  struct linked_section dynamic, symbols, strings, hash, versions, needed_versions, unwind, init_array, fini_array;
  struct linked_section all_symbols, all_strings;  ///< .symtab, .strtab
  struct linked_section types, methods;            ///< words of types and of methods
  struct linked_section descriptions;              ///< room for what types are
  const Elf64_Rela *relocations[2];                ///< .rela.dyn, .rela.plt
  uint64_t relocation_counts[2];
  uint32_t symbol_count;
  unsigned tables_section;  ///< index of the section that the tables will fill
};

/// Look at a linked file. reader.bytes is all of it and outlives `linked`.
PKGIMG_MUST_USE enum pkgimg_status linked_read(const struct reader *reader, struct linked *linked);

const Elf64_Sym *linked_symbol(const struct linked *linked, uint32_t index);
const char *linked_symbol_name(const struct linked *linked, uint32_t index);
/// The GNU version that an undefined symbol asks for, NULL if any will do.
const char *linked_symbol_version(const struct linked *linked, uint32_t index);
/// A symbol of .symtab by name (defined ones only), or the thread-local one at an offset; NULL.
const Elf64_Sym *linked_find(const struct linked *linked, const char *name);
const char *linked_thread_local_name(const struct linked *linked, uint64_t offset);

/// The names of DT_NEEDED, one after the other (`position` starts at 0); NULL at the end.
const char *linked_needed_next(const struct linked *linked, size_t *position);

#endif
