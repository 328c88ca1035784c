// SPDX-License-Identifier: MIT
//
// The files of a bundle's images: where they are looked for, and whether the main one is still what was bound.
#include "image/bundle_files.h"

#include "image/bundle_parts.h"
#include "mapper/blocks.h"
#include "mapper/known.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

bool bundle_files_open(struct session *session, const struct bundle_header *head, struct bundle_files *files)
{
  *files = (struct bundle_files){.path = session->path, .head = *head};
  files->code = blocks_map_tables(&session->root, &files->head, &session->runtime->counts);
  return files->code;
}

void bundle_files_close(const struct bundle_files *files)
{
  blocks_unmap_tables(&files->head, files->code);
}

static size_t folder_length(const char *path)
{
  const char *slash = strrchr(path, '/');
  return slash ? (size_t)(slash - path) + 1 : 0;
}

// Without printf, which costs a start more than the rest of the check that this is for.
char *bundle_file_path(const char *bundle_path, struct bundle_view view, uint32_t index, unsigned attempt)
{
  const char *stored = bundle_string(view, bundle_image(view, index)->path);
  size_t stored_folder = folder_length(stored), folder = folder_length(bundle_path);
  if (!stored[stored_folder] || attempt > (stored_folder > 0))
    return NULL;
  if (attempt == 1 && *stored == '/')
    return strdup(stored);
  const char *file = attempt == 1 ? stored : stored + stored_folder;
  size_t length = strlen(file);
  char *path = malloc(folder + length + 1);
  if (!path)
    return NULL;
  memcpy(path, bundle_path, folder);
  memcpy(path + folder, file, length + 1);
  return path;
}

enum pkgimg_status bundle_open_file(struct session *session, const char *name, struct image_handle *handle,
                                    char **path)
{
  const struct bundle_files *files = session->origin;
  struct bundle_view view = {&files->head, files->code};
  uint32_t index = bundle_find_name(view, name);
  for (unsigned i = 0; index != BUNDLE_NONE && (*path = bundle_file_path(files->path, view, index, i)); i++) {
    enum pkgimg_status status =
        image_open(AT_FDCWD, *path, *path, handle, &session->runtime->counts, session->error);
    if (status == PKGIMG_OK)
      return PKGIMG_OK;
    free(*path);
    *path = NULL;
    if (status != PKGIMG_NOT_FOUND)
      return status;
  }
  return PKGIMG_NOT_FOUND;
}

static enum pkgimg_status read_identity(const char *path, struct disk_header *header, struct map_counts *counts)
{
  _Alignas(8) uint8_t head[FORMAT_HEAD];
  size_t size = 0;
  struct image_handle handle;
  TRY(image_open(AT_FDCWD, path, path, &handle, counts, NULL));
  enum pkgimg_status status = PKGIMG_OK;
  if (image_read_head(&handle, head, sizeof head, &size, counts) != HEAD_IN_MEMORY)  // then only its page is read
    status = image_pread(&handle, head, sizeof head, 0, &size, counts, NULL);
  image_close(&handle, counts);
  TRY(status);
  struct reader reader = {.file = path, .bytes = {head, size}};
  return header_read(&reader, header);
}

char *bundle_file_identity(const char *bundle_path, struct bundle_view view, uint32_t index,
                           struct disk_header *header, struct map_counts *counts)
{
  char *path;
  for (unsigned i = 0; (path = bundle_file_path(bundle_path, view, index, i)); i++) {
    enum pkgimg_status status = read_identity(path, header, counts);
    if (status == PKGIMG_OK)
      return path;
    free(path);
    if (status != PKGIMG_NOT_FOUND)
      return NULL;
  }
  return NULL;
}

// ---- is the main image still what was bound

// The first file that is there, as bundle_file_identity finds it.
static bool main_state(const char *bundle_path, struct bundle_view view, struct file_state *state,
                       struct map_counts *counts)
{
  char *path;
  bool found = false;
  for (unsigned i = 0; !found && (path = bundle_file_path(bundle_path, view, view.head->main_image, i)); i++) {
    found = file_state_read(path, state, counts);
    free(path);
  }
  return found;
}

// Its state first: what changes it after that, or after its clock has ticked, changes the state.
void bundle_note_main(const char *bundle_path, struct bundle_view view)
{
  struct map_counts counts = {0};
  struct disk_header header;
  struct file_note note;
  const struct bundle_image *entry = bundle_image(view, view.head->main_image);
  if (!main_state(bundle_path, view, &note.state, &counts) || !file_state_settle(&note.state))
    return;
  char *path AUTO(free_pointer) =
      bundle_file_identity(bundle_path, view, view.head->main_image, &header, &counts);
  if (!path || memcmp(header.geometry.build_id, entry->geometry.build_id, 16) != 0)
    return;
  memcpy(note.carrier, view.head->build_id, sizeof note.carrier);
  file_note_write(bundle_path, &note);
}

static bool main_is_as_noted(struct session *session, const struct bundle *bundle)
{
  struct map_counts *counts = &session->runtime->counts;
  struct file_note note;
  struct file_state state;
  return file_note_read(&session->root, &note, counts) &&
         memcmp(note.carrier, bundle->head.build_id, sizeof note.carrier) == 0 &&
         main_state(bundle->path, view_of(bundle), &state, counts) &&
         memcmp(&state, &note.state, sizeof state) == 0;
}

// What an image is built against is part of its identity, so the main image tells of its whole closure.
enum pkgimg_status bundle_check_main(struct session *session, const struct bundle *bundle)
{
  struct disk_header header;
  const struct bundle_image *entry = entry_at(bundle, bundle->head.main_image);
  if (marked(bundle->active, bundle->head.main_image) || main_is_as_noted(session, bundle))
    return PKGIMG_OK;
  char *path AUTO(free_pointer) = bundle_file_identity(bundle->path, view_of(bundle), bundle->head.main_image,
                                                       &header, &session->runtime->counts);
  if (!path || memcmp(header.geometry.build_id, entry->geometry.build_id, 16) == 0)
    return PKGIMG_OK;
  struct hex_id bound = hex_id(entry->geometry.build_id), found = hex_id(header.geometry.build_id);
  return fail(session->error, PKGIMG_MISMATCH, session->path,
              "changed since: bound was %s with build id %s, now it has %s", path, bound.text, found.text);
}
