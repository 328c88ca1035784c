// SPDX-License-Identifier: MIT
#include "relocator/host.h"

#include "base/array.h"
#include "format/symbols.h"
#include "relocator/gate.h"
#include "relocator/heaps.h"

#include <dlfcn.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>

/// One object of the host, as ld.so mapped it.
struct host_object {
  uint64_t base;
  const Elf64_Dyn *dynamic;
  struct symbols symbols;  // bucket_count 0: it has no GNU hash table
  const uint16_t *versions;
  const char **version_names;  // by index; from malloc
  unsigned version_count;
  bool defines_versions;
  const char *soname;
  uint64_t module;
  bool start_up;  // in the scope that the program started with
};

/// A remembered answer. Its strings are those of the object that defines the symbol.
struct answer {
  const char *name;
  const char *version;
  uint32_t hash;
  bool thread_local;
  struct host_symbol symbol;
};

static struct {
  unsigned long long generation;  // ld.so's counters of loaded and unloaded objects
  struct host_object *objects;
  size_t count, capacity;
  struct answer *answers;  // open addressing; name NULL: free
  size_t answer_count, answer_capacity;
} host;

// ---- objects

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

static void list_versions(struct host_object *object, const void *definitions, const void *needs)
{
  object->defines_versions = definitions != NULL;
  list_needs(object, needs);
  list_definitions(object, definitions);
}

static void take_symbols(struct host_object *object)
{
  uint64_t values[DT_NUM] = {0};
  struct gnu_entries gnu = {0};
  read_dynamic(object, values, &gnu);
  const char *strings = pointer(object, values[DT_STRTAB]);
  if (gnu.hash && values[DT_SYMTAB] && strings)
    symbols_init_trusted(&object->symbols, pointer(object, values[DT_SYMTAB]), strings, values[DT_STRSZ],
                         pointer(object, gnu.hash));
  object->versions = pointer(object, gnu.versions);
  list_versions(object, pointer(object, gnu.definitions), pointer(object, gnu.needs));
  object->soname = values[DT_SONAME] && strings ? strings + values[DT_SONAME] : "";
}

static int collect(struct dl_phdr_info *info, size_t size, void *context)
{
  struct pkgimg_error *error = context;
  struct host_object object = {.base = info->dlpi_addr, .module = size >= sizeof *info ? info->dlpi_tls_modid : 0};
  for (unsigned i = 0; i < info->dlpi_phnum; i++)
    if (info->dlpi_phdr[i].p_type == PT_DYNAMIC)
      object.dynamic = (const Elf64_Dyn *)(info->dlpi_addr + info->dlpi_phdr[i].p_vaddr);
  if (!object.dynamic)
    return 0;
  take_symbols(&object);
  if (array_reserve(&host.objects, &host.capacity, host.count, sizeof *host.objects, error) != PKGIMG_OK)
    return 1;
  host.objects[host.count++] = object;
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
  host.objects[0].start_up = true;
  do {
    before = marked;
    for (size_t i = 0; i < host.count; i++) {
      const struct host_object *object = &host.objects[i];
      for (const Elf64_Dyn *entry = object->start_up ? object->dynamic : NULL; entry && entry->d_tag != DT_NULL;
           entry++)
        for (size_t j = 1; entry->d_tag == DT_NEEDED && j < host.count; j++) {
          struct host_object *other = &host.objects[j];
          const char *needed = (const char *)object->symbols.strings.data + entry->d_un.d_val;
          if (!other->start_up && object->symbols.strings.data && strcmp(other->soname, needed) == 0)
            other->start_up = true, marked++;
        }
    }
  } while (marked != before);
}

static void forget_objects(void)
{
  for (size_t i = 0; i < host.count; i++)
    free(host.objects[i].version_names);
  host.count = 0;
}

static void forget_answers(void)
{
  free(host.answers);
  host.answers = NULL;
  host.answer_count = host.answer_capacity = 0;
}

enum pkgimg_status host_refresh(struct pkgimg_error *error)
{
  unsigned long long generation = 0;
  dl_iterate_phdr(read_generation, &generation);
  if (host.count && generation == host.generation)
    return PKGIMG_OK;
  forget_answers();
  forget_objects();
  if (dl_iterate_phdr(collect, error) != 0 || host.count == 0) {
    forget_objects();
    return fail_memory(error, host.capacity * sizeof *host.objects);
  }
  mark_start_up();
  host.generation = generation;
  heaps_host_changed();
  return PKGIMG_OK;
}

unsigned long long host_generation(void)
{
  return host.generation;
}

static bool version_matches(const struct host_object *object, uint32_t symbol, const char *version)
{
  enum { HIDDEN = 0x8000 };
  if (!object->versions)
    return true;
  unsigned index = object->versions[symbol];
  if (!*version)
    return !(index & HIDDEN) && index != VER_NDX_LOCAL;
  index &= ~HIDDEN;
  if (index <= VER_NDX_GLOBAL)
    return index == VER_NDX_GLOBAL && !object->defines_versions;
  return index < object->version_count && object->version_names[index] &&
         strcmp(object->version_names[index], version) == 0;
}

// ---- looking up

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

