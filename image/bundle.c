// SPDX-License-Identifier: MIT
#include "image/bundle.h"

#include "base/clock.h"
#include "base/hash.h"
#include "format/relocation.h"
#include "image/types.h"
#include "mapper/blocks.h"
#include "relocator/heaps.h"
#include "relocator/tls.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern void __cxa_finalize(void *handle);

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

static enum pkgimg_status check_host(struct session *session, const struct bundle_header *head)
{
  if (head->page_size != FORMAT_PAGE)
    return fail_at(session->error, PKGIMG_WRONG_MACHINE, session->path, offsetof(struct bundle_header, page_size),
                   "page size", FORMAT_PAGE, head->page_size);
  TRY(check_processor(session, head));
  return check_boot(session, head);
}

// ---- tables: every index is checked where it is used

static struct bundle_view view_of(const struct bundle *bundle)
{
  return (struct bundle_view){&bundle->head, bundle->code};
}

static const void *table_at(const struct bundle *bundle, const struct bundle_table *table)
{
  return bundle_table(view_of(bundle), table);
}

static const char *string_at(const struct bundle *bundle, uint32_t offset)
{
  return bundle_string(view_of(bundle), offset);
}

static const struct bundle_image *entry_at(const struct bundle *bundle, uint32_t index)
{
  return bundle_image(view_of(bundle), index);
}

// For messages.
static struct reader reader_of(const struct bundle *bundle, struct pkgimg_error *error)
{
  return (struct reader){.file = bundle->path, .error = error};
}

static uint64_t offset_in_file(const struct bundle *bundle, const void *place)
{
  return (uint64_t)((const uint8_t *)place - bundle->code);
}

static enum pkgimg_status broken(const struct bundle *bundle, const void *place, const char *what, uint64_t expected,
                                 uint64_t found, struct pkgimg_error *error)
{
  return fail_at(error, PKGIMG_MALFORMED, bundle->path, offset_in_file(bundle, place), what, expected, found);
}

// ---- the gate

static bool find_host(const struct bundle *bundle, const struct bundle_gate *gate, struct host_symbol *symbol,
                      uint64_t *lookups)
{
  struct host_query query = {.name = string_at(bundle, gate->name),
                             .version = string_at(bundle, gate->version),
                             .hash = gate->hash,
                             .type = gate->type,
                             .run_code = runs_code(bundle->runtime)};
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

// All on one or a few pages: this is what a bound load writes. A function that the host lacks stays 0; only an
// image that needs it is refused.
static enum pkgimg_status fill_gate(struct bundle *bundle, struct pkgimg_error *error)
{
  const struct bundle_gate *gates = table_at(bundle, &bundle->head.gates);
  uint64_t *slots = (uint64_t *)(bundle->head.base + FORMAT_W_START + bundle->head.slots);
  struct pkgimg_stats *stats = &bundle->runtime->stats;
  bool may_promote = runs_code(bundle->runtime);
  TRY(host_refresh(error));
  if (may_promote)
    TRY(load_libraries(bundle, false, error));
  for (uint64_t i = 0; i < bundle->head.gates.count; i++) {
    struct host_symbol symbol = {0};
    bool found = find_host(bundle, &gates[i], &symbol, &stats->symbols_resolved);
    if (!found && may_promote) {
      may_promote = false;
      TRY(load_libraries(bundle, true, error));
      found = find_host(bundle, &gates[i], &symbol, &stats->symbols_resolved);
    }
    bundle->missing += !found;
    slots[i] = symbol.value;
  }
  stats->pages_written += (bundle->head.gates.count * 8 + FORMAT_PAGE - 1) / FORMAT_PAGE;
  return PKGIMG_OK;
}

static enum pkgimg_status check_gates(const struct session *session, const struct bundle *bundle,
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
      return broken(bundle, &uses[entry->gates.first + i], "number of a gate", bundle->head.gates.count, gate + 1ull,
                    session->error);
    if (slots[gate] == 0)
      return fail_name(session->error, PKGIMG_UNDEFINED_SYMBOL, session->path, string_at(bundle, gates[gate].name),
                       "no library of the host defines it; %s needs it", string_at(bundle, entry->name));
  }
  return PKGIMG_OK;
}

