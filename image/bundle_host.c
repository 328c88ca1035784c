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

static enum pkgimg_status load_libraries(const struct bundle *bundle, bool all, struct pkgimg_error *error)
{
  const uint32_t *names = table_at(bundle, &bundle->head.libraries);
  bool any = false;
  for (uint64_t i = 0; i < bundle->head.libraries.count; i++)
    if (all || !host_has_library(string_at(bundle, names[i])))
      any |= host_load_library(string_at(bundle, names[i]));
  return any ? host_refresh(error) : PKGIMG_OK;
}

/// Slots on their way to be filled.
struct filling {
  struct bundle *bundle;
  struct host_library *libraries;  // in which gates have places, as this process has them
  bool may_promote;
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

static enum pkgimg_status look_up(struct filling *filling, const struct bundle_gate *gate, uint64_t *slot,
                                  struct pkgimg_error *error)
{
  struct bundle *bundle = filling->bundle;
  uint64_t *lookups = &bundle->runtime->stats.symbols_resolved;
  struct host_symbol symbol = {0};
  bool found = bundle_find_host(bundle, gate, &symbol, lookups);
  if (!found && filling->may_promote) {
    filling->may_promote = false;
    TRY(load_libraries(bundle, true, error));
    found = bundle_find_host(bundle, gate, &symbol, lookups);
  }
  bundle->missing += !found;
  *slot = symbol.value;
  return PKGIMG_OK;
}

enum pkgimg_status bundle_fill_gate(struct bundle *bundle, struct pkgimg_error *error)
{
  const struct bundle_gate *gates = table_at(bundle, &bundle->head.gates);
  uint64_t *slots = (uint64_t *)(bundle->head.base + FORMAT_W_START + bundle->head.slots);
  struct filling filling AUTO(filling_deinit) = {.bundle = bundle, .may_promote = runs_code(bundle->runtime)};
  TRY(host_refresh(error));
  if (filling.may_promote)
    TRY(load_libraries(bundle, false, error));
  TRY(locate_libraries(&filling, error));
  for (uint64_t i = 0; i < bundle->head.gates.count; i++) {
    slots[i] = at_place(&filling, &gates[i]);
    if (slots[i] == 0)
      TRY(look_up(&filling, &gates[i], &slots[i], error));
  }
  bundle->runtime->stats.pages_written += (bundle->head.gates.count * 8 + FORMAT_PAGE - 1) / FORMAT_PAGE;
  return PKGIMG_OK;
}

enum pkgimg_status bundle_check_gates(const struct session *session, const struct bundle *bundle,
                                      const struct bundle_image *entry)
{
  const uint32_t *uses = table_at(bundle, &bundle->head.gate_uses);
  const struct bundle_gate *gates = table_at(bundle, &bundle->head.gates);
  const uint64_t *slots = (const uint64_t *)(bundle->head.base + FORMAT_W_START + bundle->head.slots);
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
