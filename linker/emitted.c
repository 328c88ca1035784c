// SPDX-License-Identifier: MIT
#include "linker/emitted.h"

#include <elf.h>
#include <stdlib.h>
#include <string.h>

/// A linked file, and what it becomes.
struct emitted {
  struct reader reader;
  const Elf64_Ehdr *header;
  const Elf64_Shdr *sections;
  Elf64_Shdr *kept;
  uint32_t *numbers;  ///< of sections, in `kept`
  unsigned kept_count;
  struct buffer symbols, strings, names, file;
};

static void emitted_deinit(struct emitted *emitted)
{
  struct buffer *buffers[] = {&emitted->symbols, &emitted->strings, &emitted->names, &emitted->file};
  for (int i = 0; i < 4; i++)
    buffer_deinit(buffers[i]);
  free(emitted->kept);
  free(emitted->numbers);
}

static enum pkgimg_status unexpected(const struct emitted *emitted, const char *what)
{
  return fail(emitted->reader.error, PKGIMG_LINK, emitted->reader.file, "the linker made no file as expected: %s",
              what);
}

static enum pkgimg_status read_headers(struct emitted *emitted)
{
  const void *header, *sections;
  TRY(reader_array(&emitted->reader, "ELF header", 0, 1, sizeof *emitted->header, 8, &header));
  emitted->header = header;
  TRY(reader_array(&emitted->reader, "section headers", emitted->header->e_shoff, emitted->header->e_shnum,
                   sizeof *emitted->sections, 8, &sections));
  emitted->sections = sections;
  if (emitted->header->e_shstrndx >= emitted->header->e_shnum)
    return unexpected(emitted, "names of sections");
  return PKGIMG_OK;
}

static bool is_emitted(const Elf64_Shdr *section)
{
  return section->sh_type == SHT_RELA && !(section->sh_flags & SHF_ALLOC);
}

static enum pkgimg_status bytes_of(const struct emitted *emitted, const Elf64_Shdr *section, struct span *bytes)
{
  const void *array = NULL;
  uint64_t size = section->sh_type == SHT_NOBITS ? 0 : section->sh_size;
  bool words = section->sh_type == SHT_RELA || section->sh_type == SHT_SYMTAB;
  TRY(reader_array(&emitted->reader, "section", section->sh_offset, size, 1, words ? 8 : 1, &array));
  *bytes = (struct span){array, size};
  return PKGIMG_OK;
}

// ---- fields

static enum pkgimg_status take_fields(const struct emitted *emitted, const Elf64_Shdr *section,
                                      struct link_fields *fields)
{
  struct span bytes;
  TRY(bytes_of(emitted, section, &bytes));
  const Elf64_Rela *relocations = (const Elf64_Rela *)(const void *)bytes.data;
  for (size_t i = 0; i < bytes.size / sizeof *relocations; i++) {
    uint32_t type = ELF64_R_TYPE(relocations[i].r_info);
    if (type != R_X86_64_GOTPCRELX && type != R_X86_64_REX_GOTPCRELX)
      continue;
    TRY(array_reserve(&fields->items, &fields->capacity, fields->count, sizeof *fields->items,
                      emitted->reader.error));
    fields->items[fields->count++] = relocations[i].r_offset;
  }
  return PKGIMG_OK;
}

static enum pkgimg_status take_all_fields(const struct emitted *emitted, struct link_fields *fields)
{
  for (unsigned i = 1; emitted->header->e_machine == EM_X86_64 && i < emitted->header->e_shnum; i++) {
    const Elf64_Shdr *section = &emitted->sections[i];
    if (is_emitted(section) && section->sh_info < emitted->header->e_shnum &&
        emitted->sections[section->sh_info].sh_flags & SHF_EXECINSTR)
      TRY(take_fields(emitted, section, fields));
  }
  return PKGIMG_OK;
}

// ---- the file without them

static enum pkgimg_status add_string(const struct emitted *emitted, struct buffer *strings, const char *text,
                                     uint32_t *offset)
{
  if (strings->size == 0)
    TRY(buffer_append(strings, "", 1, emitted->reader.error));
  *offset = 0;
  if (!text || !*text)
    return PKGIMG_OK;
  *offset = (uint32_t)strings->size;
  return buffer_append(strings, text, strlen(text) + 1, emitted->reader.error);
}

// Sections that are part of memory keep their numbers, which .dynsym has, too.
static enum pkgimg_status number_sections(struct emitted *emitted)
{
  unsigned count = emitted->header->e_shnum;
  struct span names;
  TRY(bytes_of(emitted, &emitted->sections[emitted->header->e_shstrndx], &names));
  emitted->kept = calloc(count, sizeof *emitted->kept);
  emitted->numbers = calloc(count, sizeof *emitted->numbers);
  if (!emitted->kept || !emitted->numbers)
    return fail_memory(emitted->reader.error, count * sizeof *emitted->kept);
  for (unsigned i = 0; i < count; i++) {
    if (is_emitted(&emitted->sections[i]))
      continue;
    if (emitted->sections[i].sh_flags & SHF_ALLOC && emitted->kept_count != i)
      return unexpected(emitted, "order of sections");
    Elf64_Shdr *kept = &emitted->kept[emitted->kept_count];
    *kept = emitted->sections[i];
    TRY(add_string(emitted, &emitted->names, span_string(names, kept->sh_name), &kept->sh_name));
    emitted->numbers[i] = emitted->kept_count++;
  }
  return PKGIMG_OK;
}

