// SPDX-License-Identifier: MIT
//
// Records of starts: which pages of a bundle a start touched, in a file beside it. What this process touches is
// counted, not what is in memory: neither other processes nor a prefetch add to a record.
#ifndef IMAGE_RECORD_H
#define IMAGE_RECORD_H

#include "format/pages.h"
#include "image/bundle.h"

/// Read and check the record beside a bundle. PKGIMG_NOT_FOUND if there is none, PKGIMG_MISMATCH if it is of
/// another. `pages` points into `bytes`.
PKGIMG_MUST_USE enum pkgimg_status record_read(const char *bundle, const struct bundle_header *head,
                                               struct buffer *bytes, struct pages *pages,
                                               struct map_counts *counts, struct pkgimg_error *error);
/// The same for a record that is open.
PKGIMG_MUST_USE enum pkgimg_status record_take(const struct image_handle *handle, const struct bundle_header *head,
                                               struct buffer *bytes, struct pages *pages,
                                               struct map_counts *counts, struct pkgimg_error *error);
/// Begin to read the record of the session's root, if it has one, into session->record.
void record_expect(struct session *session);

struct recording;

/// Begin to watch a bundle that was just mapped.
PKGIMG_MUST_USE enum pkgimg_status recording_begin(struct session *session, struct bundle *bundle);
/// The first load is done: what was touched so far belongs to it.
void recording_load_done(struct bundle *bundle);
/// Merge what was touched into the record beside the bundle. The recording ends, whatever comes of it.
PKGIMG_MUST_USE enum pkgimg_status recording_end(struct bundle *bundle, struct pkgimg_error *error);
/// NULL is allowed.
void recording_destroy(struct recording *recording);

/// Have the pages of the record read, if there is one and the bundle is not in memory. It is mapped.
void bundle_fetch(struct session *session, struct bundle *bundle);

#endif
