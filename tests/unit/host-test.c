// SPDX-License-Identifier: MIT
//
// relocator/host: for every symbol of every library that this program started with, the same answer as
// dlsym and dlvsym; and nothing of libraries that were opened for themselves only.
#include "relocator/host.h"

#include "format/symbols.h"
#include "relocator/gate.h"
#include "relocator/tls.h"
#include "tests/oracle/file.h"
#include "tests/unit/check.h"
#include "tests/unit/world.h"

#include <dlfcn.h>
#include <link.h>
#include <math.h>

CHECK_MAIN_FILE

static struct pkgimg_error error;
static uint64_t lookups;

static bool find(const char *name, const char *version, uint8_t type, struct host_symbol *symbol)
{
  struct host_query query = {
      .name = name, .version = version, .hash = gnu_hash(name), .type = type, .run_code = true};
  *symbol = (struct host_symbol){0};
  return host_find(&query, symbol, &lookups);
}

static void *address(const char *name, const char *version)
{
  struct host_symbol symbol;
  return find(name, version, STT_FUNC, &symbol) ? (void *)symbol.value : NULL;
}

// ---- whole libraries

/// The versions that a library defines, by index.
struct versions {
  const uint16_t *indices;
  const char *names[512];
};

static void read_versions(const struct elf_file *file, struct versions *versions)
{
  *versions =
      (struct versions){.indices = (const uint16_t *)(void *)elf_file_at(file, elf_file_dynamic(file, DT_VERSYM))};
  const uint8_t *at = elf_file_at(file, elf_file_dynamic(file, DT_VERDEF));
  while (at) {
    const Elf64_Verdef *definition = (const Elf64_Verdef *)(const void *)at;
    const Elf64_Verdaux *name = (const Elf64_Verdaux *)(const void *)(at + definition->vd_aux);
    if (definition->vd_ndx < 512)
      versions->names[definition->vd_ndx] = file->strings + name->vda_name;
    at = definition->vd_next ? at + definition->vd_next : NULL;
  }
}

struct counts {
  unsigned same, different, gates, places;
};

extern void *__tls_get_addr(const struct tls_index *index);

static void *found_address(const char *name, const char *version, uint8_t type)
{
  struct host_symbol symbol;
  if (!find(name, version, type, &symbol))
    return NULL;
  if (type == STT_TLS)
    return __tls_get_addr(&(struct tls_index){symbol.module, symbol.value});
  return (void *)symbol.value;
}

// A sanitizer's own definitions come first and have no versions: relocation takes them for any, dlvsym for none.
static bool is_interceptor(const char *name, uint8_t type, const void *found)
{
  return world_is_sanitized() && type != STT_TLS && found == dlsym(RTLD_DEFAULT, name);
}

// What a build id and an offset tell is what ld.so says, too.
static void compare_place(const char *name, const char *version, uint8_t type, void *expected, struct counts *counts)
{
  struct host_query query = {.name = name, .version = version, .hash = gnu_hash(name), .type = type};
  struct host_place place;
  struct host_library library;
  host_locate_none();
  if ((type != STT_FUNC && type != STT_GNU_IFUNC) || !host_place(&query, &place))
    return;
  CHECK(host_elsewhere(&query));
  host_locate(place.build_id, place.build_id_size, &library);
  CHECK(!host_elsewhere(&query));
  CHECK(place.value >= library.code_start && place.value < library.code_end);
  uint64_t found = library.base + place.value;
  if (place.resolver)
    found = ((uint64_t(*)(void))(uintptr_t)found)();
  counts->places += CHECK((void *)found == expected);
}

static void compare_symbol(const char *name, const char *version, uint8_t type, struct counts *counts)
{
  void *expected = dlvsym(RTLD_DEFAULT, name, version), *found = found_address(name, version, type);
  compare_place(name, version, type, expected, counts);
  if (gate_find(name))
    counts->gates += found == (void *)gate_find(name)->function;
  else if (expected == found || is_interceptor(name, type, found))
    counts->same++;
  else if (counts->different++ < 10)
    fprintf(stderr, "%s@%s: dlvsym %p, ours %p\n", name, version, expected, found);
}

static void compare_library(const char *name)
{
  void *handle = dlopen(name, RTLD_NOW | RTLD_NOLOAD);
  struct link_map *map = NULL;
  if (!CHECK(handle && dlinfo(handle, RTLD_DI_LINKMAP, &map) == 0))
    return;
  struct elf_file file;
  struct versions versions;
  struct counts counts = {0};
  elf_file_read(&file, map->l_name);
  read_versions(&file, &versions);
  for (uint64_t i = 1; i < file.symbol_count; i++) {
    const Elf64_Sym *symbol = &file.symbols[i];
    const char *version = versions.names[versions.indices[i] & 0x7fff];
    bool defined = symbol->st_shndx != SHN_UNDEF && symbol->st_shndx != SHN_ABS;
    if (defined && version && ELF64_ST_BIND(symbol->st_info) != STB_LOCAL)
      compare_symbol(file.strings + symbol->st_name, version, ELF64_ST_TYPE(symbol->st_info), &counts);
  }
  printf("%s: %u the same, %u gates, %u different, %u places\n", name, counts.same, counts.gates, counts.different,
         counts.places);
  CHECK(counts.same > 20 && counts.different == 0 && counts.places > 20);
  elf_file_deinit(&file);
  dlclose(handle);
}