// Symbols of sections, and temporary ones of the assembler, are there for relocations only.
static bool is_wanted(const Elf64_Sym *symbol, const char *name)
{
  bool temporary = ELF64_ST_BIND(symbol->st_info) == STB_LOCAL && strncmp(name, ".L", 2) == 0;
  return ELF64_ST_TYPE(symbol->st_info) != STT_SECTION && !temporary;
}

static enum pkgimg_status keep_symbols(struct emitted *emitted, Elf64_Shdr *table)
{
  struct span bytes, strings;
  TRY(bytes_of(emitted, table, &bytes));
  if (table->sh_link >= emitted->header->e_shnum)
    return unexpected(emitted, "names of symbols");
  TRY(bytes_of(emitted, &emitted->sections[table->sh_link], &strings));
  const Elf64_Sym *symbols = (const Elf64_Sym *)(const void *)bytes.data;
  uint32_t locals = 0;
  for (size_t i = 0; i < bytes.size / sizeof *symbols; i++) {
    Elf64_Sym symbol = symbols[i];
    const char *name = span_string(strings, symbol.st_name);
    if (!name || (symbol.st_shndx < SHN_LORESERVE && symbol.st_shndx >= emitted->header->e_shnum))
      return unexpected(emitted, "a symbol");
    if (!is_wanted(&symbol, name))
      continue;
    TRY(add_string(emitted, &emitted->strings, name, &symbol.st_name));
    if (symbol.st_shndx < SHN_LORESERVE)
      symbol.st_shndx = (Elf64_Section)emitted->numbers[symbol.st_shndx];
    locals += ELF64_ST_BIND(symbol.st_info) == STB_LOCAL;
    TRY(buffer_append(&emitted->symbols, &symbol, sizeof symbol, emitted->reader.error));
  }
  table->sh_info = locals;
  return PKGIMG_OK;
}

static enum pkgimg_status contents_of(const struct emitted *emitted, unsigned original, struct span *contents)
{
  const Elf64_Shdr *sections = emitted->sections;
  const struct buffer *anew = NULL;
  if (sections[original].sh_type == SHT_SYMTAB)
    anew = &emitted->symbols;
  if (original == emitted->header->e_shstrndx)
    anew = &emitted->names;
  for (unsigned i = 1; i < emitted->header->e_shnum; i++)
    if (sections[i].sh_type == SHT_SYMTAB && sections[i].sh_link == original)
      anew = &emitted->strings;
  if (!anew)
    return bytes_of(emitted, &sections[original], contents);
  *contents = (struct span){anew->data, anew->size};
  return PKGIMG_OK;
}

static enum pkgimg_status add_section(struct emitted *emitted, unsigned original)
{
  struct pkgimg_error *error = emitted->reader.error;
  Elf64_Shdr *kept = &emitted->kept[emitted->numbers[original]];
  struct span contents;
  if (kept->sh_link < emitted->header->e_shnum)
    kept->sh_link = emitted->numbers[kept->sh_link];
  if (kept->sh_flags & SHF_ALLOC)
    return PKGIMG_OK;
  TRY(contents_of(emitted, original, &contents));
  TRY(buffer_align(&emitted->file, kept->sh_addralign ? kept->sh_addralign : 1, error));
  kept->sh_offset = emitted->file.size;
  kept->sh_size = contents.size;
  return buffer_append(&emitted->file, contents.data, contents.size, error);
}

// What is part of memory comes first, and stays.
static uint64_t memory_end(const struct emitted *emitted)
{
  uint64_t end = emitted->header->e_shoff;
  for (unsigned i = 1; i < emitted->header->e_shnum; i++)
    if (!(emitted->sections[i].sh_flags & SHF_ALLOC) && emitted->sections[i].sh_offset < end)
      end = emitted->sections[i].sh_offset;
  return end;
}

static enum pkgimg_status leave_out(struct emitted *emitted)
{
  struct pkgimg_error *error = emitted->reader.error;
  TRY(number_sections(emitted));
  for (unsigned i = 1; i < emitted->kept_count; i++)
    if (emitted->kept[i].sh_type == SHT_SYMTAB)
      TRY(keep_symbols(emitted, &emitted->kept[i]));
  TRY(buffer_append(&emitted->file, emitted->reader.bytes.data, memory_end(emitted), error));
  for (unsigned i = 1; i < emitted->header->e_shnum; i++)
    if (!is_emitted(&emitted->sections[i]))
      TRY(add_section(emitted, i));
  TRY(buffer_align(&emitted->file, 8, error));
  Elf64_Ehdr header = *emitted->header;
  header.e_shoff = emitted->file.size;
  header.e_shnum = (Elf64_Half)emitted->kept_count;
  header.e_shstrndx = (Elf64_Half)emitted->numbers[header.e_shstrndx];
  memcpy(emitted->file.data, &header, sizeof header);
  return buffer_append(&emitted->file, emitted->kept, emitted->kept_count * sizeof *emitted->kept, error);
}

enum pkgimg_status emitted_take(const char *name, struct buffer *file, struct link_fields *fields,
                                struct pkgimg_error *error)
{
  struct emitted emitted AUTO(emitted_deinit) = {
      .reader = {.file = name, .bytes = {file->data, file->size}, .error = error}};
  TRY(read_headers(&emitted));
  TRY(take_all_fields(&emitted, fields));
  TRY(leave_out(&emitted));
  struct buffer whole = *file;
  *file = emitted.file;
  emitted.file = whole;
  return PKGIMG_OK;
}
