// SPDX-License-Identifier: MIT
//
// load: open, plan, prefetch, map and relocate each image in turn, seal. A failure undoes all of it;
// no code of an image has run by then, except resolvers of IFUNCs.
#include "base/array.h"
#include "image/cycle.h"
#include "image/runtime.h"
#include "mapper/prefetch.h"
#include "relocator/tls.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/// An image of the closure that is to be mapped.
struct planned {
  const struct disk_geometry *geometry;
  const char *name;  // NULL: of the image that was asked for, until its tables are read
  char *path;        // NULL: not opened yet
  int fd;            // a prefetch may have opened it, else -1
};

struct session {
  struct pkgimg_runtime *runtime;
  const char *path;
  struct pkgimg_error *error;
  uint64_t phase_start;
  // the image that was asked for
  struct image_handle root;
  struct disk_header header;
  struct buffer root_tables;  // its tables and its closure
  struct tables tables;
  struct closure closure;
  // the plan
  struct planned *plan;
  size_t plan_count;
  uint64_t slots_size;
  struct region *region;
  bool search;  // for a place, because the first choice was taken
  int folder;
  struct scratch_memory *scratch;
  struct deferred *deferred;
  size_t deferred_count, deferred_capacity;
  // what came of it
  struct pkgimg_image *fresh;
};

static uint64_t now(void)
{
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static void phase_done(struct session *session, enum pkgimg_phase phase)
{
  uint64_t time = now();
  session->runtime->stats.nanoseconds[phase] += time - session->phase_start;
  session->phase_start = time;
}

// Room for `size` bytes, whose old contents do not matter.
static enum pkgimg_status make_room(struct buffer *buffer, size_t size, struct pkgimg_error *error)
{
  buffer->size = 0;
  return buffer_append(buffer, NULL, size, error);
}

// ---- open

static enum pkgimg_status verify_whole(struct session *session, const struct image_handle *handle,
                                       const struct disk_geometry *geometry)
{
  struct buffer bytes AUTO(buffer_deinit) = {0};
  struct image_file file;
  for (size_t got = 1; got;) {
    size_t at = bytes.size;
    TRY(buffer_append(&bytes, NULL, 1u << 20, session->error));
    TRY(image_pread(handle, bytes.data + at, 1u << 20, at, &got, &session->runtime->counts, session->error));
    bytes.size = at + got;
  }
  struct reader reader = {.file = handle->path, .bytes = {bytes.data, bytes.size}, .error = session->error};
  TRY(image_file_read(&reader, &file));
  if (memcmp(&file.header.geometry, geometry, sizeof *geometry) == 0)
    return PKGIMG_OK;
  return fail(session->error, PKGIMG_MISMATCH, handle->path, "not the image that its dependent was built against");
}

static enum pkgimg_status open_root(struct session *session)
{
  _Alignas(8) uint8_t head[FORMAT_HEAD];
  size_t size = 0;
  struct map_counts *counts = &session->runtime->counts;
  TRY(image_open(AT_FDCWD, session->path, session->path, &session->root, counts, session->error));
  TRY(image_pread(&session->root, head, sizeof head, 0, &size, counts, session->error));
  struct reader reader = {.file = session->path, .bytes = {head, size}, .error = session->error};
  return header_read(&reader, &session->header);
}

static enum pkgimg_status read_closure(struct session *session)
{
  const struct disk_header *header = &session->header;
  size_t tables_size = header->geometry.tables_size, size = tables_size + header->closure_size;
  if (header->closure_size == sizeof(struct disk_closure))  // no room for an entry
    return PKGIMG_OK;
  TRY(make_room(&session->root_tables, size, session->error));
  TRY(image_pread(&session->root, session->root_tables.data, size, header->geometry.tables_offset, NULL,
                  &session->runtime->counts, session->error));
  struct reader tables = {.file = session->path,
                          .origin = header->geometry.tables_offset,
                          .bytes = {session->root_tables.data, tables_size},
                          .error = session->error};
  struct reader closure = {.file = session->path,
                           .origin = header->closure_offset,
                           .bytes = {session->root_tables.data + tables_size, header->closure_size},
                           .error = session->error};
  TRY(tables_read(&tables, &header->geometry, &session->tables));
  return closure_read(&closure, &session->tables, &session->closure);
}

// ---- plan

static void plan_one(struct session *session, const struct disk_geometry *geometry, const char *name)
{
  session->plan[session->plan_count++] = (struct planned){.geometry = geometry, .name = name, .fd = -1};
  session->slots_size += slot_size(geometry);
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
    if (!index_find(session->runtime, entry->geometry.build_id))
      plan_one(session, &entry->geometry, session->tables.strings + entry->name);
  }
  plan_one(session, &session->header.geometry, NULL);
  if (session->slots_size <= FORMAT_AREA_LIMIT)
    return PKGIMG_OK;
  return fail(session->error, PKGIMG_UNSUPPORTED, session->path,
              "its closure takes %llu MiB of address space for one area; %llu fit into a region",
              (unsigned long long)session->slots_size >> 20, FORMAT_AREA_LIMIT >> 20);
}