// ---- opening

static void bundle_destroy(struct bundle *bundle)
{
  if (bundle->mapped) {
    heaps_remove((void *)(bundle->head.base + FORMAT_H_START));
    blocks_unmap(&bundle->head);
  }
  free(bundle->active);
  free(bundle->path);
  free(bundle);
}

static struct bundle *find_open(const struct pkgimg_runtime *runtime, const struct bundle_header *head)
{
  struct bundle *bundle = runtime->bundles;
  while (bundle && memcmp(bundle->head.build_id, head->build_id, 16) != 0)
    bundle = bundle->next;
  return bundle;
}

static enum pkgimg_status map_bundle(struct session *session, struct bundle *bundle)
{
  const struct bundle_header *head = &bundle->head;
  struct map_counts *counts = &session->runtime->counts;
  bundle->path = strdup(session->path);
  bundle->active = calloc(head->images.count / 64 + 1, sizeof *bundle->active);
  if (!bundle->path || !bundle->active)
    return fail_memory(session->error, head->images.count / 8);
  TRY(blocks_map(&session->root, head, counts, session->error));
  bundle->mapped = true;
  bundle->code = (const uint8_t *)head->base;
  bundle->region = (struct region){.base = (uint8_t *)head->base, .size = head->slots, .holders = 1};
  if (head->blocks[BLOCK_H].size)
    TRY(heaps_add((void *)(head->base + FORMAT_H_START), head->blocks[BLOCK_H].size, session->error));
  struct reader reader = reader_of(bundle, session->error);
  TRY(bundle_unwind_check(&reader, view_of(bundle)));
  session_phase_done(session, PKGIMG_PHASE_MAP);
  TRY(fill_gate(bundle, session->error));
  session_phase_done(session, PKGIMG_PHASE_HOST);
  return PKGIMG_OK;
}

// A mapping beyond the end of the file would be a SIGBUS later.
static enum pkgimg_status check_size(struct session *session, const struct bundle_header *head)
{
  uint64_t size, needed = bundle_size(head);
  TRY(image_size(&session->root, &size, &session->runtime->counts, session->error));
  if (size >= needed)
    return PKGIMG_OK;
  return fail_at(session->error, PKGIMG_TRUNCATED, session->path, 0, "bytes of the bundle", needed, size);
}

enum pkgimg_status bundle_verify(struct session *session)
{
  struct buffer bytes AUTO(buffer_deinit) = {0};
  struct bundle_header head;
  struct bundle_view view;
  TRY(image_read_all(&session->root, &bytes, &session->runtime->counts, session->error));
  struct reader reader = {.file = session->path, .bytes = {bytes.data, bytes.size}, .error = session->error};
  return bundle_file_read(&reader, &head, &view);
}

enum pkgimg_status bundle_header(struct session *session, struct bundle_header *head)
{
  struct reader reader = {
      .file = session->path, .bytes = {session->head, session->head_size}, .error = session->error};
  TRY(bundle_header_read(&reader, head));
  return check_size(session, head);
}

enum pkgimg_status bundle_open(struct session *session, const struct bundle_header *head, struct bundle **result)
{
  struct pkgimg_runtime *runtime = session->runtime;
  if ((*result = find_open(runtime, head)))
    return PKGIMG_OK;
  TRY(check_host(session, head));
  struct bundle *bundle = calloc(1, sizeof *bundle);
  if (!bundle)
    return fail_memory(session->error, sizeof *bundle);
  bundle->runtime = runtime;
  bundle->head = *head;
  session_phase_done(session, PKGIMG_PHASE_OPEN);
  enum pkgimg_status status = map_bundle(session, bundle);
  if (status != PKGIMG_OK) {
    bundle_destroy(bundle);
    return status;
  }
  bundle->next = runtime->bundles;
  *result = runtime->bundles = session->fresh_bundle = bundle;
  return PKGIMG_OK;
}

// ---- closures: the images are in the order of loading, so a mark for each is enough