// ---- single symbols

static void versions_differ(void)
{
  void *old = address("memcpy", "GLIBC_2.2.5"), *new = address("memcpy", "GLIBC_2.14");
  CHECK(old && old == dlvsym(RTLD_DEFAULT, "memcpy", "GLIBC_2.2.5"));
  CHECK(new &&new == dlvsym(RTLD_DEFAULT, "memcpy", "GLIBC_2.14"));
  CHECK((old == new) ==
        (dlvsym(RTLD_DEFAULT, "memcpy", "GLIBC_2.2.5") == dlvsym(RTLD_DEFAULT, "memcpy", "GLIBC_2.14")));
  CHECK(address("memcpy", "") == dlsym(RTLD_DEFAULT, "memcpy"));
  CHECK(address("regexec", "GLIBC_2.2.5") != address("regexec", "GLIBC_2.3.4"));
  CHECK(address("regexec", "GLIBC_2.3.4") == dlvsym(RTLD_DEFAULT, "regexec", "GLIBC_2.3.4"));
  CHECK(!address("memcpy", "GLIBC_1.0") && !address("memcpy", "memcpy"));
  CHECK(!address("no_such_function_anywhere", ""));
}

static void indirect_functions(void)
{
  static const char *const names[] = {"strlen",       "memset", "strchr", "memcmp",
                                      "gettimeofday", "time",   "sin",    "floor"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    CHECK(address(names[i], "") == dlsym(RTLD_DEFAULT, names[i]));
}

__attribute__((visibility("default"))) int symbol_of_the_program = 3;
__attribute__((visibility("default"))) int environ_like(void);
int environ_like(void)
{
  return symbol_of_the_program;
}

static void own_symbols(void)
{
  CHECK(address("symbol_of_the_program", "") == &symbol_of_the_program);
  CHECK(address("environ_like", "") == (void *)environ_like);
  struct host_query query = {.name = "environ_like", .version = "", .hash = gnu_hash("environ_like")};
  struct host_place place;
  CHECK(!host_place(&query, &place));  // each program has others
  CHECK(address("environ", "GLIBC_2.2.5") == dlsym(RTLD_DEFAULT, "environ"));
  CHECK(address("stdout", "GLIBC_2.2.5") == &stdout);
}

static void thread_local_symbols(void)
{
  struct host_symbol symbol;
  if (CHECK(find("errno", "GLIBC_PRIVATE", STT_TLS, &symbol)))
    CHECK(__tls_get_addr(&(struct tls_index){symbol.module, symbol.value}) == dlsym(RTLD_DEFAULT, "errno"));
  CHECK(!find("strlen", "", STT_TLS, &symbol));
}

// Asked twice, looked up once; after a library has come, everything is asked anew.
static void remembered(void)
{
  address("strtok", "");
  uint64_t before = lookups;
  CHECK(address("strtok", "") && lookups == before);
  unsigned long long generation = host_generation();
  CHECK_OK(host_refresh(&error), &error);
  CHECK(host_generation() == generation);
}

// Without code, an IFUNC's resolver is not called, and the answer is not kept for those who may call it.
static void without_code(void)
{
  struct host_query query = {.name = "strspn", .version = "", .hash = gnu_hash("strspn"), .type = STT_FUNC};
  struct host_symbol symbol;
  CHECK(host_find(&query, &symbol, &lookups) && symbol.value);
  CHECK(address("strspn", "") == dlsym(RTLD_DEFAULT, "strspn"));
}

// ---- libraries that come later

static void local_and_global(const char *library, const char *symbol)
{
  void *local = dlopen(library, RTLD_NOW | RTLD_LOCAL);
  if (!local) {
    printf("no %s here\n", library);
    return;
  }
  CHECK_OK(host_refresh(&error), &error);
  CHECK(!address(symbol, ""));
  void *global = dlopen(library, RTLD_NOW | RTLD_GLOBAL);
  CHECK_OK(host_refresh(&error), &error);
  CHECK(address(symbol, "") && address(symbol, "") == dlsym(RTLD_DEFAULT, symbol));
  dlclose(global);
  dlclose(local);
}

// An image that names a library must get it, also when the process has opened it for itself only before.
static void promoted(const char *library, const char *symbol)
{
  void *local = dlopen(library, RTLD_NOW | RTLD_LOCAL);
  if (!local)
    return;
  host_load_library(library);
  CHECK_OK(host_refresh(&error), &error);
  CHECK(address(symbol, ""));
  dlclose(local);
}

int main(void)
{
  CHECK(floor(symbol_of_the_program + 0.5) == 3);
  CHECK_OK(host_refresh(&error), &error);
  compare_library("libc.so.6");
  compare_library("libm.so.6");
  compare_library("libstdc++.so.6");
  compare_library("libgcc_s.so.1");
  if (!world_is_sanitized())
    versions_differ();
  indirect_functions();
  own_symbols();
  thread_local_symbols();
  remembered();
  without_code();
  local_and_global("libz.so.1", "deflateInit_");
  promoted("libzstd.so.1", "ZSTD_compress");
  CHECK(!host_load_library("libno-such-library.so.9"));
  return check_verdict();
}
