// SPDX-License-Identifier: MIT
//
// Bundles in a runtime: opened, asked for images, activated. Called with the loader's lock held.
#ifndef IMAGE_BUNDLE_H
#define IMAGE_BUNDLE_H

#include "format/bundle_view.h"
#include "image/session.h"

struct bundle {
  struct bundle *next;
  struct pkgimg_runtime *runtime;
  char *path;
  struct bundle_header head;
  const uint8_t *code;  // the code block in memory
  struct region region; // for the slots of its images
  uint64_t *active;     // bit: the image has a struct pkgimg_image
  size_t active_count;
  struct unwind_object unwind_object;
  struct recording *recording;  // NULL: it is not recorded
  struct fetch *fetch;          // what is being read for it in the background
  struct bound_types *types;    // its objects of types are used; NULL: its images' types are as those of others
  uint32_t missing;     // functions of the gate that this host lacks
  bool unwind_known, mapped, filled;
};

/// Check the header of the bundle that the session's root is, and that the file is as long as that says.
PKGIMG_MUST_USE enum pkgimg_status bundle_header(struct session *session, struct bundle_header *head);

/// Check every byte of it against its build id.
PKGIMG_MUST_USE enum pkgimg_status bundle_verify(struct session *session);

/// Open that bundle. PKGIMG_BUSY, PKGIMG_WRONG_MACHINE and PKGIMG_MISMATCH mean that the images themselves may be
/// loaded instead.
PKGIMG_MUST_USE enum pkgimg_status bundle_open(struct session *session, const struct bundle_header *head,
                                               struct bundle **bundle);
/// Close a bundle again that a load opened which then failed; none of its images is left.
void bundle_undo(struct pkgimg_runtime *runtime, struct bundle *bundle);

/// An image of an open bundle with all that it needs. PKGIMG_BUSY means that some of it is loaded already, from
/// elsewhere, so that the images themselves are to be loaded.
PKGIMG_MUST_USE enum pkgimg_status bundle_take(struct session *session, struct bundle *bundle, uint32_t index,
                                               struct pkgimg_image **image);
/// An image by its build id: one that is loaded, or one of an open bundle, which is made active then.
PKGIMG_MUST_USE enum pkgimg_status image_find(struct session *session, const uint8_t build_id[16],
                                              struct pkgimg_image **image);

/// The image of a bundle that somebody asked for is no longer loaded. Of another one, nothing.
void bundle_types_drop(struct bundle *bundle, uint32_t index);

/// Find the system image of an image of a bundle, if it has one.
PKGIMG_MUST_USE enum pkgimg_status bundle_take_sysimage(struct session *session, struct pkgimg_image *image);

/// See to it that the image of a bundle that has `address`, if any, has a struct pkgimg_image.
void bundles_activate_at(struct pkgimg_runtime *runtime, uint64_t address);

/// Run what an image of a bundle and its dependencies declare as initialisation.
void bundle_initialise(struct pkgimg_image *image);

/// Tell the unwinder of all bundles of a runtime.
void bundles_make_unwindable(struct pkgimg_runtime *runtime);

/// The end of all bundles of a runtime: destructors of active images, the youngest first; then unmap.
void bundles_close(struct pkgimg_runtime *runtime);

#endif