// ---- files

static size_t folder_length(const char *path)
{
  const char *slash = strrchr(path, '/');
  return slash ? (size_t)(slash - path) + 1 : 0;
}

// FOLDER + NAME + ".so", from malloc.
static char *file_in(const char *folder, size_t length, const char *name)
{
  size_t name_length = strlen(name);
  bool slash = length && folder[length - 1] != '/';
  char *path = malloc(length + name_length + 5);
  if (!path)
    return NULL;
  memcpy(path, folder, length);
  path[length] = '/';
  memcpy(path + length + slash, name, name_length);
  memcpy(path + length + slash + name_length, ".so", 4);
  return path;
}

static enum pkgimg_status try_open(struct session *session, int at, size_t skip, char *path,
                                   struct image_handle *handle, char **found)
{
  if (!path)
    return fail_memory(session->error, 0);
  enum pkgimg_status status =
      image_open(at, path + skip, path, handle, &session->runtime->counts, session->error);
  if (status == PKGIMG_OK)
    *found = path;
  else
    free(path);
  return status;
}

// A dependency lies beside the image that was asked for, or along the search path.
static enum pkgimg_status open_dependency(struct session *session, const char *name, struct image_handle *handle,
                                          char **path)
{
  struct pkgimg_runtime *runtime = session->runtime;
  size_t length = folder_length(session->path);
  if (strchr(name, '/') || !*name)
    return fail_name(session->error, PKGIMG_MALFORMED, session->path, name, "not a name of a package");
  char *beside = file_in(session->path, length, name);
  enum pkgimg_status status =
      try_open(session, session->folder, session->folder == AT_FDCWD ? 0 : length, beside, handle, path);
  for (size_t i = 0; status == PKGIMG_NOT_FOUND && i < runtime->search_path_count; i++) {
    const char *folder = runtime->search_path[i];
    status = try_open(session, AT_FDCWD, 0, file_in(folder, strlen(folder), name), handle, path);
  }
  if (status != PKGIMG_NOT_FOUND)
    return status;
  return fail_name(session->error, PKGIMG_NOT_FOUND, session->path, name,
                   "a dependency: no file %s.so beside the image or in the %zu folders of the search path", name,
                   runtime->search_path_count);
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
  uint64_t hash = data_hash(&image->geometry, slot_at(&image->slot, FORMAT_L_START), slot_at(&image->slot, FORMAT_W_START));
  if (hash == tables->head->data_hash)
    return PKGIMG_OK;
  return fail_at(session->error, PKGIMG_MISMATCH, image->path, image->geometry.areas[AREA_L].file_offset,
                 "hash of the data", tables->head->data_hash, hash);
}

