// SPDX-License-Identifier: MIT
//
// One load in progress, and the steps that concern files: opening, reading ahead. load.c has the
// others.
#ifndef IMAGE_SESSION_H
#define IMAGE_SESSION_H

#include "image/runtime.h"

struct bundle_files;

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
  bool is_bundle;
  _Alignas(8) uint8_t head[FORMAT_HEAD];  // its first bytes
  size_t head_size;
  bool cold;                   // they were not in memory
  struct image_handle record;  // of the bundle that it may be; open if it is cold
  char *record_path;
  struct disk_header header;
  struct buffer root_tables;  // its tables and its closure
  struct tables tables;
  struct closure closure;
  // the plan
  struct planned *plan;
  size_t plan_count;
  struct region *regions;  // the one that is being filled, then those before it
  bool search;  // for a place, because the first choice was taken
  const struct bundle_files *origin;  // the bundle that the load falls back from, NULL: none
  int folder;
  struct scratch_memory *scratch;
  struct deferred *deferred;
  size_t deferred_count, deferred_capacity;
  // what came of it
  struct pkgimg_image *fresh;
  struct bundle *fresh_bundle;
  bool fell_back;  // to the images of a bundle
};

/// Add the time since the last call to a phase.
void session_phase_done(struct session *session, enum pkgimg_phase phase);

/// Room for `size` bytes that a file announces from `offset` on. What is large is believed only when
/// the file is that large; to ask costs a system call.
PKGIMG_MUST_USE enum pkgimg_status make_room(struct session *session, const struct image_handle *handle,
                                             uint64_t offset, size_t size, struct buffer *buffer);

/// Open the image that was asked for and read its header.
PKGIMG_MUST_USE enum pkgimg_status open_root(struct session *session);
/// Read its closure, and the tables that hold the names.
PKGIMG_MUST_USE enum pkgimg_status read_closure(struct session *session);
/// Check every byte of an open file against its build id.
PKGIMG_MUST_USE enum pkgimg_status verify_whole(struct session *session, const struct image_handle *handle,
                                                const struct disk_geometry *geometry);

/// Open the folder of the image, for dependencies beside it.
void open_folder(struct session *session);
/// Open a dependency by name. `path` is from malloc.
PKGIMG_MUST_USE enum pkgimg_status open_dependency(struct session *session, const char *name,
                                                   struct image_handle *handle, char **path);
/// The same for a planned image, which a prefetch may have opened already.
PKGIMG_MUST_USE enum pkgimg_status open_planned(struct session *session, struct planned *planned,
                                                struct image_handle *handle, char **path);

/// Load an image with what it needs from their files: all steps but the constructors. load.c
PKGIMG_MUST_USE enum pkgimg_status load_closure(struct session *session);

/// Bring the files of the plan into memory, if that pays.
PKGIMG_MUST_USE enum pkgimg_status prefetch(struct session *session);

#endif
