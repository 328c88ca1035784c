// SPDX-License-Identifier: MIT
//
// What a bundle asks of the host: a processor, a boot, and the functions of the gate.
#include "base/hash.h"
#include "image/bundle_parts.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

// ---- whether it was bound for a host like this

static enum pkgimg_status check_processor(struct session *session, const struct bundle_header *head)
{
  struct pkgimg_runtime *runtime = session->runtime;
  const struct cpu_isa *isa = cpu_isa_of_machine(FORMAT_HOST_MACHINE);
  struct cpu_target_features needs = {0};
  uint64_t any = 0;
  char names[256];
  for (int i = 0; i < FORMAT_FEATURE_WORDS; i++)
    any |= needs.features.words[i] = head->features[i];
  if (!any)
    return PKGIMG_OK;
  if (!runtime->features_known)
    TRY(runtime_look_at_cpu(runtime, NULL, session->error));
  needs.vector_bits = cpu_features_width(isa, &needs.features);
  struct cpu_explanation why = cpu_explain(&runtime->features, &needs, runtime->vector_bits);
  if (why.refusal == CPU_USABLE)
    return PKGIMG_OK;
  return fail(session->error, PKGIMG_WRONG_MACHINE, session->path,
              "bound for another processor: this one lacks, or may not use, %s",
              cpu_features_text(isa, &why.missing, ", ", names, sizeof names));
}

static enum pkgimg_status check_boot(struct session *session, const struct bundle_header *head)
{
  char text[64];
  size_t size = 0;
  struct image_handle handle;
  struct map_counts *counts = &session->runtime->counts;
  if (head->aslr != BUNDLE_ASLR_BOOT)
    return PKGIMG_OK;
  TRY(image_open(AT_FDCWD, "/proc/sys/kernel/random/boot_id", "boot_id", &handle, counts, session->error));
  enum pkgimg_status status = image_pread(&handle, text, sizeof text, 0, &size, counts, session->error);
  image_close(&handle, counts);
  TRY(status);
  uint64_t halves[2] = {hash64(text, size), hash64_seeded(text, size, 1)};
  if (memcmp(halves, head->boot, sizeof halves) == 0)
    return PKGIMG_OK;
  return fail(session->error, PKGIMG_MISMATCH, session->path, "bound before the machine was restarted");
}

enum pkgimg_status bundle_check_host(struct session *session, const struct bundle_header *head)
{
  if (head->page_size != FORMAT_PAGE)
    return fail_at(session->error, PKGIMG_WRONG_MACHINE, session->path, offsetof(struct bundle_header, page_size),
                   "page size", FORMAT_PAGE, head->page_size);
  if (head->aslr == BUNDLE_ASLR_PROCESS)
    return fail(session->error, PKGIMG_MISMATCH, session->path, "addresses are drawn in each process");
  TRY(check_processor(session, head));
  return check_boot(session, head);
}

// ---- the gate

static struct host_query query_of(const struct bundle *bundle, const struct bundle_gate *gate)
{
  return (struct host_query){.name = string_at(bundle, gate->name),
                             .version = string_at(bundle, gate->version),
                             .hash = gate->hash,
                             .type = gate->type,
                             .run_code = runs_code(bundle->runtime)};
}

bool bundle_find_host(const struct bundle *bundle, const struct bundle_gate *gate, struct host_symbol *symbol,
                      uint64_t *lookups)
{
  struct host_query query = query_of(bundle, gate);
  return host_find(&query, symbol, lookups);
}

/// Slots on their way to be filled.
struct filling {
  struct bundle *bundle;
  struct host_library *libraries;  // in which gates have places, as this process has them
};

static void filling_deinit(struct filling *filling)
{
  free(filling->libraries);
}

static enum pkgimg_status locate_libraries(struct filling *filling, struct pkgimg_error *error)
{
  const struct bundle *bundle = filling->bundle;
  const struct bundle_library *libraries = table_at(bundle, &bundle->head.places);
  filling->libraries = calloc(bundle->head.places.count + 1, sizeof *filling->libraries);
  if (!filling->libraries)
    return fail_memory(error, bundle->head.places.count * sizeof *filling->libraries);
  host_locate_none();
  for (uint64_t i = 0; i < bundle->head.places.count; i++) {
    if (libraries[i].size > BUNDLE_LIBRARY_ID)
      return broken(bundle, &libraries[i].size, "bytes of a build id", BUNDLE_LIBRARY_ID, libraries[i].size,
                    error);
    host_locate(libraries[i].build_id, libraries[i].size, &filling->libraries[i]);
  }
  return PKGIMG_OK;
}

// Where bind found the symbol, if this process has the same library and nobody else the symbol. A place that is
// not in the library's code is none.
static uint64_t at_place(const struct filling *filling, const struct bundle_gate *gate)
{
  const struct bundle *bundle = filling->bundle;
  if (gate->library == 0 || gate->library > bundle->head.places.count)
    return 0;
  const struct host_library *library = &filling->libraries[gate->library - 1];
  struct host_query query = query_of(bundle, gate);
  if (gate->value < library->code_start || gate->value >= library->code_end || host_elsewhere(&query))
    return 0;
  uint64_t address = library->base + gate->value;
  return gate->resolver && query.run_code ? ((uint64_t(*)(void))(uintptr_t)address)() : address;
}

