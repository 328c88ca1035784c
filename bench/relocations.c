// SPDX-License-Identifier: MIT
#include "bench/relocations.h"

#include <elf.h>
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// The type of R_*_RELATIVE differs by machine.
static uint32_t relative_type(const Elf64_Ehdr *header)
{
  return header->e_machine == EM_AARCH64 ? R_AARCH64_RELATIVE : R_X86_64_RELATIVE;
}

static void *read_part(FILE *file, uint64_t offset, uint64_t size, const char *path)
{
  void *bytes = malloc(size ? size : 1);
  if (!bytes || fseek(file, (long)offset, SEEK_SET) || fread(bytes, 1, size, file) != size)
    errx(1, "%s: cannot be read as an ELF library", path);
  return bytes;
}

static void count_rela(struct relocations *sum, const Elf64_Ehdr *header, const Elf64_Rela *entries, size_t count)
{
  for (size_t i = 0; i < count; i++)
    *(ELF64_R_TYPE(entries[i].r_info) == relative_type(header) ? &sum->relative : &sum->named) += 1;
}

// An even entry of RELR is an address; an odd one a bitmap of the 63 words after the last.
static void count_relr(struct relocations *sum, const uint64_t *entries, size_t count)
{
  for (size_t i = 0; i < count; i++)
    sum->relative += entries[i] & 1 ? (uint64_t)__builtin_popcountll(entries[i] >> 1) : 1;
}

static void count_section(struct relocations *sum, const Elf64_Ehdr *header, const Elf64_Shdr *section, FILE *file,
                          const char *path)
{
  if (!(section->sh_flags & SHF_ALLOC) || (section->sh_type != SHT_RELA && section->sh_type != SHT_RELR))
    return;
  void *bytes = read_part(file, section->sh_offset, section->sh_size, path);
  if (section->sh_type == SHT_RELR)
    count_relr(sum, bytes, section->sh_size / sizeof(uint64_t));
  else if (section->sh_flags & SHF_INFO_LINK)  // .rela.plt names the table that it fills
    sum->calls += section->sh_size / sizeof(Elf64_Rela);
  else
    count_rela(sum, header, bytes, section->sh_size / sizeof(Elf64_Rela));
  free(bytes);
}

void relocations_add(struct relocations *sum, const char *path)
{
  FILE *file = fopen(path, "rb");
  if (!file)
    err(1, "%s", path);
  Elf64_Ehdr *header = read_part(file, 0, sizeof *header, path);
  if (memcmp(header->e_ident, ELFMAG, SELFMAG) != 0 || header->e_ident[EI_CLASS] != ELFCLASS64)
    errx(1, "%s: not a 64-bit ELF library", path);
  Elf64_Shdr *sections = read_part(file, header->e_shoff, (uint64_t)header->e_shnum * sizeof *sections, path);
  for (unsigned i = 0; i < header->e_shnum; i++)
    count_section(sum, header, &sections[i], file, path);
  fseek(file, 0, SEEK_END);
  sum->bytes += (uint64_t)ftell(file);
  free(sections);
  free(header);
  fclose(file);
}

uint64_t relocations_total(const struct relocations *sum)
{
  return sum->relative + sum->named + sum->calls;
}
