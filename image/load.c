// SPDX-License-Identifier: MIT
//
// load: open, plan, prefetch, map and relocate each image in turn, seal. A failure undoes all of it;
// no code of an image has run by then, except resolvers of IFUNCs.
#include "base/array.h"
#include "base/clock.h"
#include "image/bodies.h"
#include "image/bundle.h"
#include "image/cycle.h"
#include "image/session.h"
#include "relocator/tls.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// ---- plan

static void plan_one(struct session *session, const struct disk_geometry *geometry, const char *name)
{
  session->plan[session->plan_count++] = (struct planned){.geometry = geometry, .name = name, .fd = -1};
}

// Everything that is not loaded yet, dependencies first, the image itself last.
static enum pkgimg_status plan(struct session *session)
{
  size_t count = session->closure.count + (size_t)1;
  session->plan = calloc(count, sizeof *session->plan);
  if (!session->plan)
    return fail_memory(session->error, count * sizeof *session->plan);
  for (uint32_t i = 0; i < session->closure.count; i++) {
    const struct disk_closure_entry *entry = &session->closure.entries[i];
    const char *name = session->tables.strings + entry->name;
    if (strchr(name, '/') || !*name)
      return fail_name(session->error, PKGIMG_MALFORMED, session->path, name, "not a name of a package");
    struct pkgimg_image *loaded;
    TRY(image_find(session, entry->geometry.build_id, &loaded));
    if (!loaded)
      plan_one(session, &entry->geometry, name);
  }
  plan_one(session, &session->header.geometry, NULL);
  return PKGIMG_OK;
}

// ---- one image

static enum pkgimg_status read_tables(struct session *session, struct pkgimg_image *image, struct tables *tables)
{
  struct reader reader = {.file = image->path,
                          .origin = image->geometry.tables_offset,
                          .bytes = {session->scratch->tables.data, image->geometry.tables_size},
                          .error = session->error};
  return tables_read(&reader, &image->geometry, tables);
}

static enum pkgimg_status check_data(struct session *session, const struct pkgimg_image *image,
                                     const struct tables *tables)
{
  uint64_t hash =
      data_hash(&image->geometry, slot_at(&image->slot, FORMAT_L_START), slot_at(&image->slot, FORMAT_W_START));
  if (hash == tables->head->data_hash)
    return PKGIMG_OK;
  return fail_at(session->error, PKGIMG_MISMATCH, image->path, image->geometry.areas[AREA_L].file_offset,
                 "hash of the data", tables->head->data_hash, hash);
}

static bool copy_dependencies(const struct tables *tables, uint8_t **build_ids, uint32_t *count)
{
  *build_ids = malloc(16 * ((size_t)tables->dependency_count + 1));
  for (uint32_t i = 0; *build_ids && i < tables->dependency_count; i++)
    memcpy(*build_ids + 16 * (size_t)i, tables->dependencies[i].build_id, 16);
  *count = tables->dependency_count;
  return *build_ids != NULL;
}

// Read the dependencies of a member of the closure that is not loaded yet, or of the image itself.
static bool dependencies_of(void *context, uint32_t member, uint8_t **build_ids, uint32_t *count)
{
  struct session *session = context;
  if (member == session->closure.count)
    return copy_dependencies(&session->tables, build_ids, count);
  const struct disk_closure_entry *entry = &session->closure.entries[member];
  struct buffer bytes AUTO(buffer_deinit) = {0};
  struct map_counts *counts = &session->runtime->counts;
  struct image_handle handle;
  struct tables tables;
  char *path AUTO(free_pointer) = NULL;
  if (open_dependency(session, session->tables.strings + entry->name, &handle, &path) != PKGIMG_OK)
    return false;
  uint64_t offset = entry->geometry.tables_offset;
  bool read = make_room(session, &handle, offset, entry->geometry.tables_size, &bytes) == PKGIMG_OK &&
              image_pread(&handle, bytes.data, bytes.size, offset, NULL, counts, NULL) == 0;
  image_close(&handle, counts);
  struct reader reader = {.file = path, .bytes = {bytes.data, bytes.size}};
  if (!read || tables_read(&reader, &entry->geometry, &tables) != PKGIMG_OK)
    return false;
  return copy_dependencies(&tables, build_ids, count);
}