static uint64_t look_up(const struct bundle *bundle, const struct bundle_gate *gate)
{
  struct host_symbol symbol = {0};
  (void)bundle_find_host(bundle, gate, &symbol, &bundle->runtime->stats.symbols_resolved);
  return symbol.value;
}

static uint64_t *slots_of(const struct bundle *bundle)
{
  return (uint64_t *)(bundle->head.base + FORMAT_W_START + bundle->head.slots);
}

enum pkgimg_status bundle_fill_gate(struct bundle *bundle, struct pkgimg_error *error)
{
  const struct bundle_gate *gates = table_at(bundle, &bundle->head.gates);
  uint64_t *slots = slots_of(bundle);
  struct filling filling AUTO(filling_deinit) = {.bundle = bundle};
  TRY(host_refresh(error));
  TRY(locate_libraries(&filling, error));
  bundle->missing = 0;
  for (uint64_t i = 0; i < bundle->head.gates.count; i++) {
    // Not read the first time: that would be a fault of its own.
    uint64_t address = bundle->filled ? slots[i] : 0;
    if (address == 0)
      address = at_place(&filling, &gates[i]);
    if (address == 0)
      address = look_up(bundle, &gates[i]);
    bundle->missing += address == 0;
    slots[i] = address;
  }
  bundle->filled = true;
  return PKGIMG_OK;
}

enum pkgimg_status bundle_check_gates(const struct session *session, const struct bundle *bundle,
                                      const struct bundle_image *entry)
{
  const uint32_t *uses = table_at(bundle, &bundle->head.gate_uses);
  const struct bundle_gate *gates = table_at(bundle, &bundle->head.gates);
  const uint64_t *slots = slots_of(bundle);
  uint64_t end = entry->gates.first + (uint64_t)entry->gates.count;
  if (end > bundle->head.gate_uses.count)
    return broken(bundle, &entry->gates, "uses of gates", bundle->head.gate_uses.count, end, session->error);
  for (uint32_t i = 0; i < entry->gates.count; i++) {
    uint32_t gate = uses[entry->gates.first + i];
    if (gate >= bundle->head.gates.count)
      return broken(bundle, &uses[entry->gates.first + i], "number of a gate", bundle->head.gates.count,
                    gate + 1ull, session->error);
    if (slots[gate] == 0)
      return fail_name(session->error, PKGIMG_UNDEFINED_SYMBOL, session->path, string_at(bundle, gates[gate].name),
                       "no library of the host defines it; %s needs it", string_at(bundle, entry->name));
  }
  return PKGIMG_OK;
}

// ---- libraries

// True if any came. `again`: also those that are there, perhaps for whoever opened them with RTLD_LOCAL only.
static enum pkgimg_status load_libraries(const struct closure_walk *walk, bool again, bool *any,
                                         struct pkgimg_error *error)
{
  const struct bundle *bundle = walk->bundle;
  const uint32_t *names = table_at(bundle, &bundle->head.libraries);
  for (uint32_t i = 0; i < bundle->head.images.count; i++) {
    const struct bundle_range *range = &entry_at(bundle, i)->libraries;
    uint64_t end = range->first + (uint64_t)range->count;
    if (!marked(walk->marks, i))
      continue;
    if (end > bundle->head.libraries.count)
      return broken(bundle, range, "libraries of an image", bundle->head.libraries.count, end, error);
    for (uint32_t j = range->first; j < end; j++) {
      const char *name = string_at(bundle, names[j]);
      if (!*name)
        return broken(bundle, &names[j], "name of a library", bundle->head.strings.count, names[j], error);
      if (again || !host_has_library(name))
        *any |= host_load_library(name);
    }
  }
  return PKGIMG_OK;
}

static enum pkgimg_status check_closure(const struct session *session, const struct closure_walk *walk)
{
  const struct bundle *bundle = walk->bundle;
  for (uint32_t i = 0; i < bundle->head.images.count; i++)
    if (marked(walk->marks, i))
      TRY(bundle_check_gates(session, bundle, entry_at(bundle, i)));
  return PKGIMG_OK;
}

enum pkgimg_status bundle_bring_libraries(struct session *session, struct bundle *bundle, uint32_t index)
{
  struct closure_walk walk AUTO(closure_walk_deinit) = {.bundle = bundle};
  struct session quiet = *session;
  bool any = false;
  quiet.error = NULL;
  if (!(entry_at(bundle, index)->work & BUNDLE_CLOSURE_HAS_LIBRARIES) || !runs_code(session->runtime))
    return PKGIMG_OK;
  TRY(closure_mark(&walk, index, 0, session->error));
  TRY(load_libraries(&walk, false, &any, session->error));
  if (any)
    TRY(bundle_fill_gate(bundle, session->error));
  if (!bundle->missing || check_closure(&quiet, &walk) == PKGIMG_OK)
    return PKGIMG_OK;
  TRY(load_libraries(&walk, true, &any, session->error));
  return bundle_fill_gate(bundle, session->error);
}