struct closure_walk {
  const struct bundle *bundle;
  uint64_t *marks;
  uint32_t *stack;
  size_t depth;
};

static void closure_walk_deinit(struct closure_walk *walk)
{
  free(walk->marks);
  free(walk->stack);
}

static bool marked(const uint64_t *marks, uint32_t index)
{
  return marks[index / 64] >> index % 64 & 1;
}

static void push(struct closure_walk *walk, uint32_t index)
{
  if (marked(walk->marks, index))
    return;
  walk->marks[index / 64] |= 1ull << index % 64;
  walk->stack[walk->depth++] = index;
}

// Mark an image and what it needs, as far as that has work of the kind.
static enum pkgimg_status mark_closure(struct closure_walk *walk, uint32_t index, uint32_t work,
                                       struct pkgimg_error *error)
{
  const struct bundle *bundle = walk->bundle;
  const uint32_t *dependencies = table_at(bundle, &bundle->head.dependencies);
  size_t count = bundle->head.images.count;
  walk->marks = calloc(count / 64 + 1, sizeof *walk->marks);
  walk->stack = calloc(count, sizeof *walk->stack);
  if (!walk->marks || !walk->stack)
    return fail_memory(error, count * sizeof *walk->stack);
  push(walk, index);
  while (walk->depth > 0) {
    const struct bundle_image *entry = entry_at(bundle, walk->stack[--walk->depth]);
    uint64_t end = entry->dependencies.first + (uint64_t)entry->dependencies.count;
    if (end > bundle->head.dependencies.count)
      return broken(bundle, &entry->dependencies, "dependencies", bundle->head.dependencies.count, end, error);
    for (uint32_t i = 0; i < entry->dependencies.count; i++) {
      uint32_t number = dependencies[entry->dependencies.first + i];
      if (number >= count)
        return broken(bundle, &dependencies[entry->dependencies.first + i], "number of a dependency", count,
                      number + 1ull, error);
      if (!work || entry_at(bundle, number)->work & work)
        push(walk, number);
    }
  }
  return PKGIMG_OK;
}

// ---- activation: what only this process knows

static enum pkgimg_status bad_residual(const struct bundle *bundle, const struct bundle_residual *residual,
                                       struct pkgimg_error *error)
{
  const char *name = relocation_name(residual->type);
  return fail_name(error, PKGIMG_MALFORMED, bundle->path, name ? name : "unknown relocation",
                   "type %u at offset 0x%llx", residual->type,
                   (unsigned long long)offset_in_file(bundle, residual));
}

static enum pkgimg_status value_of(struct session *session, const struct bundle *bundle,
                                   const struct bundle_residual *residual, struct host_symbol *symbol)
{
  const struct bundle_gate *imports = table_at(bundle, &bundle->head.imports);
  *symbol = (struct host_symbol){0};
  if (residual->import == BUNDLE_NONE) {
    if (residual->image >= bundle->head.images.count)
      return bad_residual(bundle, residual, session->error);
    const struct bundle_image *entry = entry_at(bundle, residual->image);
    const struct pkgimg_image *image = index_find(session->runtime, entry->geometry.build_id);
    *symbol = (struct host_symbol){bundle->head.base + entry->offset, image ? image->tls_module : 0};
    return PKGIMG_OK;
  }
  if (residual->import >= bundle->head.imports.count)
    return bad_residual(bundle, residual, session->error);
  const struct bundle_gate *import = &imports[residual->import];
  if (find_host(bundle, import, symbol, &session->runtime->stats.symbols_resolved) || import->weak)
    return PKGIMG_OK;
  return fail_name(session->error, PKGIMG_UNDEFINED_SYMBOL, session->path, string_at(bundle, import->name),
                   "no library of the host defines it");
}

