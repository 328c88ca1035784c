// SPDX-License-Identifier: MIT
//
// What was captured, as the writer wants it: sites by set, numbered as the image's own tables number
// dependencies and imports.
#ifndef IMAGE_CAPTURED_H
#define IMAGE_CAPTURED_H

#include "image/capture.h"
#include "image/resolve.h"

struct captured {
  struct writer_capture writer;
  struct writer_captured_set *sets;
  uint32_t *ids, *details;  // of all sets, one behind the other
  struct writer_root *roots;
};
void captured_deinit(struct captured *captured);

/// Take sites of changed words out of the resolution, and add the imports and dependencies that captured
/// words need. To be done before these are numbered. `provider_of` tells of a dependency (its place in the order of
/// loading) which provider it is.
PKGIMG_MUST_USE enum pkgimg_status captured_prepare(const struct capture *capture, const uint32_t *provider_of,
                                                    struct resolution *resolution, struct pkgimg_error *error);

/// Make the sets. `number_of` tells of a dependency which of the image's it is, counted from 1.
PKGIMG_MUST_USE enum pkgimg_status captured_init(struct captured *captured, const struct capture *capture,
                                                 const uint32_t *number_of, const struct resolution *resolution,
                                                 struct pkgimg_error *error);

#endif