// Read the dependencies of a member of the closure that is not loaded yet.
static bool dependencies_of(void *context, uint32_t member, uint8_t **build_ids, uint32_t *count)
{
  struct session *session = context;
  const struct disk_closure_entry *entry = &session->closure.entries[member];
  struct buffer bytes AUTO(buffer_deinit) = {0};
  struct map_counts *counts = &session->runtime->counts;
  struct image_handle handle;
  struct tables tables;
  char *path AUTO(free_pointer) = NULL;
  if (open_dependency(session, session->tables.strings + entry->name, &handle, &path) != PKGIMG_OK)
    return false;
  bool read = make_room(&bytes, entry->geometry.tables_size, NULL) == PKGIMG_OK &&
              image_pread(&handle, bytes.data, bytes.size, entry->geometry.tables_offset, NULL, counts, NULL) == 0;
  image_close(&handle, counts);
  struct reader reader = {.file = path, .bytes = {bytes.data, bytes.size}};
  if (!read || tables_read(&reader, &entry->geometry, &tables) != PKGIMG_OK)
    return false;
  *build_ids = malloc(16 * (tables.dependency_count + 1u));
  for (uint32_t i = 0; *build_ids && i < tables.dependency_count; i++)
    memcpy(*build_ids + 16 * i, tables.dependencies[i].build_id, 16);
  *count = tables.dependency_count;
  return *build_ids != NULL;
}

static enum pkgimg_status explain_order(struct session *session, const struct pkgimg_image *image, const char *wanted,
                                        const uint8_t wanted_id[16])
{
  struct cycle_search search = {.entries = session->closure.entries,
                                .count = session->closure.count,
                                .strings = session->tables.strings,
                                .path = session->path,
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
  }
  return PKGIMG_OK;
}

static struct span in_memory(const struct pkgimg_image *image, const struct disk_region *region, size_t size)
{
  return (struct span){(const uint8_t *)(image_base(image) + region->address), region->count * size};
}

static enum pkgimg_status take_head(struct session *session, struct pkgimg_image *image, const struct tables *tables)
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

static enum pkgimg_status set_targets(struct session *session, const struct pkgimg_image *image)
{
  TRY(make_room(&session->scratch->targets, (image->dependency_count + 1u) * sizeof(struct target), session->error));
  struct target *targets = (struct target *)(void *)session->scratch->targets.data;
  targets[0] = (struct target){image_base(image), image->tls_module};
  for (uint32_t i = 0; i < image->dependency_count; i++)
    targets[i + 1] = (struct target){image_base(image->dependencies[i]), image->dependencies[i]->tls_module};
  return PKGIMG_OK;
}

static enum pkgimg_status resolve_imports(struct session *session, struct pkgimg_image *image,
                                          const struct tables *tables)
{
  struct pkgimg_stats *stats = &session->runtime->stats;
  uint64_t before = stats->symbols_resolved;
  TRY(make_room(&session->scratch->imports, (tables->import_count + 1u) * sizeof(struct host_symbol), session->error));
  TRY(imports_resolve(image->path, tables, runs_code(session->runtime),
                      (struct host_symbol *)(void *)session->scratch->imports.data, &stats->symbols_resolved, session->error));
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

static enum pkgimg_status relocate_image(struct session *session, struct pkgimg_image *image,
                                         const struct tables *tables)
{
  struct relocation relocation = {.file = image->path,
                                  .geometry = &image->geometry,
                                  .tables = tables,
                                  .constants = slot_at(&image->slot, FORMAT_L_START),
                                  .data = slot_at(&image->slot, FORMAT_W_START),
                                  .imports = (struct host_symbol *)(void *)session->scratch->imports.data,
                                  .run_code = runs_code(session->runtime)};
  TRY(set_targets(session, image));
  relocation.targets = (struct target *)(void *)session->scratch->targets.data;
  TRY(relocate(&relocation, &session->runtime->stats.sites, session->error));
  TRY(keep_deferred(session, &relocation));
  image->first_symbol = session->runtime->next_symbol;
  image->symbol_count = tables->import_count;
  session->runtime->next_symbol += tables->import_count;
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
  TRY(make_room(&session->scratch->tables, image->geometry.tables_size, session->error));
  TRY(image_map(handle, &image->geometry, &image->slot, session->scratch->tables.data, &session->runtime->counts,
                session->error));
  image->mapped = true;
  TRY(read_tables(session, image, &tables));
  image->name = strdup(tables.strings + tables.head->name);
  if (!image->name)
    return fail_memory(session->error, 64);
  TRY(check_data(session, image, &tables));
  TRY(take_dependencies(session, image, &tables));
  TRY(take_head(session, image, &tables));
  phase_done(session, PKGIMG_PHASE_MAP);
  TRY(resolve_imports(session, image, &tables));
  phase_done(session, PKGIMG_PHASE_HOST);
  TRY(relocate_image(session, image, &tables));
  phase_done(session, PKGIMG_PHASE_RELOCATE);
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
    image->slot = slot_take(session->region, slot_size(planned->geometry));
    *result = image;
    return PKGIMG_OK;
  }
  free(image->path);
  free(image);
  return status;
}

