// SPDX-License-Identifier: MIT
//
// Code of a bundle that took addresses from words: that it does so no longer where it need not, with the same
// results as from the images' own files and as through dlopen.
#include "tests/unit/bundles.h"

#include "base/reader.h"

#include <dlfcn.h>
#include <elf.h>

CHECK_MAIN_FILE

// From here code reaches the first addresses: even those that stand in words which a process has yet to fill.
#define LOW 0x10000000

static struct world before;

// ---- the same results

/// Where the functions are: in an image, or a library.
struct library {
  struct pkgimg_image *image;
  void *handle;
};

static void *find(const struct library *library, const char *name)
{
  return library->handle ? dlsym(library->handle, name) : symbol(library->image, name);
}

static void *address_from(const struct library *library, const char *name)
{
  return ((void *(*)(void))find(library, name))();
}

// Their counter begins at 100, and `low_add` counts.
static void computes(const struct library *library)
{
  CHECK(((int (*)(int))find(library, "high_tail"))(5) == 101 + 5);
  CHECK(((int (*)(const char *))find(library, "high_calls"))("four") == 102 + 1 + 103 + 10 + 4 + 103 + 2);
  CHECK(((size_t(*)(const char *))find(library, "high_host_tail"))("three") == 5);
  CHECK(((size_t(*)(const char *))address_from(library, "high_host_address"))("two") == 3);
  CHECK(*(int *)address_from(library, "high_data") == 103);
  CHECK(((int (*)(int))address_from(library, "high_address"))(0) == 104);
  CHECK(address_from(library, "high_stream") == dlsym(RTLD_DEFAULT, "stdout"));
  CHECK(address_from(library, "high_weak") == dlsym(RTLD_DEFAULT, "getppid"));
  CHECK(address_from(library, "high_absent") == NULL);
}

static void as_library(const char *high)
{
  struct library library = {.handle = dlopen(image_path(high), RTLD_NOW | RTLD_LOCAL)};
  if (CHECK(library.handle))
    computes(&library);
}

// ---- which bytes there are

static const uint8_t *code_of(const struct library *library, const char *name)
{
  return find(library, name);
}

static uint64_t aimed_at(const uint8_t *field)
{
  int32_t distance;
  memcpy(&distance, field, sizeof distance);
  return (uint64_t)field + 4 + (uint64_t)(int64_t)distance;
}

static bool jumps_to(const uint8_t *code, const void *target)
{
  return code[0] == 0xe9 && aimed_at(code + 1) == (uint64_t)target && code[5] == 0x90;
}

// The word through which a jump goes, NULL if it is another instruction.
static void **jumps_through(const uint8_t *code)
{
  return code[0] == 0xff && code[1] == 0x25 ? (void **)aimed_at(code + 2) : NULL;
}

static bool computes_address(const uint8_t *code, const void *target)
{
  return code[0] == 0x48 && code[1] == 0x8d && code[2] == 0x05 && aimed_at(code + 3) == (uint64_t)target;
}

static bool loads_address(const uint8_t *code)
{
  return code[0] == 0x48 && code[1] == 0x8b && code[2] == 0x05;
}

static bool is_between(const void *address, const struct pkgimg_area *area)
{
  return (uint64_t)address >= area->address && (uint64_t)address - area->address < area->memory_size;
}

// What each process fills stays a word.
static void words_stay(const struct library *library)
{
  CHECK(loads_address(code_of(library, "high_stream")) && loads_address(code_of(library, "high_weak")));
  CHECK(loads_address(code_of(library, "high_absent")));
}

static void from_files(const char *high)
{
  struct pkgimg_runtime *runtime = open_runtime(0);
  struct library library = {.image = load(runtime, image_path(high))};
  CHECK(jumps_through(code_of(&library, "high_tail")) && loads_address(code_of(&library, "high_address")));
  words_stay(&library);
  computes(&library);
  pkgimg_runtime_close(runtime);
  CHECK(world_leaked(&before) == 0);
}