static enum pkgimg_status explain_order(struct session *session, const struct pkgimg_image *image,
                                        const char *wanted, const uint8_t wanted_id[16])
{
  struct cycle_search search = {.entries = session->closure.entries,
                                .count = session->closure.count,
                                .strings = session->tables.strings,
                                .path = session->path,
                                .name = session->tables.head ? session->tables.strings + session->tables.head->name
                                                             : image->name,
                                .build_id = session->header.geometry.build_id,
                                .dependencies = dependencies_of,
                                .context = session};
  return cycle_explain(&search, image->name, image->geometry.build_id, wanted, wanted_id, session->error);
}

static enum pkgimg_status take_dependencies(struct session *session, struct pkgimg_image *image,
                                            const struct tables *tables)
{
  image->dependencies = calloc(tables->dependency_count + 1u, sizeof(struct pkgimg_image *));
  if (!image->dependencies)
    return fail_memory(session->error, tables->dependency_count * sizeof(struct pkgimg_image *));
  for (uint32_t i = 0; i < tables->dependency_count; i++) {
    const struct disk_dependency *entry = &tables->dependencies[i];
    struct pkgimg_image *dependency = index_find(session->runtime, entry->build_id);
    if (!dependency || dependency == image)
      return explain_order(session, image, tables->strings + entry->name, entry->build_id);
    image->dependencies[image->dependency_count++] = dependency;
    dependency->dependents++;
    if (dependency->bundle)
      TRY(bundle_take_sysimage(session, dependency));
  }
  return PKGIMG_OK;
}

static struct span in_memory(const struct pkgimg_image *image, const struct disk_region *region, size_t size)
{
  return (struct span){(const uint8_t *)(image_base(image) + region->address), region->count * size};
}

enum pkgimg_status runtime_look_at_cpu(struct pkgimg_runtime *runtime, const char *mask,
                                       struct pkgimg_error *error)
{
  TRY(cpu_usable_features(mask, &runtime->features, error));
  runtime->features_known = true;
  return PKGIMG_OK;
}

static enum pkgimg_status choose_bodies(struct session *session, struct pkgimg_image *image,
                                        const struct tables *tables)
{
  struct pkgimg_runtime *runtime = session->runtime;
  if (tables->target_count == 0)
    return PKGIMG_OK;
  if (!runtime->features_known)
    TRY(runtime_look_at_cpu(runtime, NULL, session->error));
  image->clone_bodies = calloc(tables->clone_count + 1u, sizeof *image->clone_bodies);
  image->clone_symbols = calloc(tables->clone_count + 1u, sizeof *image->clone_symbols);
  if (!image->clone_bodies || !image->clone_symbols)
    return fail_memory(session->error, tables->clone_count * sizeof *image->clone_bodies);
  struct processor processor = {
      .features = &runtime->features, .vector_bits = runtime->vector_bits, .only_baseline = runtime->only_baseline};
  struct choice choice = {0};
  TRY(bodies_choose(image->path, tables, &processor, image->clone_bodies, &choice, session->error));
  runtime->stats.clones_raised += choice.raised;
  for (uint32_t i = 0; i < tables->clone_count; i++)
    image->clone_symbols[i] = tables->clones[i].symbol;
  image->clone_count = tables->clone_count;
  runtime->stats.clones += tables->clone_count;
  return PKGIMG_OK;
}

static enum pkgimg_status take_head(struct session *session, struct pkgimg_image *image,
                                    const struct tables *tables)
{
  const struct disk_tables *head = tables->head;
  image->symbol_table = head->symbols;
  image->symbol_strings = head->symbol_strings;
  image->symbol_hash = head->symbol_hash;
  image->init_array = head->init_array;
  image->fini_array = head->fini_array;
  image->unwind = head->unwind;
  image->init_function = head->init_function;
  image->handle = head->handle;
  image->thread_local_size = head->thread_local_size;
  struct tls_template template = {.image = in_memory(image, &head->thread_local, 1).data,
                                  .image_size = head->thread_local.count,
                                  .size = head->thread_local_size,
                                  .align = head->thread_local_align};
  return template.size ? tls_module_create(&template, &image->tls_module, session->error) : PKGIMG_OK;
}

