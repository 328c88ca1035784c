// SPDX-License-Identifier: MIT
#include "tests/oracle/file.h"

#include "tests/unit/world.h"

#include <stdlib.h>
#include <string.h>

uint8_t *elf_file_at(const struct elf_file *file, uint64_t address)
{
  for (unsigned i = 0; i < file->segment_count; i++) {
    const Elf64_Phdr *segment = &file->segments[i];
    if (segment->p_type == PT_LOAD && address >= segment->p_vaddr &&
        address - segment->p_vaddr < segment->p_filesz)
      return file->bytes + segment->p_offset + (address - segment->p_vaddr);
  }
  return NULL;
}

uint64_t elf_file_dynamic(const struct elf_file *file, int64_t tag)
{
  for (const Elf64_Dyn *entry = file->dynamic; entry->d_tag != DT_NULL; entry++)
    if (entry->d_tag == tag)
      return entry->d_un.d_val;
  return 0;
}

const char *elf_file_needed(const struct elf_file *file, size_t *position)
{
  while (file->dynamic[*position].d_tag != DT_NULL) {
    const Elf64_Dyn *entry = &file->dynamic[(*position)++];
    if (entry->d_tag == DT_NEEDED)
      return file->strings + entry->d_un.d_val;
  }
  return NULL;
}

static void take_segments(struct elf_file *file)
{
  const Elf64_Ehdr *header = (const Elf64_Ehdr *)(void *)file->bytes;
  file->segments = (const Elf64_Phdr *)(void *)(file->bytes + header->e_phoff);
  file->segment_count = header->e_phnum;
  for (unsigned i = 0; i < file->segment_count; i++) {
    const Elf64_Phdr *segment = &file->segments[i];
    if (segment->p_type == PT_TLS && segment->p_memsz)
      file->thread_local = segment;
    if (segment->p_type != PT_DYNAMIC)
      continue;
    file->dynamic = (Elf64_Dyn *)(void *)(file->bytes + segment->p_offset);
    file->dynamic_address = segment->p_vaddr;
    file->dynamic_size = segment->p_memsz;
  }
}

// The number of symbols is known from the section headers only.
static uint64_t count_symbols(const struct elf_file *file)
{
  const Elf64_Ehdr *header = (const Elf64_Ehdr *)(void *)file->bytes;
  const Elf64_Shdr *sections = (const Elf64_Shdr *)(void *)(file->bytes + header->e_shoff);
  for (unsigned i = 0; i < header->e_shnum; i++)
    if (sections[i].sh_type == SHT_DYNSYM)
      return sections[i].sh_size / sizeof(Elf64_Sym);
  return 0;
}

void elf_file_read(struct elf_file *file, const char *path)
{
  *file = (struct elf_file){0};
  file->bytes = read_all(path, &file->size);
  take_segments(file);
  file->strings = (const char *)elf_file_at(file, elf_file_dynamic(file, DT_STRTAB));
  file->symbols = (const Elf64_Sym *)(void *)elf_file_at(file, elf_file_dynamic(file, DT_SYMTAB));
  file->symbol_count = count_symbols(file);
  file->relocations[0] = (const Elf64_Rela *)(void *)elf_file_at(file, elf_file_dynamic(file, DT_RELA));
  file->relocation_counts[0] = elf_file_dynamic(file, DT_RELASZ) / sizeof(Elf64_Rela);
  file->relocations[1] = (const Elf64_Rela *)(void *)elf_file_at(file, elf_file_dynamic(file, DT_JMPREL));
  file->relocation_counts[1] = elf_file_dynamic(file, DT_PLTRELSZ) / sizeof(Elf64_Rela);
}

void elf_file_deinit(struct elf_file *file)
{
  free(file->bytes);
}

bool elf_file_defines(const struct elf_file *file, const char *name, uint64_t value)
{
  for (uint64_t i = 1; i < file->symbol_count; i++) {
    const Elf64_Sym *symbol = &file->symbols[i];
    if (symbol->st_shndx != SHN_UNDEF && symbol->st_value == value &&
        strcmp(file->strings + symbol->st_name, name) == 0)
      return true;
  }
  return false;
}

void elf_file_write_quiet(struct elf_file *file, const char *path)
{
  for (Elf64_Dyn *entry = file->dynamic; entry->d_tag != DT_NULL; entry++)
    if (entry->d_tag == DT_INIT_ARRAYSZ || entry->d_tag == DT_FINI_ARRAYSZ)
      entry->d_un.d_val = 0;
  write_all(path, file->bytes, file->size);
}