static enum pkgimg_status write_residual(struct session *session, const struct bundle *bundle,
                                         const struct bundle_image *entry, const struct bundle_residual *residual)
{
  struct reader reader = reader_of(bundle, session->error);
  struct host_symbol symbol;
  bool host = residual->import != BUNDLE_NONE;
  uint64_t addend = (uint64_t)residual->addend, values[2] = {0};
  enum relocation_kind kind = relocation_kind(residual->type);
  size_t size = kind == RELOCATION_DESCRIPTOR ? 16 : 8;
  TRY(bundle_residual_check(&reader, view_of(bundle), entry, residual, size));
  TRY(value_of(session, bundle, residual, &symbol));
  switch (kind) {
  case RELOCATION_ADDRESS:
    values[0] = symbol.value + addend;
    break;
  case RELOCATION_MODULE:
    if (!host && !symbol.module)
      return bad_residual(bundle, residual, session->error);
    values[0] = symbol.module;
    break;
  case RELOCATION_OFFSET:
    values[0] = (host ? symbol.value : 0) + addend;
    break;
  case RELOCATION_DESCRIPTOR:
    if (host || !symbol.module)
      return bad_residual(bundle, residual, session->error);
    tls_descriptor(symbol.module, addend, values);
    break;
  case RELOCATION_IFUNC:
    if (host)
      return bad_residual(bundle, residual, session->error);
    if (runs_code(session->runtime))
      values[0] = ((uint64_t(*)(void))(uintptr_t)(symbol.value + addend))();
    break;
  default:
    return bad_residual(bundle, residual, session->error);
  }
  memcpy((void *)(bundle->head.base + residual->address), values, size);
  return PKGIMG_OK;
}

// Resolvers of IFUNCs run when everything else stands.
static enum pkgimg_status write_residuals(struct session *session, const struct bundle *bundle,
                                          const struct bundle_image *entry)
{
  const struct bundle_residual *residuals = table_at(bundle, &bundle->head.residuals);
  for (int resolvers = 0; resolvers < 2; resolvers++)
    for (uint32_t i = 0; i < entry->residuals.count; i++) {
      const struct bundle_residual *residual = &residuals[entry->residuals.first + i];
      if ((relocation_kind(residual->type) == RELOCATION_IFUNC) == resolvers)
        TRY(write_residual(session, bundle, entry, residual));
    }
  return PKGIMG_OK;
}

// The words for types' objects are filled by whoever makes the objects.
static enum pkgimg_status take_types(struct session *session, const struct bundle *bundle,
                                     const struct bundle_image *entry)
{
  struct types types;
  struct pkgimg_image *image = index_find(session->runtime, entry->geometry.build_id);
  struct reader reader = {.file = bundle->path,
                          .origin = entry->types.offset,
                          .bytes = {bundle->code + entry->types.offset, entry->types.count},
                          .error = session->error};
  TRY(types_read(&reader, &entry->geometry, &types));
  return types_add(image, &types, session->error);
}

static enum pkgimg_status write_words(struct session *session, const struct bundle *bundle,
                                      const struct bundle_image *entry)
{
  TRY(write_residuals(session, bundle, entry));
  return entry->types.count ? take_types(session, bundle, entry) : PKGIMG_OK;
}

static enum pkgimg_status finish_words(struct session *session, const struct bundle *bundle,
                                       const struct bundle_image *entry)
{
  const struct disk_area *constants = &entry->geometry.areas[AREA_L];
  uint64_t address = bundle->head.base + entry->offset + FORMAT_L_START;
  struct map_counts *counts = &session->runtime->counts;
  if (entry->residuals.count == 0 && entry->types.count == 0)
    return PKGIMG_OK;
  if (constants->memory_size)
    TRY(blocks_unseal(address, constants->memory_size, true, counts, session->error));
  enum pkgimg_status status = write_words(session, bundle, entry);
  if (!constants->memory_size)
    return status;
  enum pkgimg_status sealed = blocks_unseal(address, constants->memory_size, false, counts,
                                            status == PKGIMG_OK ? session->error : NULL);
  return status != PKGIMG_OK ? status : sealed;
}