static struct target target_of(const struct pkgimg_image *image)
{
  return (struct target){.base = image_base(image),
                         .heap = (uint64_t)image->heap,
                         .module = image->tls_module,
                         .clones = image->clone_bodies,
                         .clone_count = image->clone_count};
}

static enum pkgimg_status set_targets(struct session *session, const struct pkgimg_image *image)
{
  TRY(buffer_renew(&session->scratch->targets, (image->dependency_count + 1u) * sizeof(struct target),
                   session->error));
  struct target *targets = (struct target *)(void *)session->scratch->targets.data;
  targets[0] = target_of(image);
  for (uint32_t i = 0; i < image->dependency_count; i++)
    targets[i + 1] = target_of(image->dependencies[i]);
  return PKGIMG_OK;
}

static enum pkgimg_status resolve_imports(struct session *session, struct pkgimg_image *image,
                                          const struct tables *tables)
{
  struct pkgimg_stats *stats = &session->runtime->stats;
  uint64_t before = stats->symbols_resolved;
  TRY(buffer_renew(&session->scratch->imports, (tables->import_count + 1u) * sizeof(struct host_symbol),
                   session->error));
  TRY(imports_resolve(image->path, tables, runs_code(session->runtime),
                      (struct host_symbol *)(void *)session->scratch->imports.data, &stats->symbols_resolved,
                      session->error));
  uint64_t looked_up = stats->symbols_resolved - before;  // one twice, if a library had to come first
  stats->symbols_bound += looked_up < tables->import_count ? tables->import_count - looked_up : 0;
  return PKGIMG_OK;
}

static enum pkgimg_status keep_deferred(struct session *session, const struct relocation *relocation)
{
  size_t most = session->deferred_count + relocation->tables->residual_count;
  if (most > session->deferred_capacity) {
    struct deferred *grown = reallocarray(session->deferred, most, sizeof *grown);
    if (!grown)
      return fail_memory(session->error, most * sizeof *grown);
    session->deferred = grown;
    session->deferred_capacity = most;
  }
  if (relocation->tables->residual_count)
    session->deferred_count += relocate_deferred(relocation, session->deferred + session->deferred_count);
  return PKGIMG_OK;
}

// How wide vectors of the loader's own may be.
static unsigned vector_bits(struct pkgimg_runtime *runtime)
{
  if (!runtime->features_known && runtime_look_at_cpu(runtime, NULL, NULL) != PKGIMG_OK)
    return 0;
  unsigned bits = cpu_features_width(cpu_isa_of_machine(FORMAT_HOST_MACHINE), &runtime->features);
  return runtime->vector_bits && runtime->vector_bits < bits ? runtime->vector_bits : bits;
}

static enum pkgimg_status relocate_image(struct session *session, struct pkgimg_image *image,
                                         const struct image_handle *handle, const struct tables *tables)
{
  struct relocation relocation = {.file = image->path,
                                  .geometry = &image->geometry,
                                  .tables = tables,
                                  .constants = slot_at(&image->slot, FORMAT_L_START),
                                  .data = slot_at(&image->slot, FORMAT_W_START),
                                  .imports = (struct host_symbol *)(void *)session->scratch->imports.data,
                                  .vector_bits = image->heap ? vector_bits(session->runtime) : 0,
                                  .run_code = runs_code(session->runtime)};
  TRY(set_targets(session, image));
  relocation.targets = (struct target *)(void *)session->scratch->targets.data;
  TRY(relocate(&relocation, &session->runtime->stats.sites, session->error));
  TRY(heap_fill(session, image, handle, &relocation));
  TRY(keep_deferred(session, &relocation));
  image->symbol_count = tables->import_count;
  session->runtime->stats.symbols_relocated += tables->import_count;
  return PKGIMG_OK;
}

