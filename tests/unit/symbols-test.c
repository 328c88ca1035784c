// SPDX-License-Identifier: MIT
//
// format/symbols: every lookup through the hash table gives what a linear search gives, on images and on the
// libraries of this machine, read from disk.
#include "format/symbols.h"
#include "tests/oracle/file.h"
#include "tests/unit/check.h"
#include "tests/unit/world.h"

#include <dlfcn.h>
#include <link.h>

CHECK_MAIN_FILE

static struct span section(const struct elf_file *file, uint32_t type, const char *name)
{
  const Elf64_Ehdr *header = (const Elf64_Ehdr *)(void *)file->bytes;
  const Elf64_Shdr *sections = (const Elf64_Shdr *)(void *)(file->bytes + header->e_shoff);
  const char *names = (const char *)file->bytes + sections[header->e_shstrndx].sh_offset;
  for (unsigned i = 0; i < header->e_shnum; i++)
    if (sections[i].sh_type == type && (!name || strcmp(names + sections[i].sh_name, name) == 0))
      return (struct span){file->bytes + sections[i].sh_offset, sections[i].sh_size};
  return (struct span){0};
}

static bool is_defined(const struct symbols *symbols, uint32_t index)
{
  return index >= symbols->first && symbols->symbols[index].st_shndx != SHN_UNDEF;
}

// Every symbol is found, in the order of the table, together with all others of its name (versions).
static void finds_all(const struct symbols *symbols)
{
  uint64_t missed = 0, wrong = 0;
  for (uint32_t i = symbols->first; i < symbols->count; i++) {
    const char *name = symbols_name(symbols, i);
    uint32_t index = 0;
    bool met = false;
    while ((index = symbols_find(symbols, name, gnu_hash(name), index)) != 0) {
      met |= index == i;
      wrong += !is_defined(symbols, index) || strcmp(symbols_name(symbols, index), name) != 0;
    }
    missed += met != is_defined(symbols, i);
  }
  CHECK(missed == 0 && wrong == 0);
}

static uint32_t linear(const struct symbols *symbols, const char *name)
{
  for (uint32_t i = symbols->first; i < symbols->count; i++)
    if (is_defined(symbols, i) && strcmp(symbols_name(symbols, i), name) == 0)
      return i;
  return 0;
}

// Names that are near to real ones.
static void finds_no_others(const struct symbols *symbols)
{
  uint64_t different = 0;
  for (uint32_t i = 0; i < symbols->count; i += 1 + symbols->count / 800) {
    char name[256];
    snprintf(name, sizeof name, "%s_", symbols_name(symbols, i));
    different += symbols_find(symbols, name, gnu_hash(name), 0) != linear(symbols, name);
    name[strlen(name) / 2] = 0;
    different += symbols_find(symbols, name, gnu_hash(name), 0) != linear(symbols, name);
  }
  CHECK(different == 0);
}

static void one_library(const char *path)
{
  struct elf_file file;
  struct symbols symbols, trusted;
  elf_file_read(&file, path);
  struct span table = section(&file, SHT_DYNSYM, NULL), strings = section(&file, SHT_STRTAB, ".dynstr");
  struct span hash = section(&file, SHT_GNU_HASH, NULL);
  if (CHECK(symbols_init(&symbols, table, strings, hash))) {
    finds_all(&symbols);
    finds_no_others(&symbols);
    CHECK(symbols_find(&symbols, "", gnu_hash(""), 0) == 0);
    symbols_init_trusted(&trusted, symbols.symbols, (const char *)strings.data, strings.size,
                         (const uint32_t *)(const void *)hash.data);
    trusted.count = symbols.count;
    finds_all(&trusted);
  }
  printf("%s: %zu symbols\n", path, table.size / sizeof(Elf64_Sym));
  elf_file_deinit(&file);
}

static void host_library(const char *name)
{
  void *handle = dlopen(name, RTLD_NOW | RTLD_LOCAL);
  struct link_map *map = NULL;
  if (!handle || dlinfo(handle, RTLD_DI_LINKMAP, &map) != 0)
    return;
  one_library(map->l_name);
  dlclose(handle);
}

// Whatever stands in the sections, lookups end and stay inside of them.
static void damaged(const char *path)
{
  struct elf_file file;
  elf_file_read(&file, path);
  struct span table = section(&file, SHT_DYNSYM, NULL), strings = section(&file, SHT_STRTAB, ".dynstr");
  struct span hash = section(&file, SHT_GNU_HASH, NULL);
  uint64_t state = 1;
  for (int round = 0; round < 4000; round++) {
    struct symbols symbols;
    size_t size = hash.size;
    uint8_t *exact = malloc(size);
    memcpy(exact, hash.data, size);
    for (int i = 0; i < 3; i++) {
      state = state * 6364136223846793005ull + 1442695040888963407ull;
      exact[(state >> 33) % (round % 2 ? 16 : size)] ^= (uint8_t)(state >> 25);
    }
    if (symbols_init(&symbols, table, strings, (struct span){exact, size}))
      for (uint32_t i = 0; i < table.size / sizeof(Elf64_Sym); i++)
        CHECK(symbols_find(&symbols, symbols_name(&symbols, i), gnu_hash(symbols_name(&symbols, i)), 0) <
              table.size / sizeof(Elf64_Sym));
    free(exact);
  }
  elf_file_deinit(&file);
}

static void refused_sizes(void)
{
  struct symbols symbols;
  _Alignas(8) uint32_t head[] = {1, 1, 1, 6, 0, 0, 0, 0};
  _Alignas(8) uint32_t none[] = {1, 1, 0, 6, 0, 0, 0, 0}, three[] = {1, 1, 3, 6, 0, 0, 0, 0};
  struct span empty = {0};
  CHECK(symbols_init(&symbols, empty, empty, (struct span){(uint8_t *)head, sizeof head}));
  CHECK(!symbols_init(&symbols, empty, empty, (struct span){(uint8_t *)head, 15}));
  CHECK(!symbols_init(&symbols, empty, empty, (struct span){(uint8_t *)head, 24}));
  CHECK(!symbols_init(&symbols, empty, empty, (struct span){(uint8_t *)none, sizeof none}));
  CHECK(!symbols_init(&symbols, empty, empty, (struct span){(uint8_t *)three, sizeof three}));
}

int main(void)
{
  static const char *const libraries[] = {"libc.so.6", "libm.so.6", "libstdc++.so.6", "libgcc_s.so.1"};
  static const char *const images[] = {"leaf", "top", "tl-calls", "tables", "pending"};
  CHECK(gnu_hash("") == 5381 && gnu_hash("printf") == 0x156b2bb8);
  for (size_t i = 0; i < sizeof libraries / sizeof *libraries; i++)
    host_library(libraries[i]);
  for (size_t i = 0; i < sizeof images / sizeof *images; i++)
    one_library(image_path(images[i]));
  damaged(image_path("leaf"));
  damaged(image_path("tl-calls"));
  refused_sizes();
  return check_verdict();
}
