// SPDX-License-Identifier: MIT
#include "image/session.h"

#include "image/record.h"

#include "image/bundle_files.h"

#include "base/clock.h"
#include "mapper/prefetch.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

void session_phase_done(struct session *session, enum pkgimg_phase phase)
{
  uint64_t time = clock_now();
  session->runtime->stats.nanoseconds[phase] += time - session->phase_start;
  session->phase_start = time;
}

enum pkgimg_status make_room(struct session *session, const struct image_handle *handle, uint64_t offset,
                             size_t size, struct buffer *buffer)
{
  enum { BELIEVED = 1 << 20 };
  uint64_t file_size;
  if (size > BELIEVED) {
    TRY(image_size(handle, &file_size, &session->runtime->counts, session->error));
    if (!range_within(offset, size, file_size))
      return fail_at(session->error, PKGIMG_TRUNCATED, handle->path, offset, "bytes of the file", offset + size,
                     file_size);
  }
  return buffer_renew(buffer, size, session->error);
}

// ---- open

enum pkgimg_status verify_whole(struct session *session, const struct image_handle *handle,
                                const struct disk_geometry *geometry)
{
  struct buffer bytes AUTO(buffer_deinit) = {0};
  struct image_file file;
  TRY(image_read_all(handle, &bytes, &session->runtime->counts, session->error));
  struct reader reader = {.file = handle->path, .bytes = {bytes.data, bytes.size}, .error = session->error};
  TRY(image_file_read(&reader, &file));
  if (memcmp(&file.header.geometry, geometry, sizeof *geometry) == 0)
    return PKGIMG_OK;
  return fail(session->error, PKGIMG_MISMATCH, handle->path, "not the image that its dependent was built against");
}

// While the disk brings the first bytes, it may bring the record of a bundle, too.
static enum pkgimg_status read_head(struct session *session, struct map_counts *counts)
{
  enum head_found found =
      image_read_head(&session->root, session->head, sizeof session->head, &session->head_size, counts);
  session->cold = found == HEAD_ON_DISK;
  if (found == HEAD_IN_MEMORY)
    return PKGIMG_OK;
  if (session->cold && session->runtime->prefetch == PKGIMG_PREFETCH_AUTO)
    record_expect(session);
  return image_pread(&session->root, session->head, sizeof session->head, 0, &session->head_size, counts,
                     session->error);
}

enum pkgimg_status open_root(struct session *session)
{
  struct map_counts *counts = &session->runtime->counts;
  TRY(image_open(AT_FDCWD, session->path, session->path, &session->root, counts, session->error));
  TRY(read_head(session, counts));
  session->is_bundle = bundle_is(session->head, session->head_size);
  if (session->is_bundle)
    return PKGIMG_OK;
  struct reader reader = {
      .file = session->path, .bytes = {session->head, session->head_size}, .error = session->error};
  return header_read(&reader, &session->header);
}

enum pkgimg_status read_closure(struct session *session)
{
  const struct disk_header *header = &session->header;
  size_t tables_size = header->geometry.tables_size, size = tables_size + header->closure_size;
  if (header->closure_size == sizeof(struct disk_closure))  // no room for an entry
    return PKGIMG_OK;
  TRY(make_room(session, &session->root, header->geometry.tables_offset, size, &session->root_tables));
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
  enum pkgimg_status status = image_open(at, path + skip, path, handle, &session->runtime->counts, session->error);
  if (status == PKGIMG_OK)
    *found = path;
  else
    free(path);
  return status;
}

// A dependency lies beside the image that was asked for, along the search path, or where a bundle knows it to be.
enum pkgimg_status open_dependency(struct session *session, const char *name, struct image_handle *handle,
                                   char **path)
{
  struct pkgimg_runtime *runtime = session->runtime;
  size_t length = folder_length(session->path);
  char *beside = file_in(session->path, length, name);
  enum pkgimg_status status =
      try_open(session, session->folder, session->folder == AT_FDCWD ? 0 : length, beside, handle, path);
  for (size_t i = 0; status == PKGIMG_NOT_FOUND && i < runtime->search_path_count; i++) {
    const char *folder = runtime->search_path[i];
    status = try_open(session, AT_FDCWD, 0, file_in(folder, strlen(folder), name), handle, path);
  }
  if (status == PKGIMG_NOT_FOUND && session->origin)
    status = bundle_open_file(session, name, handle, path);
  if (status != PKGIMG_NOT_FOUND)
    return status;
  return fail_name(session->error, PKGIMG_NOT_FOUND, session->path, name,
                   "a dependency: no file %s.so beside the image or in the %zu folders of the search path", name,
                   runtime->search_path_count);
}

// The file of a planned image, unless a prefetch has opened it already.
enum pkgimg_status open_planned(struct session *session, struct planned *planned, struct image_handle *handle,
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

// The folder of the image, so that opening a dependency walks no path. AT_FDCWD when that is it, or
// when it cannot be opened: then whole paths are used.
void open_folder(struct session *session)
{
  size_t length = folder_length(session->path);
  char *folder = length && session->plan_count > 1 ? strndup(session->path, length) : NULL;
  int fd = folder ? folder_open(folder, &session->runtime->counts) : -1;
  session->folder = fd < 0 ? AT_FDCWD : fd;
  free(folder);
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

enum pkgimg_status prefetch(struct session *session)
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
