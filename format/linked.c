// SPDX-License-Identifier: MIT
#include "format/linked.h"

#include <string.h>

static enum pkgimg_status headers_read(const struct reader *reader, struct linked *linked)
{
  const void *header, *sections;
  TRY(reader_array(reader, "ELF header", 0, 1, sizeof *linked->header, 8, &header));
  linked->header = header;
  if (memcmp(linked->header->e_ident, ELFMAG, SELFMAG) != 0 ||
      linked->header->e_shstrndx >= linked->header->e_shnum)
    return fail(reader->error, PKGIMG_MALFORMED, reader->file, "the linker made no ELF file");
  TRY(reader_array(reader, "section headers", linked->header->e_shoff, linked->header->e_shnum,
                   sizeof *linked->sections, 8, &sections));
  linked->sections = sections;
  return PKGIMG_OK;
}

// The area that a segment is; AREA_COUNT if it begins elsewhere.
static enum area area_of(const Elf64_Phdr *segment)
{
  if (segment->p_vaddr < FORMAT_L_START)
    return segment->p_flags & PF_X ? AREA_X : AREA_R;
  return segment->p_vaddr == FORMAT_L_START ? AREA_L : segment->p_vaddr == FORMAT_W_START ? AREA_W : AREA_COUNT;
}

static enum pkgimg_status segments_read(const struct reader *reader, struct linked *linked)
{
  const void *array;
  TRY(reader_array(reader, "program headers", linked->header->e_phoff, linked->header->e_phnum, sizeof(Elf64_Phdr),
                   8, &array));
  const Elf64_Phdr *segments = array;
  for (unsigned i = 0; i < linked->header->e_phnum; i++) {
    if (segments[i].p_type == PT_TLS)
      linked->thread_local = &segments[i];
    if (segments[i].p_type != PT_LOAD || segments[i].p_memsz == 0)
      continue;
    const void *bytes;
    enum area area = area_of(&segments[i]);
    if (area == AREA_COUNT || segments[i].p_memsz > FORMAT_AREA_LIMIT)
      return fail(reader->error, PKGIMG_LINK, reader->file, "a part is larger than its area (%llu MiB)",
                  FORMAT_AREA_LIMIT >> 20);
    TRY(reader_array(reader, "segment", segments[i].p_offset, segments[i].p_filesz, 1, FORMAT_PAGE, &bytes));
    linked->segments[area] = &segments[i];
  }
  if (!linked->segments[AREA_R])
    return fail(reader->error, PKGIMG_MALFORMED, reader->file, "the linker made no read-only segment");
  return PKGIMG_OK;
}

static enum pkgimg_status section_read(const struct reader *reader, const Elf64_Shdr *at,
                                       struct linked_section *section)
{
  const void *bytes = NULL;
  bool words = at->sh_type == SHT_DYNSYM || at->sh_type == SHT_SYMTAB || at->sh_type == SHT_DYNAMIC;
  if (at->sh_type != SHT_NOBITS)
    TRY(reader_array(reader, "section", at->sh_offset, at->sh_size, 1, words ? 8 : 1, &bytes));
  *section = (struct linked_section){
      .address = at->sh_addr, .size = at->sh_size, .bytes = {bytes, bytes ? at->sh_size : 0}};
  return PKGIMG_OK;
}

// The place for a section of this type and name; NULL for one that nobody asks for.
static struct linked_section *place_of(struct linked *linked, const Elf64_Shdr *section, const char *name)
{
  switch (section->sh_type) {
  case SHT_DYNSYM:
    return &linked->symbols;
  case SHT_DYNAMIC:
    return &linked->dynamic;
  case SHT_SYMTAB:
    return &linked->all_symbols;
  case SHT_GNU_HASH:
    return &linked->hash;
  case SHT_GNU_versym:
    return &linked->versions;
  case SHT_GNU_verneed:
    return &linked->needed_versions;
  case SHT_INIT_ARRAY:
    return &linked->init_array;
  case SHT_FINI_ARRAY:
    return &linked->fini_array;
  case SHT_STRTAB:
    return strcmp(name, ".dynstr") == 0   ? &linked->strings
           : strcmp(name, ".strtab") == 0 ? &linked->all_strings
                                          : NULL;
  default:
    return strcmp(name, ".eh_frame") == 0        ? &linked->unwind
           : strcmp(name, "pkgimg_types") == 0   ? &linked->types
           : strcmp(name, "pkgimg_methods") == 0 ? &linked->methods
           : strcmp(name, ".pkgimg.types") == 0  ? &linked->descriptions
                                                 : NULL;
  }
}

static enum pkgimg_status relocations_read(const struct reader *reader, struct linked *linked,
                                           const Elf64_Shdr *section)
{
  int slot = linked->relocations[0] ? 1 : 0;
  const void *array;
  uint64_t count = section->sh_size / sizeof(Elf64_Rela);
  TRY(reader_array(reader, "relocations", section->sh_offset, count, sizeof(Elf64_Rela), 8, &array));
  linked->relocations[slot] = array;
  linked->relocation_counts[slot] = count;
  return PKGIMG_OK;
}