// The file of a planned image, unless a prefetch has opened it already.
static enum pkgimg_status open_planned(struct session *session, struct planned *planned, struct image_handle *handle,
                                       char **path)
{
  if (planned->fd < 0)
    return open_dependency(session, planned->name, handle, path);
  *path = planned->path;
  *handle = (struct image_handle){.fd = planned->fd, .path = planned->path};
  planned->path = NULL;
  planned->fd = -1;
  return PKGIMG_OK;
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
  }
  if (!is_root)
    image_close(&opened, &session->runtime->counts);
  return status;
}

// ---- prefetch

enum { PREFETCH_LEAST = 128 * 1024 };  // bytes; less is read faster than it is asked about

static enum pkgimg_status list_files(struct session *session, struct prefetch_file *files)
{
  size_t length = folder_length(session->path);
  bool here = session->folder == AT_FDCWD;
  for (size_t i = 0; i < session->plan_count; i++) {
    struct planned *planned = &session->plan[i];
    bool is_root = i + 1 == session->plan_count;
    planned->path = is_root ? NULL : file_in(session->path, length, planned->name);
    if (!is_root && !planned->path)
      return fail_memory(session->error, length);
    files[i] = (struct prefetch_file){.at = session->folder,
                                      .name = is_root ? NULL : planned->path + (here ? 0 : length),
                                      .size = planned->geometry->tables_offset + planned->geometry->tables_size,
                                      .fd = is_root ? session->root.fd : -1};
  }
  return PKGIMG_OK;
}

static void fetch(struct session *session, struct prefetch_file *files)
{
  struct pkgimg_runtime *runtime = session->runtime;
  size_t fetched = 0;
  if (runtime->prefetch != PKGIMG_PREFETCH_PLAIN)
    fetched = prefetch_ring(files, session->plan_count, &runtime->counts);
  runtime->stats.prefetch_rings += fetched > 0;
  if (fetched == 0)
    fetched = prefetch_plain(files, session->plan_count, &runtime->counts);
  runtime->stats.prefetched += fetched;
  for (size_t i = 0; i + 1 < session->plan_count; i++)
    session->plan[i].fd = files[i].fd;
}

static bool wants_prefetch(struct session *session)
{
  struct pkgimg_runtime *runtime = session->runtime;
  uint64_t bytes = 0;
  for (size_t i = 0; i < session->plan_count; i++)
    bytes += session->plan[i].geometry->tables_offset + session->plan[i].geometry->tables_size;
  if (runtime->prefetch != PKGIMG_PREFETCH_AUTO)
    return runtime->prefetch != PKGIMG_PREFETCH_NONE;
  uint64_t root = session->header.geometry.tables_offset;
  return bytes >= PREFETCH_LEAST && prefetch_is_cold(session->root.fd, root, &runtime->counts);
}

static enum pkgimg_status prefetch(struct session *session)
{
  if (!wants_prefetch(session))
    return PKGIMG_OK;
  struct prefetch_file *files = calloc(session->plan_count, sizeof *files);
  if (!files)
    return fail_memory(session->error, session->plan_count * sizeof *files);
  enum pkgimg_status status = list_files(session, files);
  if (status == PKGIMG_OK)
    fetch(session, files);
  free(files);
  return status;
}

// ---- the whole closure