static void describe(const struct bundle *bundle, const struct bundle_image *entry, struct pkgimg_image *image)
{
  image->geometry = entry->geometry;
  image->slot = (struct slot){
      .region = (struct region *)(uintptr_t)&bundle->region, .offset = entry->offset, .size = entry->slot_size};
  image->symbol_table = entry->symbols;
  image->symbol_strings = entry->symbol_strings;
  image->symbol_hash = entry->symbol_hash;
  image->init_array = entry->init_array;
  image->fini_array = entry->fini_array;
  image->init_function = entry->init_function;
  image->handle = entry->handle;
  image->heap = entry->heap_size ? (uint8_t *)(bundle->head.base + FORMAT_H_START + entry->heap) : NULL;
  image->heap_size = entry->heap_size;
  image->exits = entry->exits;
  image->captured = entry->flags & FORMAT_CAPTURED;
  image->thread_local_size = entry->thread_local_size;
  image->unwind_known = true;  // the bundle as a whole is
}

static enum pkgimg_status take_thread_local(struct session *session, const struct bundle_image *entry,
                                            struct pkgimg_image *image)
{
  struct tls_template template = {.image = (const void *)(image_base(image) + entry->thread_local.address),
                                  .image_size = entry->thread_local.count,
                                  .size = entry->thread_local_size,
                                  .align = entry->thread_local_align};
  return template.size ? tls_module_create(&template, &image->tls_module, session->error) : PKGIMG_OK;
}

static enum pkgimg_status create_image(struct session *session, struct bundle *bundle, uint32_t index,
                                       struct pkgimg_image **result)
{
  const struct bundle_image *entry = entry_at(bundle, index);
  struct reader reader = reader_of(bundle, session->error);
  TRY(bundle_image_check(&reader, view_of(bundle), index));
  struct pkgimg_image *image = calloc(1, sizeof *image);
  if (!image)
    return fail_memory(session->error, sizeof *image);
  image->runtime = session->runtime;
  image->bundle = bundle;
  image->number = index;
  describe(bundle, entry, image);
  image->name = strdup(string_at(bundle, entry->name));
  image->path = strdup(bundle->path);
  enum pkgimg_status status = image->name && image->path ? index_add(image, session->error)
                                                         : fail_memory(session->error, strlen(bundle->path));
  if (status != PKGIMG_OK) {
    free(image->name);
    free(image->path);
    free(image);
    return status;
  }
  image->clone_bodies = (uint32_t *)(uintptr_t)table_at(bundle, &bundle->head.bodies) + entry->bodies.first;
  image->clone_symbols = (uint32_t *)(uintptr_t)table_at(bundle, &bundle->head.body_symbols) + entry->bodies.first;
  image->clone_count = entry->bodies.count;
  bundle->active[index / 64] |= 1ull << index % 64;
  bundle->active_count++;
  if (!session->fresh)
    session->fresh = image;
  session->runtime->stats.images++;
  session->runtime->stats.images_bound++;
  *result = image;
  TRY(roots_take(image, (const struct disk_root *)table_at(bundle, &bundle->head.roots) + entry->roots.first,
                       entry->roots.count, (const char *)table_at(bundle, &bundle->head.strings), session->error));
  return take_thread_local(session, entry, image);
}

static enum pkgimg_status activate(struct session *session, struct bundle *bundle, uint32_t index)
{
  struct pkgimg_image *image;
  if (marked(bundle->active, index))
    return PKGIMG_OK;
  TRY(create_image(session, bundle, index, &image));
  return finish_words(session, bundle, entry_at(bundle, index));
}

static enum pkgimg_status activate_closure(struct session *session, struct bundle *bundle, uint32_t index)
{
  struct closure_walk walk AUTO(closure_walk_deinit) = {.bundle = bundle};
  TRY(mark_closure(&walk, index, bundle->missing ? 0 : BUNDLE_CLOSURE_HAS_WORK, session->error));
  for (uint32_t i = 0; i < bundle->head.images.count; i++) {
    if (!marked(walk.marks, i))
      continue;
    if (bundle->missing)
      TRY(check_gates(session, bundle, entry_at(bundle, i)));
    if (entry_at(bundle, i)->work & BUNDLE_HAS_WORK)
      TRY(activate(session, bundle, i));
  }
  return PKGIMG_OK;
}