static void count_image(struct session *session, const struct disk_geometry *geometry)
{
  struct pkgimg_stats *stats = &session->runtime->stats;
  stats->images++;
  for (int i = AREA_L; i <= AREA_W; i++)
    stats->pages_written += (geometry->areas[i].file_size + FORMAT_PAGE - 1) / FORMAT_PAGE;
}

static enum pkgimg_status fill_image(struct session *session, struct pkgimg_image *image,
                                     const struct image_handle *handle)
{
  struct tables tables;
  if (session->runtime->flags & PKGIMG_RUNTIME_VERIFY)
    TRY(verify_whole(session, handle, &image->geometry));
  TRY(make_room(session, handle, image->geometry.tables_offset, image->geometry.tables_size,
                &session->scratch->tables));
  TRY(image_map(handle, &image->geometry, &image->slot, session->scratch->tables.data, &session->runtime->counts,
                session->error));
  image->mapped = true;
  TRY(read_tables(session, image, &tables));
  image->name = strdup(tables.strings + tables.head->name);
  if (!image->name)
    return fail_memory(session->error, 64);
  TRY(check_data(session, image, &tables));
  TRY(take_dependencies(session, image, &tables));
  TRY(image_take_sysimage(image, &tables, session->error));
  TRY(take_head(session, image, &tables));
  TRY(choose_bodies(session, image, &tables));
  TRY(heap_place(session, image, handle, &tables));
  TRY(roots_take(image, tables.roots, tables.root_count, tables.strings, session->error));
  session_phase_done(session, PKGIMG_PHASE_MAP);
  TRY(resolve_imports(session, image, &tables));
  session_phase_done(session, PKGIMG_PHASE_HOST);
  TRY(relocate_image(session, image, handle, &tables));
  if (tables.head->types.count)
    TRY(types_add(image, &tables.types, NULL, session->error));
  session_phase_done(session, PKGIMG_PHASE_RELOCATE);
  count_image(session, &image->geometry);
  return PKGIMG_OK;
}

static enum pkgimg_status image_create(struct session *session, const struct planned *planned, char *path,
                                       struct pkgimg_image **result)
{
  struct pkgimg_runtime *runtime = session->runtime;
  struct pkgimg_image *image = calloc(1, sizeof *image);
  if (!image) {
    free(path);
    return fail_memory(session->error, sizeof *image);
  }
  image->runtime = runtime;
  image->path = path;
  image->geometry = *planned->geometry;
  enum pkgimg_status status = path ? index_add(image, session->error) : fail_memory(session->error, 64);
  if (status == PKGIMG_OK) {
    image->slot = slot_take(session->regions, slot_size(planned->geometry));
    *result = image;
    return PKGIMG_OK;
  }
  free(image->path);
  free(image);
  return status;
}

// A dependency that does not hold what its dependent says is most often another build, or no image at
// all. `status` is what its parts were refused with. (Kept apart for its room on the stack, too.)
__attribute__((noinline, cold)) static enum pkgimg_status explain_other(struct session *session,
                                                                        const struct image_handle *handle,
                                                                        const struct pkgimg_image *image,
                                                                        enum pkgimg_status status)
{
  _Alignas(8) uint8_t head[FORMAT_HEAD];
  size_t size;
  struct disk_header header;
  if (status != PKGIMG_TRUNCATED && status != PKGIMG_MALFORMED && status != PKGIMG_MISMATCH)
    return status;
  if (image_pread(handle, head, sizeof head, 0, &size, &session->runtime->counts, NULL) != PKGIMG_OK)
    return status;
  struct reader reader = {.file = handle->path, .bytes = {head, size}, .error = session->error};
  TRY(header_read(&reader, &header));
  if (memcmp(header.geometry.build_id, image->geometry.build_id, 16) == 0)
    return status;
  struct hex_id expected = hex_id(image->geometry.build_id), found = hex_id(header.geometry.build_id);
  return fail(session->error, PKGIMG_MISMATCH, handle->path, "another build: build id: expected %s, found %s",
              expected.text, found.text);
}