static enum pkgimg_status load_all(struct session *session)
{
  struct pkgimg_runtime *runtime = session->runtime;
  uint32_t first_symbol = runtime->next_symbol;
  TRY(region_create(session->slots_size, session->search, &session->region, &runtime->counts, session->error));
  TRY(host_refresh(session->error));
  for (size_t i = 0; i < session->plan_count; i++)
    TRY(load_one(session, i));
  roaring_bitmap_add_range(runtime->relocated, first_symbol, runtime->next_symbol);
  return PKGIMG_OK;
}

// An image of the closure that nothing refers to would never be closed.
static enum pkgimg_status check_needed(struct session *session)
{
  for (struct pkgimg_image *image = session->fresh; image != session->runtime->last; image = image->next)
    if (image->dependents == 0)
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
  return region_seal(session->region, &runtime->counts, session->error);
}

static void undo(struct session *session)
{
  while (session->fresh) {
    struct pkgimg_image *image = session->runtime->last;
    bool last = image == session->fresh;
    for (uint32_t i = 0; i < image->dependency_count; i++)
      image->dependencies[i]->dependents--;
    image_destroy(image);
    if (last)
      session->fresh = NULL;
  }
}

// The folder of the image, so that opening a dependency walks no path. AT_FDCWD when that is it, or
// when it cannot be opened: then whole paths are used.
static void open_folder(struct session *session)
{
  size_t length = folder_length(session->path);
  char *folder = length && session->plan_count > 1 ? strndup(session->path, length) : NULL;
  int fd = folder ? folder_open(folder, &session->runtime->counts) : -1;
  session->folder = fd < 0 ? AT_FDCWD : fd;
  free(folder);
}

static enum pkgimg_status load_closure(struct session *session)
{
  TRY(read_closure(session));
  TRY(plan(session));
  open_folder(session);
  phase_done(session, PKGIMG_PHASE_OPEN);
  TRY(prefetch(session));
  phase_done(session, PKGIMG_PHASE_PREFETCH);
  TRY(load_all(session));
  TRY(check_needed(session));
  TRY(seal(session));
  phase_done(session, PKGIMG_PHASE_SEAL);
  return PKGIMG_OK;
}

static enum pkgimg_status run(struct session *session, struct pkgimg_image **image)
{
  TRY(open_root(session));
  *image = index_find(session->runtime, session->header.geometry.build_id);
  if (!*image)
    TRY(load_closure(session));
  if (!*image)
    *image = session->runtime->last;
  (*image)->users++;
  return PKGIMG_OK;
}

static void session_deinit(struct session *session)
{
  struct map_counts *counts = &session->runtime->counts;
  region_drop(session->region);
  image_close(&session->root, counts);
  if (session->folder != AT_FDCWD)
    folder_close(session->folder, counts);
  for (size_t i = 0; i < session->plan_count; i++) {
    image_close(&(struct image_handle){.fd = session->plan[i].fd}, counts);
    free(session->plan[i].path);
  }
  free(session->plan);
  free(session->deferred);
  buffer_deinit(&session->root_tables);
}

static enum pkgimg_status attempt(struct pkgimg_runtime *runtime, const char *path, bool search,
                                  struct pkgimg_image **image, struct pkgimg_image **fresh,
                                  struct pkgimg_error *error)
{
  struct session session = {.runtime = runtime,
                            .path = path,
                            .error = error,
                            .search = search,
                            .scratch = &runtime->scratch,
                            .phase_start = now(),
                            .root = {.fd = -1},
                            .folder = AT_FDCWD};
  enum pkgimg_status status = run(&session, image);
  if (status != PKGIMG_OK)
    undo(&session);
  session_deinit(&session);
  *fresh = session.fresh;
  return status;
}

enum pkgimg_status load_image(struct pkgimg_runtime *runtime, const char *path, struct pkgimg_image **image,
                              struct pkgimg_image **fresh, struct pkgimg_error *error)
{
  enum { ATTEMPTS = 8 };
  enum pkgimg_status status = attempt(runtime, path, false, image, fresh, error);
  for (int i = 1; i < ATTEMPTS && status == PKGIMG_BUSY; i++)
    status = attempt(runtime, path, true, image, fresh, error);
  return status;
}