static enum pkgimg_status check_elsewhere(struct session *session, const struct bundle *bundle, uint32_t index)
{
  const struct bundle_image *entry = entry_at(bundle, index);
  const struct pkgimg_image *image = index_find(session->runtime, entry->geometry.build_id);
  const char *path = image && image->bundle != bundle ? image->path : NULL;
  for (const struct bundle *older = bundle->next; older && !path; older = older->next)
    if (bundle_find_id(view_of(older), entry->geometry.build_id) != BUNDLE_NONE)
      path = older->path;
  return path ? fail_name(session->error, PKGIMG_BUSY, session->path, string_at(bundle, entry->name),
                          "is loaded already, from %s", path)
              : PKGIMG_OK;
}

// An image is in a runtime once. What was loaded from its own file, or is in an older bundle, lies where this bundle's
// images do not look for it.
static enum pkgimg_status check_only(struct session *session, const struct bundle *bundle, uint32_t index)
{
  const struct pkgimg_runtime *runtime = session->runtime;
  struct closure_walk walk AUTO(closure_walk_deinit) = {.bundle = bundle};
  if (!bundle->next && runtime->index_count == bundle->active_count)
    return PKGIMG_OK;
  TRY(mark_closure(&walk, index, 0, session->error));
  for (uint32_t i = 0; i < bundle->head.images.count; i++)
    if (marked(walk.marks, i))
      TRY(check_elsewhere(session, bundle, i));
  return PKGIMG_OK;
}

enum pkgimg_status bundle_take(struct session *session, struct bundle *bundle, uint32_t index,
                               struct pkgimg_image **image)
{
  TRY(check_only(session, bundle, index));
  bool nothing_to_do = !(entry_at(bundle, index)->work & BUNDLE_CLOSURE_HAS_WORK) && !bundle->missing;
  if (!nothing_to_do)
    TRY(activate_closure(session, bundle, index));
  TRY(activate(session, bundle, index));
  *image = index_find(session->runtime, entry_at(bundle, index)->geometry.build_id);
  session_phase_done(session, PKGIMG_PHASE_RELOCATE);
  return PKGIMG_OK;
}

enum pkgimg_status image_find(struct session *session, const uint8_t build_id[16], struct pkgimg_image **image)
{
  *image = index_find(session->runtime, build_id);
  for (struct bundle *bundle = session->runtime->bundles; bundle && !*image; bundle = bundle->next) {
    uint32_t index = bundle_find_id(view_of(bundle), build_id);
    enum pkgimg_status status = index != BUNDLE_NONE ? bundle_take(session, bundle, index, image) : PKGIMG_OK;
    if (status != PKGIMG_OK && status != PKGIMG_BUSY)
      return status;
  }
  return PKGIMG_OK;
}

// An address in code, L or W as an offset among the slots.
static bool slots_offset(const struct bundle *bundle, uint64_t address, uint64_t *offset)
{
  for (int i = 0; i < BLOCK_H; i++) {
    *offset = address - (bundle->head.base + bundle_starts[i]);
    if (*offset < bundle->head.slots)
      return true;
  }
  return false;
}

// The image whose slot has it: they follow each other in the order of their numbers.
static uint32_t find_at(const struct bundle *bundle, uint64_t address)
{
  uint64_t offset;
  uint32_t low = 0, high = (uint32_t)bundle->head.images.count;
  if (!slots_offset(bundle, address, &offset))
    return BUNDLE_NONE;
  while (low < high) {
    uint32_t middle = low + (high - low) / 2;
    if (entry_at(bundle, middle)->offset <= offset)
      low = middle + 1;
    else
      high = middle;
  }
  return low > 0 ? low - 1 : BUNDLE_NONE;
}

void bundles_activate_at(struct pkgimg_runtime *runtime, uint64_t address)
{
  for (struct bundle *bundle = runtime->bundles; bundle; bundle = bundle->next) {
    struct session session = {.runtime = runtime, .path = bundle->path, .phase_start = clock_now()};
    uint32_t index = find_at(bundle, address);
    struct pkgimg_image *image;
    if (index != BUNDLE_NONE && bundle_take(&session, bundle, index, &image) == PKGIMG_OK)
      return;
  }
}

