// SPDX-License-Identifier: MIT
//
// An ELF shared object as a file, read through its program headers and its dynamic section, as ld.so reads it.
// Nothing of the project's own format code is used here: it is what is under test. The files are the test's
// own, so nothing is checked.
#ifndef TESTS_ORACLE_FILE_H
#define TESTS_ORACLE_FILE_H

#include <elf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct elf_file {
  uint8_t *bytes;
  size_t size;
  const Elf64_Phdr *segments;
  unsigned segment_count;
  const Elf64_Phdr *thread_local;  ///< NULL: none
  Elf64_Dyn *dynamic;
  uint64_t dynamic_address, dynamic_size;
  const Elf64_Sym *symbols;
  uint64_t symbol_count;
  const char *strings;
  const Elf64_Sym **functions;  ///< of .symtab, ascending by name
  size_t function_count;
  const char *function_names;
  const Elf64_Rela *relocations[2];  ///< DT_RELA, DT_JMPREL
  uint64_t relocation_counts[2];
};

void elf_file_read(struct elf_file *file, const char *path);
void elf_file_deinit(struct elf_file *file);

/// The bytes of an address in the file, NULL if the file has none for it.
uint8_t *elf_file_at(const struct elf_file *file, uint64_t address);

/// The value of a dynamic entry, 0 if there is none.
uint64_t elf_file_dynamic(const struct elf_file *file, int64_t tag);

/// The names of DT_NEEDED, one after the other; NULL at the end.
const char *elf_file_needed(const struct elf_file *file, size_t *position);

/// The value of the dynamic symbol of this name. False if the file does not define it.
bool elf_file_value(const struct elf_file *file, const char *name, uint64_t *value);

/// The value of a function of this name in .symtab, which ld.so never reads.
bool elf_file_function(const struct elf_file *file, const char *name, uint64_t *value);

/// Write a copy whose constructors and destructors ld.so will not run, so that nothing but relocation has
/// written to it when it is looked at. `file` itself changes in the same way.
void elf_file_write_quiet(struct elf_file *file, const char *path);

#endif
