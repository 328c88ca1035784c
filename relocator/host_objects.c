// SPDX-License-Identifier: MIT
#include "relocator/host_objects.h"

#include "base/array.h"

#include <stdlib.h>
#include <string.h>

static struct {
  unsigned long long generation;  // ld.so's counters of loaded and unloaded objects
  struct host_object *objects;
  size_t count, capacity;
} loaded;

// ---- what ld.so has mapped

/// The entries of a dynamic section beyond DT_NUM that matter here.
struct gnu_entries {
  uint64_t hash, versions, definitions, needs;
};

static void read_dynamic(const struct host_object *object, uint64_t values[DT_NUM], struct gnu_entries *gnu)
{
  for (const Elf64_Dyn *entry = object->dynamic; entry->d_tag != DT_NULL; entry++) {
    if (entry->d_tag < DT_NUM)
      values[entry->d_tag] = entry->d_un.d_val;
    else if (entry->d_tag == DT_GNU_HASH)
      gnu->hash = entry->d_un.d_val;
    else if (entry->d_tag == DT_VERSYM)
      gnu->versions = entry->d_un.d_val;
    else if (entry->d_tag == DT_VERDEF)
      gnu->definitions = entry->d_un.d_val;
    else if (entry->d_tag == DT_VERNEED)
      gnu->needs = entry->d_un.d_val;
  }
}

// ld.so makes most pointers of the dynamic section absolute, but not those of the vdso.
static const void *pointer(const struct host_object *object, uint64_t value)
{
  return (const void *)(value && value < object->base ? value + object->base : value);
}

// Versions: LSB core specification, 10.7.
static void name_version(struct host_object *object, unsigned index, uint32_t string)
{
  enum { HIDDEN = 0x8000, MOST = 4096 };
  index &= ~HIDDEN;
  if (index >= MOST)
    return;
  if (index >= object->version_count) {
    const char **grown = reallocarray(object->version_names, index + 1, sizeof *grown);
    if (!grown)
      return;  // symbols of this version will not be found, and the load says so
    memset(grown + object->version_count, 0, (index + 1 - object->version_count) * sizeof *grown);
    object->version_names = grown;
    object->version_count = index + 1;
  }
  object->version_names[index] = (const char *)object->symbols.strings.data + string;
}

static void list_definitions(struct host_object *object, const uint8_t *at)
{
  while (at) {
    const Elf64_Verdef *definition = (const Elf64_Verdef *)(const void *)at;
    const Elf64_Verdaux *name = (const Elf64_Verdaux *)(const void *)(at + definition->vd_aux);
    name_version(object, definition->vd_ndx, name->vda_name);
    at = definition->vd_next ? at + definition->vd_next : NULL;
  }
}

// A program defines symbols with versions that it asks of others: copies of a library's variables
// (R_X86_64_COPY) carry the version of the original.
static void list_needs(struct host_object *object, const uint8_t *at)
{
  while (at) {
    const Elf64_Verneed *library = (const Elf64_Verneed *)(const void *)at;
    const uint8_t *entry = at + library->vn_aux;
    for (unsigned i = 0; i < library->vn_cnt; i++) {
      const Elf64_Vernaux *version = (const Elf64_Vernaux *)(const void *)entry;
      name_version(object, version->vna_other, version->vna_name);
      entry += version->vna_next;
    }
    at = library->vn_next ? at + library->vn_next : NULL;
  }
}

// Not before somebody asks: most objects define nothing that images need.
static void list_versions(struct host_object *object)
{
  if (object->versions_listed)
    return;
  object->versions_listed = true;
  list_needs(object, object->needs);
  list_definitions(object, object->definitions);
}

static void take_tables(struct host_object *object)
{
  uint64_t values[DT_NUM] = {0};
  struct gnu_entries gnu = {0};
  read_dynamic(object, values, &gnu);
  const char *strings = pointer(object, values[DT_STRTAB]);
  if (gnu.hash && values[DT_SYMTAB] && strings)
    symbols_init_trusted(&object->symbols, pointer(object, values[DT_SYMTAB]), strings, values[DT_STRSZ],
                         pointer(object, gnu.hash));
  object->versions = pointer(object, gnu.versions);
  object->definitions = pointer(object, gnu.definitions);
  object->needs = pointer(object, gnu.needs);
  object->soname = values[DT_SONAME] && strings ? strings + values[DT_SONAME] : "";
}

static int collect(struct dl_phdr_info *info, size_t size, void *context)
{
  struct pkgimg_error *error = context;
  struct host_object object = {.base = info->dlpi_addr,
                               .headers = info->dlpi_phdr,
                               .header_count = info->dlpi_phnum,
                               .module = size >= sizeof *info ? info->dlpi_tls_modid : 0};
  for (unsigned i = 0; i < info->dlpi_phnum; i++)
    if (info->dlpi_phdr[i].p_type == PT_DYNAMIC)
      object.dynamic = (const Elf64_Dyn *)(info->dlpi_addr + info->dlpi_phdr[i].p_vaddr);
  if (!object.dynamic)
    return 0;
  take_tables(&object);
  if (array_reserve(&loaded.objects, &loaded.capacity, loaded.count, sizeof *loaded.objects, error) != PKGIMG_OK)
    return 1;
  loaded.objects[loaded.count++] = object;
  return 0;
}