// ---- the images themselves, where the bundle does not do

static const char *last_part(const char *path)
{
  const char *slash = strrchr(path, '/');
  return slash ? slash + 1 : path;
}

bool bundle_image_path(struct session *session, const struct bundle_header *head, unsigned attempt, char *path)
{
  struct bundle bundle = {.runtime = session->runtime, .head = *head};
  bundle.code = blocks_map_tables(&session->root, &bundle.head, &session->runtime->counts);
  if (!bundle.code)
    return false;
  const char *stored = string_at(&bundle, entry_at(&bundle, bundle.head.main_image)->path);
  size_t folder = (size_t)(last_part(session->path) - session->path);
  int length = attempt == 0   ? snprintf(path, 4096, "%.*s%s", (int)folder, session->path, last_part(stored))
               : attempt == 1 ? snprintf(path, 4096, "%s", stored)
                              : -1;
  blocks_unmap_tables(&bundle.head, bundle.code);
  return length > 0 && length < 4096;
}

// ---- life

void bundle_initialise(struct pkgimg_image *image)
{
  struct bundle *bundle = image->bundle;
  struct closure_walk walk AUTO(closure_walk_deinit) = {.bundle = bundle};
  struct session session = {.runtime = image->runtime, .path = bundle->path, .phase_start = clock_now()};
  if (!(entry_at(bundle, image->number)->work & BUNDLE_CLOSURE_HAS_INIT) ||
      mark_closure(&walk, image->number, BUNDLE_CLOSURE_HAS_INIT, NULL) != PKGIMG_OK)
    return;
  for (uint32_t i = 0; i < bundle->head.images.count; i++) {
    const struct bundle_image *entry = entry_at(bundle, i);
    if (!marked(walk.marks, i) || !(entry->work & BUNDLE_HAS_INIT) ||
        activate(&session, bundle, i) != PKGIMG_OK)
      continue;
    struct pkgimg_image *needed = index_find(image->runtime, entry->geometry.build_id);
    if (needed->initialised)
      continue;
    needed->initialised = true;
    ((void (*)(void))(uintptr_t)(image_base(needed) + needed->init_function))();
  }
}

void bundles_make_unwindable(struct pkgimg_runtime *runtime)
{
  for (struct bundle *bundle = runtime->bundles; bundle; bundle = bundle->next) {
    const uint64_t *tables = table_at(bundle, &bundle->head.unwind);
    if (bundle->unwind_known || bundle->head.unwind.count < 2 || tables[bundle->head.unwind.count - 1] != 0)
      continue;
    bundle->unwind_known = true;
    unwind_add_many(tables, &bundle->unwind_object);
  }
}

void bundle_undo(struct pkgimg_runtime *runtime, struct bundle *bundle)
{
  struct bundle **link = &runtime->bundles;
  while (*link && *link != bundle)
    link = &(*link)->next;
  if (*link)
    *link = bundle->next;
  bundle_destroy(bundle);
}

static void finalise_images(struct pkgimg_runtime *runtime, bool *pending)
{
  for (struct pkgimg_image *image = runtime->last, *previous; image; image = previous) {
    previous = image->previous;
    if (!image->bundle)
      continue;
    if (image->started && !image->finalised) {
      image->finalised = true;
      __cxa_finalize((void *)(image_base(image) + image->handle));
    }
    *pending |= image->pending_at_exit > 0;
  }
}

// Threads whose objects wait for their end keep everything where it is.
void bundles_close(struct pkgimg_runtime *runtime)
{
  bool pending = false;
  finalise_images(runtime, &pending);
  if (pending)
    return;
  for (struct pkgimg_image *image = runtime->last, *previous; image; image = previous) {
    previous = image->previous;
    if (image->bundle)
      image_destroy(image);
  }
  while (runtime->bundles) {
    struct bundle *bundle = runtime->bundles;
    runtime->bundles = bundle->next;
    if (bundle->unwind_known)
      unwind_remove(table_at(bundle, &bundle->head.unwind));
    bundle_destroy(bundle);
  }
}