static enum pkgimg_status load_one(struct session *session, size_t index)
{
  struct planned *planned = &session->plan[index];
  bool is_root = index + 1 == session->plan_count;
  struct image_handle opened = {.fd = -1};
  struct pkgimg_image *image = NULL;
  char *path = NULL;
  if (is_root)
    path = strdup(session->path);
  else
    TRY(open_planned(session, planned, &opened, &path));
  enum pkgimg_status status = image_create(session, planned, path, &image);
  if (status == PKGIMG_OK) {
    if (!session->fresh)
      session->fresh = image;
    status = fill_image(session, image, is_root ? &session->root : &opened);
    if (status != PKGIMG_OK && !is_root)
      status = explain_other(session, &opened, image, status);
  }
  if (!is_root)
    image_close(&opened, &session->runtime->counts);
  return status;
}

// ---- the whole closure

// A region for an image and those after it, as many as it can hold. Whoever chose the place has chosen one.
static enum pkgimg_status begin_region(struct session *session, size_t index)
{
  struct pkgimg_runtime *runtime = session->runtime;
  struct region *region;
  uint64_t size = slot_size(session->plan[index].geometry),
           room = runtime->reach ? runtime->reach : FORMAT_AREA_LIMIT;
  for (size_t i = index + 1; i < session->plan_count; i++) {
    uint64_t more = slot_size(session->plan[i].geometry);
    if (size + more > room)
      break;
    size += more;
  }
  if (size > FORMAT_AREA_LIMIT || (session->regions && runtime->place))
    return fail(session->error, PKGIMG_UNSUPPORTED, session->path,
                "its closure takes more address space for one area than the %llu MiB of a region",
                FORMAT_AREA_LIMIT >> 20);
  TRY(region_create(size, session->search, runtime->place, &region, &runtime->counts, session->error));
  region->next = session->regions;
  session->regions = region;
  return PKGIMG_OK;
}

static enum pkgimg_status load_all(struct session *session)
{
  for (size_t i = 0; i < session->plan_count; i++) {
    const struct region *region = session->regions;
    if (!region || region->size - region->taken < slot_size(session->plan[i].geometry))
      TRY(begin_region(session, i));
    if (i == 0)
      TRY(host_refresh(session->error));
    TRY(load_one(session, i));
  }
  return PKGIMG_OK;
}

// An image of the closure that nothing refers to would never be closed.
static enum pkgimg_status check_needed(struct session *session)
{
  for (struct pkgimg_image *image = session->fresh; image != session->runtime->last; image = image->next)
    if (image->dependents == 0 && !image->bundle)
      return fail_name(session->error, PKGIMG_MALFORMED, session->path, image->name,
                       "the closure holds it, but no image depends on it");
  return PKGIMG_OK;
}

static enum pkgimg_status seal(struct session *session)
{
  struct pkgimg_runtime *runtime = session->runtime;
  for (size_t i = 0; i < session->deferred_count; i++) {
    const struct deferred *deferred = &session->deferred[i];
    *deferred->word = runs_code(runtime) ? ((uint64_t(*)(void))(uintptr_t)deferred->resolver)() : 0;
  }
  for (struct region *region = session->regions; region; region = region->next)
    TRY(region_seal(region, &runtime->counts, session->error));
  return PKGIMG_OK;
}

enum pkgimg_status load_closure(struct session *session)
{
  TRY(read_closure(session));
  TRY(plan(session));
  open_folder(session);
  session_phase_done(session, PKGIMG_PHASE_OPEN);
  TRY(prefetch(session));
  session_phase_done(session, PKGIMG_PHASE_PREFETCH);
  TRY(load_all(session));
  TRY(check_needed(session));
  TRY(seal(session));
  session_phase_done(session, PKGIMG_PHASE_SEAL);
  return PKGIMG_OK;
}