static int read_generation(struct dl_phdr_info *info, size_t size, void *context)
{
  unsigned long long *generation = context;
  *generation = size >= sizeof *info ? info->dlpi_adds * 1000003ull + info->dlpi_subs : 0;
  return 1;  // every object tells the same
}

// Follow DT_NEEDED from the program on, as ld.so did when it started (breadth first; only the set
// matters here).
static void mark_start_up(void)
{
  size_t marked = 0, before;
  loaded.objects[0].start_up = true;
  do {
    before = marked;
    for (size_t i = 0; i < loaded.count; i++) {
      const struct host_object *object = &loaded.objects[i];
      for (const Elf64_Dyn *entry = object->start_up ? object->dynamic : NULL; entry && entry->d_tag != DT_NULL;
           entry++)
        for (size_t j = 1; entry->d_tag == DT_NEEDED && j < loaded.count; j++) {
          struct host_object *other = &loaded.objects[j];
          const char *needed = (const char *)object->symbols.strings.data + entry->d_un.d_val;
          if (!other->start_up && object->symbols.strings.data && strcmp(other->soname, needed) == 0)
            other->start_up = true, marked++;
        }
    }
  } while (marked != before);
}

static void forget_objects(void)
{
  for (size_t i = 0; i < loaded.count; i++)
    free(loaded.objects[i].version_names);
  loaded.count = 0;
}

unsigned long long host_objects_generation(void)
{
  unsigned long long generation = 0;
  dl_iterate_phdr(read_generation, &generation);
  return generation;
}

enum pkgimg_status host_objects_refresh(bool *changed, struct pkgimg_error *error)
{
  unsigned long long generation = host_objects_generation();
  *changed = loaded.count == 0 || generation != loaded.generation;
  if (!*changed)
    return PKGIMG_OK;
  forget_objects();
  if (dl_iterate_phdr(collect, error) != 0 || loaded.count == 0) {
    forget_objects();
    return fail_memory(error, loaded.capacity * sizeof *loaded.objects);
  }
  mark_start_up();
  loaded.generation = generation;
  return PKGIMG_OK;
}

unsigned long long host_generation(void)
{
  return loaded.generation;
}

struct host_object *host_object(size_t index)
{
  return index < loaded.count ? &loaded.objects[index] : NULL;
}

bool host_has_library(const char *name)
{
  for (size_t i = 0; i < loaded.count; i++)
    if (strcmp(loaded.objects[i].soname, name) == 0)
      return true;
  return false;
}

const uint8_t *host_object_build_id(const struct host_object *object, size_t *size)
{
  for (unsigned i = 0; i < object->header_count; i++) {
    const Elf64_Phdr *header = &object->headers[i];
    uint64_t align = header->p_align == 8 ? 8 : 4, left = header->p_type == PT_NOTE ? header->p_memsz : 0;
    const uint8_t *at = (const uint8_t *)(object->base + header->p_vaddr);
    while (left > sizeof(Elf64_Nhdr)) {
      const Elf64_Nhdr *note = (const Elf64_Nhdr *)(const void *)at;
      uint64_t name = sizeof *note, content = name + ((note->n_namesz + align - 1) & ~(align - 1));
      uint64_t end = content + ((note->n_descsz + align - 1) & ~(align - 1));
      if (end > left)
        break;
      if (note->n_type == NT_GNU_BUILD_ID && note->n_namesz == 4 && memcmp(at + name, "GNU", 4) == 0) {
        *size = note->n_descsz;
        return at + content;
      }
      at += end;
      left -= end;
    }
  }
  return NULL;
}

// ---- their symbols

static bool version_matches(struct host_object *object, uint32_t symbol, const char *version)
{
  enum { HIDDEN = 0x8000 };
  if (!object->versions)
    return true;
  list_versions(object);
  unsigned index = object->versions[symbol];
  if (!*version)
    return !(index & HIDDEN) && index != VER_NDX_LOCAL;
  index &= ~HIDDEN;
  if (index <= VER_NDX_GLOBAL)
    return index == VER_NDX_GLOBAL && !object->definitions;
  return index < object->version_count && object->version_names[index] &&
         strcmp(object->version_names[index], version) == 0;
}

static bool acceptable(const struct host_query *query, const Elf64_Sym *symbol)
{
  unsigned type = ELF64_ST_TYPE(symbol->st_info), visibility = ELF64_ST_VISIBILITY(symbol->st_other);
  bool thread_local = type == STT_TLS;
  if (visibility == STV_HIDDEN || visibility == STV_INTERNAL || ELF64_ST_BIND(symbol->st_info) == STB_LOCAL)
    return false;
  if (symbol->st_value == 0 && !thread_local && symbol->st_shndx != SHN_ABS)
    return false;
  return thread_local == (query->type == STT_TLS) || (thread_local && query->type == STT_NOTYPE);
}

uint32_t host_object_find(struct host_object *object, const struct host_query *query)
{
  uint32_t index = 0;
  while ((index = symbols_find(&object->symbols, query->name, query->hash, index)) != 0)
    if (acceptable(query, &object->symbols.symbols[index]) && version_matches(object, index, query->version))
      return index;
  return 0;
}
