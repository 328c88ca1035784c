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

static const Elf64_Shdr *section_of_type(const struct elf_file *file, uint32_t type)
{
  const Elf64_Ehdr *header = (const Elf64_Ehdr *)(void *)file->bytes;
  const Elf64_Shdr *sections = (const Elf64_Shdr *)(void *)(file->bytes + header->e_shoff);
  for (unsigned i = 0; i < header->e_shnum; i++)
    if (sections[i].sh_type == type)
      return &sections[i];
  return NULL;
}

// The number of symbols is known from the section headers only.
static uint64_t count_symbols(const struct elf_file *file)
{
  const Elf64_Shdr *section = section_of_type(file, SHT_DYNSYM);
  return section ? section->sh_size / sizeof(Elf64_Sym) : 0;
}

static int by_name(const void *left, const void *right, void *names)
{
  return strcmp((const char *)names + (*(const Elf64_Sym *const *)left)->st_name,
                (const char *)names + (*(const Elf64_Sym *const *)right)->st_name);
}

static void take_functions(struct elf_file *file)
{
  const Elf64_Ehdr *header = (const Elf64_Ehdr *)(void *)file->bytes;
  const Elf64_Shdr *sections = (const Elf64_Shdr *)(void *)(file->bytes + header->e_shoff);
  const Elf64_Shdr *table = section_of_type(file, SHT_SYMTAB);
  size_t count = table ? table->sh_size / sizeof(Elf64_Sym) : 0;
  const Elf64_Sym *symbols = (const Elf64_Sym *)(void *)(file->bytes + (table ? table->sh_offset : 0));
  file->functions = calloc(count + 1, sizeof(Elf64_Sym *));
  file->function_names = (const char *)file->bytes + (table ? sections[table->sh_link].sh_offset : 0);
  for (size_t i = 0; i < count; i++)
    if (ELF64_ST_TYPE(symbols[i].st_info) == STT_FUNC)
      file->functions[file->function_count++] = &symbols[i];
  qsort_r(file->functions, file->function_count, sizeof(Elf64_Sym *), by_name,
          (void *)(uintptr_t)file->function_names);
}

void elf_file_read(struct elf_file *file, const char *path)
{
  *file = (struct elf_file){0};
  file->bytes = read_all(path, &file->size);
  take_segments(file);
  file->strings = (const char *)elf_file_at(file, elf_file_dynamic(file, DT_STRTAB));
  file->symbols = (const Elf64_Sym *)(void *)elf_file_at(file, elf_file_dynamic(file, DT_SYMTAB));
  file->symbol_count = count_symbols(file);
  take_functions(file);
  file->relocations[0] = (const Elf64_Rela *)(void *)elf_file_at(file, elf_file_dynamic(file, DT_RELA));
  file->relocation_counts[0] = elf_file_dynamic(file, DT_RELASZ) / sizeof(Elf64_Rela);
  file->relocations[1] = (const Elf64_Rela *)(void *)elf_file_at(file, elf_file_dynamic(file, DT_JMPREL));
  file->relocation_counts[1] = elf_file_dynamic(file, DT_PLTRELSZ) / sizeof(Elf64_Rela);
}

void elf_file_deinit(struct elf_file *file)
{
  free(file->functions);
  free(file->bytes);
}

bool elf_file_value(const struct elf_file *file, const char *name, uint64_t *value)
{
  for (uint64_t i = 1; i < file->symbol_count; i++) {
    const Elf64_Sym *symbol = &file->symbols[i];
    if (symbol->st_shndx == SHN_UNDEF || strcmp(file->strings + symbol->st_name, name) != 0)
      continue;
    *value = symbol->st_value;
    return true;
  }
  return false;
}

bool elf_file_function(const struct elf_file *file, const char *name, uint64_t *value)
{
  size_t low = 0, high = file->function_count;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    int order = strcmp(file->function_names + file->functions[middle]->st_name, name);
    if (order == 0)
      return *value = file->functions[middle]->st_value, true;
    *(order < 0 ? &low : &high) = order < 0 ? middle + 1 : middle;
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