static uint32_t find_in(const struct host_object *object, const struct host_query *query)
{
  uint32_t index = 0;
  while ((index = symbols_find(&object->symbols, query->name, query->hash, index)) != 0)
    if (acceptable(query, &object->symbols.symbols[index]) && version_matches(object, index, query->version))
      return index;
  return 0;
}

static bool ask_ld_so(const struct host_query *query, struct host_symbol *symbol)
{
  void *address =
      *query->version ? dlvsym(RTLD_DEFAULT, query->name, query->version) : dlsym(RTLD_DEFAULT, query->name);
  symbol->value = (uint64_t)address;
  return address != NULL;
}

static struct host_symbol take(const struct host_query *query, const struct host_object *object, uint32_t index)
{
  const Elf64_Sym *symbol = &object->symbols.symbols[index];
  bool relative = symbol->st_shndx != SHN_ABS && ELF64_ST_TYPE(symbol->st_info) != STT_TLS;
  struct host_symbol found = {.value = symbol->st_value + (relative ? object->base : 0), .module = object->module};
  if (ELF64_ST_TYPE(symbol->st_info) == STT_GNU_IFUNC && query->run_code)
    found.value = ((uint64_t(*)(void))(uintptr_t)found.value)();
  return found;
}

// A name that stays valid as long as the object is loaded.
static struct answer answer_of(const struct host_query *query, const struct host_object *object, uint32_t index)
{
  unsigned version = object->versions ? object->versions[index] & 0x7fffu : 0;
  bool named = *query->version && version < object->version_count && object->version_names[version];
  return (struct answer){.name = symbols_name(&object->symbols, index),
                         .version = named ? object->version_names[version] : "",
                         .hash = query->hash,
                         .thread_local = query->type == STT_TLS};
}

// The order is ld.so's own, that of its list. What was there at start-up is in everybody's scope; of
// anything else (preloaded, or opened since, perhaps with RTLD_LOCAL) only ld.so knows. An answer
// without a name cannot be remembered.
static bool look_up(const struct host_query *query, struct answer *answer)
{
  for (size_t i = 0; i < host.count; i++) {
    const struct host_object *object = &host.objects[i];
    uint32_t index = find_in(object, query);
    if (index == 0)
      continue;
    *answer = answer_of(query, object, index);
    if (object->start_up || query->anywhere || query->type == STT_TLS)
      answer->symbol = take(query, object, index);
    else if (!ask_ld_so(query, &answer->symbol))
      continue;
    return true;
  }
  *answer = (struct answer){0};
  return query->type != STT_TLS && !query->anywhere && ask_ld_so(query, &answer->symbol);
}

// ---- remembering

static struct answer *answer_slot(struct answer *answers, size_t capacity, const struct host_query *query)
{
  for (size_t i = query->hash;; i++) {
    struct answer *answer = &answers[i & (capacity - 1)];
    if (!answer->name)
      return answer;
    if (answer->hash == query->hash && answer->thread_local == (query->type == STT_TLS) &&
        strcmp(answer->name, query->name) == 0 && strcmp(answer->version, query->version) == 0)
      return answer;
  }
}

static bool grow_answers(void)
{
  if (host.answer_count * 2 < host.answer_capacity)
    return true;
  size_t capacity = host.answer_capacity ? host.answer_capacity * 2 : 64;
  struct answer *grown = calloc(capacity, sizeof *grown);
  if (!grown)
    return false;
  for (size_t i = 0; i < host.answer_capacity; i++) {
    const struct answer *old = &host.answers[i];
    struct host_query query = {.name = old->name,
                               .version = old->version,
                               .hash = old->hash,
                               .type = old->thread_local ? STT_TLS : STT_NOTYPE};
    if (old->name)
      *answer_slot(grown, capacity, &query) = *old;
  }
  free(host.answers);
  host.answers = grown;
  host.answer_capacity = capacity;
  return true;
}

bool host_find(const struct host_query *query, struct host_symbol *symbol, uint64_t *lookups)
{
  struct answer *place = grow_answers() ? answer_slot(host.answers, host.answer_capacity, query) : NULL;
  if (place && place->name) {
    *symbol = place->symbol;
    return true;
  }
  struct answer found = {0};
  const struct gate_entry *gate = gate_find(query->name);
  ++*lookups;
  if ((!gate || gate->original) && !look_up(query, &found))
    return false;
  if (gate && gate->original)
    *gate->original = found.symbol.value;
  if (gate)
    found.symbol.value = gate->function;
  *symbol = found.symbol;
  // Not remembering only costs time.
  bool same_version = found.version && strcmp(found.version, query->version) == 0;
  if (place && found.name && same_version && query->run_code) {
    *place = found;
    host.answer_count++;
  }
  return true;
}

bool host_has_library(const char *name)
{
  for (size_t i = 0; i < host.count; i++)
    if (strcmp(host.objects[i].soname, name) == 0)
      return true;
  return false;
}

bool host_load_library(const char *name)
{
  // Also when the process has it already: it may be there for whoever opened it with RTLD_LOCAL only, and
  // this call gives it to everybody. Never closed: whoever needs it may stay as long as the process.
  return dlopen(name, RTLD_NOW | RTLD_GLOBAL) != NULL;
}
