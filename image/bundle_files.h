// SPDX-License-Identifier: MIT
//
// The files of a bundle's images: where they are looked for, and whether the main one is still what was bound.
#ifndef IMAGE_BUNDLE_FILES_H
#define IMAGE_BUNDLE_FILES_H

#include "image/bundle.h"

/// A bundle whose images are loaded from their own files.
struct bundle_files {
  const char *path;
  struct bundle_header head;
  const uint8_t *code;  // mapped to look at the tables
};

/// Look into the bundle that the session's root is. False if it cannot be mapped.
bool bundle_files_open(struct session *session, const struct bundle_header *head, struct bundle_files *files);
void bundle_files_close(const struct bundle_files *files);

/// Where the file of an image may be, in the order of trying: beside the bundle, then where it was when it was bound.
/// From malloc; NULL when there are no more.
char *bundle_file_path(const char *bundle_path, struct bundle_view view, uint32_t index, unsigned attempt);

/// Open the file of a dependency of the session's load, by the bundle that it falls back from. `path` is from
/// malloc.
PKGIMG_MUST_USE enum pkgimg_status bundle_open_file(struct session *session, const char *name,
                                                    struct image_handle *handle, char **path);

/// The first file of an image that is there: its path, from malloc, and its header. NULL if there is none, or it is no
/// image.
char *bundle_file_identity(const char *bundle_path, struct bundle_view view, uint32_t index,
                           struct disk_header *header, struct map_counts *counts);

/// Note on a new bundle the state of its main image's file, so that a load need not open that.
void bundle_note_main(const char *bundle_path, struct bundle_view view);

/// PKGIMG_MISMATCH if the file of the main image has another build than the one that was bound.
PKGIMG_MUST_USE enum pkgimg_status bundle_check_main(struct session *session, const struct bundle *bundle);

#endif