static enum pkgimg_status sections_read(const struct reader *reader, struct linked *linked)
{
  struct linked_section names;
  TRY(section_read(reader, &linked->sections[linked->header->e_shstrndx], &names));
  linked->section_names = names.bytes;
  for (unsigned i = 1; i < linked->header->e_shnum; i++) {
    const Elf64_Shdr *section = &linked->sections[i];
    const char *name = span_string(linked->section_names, section->sh_name);
    struct linked_section *place = place_of(linked, section, name ? name : "");
    if (place)
      TRY(section_read(reader, section, place));
    if (section->sh_type == SHT_RELA && section->sh_flags & SHF_ALLOC && section->sh_size)
      TRY(relocations_read(reader, linked, section));
    if (name && strcmp(name, ".pkgimg.tables") == 0)
      linked->tables_section = i;
  }
  linked->symbol_count = (uint32_t)(linked->symbols.bytes.size / sizeof(Elf64_Sym));
  return PKGIMG_OK;
}

enum pkgimg_status linked_read(const struct reader *reader, struct linked *linked)
{
  *linked = (struct linked){.reader = *reader};
  TRY(headers_read(reader, linked));
  TRY(segments_read(reader, linked));
  TRY(sections_read(reader, linked));
  if (linked->tables_section && linked->hash.size && linked->symbol_count)
    return PKGIMG_OK;
  return fail(reader->error, PKGIMG_MALFORMED, reader->file, "the linker left out a section of the script");
}

const Elf64_Sym *linked_symbol(const struct linked *linked, uint32_t index)
{
  return index < linked->symbol_count ? (const Elf64_Sym *)(const void *)linked->symbols.bytes.data + index : NULL;
}

const char *linked_symbol_name(const struct linked *linked, uint32_t index)
{
  const Elf64_Sym *symbol = linked_symbol(linked, index);
  const char *name = symbol ? span_string(linked->strings.bytes, symbol->st_name) : NULL;
  return name ? name : "";
}

// Elf64_Verneed lists, per library, the versions that are asked for (LSB core, 10.7.3).
static const char *version_named(const struct linked *linked, unsigned wanted)
{
  struct span bytes = linked->needed_versions.bytes;
  for (uint64_t at = 0; range_within(at, sizeof(Elf64_Verneed), bytes.size);) {
    Elf64_Verneed library;
    memcpy(&library, bytes.data + at, sizeof library);
    uint64_t entry = at + library.vn_aux;
    for (unsigned i = 0; i < library.vn_cnt && range_within(entry, sizeof(Elf64_Vernaux), bytes.size); i++) {
      Elf64_Vernaux version;
      memcpy(&version, bytes.data + entry, sizeof version);
      if (version.vna_other == wanted)
        return span_string(linked->strings.bytes, version.vna_name);
      entry += version.vna_next;
    }
    if (library.vn_next == 0)
      return NULL;
    at += library.vn_next;
  }
  return NULL;
}

const char *linked_symbol_version(const struct linked *linked, uint32_t index)
{
  uint16_t version;
  if (!range_within(2ull * index, sizeof version, linked->versions.bytes.size))
    return NULL;
  memcpy(&version, linked->versions.bytes.data + 2ull * index, sizeof version);
  version &= 0x7fff;
  return version > VER_NDX_GLOBAL ? version_named(linked, version) : NULL;
}

static const Elf64_Sym *all_symbols(const struct linked *linked, size_t *count)
{
  *count = linked->all_symbols.bytes.size / sizeof(Elf64_Sym);
  return (const Elf64_Sym *)(const void *)linked->all_symbols.bytes.data;
}

const Elf64_Sym *linked_find(const struct linked *linked, const char *name)
{
  size_t count;
  const Elf64_Sym *symbols = all_symbols(linked, &count);
  for (size_t i = 0; i < count; i++) {
    const char *candidate = span_string(linked->all_strings.bytes, symbols[i].st_name);
    bool is_file = ELF64_ST_TYPE(symbols[i].st_info) == STT_FILE;  // often named as the package
    if (symbols[i].st_shndx != SHN_UNDEF && !is_file && candidate && strcmp(candidate, name) == 0)
      return &symbols[i];
  }
  return NULL;
}

const char *linked_thread_local_name(const struct linked *linked, uint64_t offset)
{
  size_t count;
  const Elf64_Sym *symbols = all_symbols(linked, &count);
  for (size_t i = 0; i < count; i++)
    if (ELF64_ST_TYPE(symbols[i].st_info) == STT_TLS && symbols[i].st_value == offset &&
        symbols[i].st_shndx != SHN_UNDEF)
      return span_string(linked->all_strings.bytes, symbols[i].st_name);
  return NULL;
}

const char *linked_needed_next(const struct linked *linked, size_t *position)
{
  const Elf64_Dyn *entries = (const Elf64_Dyn *)(const void *)linked->dynamic.bytes.data;
  size_t count = linked->dynamic.bytes.size / sizeof *entries;
  while (*position < count) {
    const Elf64_Dyn *entry = &entries[(*position)++];
    if (entry->d_tag == DT_NEEDED)
      return span_string(linked->strings.bytes, entry->d_un.d_val);
  }
  return NULL;
}