// Calls of the host go through one of its slots, which lie apart from the words of images.
static void through_slot(const struct library *library)
{
  struct pkgimg_area areas[PKGIMG_AREA_COUNT];
  pkgimg_image_areas(library->image, areas);
  void **slot = jumps_through(code_of(library, "high_host_tail"));
  void *thunk = address_from(library, "high_host_address");
  if (CHECK(slot && !is_between(slot, &areas[2])))
    CHECK(*slot != thunk && jumps_through(thunk) == slot);
  CHECK(computes_address(code_of(library, "high_host_address"), thunk));
}

static void from_bundle(const char *high, bool near, uint64_t base)
{
  struct pkgimg_bind_options options = PKGIMG_BIND_OPTIONS_INIT;
  struct pkgimg_bind_report report;
  options.base = base;
  struct pkgimg_runtime *runtime = open_runtime(PKGIMG_RUNTIME_VERIFY);
  struct library library = {.image = load(runtime, bound("calls.bundle", high, &options, &report))};
  expect_refusal(runtime, NULL);
  void *add = address_from(&library, "high_address");
  CHECK(jumps_to(code_of(&library, "high_tail"), add) == near);
  CHECK((jumps_through(code_of(&library, "high_tail")) != NULL) == !near);
  CHECK(computes_address(code_of(&library, "high_address"), add) == near);
  CHECK(computes_address(code_of(&library, "high_data"), address_from(&library, "high_data")) == near);
  if (near)
    through_slot(&library);
  else  // slots are in the first region only
    CHECK(*jumps_through(code_of(&library, "high_host_tail")) == address_from(&library, "high_host_address"));
  words_stay(&library);
  computes(&library);
  CHECK(report.accesses > report.relaxed && report.relaxed >= (near ? 8u : 1u));
  pkgimg_runtime_close(runtime);
  CHECK(world_leaked(&before) == 0);
}

// ---- the image

// What the linker was asked to leave behind for the build does not stay in the file.
static void nothing_emitted(const char *name)
{
  size_t size, locals = 0;
  uint8_t *bytes = read_all(image_path(name), &size);
  const Elf64_Ehdr *header = (const Elf64_Ehdr *)(void *)bytes;
  const Elf64_Shdr *sections = (const Elf64_Shdr *)(void *)(bytes + header->e_shoff), *symbols = NULL;
  CHECK(header->e_shoff + header->e_shnum * sizeof *sections == size);
  for (unsigned i = 1; i < header->e_shnum; i++) {
    CHECK(sections[i].sh_type != SHT_RELA || sections[i].sh_flags & SHF_ALLOC);
    CHECK(range_within(sections[i].sh_offset, sections[i].sh_type == SHT_NOBITS ? 0 : sections[i].sh_size, size));
    if (sections[i].sh_type == SHT_SYMTAB)
      symbols = &sections[i];
  }
  if (!CHECK(symbols && sections[symbols->sh_link].sh_type == SHT_STRTAB))
    return;
  const char *names = (const char *)bytes + sections[symbols->sh_link].sh_offset;
  const Elf64_Sym *items = (const Elf64_Sym *)(void *)(bytes + symbols->sh_offset);
  bool tail = false;
  for (size_t i = 0; i < symbols->sh_size / sizeof *items; i++) {
    CHECK(ELF64_ST_TYPE(items[i].st_info) != STT_SECTION && strncmp(names + items[i].st_name, ".L", 2) != 0);
    locals += ELF64_ST_BIND(items[i].st_info) == STB_LOCAL;
    if (strcmp(names + items[i].st_name, "high_tail") == 0)
      tail = sections[items[i].st_shndx].sh_flags & SHF_EXECINSTR;
  }
  CHECK(symbols->sh_info == locals && tail);
  free(bytes);
}

int main(void)
{
  pkgimg_runtime_close(open_runtime(0));
  world_look(&before);
  static const char *const images[] = {"calls-high",
                                       "calls-both"};  // both: what the first calls has several bodies
  for (int i = 0; i < 2; i++) {
    nothing_emitted(images[i]);
    from_files(images[i]);
    bound_reach = 0;
    from_bundle(images[i], true, 0);
    from_bundle(images[i], true, LOW);
    bound_reach = 1;
    from_bundle(images[i], false, 0);
  }
  for (int i = 0; i < 2; i++)
    as_library(images[i]);
  return check_verdict();
}
