// SPDX-License-Identifier: MIT
#include "relocator/host.h"

#include "relocator/gate.h"
#include "relocator/heaps.h"
#include "relocator/host_objects.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

/// A remembered answer. Its strings are those of the object that defines the symbol.
struct answer {
  const char *name;
  const char *version;
  uint32_t hash;
  bool thread_local;
  struct host_symbol symbol;
};

static struct {
  struct answer *answers;  // open addressing; name NULL: free
  size_t answer_count, answer_capacity;
} host;

static void forget_answers(void)
{
  free(host.answers);
  host.answers = NULL;
  host.answer_count = host.answer_capacity = 0;
}

enum pkgimg_status host_refresh(struct pkgimg_error *error)
{
  bool changed;
  TRY(host_objects_refresh(&changed, error));
  if (changed) {
    forget_answers();
    heaps_host_changed();
  }
  return PKGIMG_OK;
}

// ---- looking up

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
  struct host_object *object;
  for (size_t i = 0; (object = host_object(i)); i++) {
    uint32_t index = host_object_find(object, query);
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
  size_t capacity = host.answer_capacity ? host.answer_capacity * 2 : 16;
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

// ---- libraries

bool host_load_library(const char *name)
{
  // Also when the process has it already: it may be there for whoever opened it with RTLD_LOCAL only, and
  // this call gives it to everybody. Never closed: whoever needs it may stay as long as the process.
  return dlopen(name, RTLD_NOW | RTLD_GLOBAL) != NULL;
}
